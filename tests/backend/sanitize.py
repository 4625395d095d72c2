"""The tests of the compiled kernels under GCC's sanitizers: ``python -m tests.backend.sanitize address thread``.

``address`` finds reads and writes outside arrays and, with it, undefined behaviour; ``thread`` finds races. The
checkout is copied, so that the kernels of this one stay as they are. Needs GCC and its sanitizer libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS = {
    "address": ("address,undefined", ["libasan.so", "libubsan.so"]),
    "thread": ("thread", ["libtsan.so"]),
}


def run(kind: str) -> int:
    """Build and test; the exit status, 0 if nothing was found."""
    sys.path.insert(0, str(ROOT))
    os.environ["CXXFLAGS"] = f"-O1 -g -fsanitize={KINDS[kind][0]} -fno-sanitize-recover=undefined"
    from hatch_build import command

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("deepkit", "tests", "docs", "kernels"):
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled*")
            )
        shutil.copy(ROOT / "pyproject.toml", copy)
        library = copy / f"deepkit/backend/cpu/_compiled{sysconfig.get_config_var('EXT_SUFFIX')}"
        subprocess.run(command(copy, library), check=True)
        find = lambda name: subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True
        ).stdout.strip()
        env = {**os.environ, "LD_PRELOAD": " ".join(find(name) for name in KINDS[kind][1]), "OPENBLAS_NUM_THREADS": "1",
               "ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "exitcode=66"}  # fmt: skip
        tests = ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/backend/test_compiled.py"]
        return subprocess.run([sys.executable, *tests], cwd=copy, env=env).returncode


if __name__ == "__main__":
    found = [kind for kind in sys.argv[1:] or list(KINDS) if run(kind)]
    print("found something: " + ", ".join(found) if found else "clean")
    sys.exit(bool(found))
