"""Run CUDA C++ kernels on the CPU, to see that they are right; see ``docs/architecture.md``.

A kernel file is compiled as it stands by g++ with a header that defines CUDA's part of the language
(``include/cuda_emulator.h``); each CUDA thread is a fiber, blocks run one after another (``runtime.cpp``). It says
nothing about speed.

>>> import numpy as np
>>> module = Module('''
... extern "C" __global__ void twice(const float* x, float* y, int n) {
...     int i = blockIdx.x * blockDim.x + threadIdx.x;
...     if (i < n) y[i] = 2.0f * x[i];
... }''')
>>> x, y = np.arange(5, dtype=np.float32), np.empty(5, np.float32)
>>> module.launch("twice", (2,), (4,), (x, y, np.int32(5)))
>>> y
array([0., 2., 4., 6., 8.], dtype=float32)
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, Sequence

from .arguments import Arguments, Parameter

__all__ = ["EmulatorError", "Module", "missing", "preprocess"]

HERE = Path(__file__).parent
KERNELS = HERE.parents[2] / "kernels"
ORDERS = ("forward", "reverse", "shuffled")

#: The default of :class:`Module`'s ``sanitize``; the sanitizers' libraries have to be loaded with the process.
SANITIZE = "DEEPKIT_EMULATOR_SANITIZE"

#: Static and dynamic shared memory together that a block may have without asking for more.
SHARED_DEFAULT = 48 << 10


class EmulatorError(RuntimeError):
    """What a kernel, or its launch, did wrong."""


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CXX", "g++"))


def missing() -> str | None:
    """Why the emulator can't run here, or ``None``."""
    if not sys.platform.startswith("linux") or os.uname().machine not in ("x86_64", "aarch64"):
        return "the CUDA emulator runs on Linux on x86-64 and aarch64"
    return None if _compiler() else "the CUDA emulator needs g++"


class Module:
    """A compiled kernel file.

    Args:
        source: CUDA C++ text, or the path of a file.
        options: Options of the compiler as CuPy would get them; of these ``-D`` and ``-I`` count.
        sanitize: ``"address,undefined"`` or ``"thread"``: compile for these sanitizers, whose libraries the process
            must have been started with (:mod:`tests.cuda.emulator.sanitized`).
        order: The order that threads, and blocks, run in: ``"forward"``, ``"reverse"`` or ``"shuffled"``.
        guard: Give kernels copies of their arrays, with guarded memory around them: a write next to an array is then
            an :class:`EmulatorError`, and the sanitizers see reads, too.

    Attributes:
        kernels: The kernels' parameters by name.
        max_dynamic_shared_size_bytes: Names of kernels that may have more shared memory than 48 KB, and how much.
    """

    def __init__(
        self,
        source: str | Path,
        options: Sequence[str] = (),
        sanitize: str | None = None,
        order: str = "forward",
        guard: bool = True,
    ):
        if order not in ORDERS:
            raise ValueError(f"order should be one of {ORDERS}. Received: {order!r}")
        name, text = (source.name, source.read_text()) if isinstance(source, Path) else ("source.cu", source)
        sanitize = os.environ.get(SANITIZE) if sanitize is None else sanitize
        flags = tuple(o for o in options if o.startswith(("-D", "-I")))
        self._library, entries = _build(text, name, flags, sanitize or "")
        self._order = ORDERS.index(order)
        self._guard = guard
        self._lock = threading.Lock()
        self.kernels: dict[str, list[Parameter]] = {}
        self._bounds: dict[str, int] = {}
        self.max_dynamic_shared_size_bytes: dict[str, int] = {}
        buffer = ctypes.create_string_buffer(4096)
        for entry in entries:
            getattr(self._library, f"dk_signature_{entry}")(buffer)
            self.kernels[entry] = [Parameter(code) for code in buffer.value.decode().split()]
            self._bounds[entry] = ctypes.c_int.in_dll(self._library, f"dk_bounds_{entry}").value

    def launch(
        self, name: str, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], shared: int = 0
    ) -> None:
        """Run a kernel and wait for it.

        Args:
            name: The kernel.
            grid: Blocks in up to three dimensions.
            block: Threads a block in up to three dimensions.
            args: NumPy arrays for pointers (``None`` for a null pointer), NumPy scalars or ctypes numbers for numbers.
            shared: Bytes of dynamic shared memory.

        Raises:
            EmulatorError: for a launch that CUDA refuses, and for what a kernel must not do.
            TypeError: if an argument isn't what the kernel takes.
        """
        if name not in self.kernels:
            raise EmulatorError(f"There is no kernel {name!r}; there are {', '.join(sorted(self.kernels))}")
        dims = [tuple(int(n) for n in (*d, 1, 1, 1)[:3]) for d in (grid, block)]
        limit = max(self.max_dynamic_shared_size_bytes.get(name, 0), SHARED_DEFAULT)
        self._check_launch(name, *dims, shared, limit)
        with self._lock:
            arguments = Arguments(name, self.kernels[name], args, self._guard)
            text = ctypes.create_string_buffer(1024)
            failed = self._library.dk_launch(
                getattr(self._library, f"dk_run_{name}"), arguments.pointers, *((ctypes.c_uint * 3)(*d) for d in dims),
                ctypes.c_size_t(shared), ctypes.c_size_t(limit), self._order, text, ctypes.c_size_t(len(text)),
            )  # fmt: skip
            overrun = arguments.finish()
        if failed:
            raise EmulatorError(f"{name}: {text.value.decode()}")
        if overrun:
            raise EmulatorError(f"{name}: {overrun}")

    def _check_launch(
        self, name: str, grid: tuple[int, ...], block: tuple[int, ...], shared: int, limit: int
    ) -> None:
        threads = block[0] * block[1] * block[2]
        wrong = None
        if min(*grid, *block) < 1:
            wrong = "every dimension of grid and block is 1 or more"
        elif threads > 1024 or block[2] > 64:
            wrong = f"a block has at most 1024 threads and 64 in its third dimension, here {threads}"
        elif threads > self._bounds[name]:
            wrong = f"__launch_bounds__ promises at most {self._bounds[name]} threads, here {threads}"
        elif grid[0] > 2**31 - 1 or max(grid[1:]) > 65535:
            wrong = "a grid has at most 2147483647 x 65535 x 65535 blocks"
        elif shared > limit:
            wrong = f"{shared} bytes of shared memory, {limit} are allowed (max_dynamic_shared_size_bytes allows more)"
        if wrong:
            raise EmulatorError(f"{name}: {wrong}. Received: grid={grid}, block={block}, shared={shared}")


