"""Compile the CUDA kernels as a GPU's owner would, on machines that have none.

NVRTC, the compiler that CuPy calls, needs no driver: the wheels ``nvidia-cuda-nvrtc``, ``nvidia-cuda-runtime`` and
``nvidia-cuda-crt`` (``pip install "deepkit[cuda-check]"``, 61 MB) are enough to make machine code for every
architecture. Warnings are errors, and so are registers spilled to memory and arrays that the compiler could not keep
in registers (they show as a stack frame). How many registers each kernel takes is kept in ``kernels/registers``, a
table a file: a change that makes one dearer is seen in review.

``python -m tests.cuda.nvrtc`` checks everything, ``python -m tests.cuda.nvrtc pool norm`` those files; ``--write``
renews their tables.
"""

from __future__ import annotations

import ctypes
import getpass
import hashlib
import json
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

KERNELS = Path(__file__).parents[2] / "kernels"
TABLES = KERNELS / "registers"

#: Every architecture that CUDA 13 compiles for and that we name: Turing, Ampere, Ada, Hopper, Blackwell.
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)

#: What the kernels are compiled with everywhere.
OPTIONS = ("--std=c++17",)

#: What this check adds: warnings are errors, and the log tells about registers.
STRICT = (
    "-Werror=all-warnings",
    "--ptxas-options=-v",
    "--ptxas-options=-warn-spills",
    "--ptxas-options=-warn-lmem-usage",
)


@dataclass(frozen=True)
class Usage:
    """What a kernel takes of the machine: registers a thread, bytes of stack and of spills, static shared memory."""

    registers: int
    stack: int
    spilled: int
    shared: int


class CompileError(Exception):
    """The compiler refused a source; the text is its log."""


def _folders() -> list[Path]:
    """Where the wheels put the toolkit."""
    return [Path(p) / "nvidia" / "cu13" for p in sys.path if p and (Path(p) / "nvidia" / "cu13").is_dir()]


def missing() -> str | None:
    """Why the check can't run here, or ``None``."""
    try:
        _library()
    except OSError as error:
        return str(error)
    return None


@lru_cache
def _library() -> tuple[ctypes.CDLL, Path]:
    """NVRTC and the folder of the CUDA headers."""
    for folder in _folders():
        found = sorted(folder.glob("lib/libnvrtc.so.13")) + sorted(folder.glob("bin/**/nvrtc64_13*.dll"))
        if found and (folder / "include" / "cuda_fp16.h").is_file():
            for builtins in folder.glob("lib/libnvrtc-builtins.so.13*"):
                ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)  # NVRTC opens it by name
            return ctypes.CDLL(str(found[0])), folder / "include"
    raise OSError('NVRTC of CUDA 13 and its headers are not installed: pip install "deepkit[cuda-check]"')


