"""Builds the compiled CPU kernels into the wheel, or into the checkout of an editable install.

They are optional: without a C++ compiler, or with ``DEEPKIT_NO_COMPILE=1``, the wheel is one of pure Python and NumPy
does the work. ``CXX`` and ``CXXFLAGS`` are respected.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("module.cpp", "module_dense.cpp", "threads.cpp", "isa_baseline.cpp", "isa_avx2.cpp", "isa_avx512.cpp")
FLAGS = ["-std=c++17", "-O3", "-fPIC", "-fno-math-errno", "-fvisibility=hidden", "-Wno-psabi", "-pthread"]


def command(root: Path, target: Path) -> list[str]:
    """The call of the compiler; its notation is that of GCC and Clang."""
    compiler = shlex.split(os.environ.get("CXX") or "c++")
    link = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    flags = [
        *FLAGS,
        *shlex.split(os.environ.get("CXXFLAGS", "")),
        *shlex.split(os.environ.get("ARCHFLAGS", "")),
    ]
    sources = [str(root / "kernels" / name) for name in SOURCES]
    return [
        *compiler,
        "-shared",
        *flags,
        *link,
        f"-I{sysconfig.get_path('include')}",
        *sources,
        "-o",
        str(target),
    ]


class CustomBuildHook(BuildHookInterface):
    """Compiles, and marks the wheel as one for this platform if that worked."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or os.environ.get("DEEPKIT_NO_COMPILE"):
            return
        root = Path(self.root)
        name = f"deepkit/backend/cpu/_compiled{sysconfig.get_config_var('EXT_SUFFIX')}"
        try:
            done = subprocess.run(command(root, root / name), capture_output=True, text=True)
            trouble = done.stderr if done.returncode else ""
        except OSError as error:
            trouble = str(error)
        if trouble:
            self.app.display_warning(
                f"The compiled CPU kernels were not built; NumPy does their work.\n{trouble}"
            )
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(name)