# -------------------------------------------------------------------------------------------------- compiling


def preprocess(text: str) -> str:
    """Rewrite what the header can't define: ``__shared__`` variables, in text without comments and macros.

    >>> print(preprocess("__shared__ float s[4];"))
    typedef float dk_type_s [4]; static char dk_key_s; dk_type_s& s = ...dk_shared(&dk_key_s, ...
    """
    return re.sub(r"\b(extern\s+)?__shared__\s+([^;{}()=]*(?:\([^;{}()]*\)[^;{}()=]*)*);", _shared_variable, text)


def _shared_variable(found: re.Match[str]) -> str:
    declaration = " ".join(line for line in found.group(2).split("\n") if not line.startswith("#"))
    lines = "\n" * found.group(0).count("\n")
    alignment = re.search(r"(?:alignas|__align__)\s*\(([^()]*)\)", declaration)
    align = alignment.group(1) if alignment else ""
    if alignment:
        declaration = declaration.replace(alignment.group(0), " ")
    first, *others = _split(declaration)
    parts = re.fullmatch(r"\s*(.*?[\s>*&])\s*([A-Za-z_]\w*)\s*((?:\[.*)?)", first.strip(), re.S)
    if parts is None:
        raise EmulatorError(f"This __shared__ declaration is not understood: {found.group(0)}")
    kind = parts[1].strip()
    if found.group(1):
        return f"{kind}* {parts[2]} = static_cast<{kind}*>(dk_dynamic_shared());{lines}"
    out = []
    for text in (parts[2] + parts[3], *others):
        name, dims = re.fullmatch(r"\s*(\w+)\s*(.*?)\s*", text, re.S).groups()  # type: ignore[union-attr]
        type_ = f"dk_type_{name}"
        out.append(
            f"typedef {kind} {type_} {dims}; static char dk_key_{name}; {type_}& {name} = "
            f"*static_cast<{type_}*>(dk_shared(&dk_key_{name}, sizeof({type_}), {align or f'alignof({type_})'}));"
        )
    return " ".join(out) + lines