def version() -> str:
    """The compiler's version, such as ``"13.0"``."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _library()[0].nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


def compile_source(source: str, name: str, architecture: int, options: tuple[str, ...] = STRICT) -> tuple[bytes, str]:
    """Compile to machine code.

    Args:
        source: The CUDA C++ text.
        name: How the compiler calls it in messages.
        architecture: Such as 90 for sm_90.
        options: Added to :data:`OPTIONS`.

    Returns:
        The CUBIN and the compiler's log.

    Raises:
        CompileError: with the log, if the compiler reports an error, or a warning that counts as one.
    """
    nvrtc, include = _library()
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None)
    try:
        texts = (*OPTIONS, f"--gpu-architecture=sm_{architecture}", f"-I{include}", *options)
        arguments = (ctypes.c_char_p * len(texts))(*(t.encode() for t in texts))
        status = nvrtc.nvrtcCompileProgram(program, len(texts), arguments)
        log = _text(nvrtc, program, "ProgramLog").decode()
        if status:
            raise CompileError(f"{name} for sm_{architecture}:\n{log}")
        return _text(nvrtc, program, "CUBIN"), log
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
    return buffer.raw[: size.value].rstrip(b"\0") if what == "ProgramLog" else buffer.raw[: size.value]


def parse(log: str) -> dict[str, Usage]:
    """The usage of each kernel by its name, from the log of ``--ptxas-options=-v``."""
    found = {}
    for block in re.split(r"Compiling entry function '", log)[1:]:
        number = lambda pattern, text=block: int(m.group(1)) if (m := re.search(pattern, text)) else 0
        spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
        found[block[: block.index("'")]] = Usage(
            number(r"Used (\d+) registers"), number(r"(\d+) bytes stack frame"), spilled, number(r"(\d+) bytes smem")
        )
    return found


def usage(path: Path, architecture: int) -> dict[str, Usage]:
    """Compile a file and see what its kernels take.

    Raises:
        CompileError: for warnings, too, and for a kernel that keeps anything of a thread's own in memory.
    """
    source = inlined(path)
    key = hashlib.sha256(repr((source, path.name, architecture, OPTIONS, STRICT, version())).encode()).hexdigest()
    known = Path(tempfile.gettempdir()) / f"deepkit-nvrtc-{getpass.getuser()}" / key[:32]
    if known.is_file():
        log = known.read_text()
    else:
        _, log = compile_source(source, path.name, architecture)
        known.parent.mkdir(mode=0o700, exist_ok=True)
        known.write_text(log)
    found = parse(log)
    heavy = [f"{name}: {u}" for name, u in found.items() if u.stack or u.spilled]
    if heavy:
        raise CompileError(f"{path.name} for sm_{architecture} keeps registers in memory:\n" + "\n".join(heavy))
    return found


_INCLUDE = re.compile(r'^#include "([\w./]+)".*$', re.MULTILINE)


def inlined(path: Path) -> str:
    """The text with our own headers put in, each where it comes first."""
    return _inlined(path, set())


def _inlined(path: Path, seen: set[str]) -> str:
    source = path.read_text(encoding="utf-8")

    def text(found: re.Match[str]) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        line = source.count("\n", 0, found.end()) + 2
        return f'#line 1 "{found[1]}"\n{_inlined(KERNELS / found[1], seen)}\n#line {line} "{path.name}"'

    return _INCLUDE.sub(text, source).replace("#pragma once", "")


def sources() -> list[Path]:
    """Every file of kernels."""
    return sorted(KERNELS.glob("*.cu"))


def _registers(task: tuple[Path, int]) -> dict[str, int]:
    return {name: u.registers for name, u in sorted(usage(*task).items())}


def table(files: list[Path], architectures: tuple[int, ...] = ARCHITECTURES, workers: int = 2) -> dict[str, dict]:
    """Registers by file, kernel and architecture.

    Raises:
        CompileError: as :func:`usage`.
    """
    tasks = [(path, architecture) for path in files for architecture in architectures]
    with ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(_registers, tasks))
    found: dict[str, dict] = {}
    for (path, architecture), registers in zip(tasks, results):
        for kernel, count in registers.items():
            found.setdefault(path.name, {}).setdefault(kernel, {})[f"sm_{architecture}"] = count
    return found


def _render(kernels: dict[str, dict[str, int]]) -> str:
    """One line a kernel: registers in the order of the architectures, ``null`` for one that lacks the kernel."""
    names = [f"sm_{a}" for a in ARCHITECTURES]
    rows = [f"  {json.dumps(k)}: {json.dumps([row.get(n) for n in names])}" for k, row in sorted(kernels.items())]
    head = f'{{"nvrtc": "{version()}", "architectures": {json.dumps(ARCHITECTURES)}, "registers": {{\n'
    return head + ",\n".join(rows) + "\n}}\n"


def read_table(path: Path) -> tuple[str, dict[str, dict[str, int]]]:
    """The compiler's version that made the committed table of a file, and the table as :func:`table` gives it."""
    try:
        content = json.loads((TABLES / f"{path.stem}.json").read_text())
    except FileNotFoundError:
        return "", {}
    names = [f"sm_{a}" for a in content["architectures"]]
    rows = {k: {n: r for n, r in zip(names, row) if r is not None} for k, row in content["registers"].items()}
    return content["nvrtc"], rows


def differences(files: list[Path], architectures: tuple[int, ...], workers: int = 2) -> list[str]:
    """Where the kernels are others than the tables say or, for the compiler that made a table, take other registers.

    Raises:
        CompileError: as :func:`usage`.
    """
    found, wrong = table(files, architectures, workers), []
    for path in files:
        made_by, committed = read_table(path)
        kernels = found.get(path.name, {})
        if set(kernels) != set(committed):
            wrong.append(f"{path.stem}.json lists other kernels: {sorted(set(kernels) ^ set(committed))}")
        elif made_by == version():
            wrong += [f"{k} takes {row}, not {committed[k]}" for k, row in kernels.items()
                      if row.items() - committed[k].items()]  # fmt: skip
    return wrong


def main(arguments: list[str]) -> int:
    if reason := missing():
        print(reason)
        return 1
    stems = [a for a in arguments if not a.startswith("-")]
    files = [path for path in sources() if not stems or path.stem in stems]
    try:
        if "--write" in arguments:
            TABLES.mkdir(exist_ok=True)
            for name, kernels in table(files).items():
                (TABLES / name).with_suffix(".json").write_text(_render(kernels))
            return 0
        wrong = differences(files, ARCHITECTURES)
    except CompileError as error:
        wrong = [str(error)]
    print("\n".join(wrong) or f"{len(files)} files, {len(ARCHITECTURES)} architectures: nothing to report")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