def _split(declaration: str) -> list[str]:
    """At commas that no bracket encloses."""
    parts, depth = [""], 0
    for c in declaration:
        depth += (c in "[(<") - (c in "])>")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return parts


_KERNEL = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\((?P<bounds>(?:[^()]|\([^()]*\))*)\)\s*)?(?P<name>\w+)\s*\('
)


def _run(command: list[str], text: str, name: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise EmulatorError(f"{name} doesn't compile:\n{done.stderr}")
    return done.stdout


def cache_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"deepkit-cuda-emulator-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise EmulatorError(f"{folder} belongs to someone else; remove it")
    return folder


@lru_cache
def _own_hash() -> str:
    files = [HERE / "emulator.py", *sorted(HERE.glob("*.cpp")), *sorted(HERE.rglob("*.h"))]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


_EXPORT = 'extern "C" __attribute__((visibility("default")))'

#: Floating point as CUDA's, but for contraction; strict aliasing is looser in nvcc, too.
_FLAGS = ("-std=gnu++17", "-fPIC", "-ffp-contract=off", "-fno-strict-aliasing", "-fvisibility=hidden", "-w")


def _build(text: str, name: str, flags: tuple[str, ...], sanitize: str) -> tuple[ctypes.CDLL, list[str]]:
    reason = missing()
    if reason:
        raise EmulatorError(reason)
    compiler = str(_compiler())
    # Macros and includes first, as kernels' names and __shared__ variables may come from them. What the header defines
    # comes out expanded, but for the words that are still needed.
    front = '#include "cuda_emulator.h"\n' f'# 1 "{name}"\n'
    includes = [f"-I{HERE / 'include'}", f"-I{KERNELS}"]
    expanded = _run([compiler, "-E", "-x", "c++", "-std=gnu++17", *flags, *includes, "-"], front + text, name)
    entries = {m["name"]: m["bounds"] or "1024" for m in _KERNEL.finditer(expanded)}
    if not entries:
        raise EmulatorError(f'{name} has no kernel: extern "C" __global__ void ...')
    parts = [f'# 1 "{name}"', preprocess(expanded), '# 1 "launch"']
    for entry, bounds in entries.items():
        parts.append(
            f"DK_EXPORT void dk_run_{entry}(void** a) {{ dk_call(&{entry}, a); }}\n"
            f"DK_EXPORT void dk_signature_{entry}(char* to) {{ dk_signature(&{entry}, to); }}\n"
            f"DK_EXPORT const int dk_bounds_{entry} = ({_split(bounds)[0]});"
        )
    source = "\n".join(parts)
    key = hashlib.sha256("\0".join([source, sanitize, compiler, _own_hash()]).encode()).hexdigest()[:32]
    library = cache_folder() / f"{key}.so"
    if not library.exists():
        _compile(compiler, source, name, sanitize, library)
    return ctypes.CDLL(str(library)), list(entries)


def _compile(compiler: str, source: str, name: str, sanitize: str, library: Path) -> None:
    words = ["-D__global__=", "-D__launch_bounds__(...)=", f"-DDK_EXPORT={_EXPORT}"]
    instrument = [f"-fsanitize={sanitize}", "-g", "-fno-omit-frame-pointer"] if sanitize else []
    if "undefined" in sanitize:  # shifts and indices; reports are errors
        instrument += ["-fno-sanitize-recover=undefined", "-fno-sanitize=vptr"]
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        build = Path(folder)
        runtime = library.parent / f"runtime-{_own_hash()[:32]}.o"
        if not runtime.exists():
            _run([compiler, "-c", "-O2", *_FLAGS, str(HERE / "runtime.cpp"), "-o", str(build / "runtime.o")], "", name)
            os.replace(build / "runtime.o", runtime)  # at once, for whoever builds the same
        kernel = [compiler, "-c", "-x", "c++", "-O1", *_FLAGS, *words, *instrument, "-", "-o", str(build / "kernel.o")]
        _run(kernel, source, name)
        link = [compiler, "-shared", "-Wl,-Bsymbolic", str(build / "kernel.o"), str(runtime)]
        if sanitize:
            link.append(f"-fsanitize={sanitize}")
        _run([*link, "-o", str(build / "module.so")], "", name)
        os.replace(build / "module.so", library)
