"""Write down which calls CuPy refuses: ``python -m tests.cuda.record_refusals`` where it is installed (no GPU needed).

Without a GPU, CuPy gets as far as the device with calls that it has, and raises an error of its own for those it lacks.
Arrays for that are made over memory of the host, which CuPy takes for the device's. What it refuses only after it has
asked for the device, such as arrays of both kinds in one sum, is not seen here and has tests of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np

TARGET = Path(__file__).parent / "fake_cupy" / "refusals.json"

#: Errors that say that a call has come as far as the device, or to a library that is loaded for it.
REACHED = ("CUDARuntimeError", "ImportError")

CALLS = """
cupy.maximum.at(a, i, 1.0)
cupy.minimum.at(a, i, 1.0)
cupy.add.at(a, i, 1.0)
cupy.add.at(h, i, 1.0)
cupy.subtract.at(a, i, 1.0)
cupy.divide.at(a, i, 1.0)
cupy.add.reduceat(a, i)
cupy.multiply.reduceat(a, i)
cupy.maximum.reduceat(a, i)
cupy.add.accumulate(a)
cupy.multiply.accumulate(a)
cupy.maximum.accumulate(a)
cupy.minimum.reduce(a)
cupy.logical_or.reduce(m)
cupy.add.reduce(a, axis=(0, 1))
cupy.add.reduce(a, 0, None, v)
cupy.multiply.outer(v, v)
cupy.sum(a, initial=0)
cupy.max(a, initial=0)
cupy.max(a, where=m)
cupy.any(m, axis=0, where=m)
cupy.mean(a, where=m)
cupy.var(a, axis=0, ddof=1)
cupy.clip(a, 0)
cupy.clip(a, 0, 1)
cupy.clip(a, min=0, max=1)
cupy.clip(a, 0, None)
cupy.clip(a, None, None)
a.clip(0, 1)
a.clip(min=0, max=1)
cupy.where(m, a, 0)
cupy.where(m, a, 0.5)
cupy.full_like(a, 1, shape=(3,))
cupy.full_like(a, v)
cupy.zeros_like(a, dtype='int32', shape=(2,))
cupy.ones_like(a, subok=False)
cupy.empty_like(a)
cupy.copyto(a, 0)
cupy.copyto(a, a, where=m)
cupy.copyto(a, np.ones(3))
cupy.einsum('ij,ij->j', a, a)
cupy.einsum('ij,ij->j', a, a, optimize=True)
cupy.einsum('ij,ij->j', a, a, out=v)
cupy.matmul(a, a.T, out=arr((2, 2)))
cupy.dot(a, a.T, out=arr((2, 2)))
cupy.dot(a, a.T, arr((2, 2)))
cupy.argsort(a, kind='stable')
cupy.argsort(a, axis=-1, kind='stable')
cupy.sort(a, kind='stable')
a.argsort(kind='stable')
cupy.argpartition(a, 1)
cupy.partition(a, 1)
cupy.take_along_axis(a, i[:, None], axis=1)
cupy.take(a, i, axis=0, mode='clip')
cupy.take(a, i, axis=0, out=a)
a.take(i, axis=0, mode='wrap')
cupy.repeat(a, 2, axis=0)
cupy.repeat(a, i, axis=0)
cupy.repeat(a, [1, 2], axis=0)
cupy.searchsorted(v, a, side='right')
cupy.searchsorted(v, a, side='right', sorter=None)
cupy.bincount(i, minlength=3)
cupy.bincount(i, weights=arr((2,)), minlength=3)
cupy.pad(a, 1)
cupy.pad(a, ((1, 1), (0, 0)), mode='reflect')
cupy.pad(a, ((1, 1), (0, 0)), constant_values=2)
cupy.flip(a, (0, 1))
cupy.stack([a, a], axis=0)
cupy.concatenate([a, a], axis=0, out=arr((4, 3)))
cupy.concatenate([a, h], dtype='float32')
cupy.moveaxis(a, 0, 1)
cupy.broadcast_to(a, (4, 2, 3))
cupy.broadcast_to(1.0, (4, 2, 3))
cupy.broadcast_arrays(a, v)
cupy.ascontiguousarray(a.T)
cupy.ascontiguousarray(a, dtype='float64')
cupy.asarray([a, a])
cupy.asarray(a, dtype='float16')
cupy.asarray(a, copy=False)
cupy.array(a, copy=None)
cupy.isfinite(a)
cupy.logaddexp(a, a, out=a)
cupy.logaddexp(a, 0)
cupy.power(a, 2)
cupy.cbrt(a)
cupy.copysign(1, a)
cupy.sign(a)
cupy.rint(a)
cupy.float_power(a, 2)
cupy.square(a)
cupy.spacing(a)
cupy.nan_to_num(a, nan=1.0)
cupy.nan_to_num(a, copy=False)
cupy.abs(a, out=a)
cupy.exp(a, out=a, where=m)
cupy.exp(a, dtype='float64')
cupy.exp(a, out=h)
cupy.add(a, d, out=a)
cupy.add(a, d, out=a, casting='unsafe')
cupy.divmod(a, 2)
a.__iadd__(d)
h.__iadd__(a)
a / np.float32(2)
a / np.float64(2)
a * np.array(2.0)
a + [1, 2, 3]
a @ a.T
a @ [1, 2, 3]
a == np.ones(3)
a[i] = a
a[i, i] += 1
a[m] = 0
a[[True, False]]
a[np.array([True, False])]
a[i > 0]
a[..., None]
a[::-1]
a[0] = [1, 2, 3]
a[0] = np.ones(3)
a[np.array([0, 1])] = 1
a[[0, 1], [0, 1]]
a[[0, 1]] = a
a[0, i]
a[5]
a.sum(axis=0, keepdims=True)
a.sum(initial=0)
a.max(initial=0)
a.max(axis=0, out=v)
a.astype('float16', casting='unsafe')
a.astype('float16', copy=False, order='C')
a.reshape(3, 2, order='F')
a.reshape((3, -1))
a.view('int32')
a.view('float16')
a.view('float64')
a.transpose(1, 0)
a.ravel()
a.flatten()
a.squeeze()
a.squeeze(axis=0)
a.swapaxes(0, 1)
a.repeat(2, axis=0)
a.cumsum(axis=0)
a.dot(v)
a.mean(axis=0, dtype='float64')
a.std(axis=0, ddof=1)
a.argmax(axis=0, keepdims=True)
cupy.argmax(a, axis=0, keepdims=True)
a.nonzero()
a.item(0)
a.sort()
a.fill(1)
a.fill(np.array(1.0))
a.fill(a[0, 0])
a.copy(order='K')
a.real
a.imag = 0
a.flat
a.data.ptr
a.__cuda_array_interface__
a.conj()
a.round(2)
a.setflags(write=False)
a.flags.writeable
a.flags.writeable = False
a.flags['C_CONTIGUOUS']
a.trace()
a.put(i, 1)
a.compress(m[0])
a.prod(axis=0)
a.device.id
a.itemset(0, 1)
a.partition(1)
a.get(out=np.empty((2, 3), 'float32'))
a.set(np.ones((2, 3)))
a.set(np.ones((2, 3), 'float32'))
a.set(np.ones((3, 2), 'float32'))
np.add(a, a)
np.add.reduce(a)
np.maximum.reduce(a)
np.sum(a)
np.max(a, initial=0)
np.concatenate([a, a])
np.concatenate([a, np.ones((2, 3))])
np.where(m, a, a)
np.einsum('ij->i', a)
np.add(a, np.ones((2, 3)))
np.ones((2, 3)).__setitem__(0, v)
np.float32(1) + a
np.shape(a)
np.ndim(a)
np.size(a)
np.result_type(a, a)
cupy.result_type(a, np.float32)
np.can_cast(a.dtype, 'f4')
np.iscomplexobj(a)
np.broadcast_shapes(a.shape, (1, 3))
np.array([a, a])
len(a)
hash(a)
float(a[0, 0])
cupy.linalg.norm(a, axis=0)
cupy.linalg.qr(a)
cupy.linalg.svd(a)
cupy.linalg.cholesky(s)
cupy.linalg.solve(s, s)
cupy.linalg.inv(s)
cupy.linalg.lstsq(a, a)
cupy.fft.rfft(a)
cupy.fft.rfft(a, n=4, axis=-1, norm='ortho')
cupy.fft.fftn(a, axes=(0, 1))
cupy.lib.stride_tricks.sliding_window_view(a, 2, axis=1)
cupy.lib.stride_tricks.as_strided(a, (2, 2), (4, 4))
cupy.lib.stride_tricks.as_strided(a, (2, 2), (4, 4), writeable=False)
cupy.prod((2, 3))
cupy.arange(3, dtype='int32')
cupy.linspace(0, 1, 5, dtype='float32')
cupy.histogram(v, bins=3)
cupy.unique(v, return_inverse=True)
cupy.quantile(v, 0.5)
cupy.median(a, axis=0)
cupy.cumsum(a, axis=0)
cupy.nonzero(a)
cupy.tensordot(a, a, axes=([0], [0]))
cupy.tri(3)
cupy.triu(a)
cupy.eye(3)
cupy.meshgrid(v, v, indexing='ij')
cupy.roll(a, 1, axis=0)
cupy.tile(a, (2, 1))
cupy.split(a, 3, axis=1)
cupy.array_split(a, 2)
cupy.trapezoid(a)
cupy.digitize(a, v)
cupy.gcd(i, i)
cupy.bitwise_count(i)
cupy.left_shift(i, 1)
cupy.invert(m)
cupy.heaviside(a, 0)
cupy.nextafter(a, a)
cupy.sinc(a)
cupy.angle(a)
cupy.nanmax(a)
cupy.argwhere(a)
cupy.select([m], [a], 0)
cupy.bfloat16
cupy.min_scalar_type(1)
cupy.astype(a, 'f4')
cupy.permute_dims(a, (1, 0))
cupy.matrix_transpose(a)
cupy.vecdot(a, a)
cupy.unstack(a)
cupy.frompyfunc(len, 1, 1)
cupy.linalg.multi_dot([s, s])
cupy.linalg.svdvals(s)
cupy.linalg.vector_norm(s)
cupy.block([s, s])
cupy.insert(v, 0, 1.0)
cupy.errstate(all='ignore')
cupy.matvec(s, s[0])
cupy.nanquantile(v, 0.5)
cupy.geomspace(1, 2, 3)
cupy.ndenumerate(v)
cupy.linalg.matrix_norm(s)
cupy.random.Philox(0)
"""


def calls() -> list[str]:
    return CALLS.split("\n")[1:-1]


def operands(make: Callable[[tuple[int, ...], str], Any]) -> dict[str, Any]:
    """The arrays that the calls are about, by ``make(shape, dtype)``."""
    return {
        "a": make((2, 3), "float32"),
        "d": make((2, 3), "float64"),
        "h": make((2, 3), "float16"),
        "i": make((2,), "int32"),
        "m": make((2, 3), "bool"),
        "s": make((2, 2), "float32"),
        "v": make((3,), "float32"),
        "arr": make,
        "np": np,
    }


def outcome(call: str, names: dict[str, Any]) -> str | None:
    """The name of the error that a call raises, ``None`` if it raises none or comes as far as the device."""
    try:
        exec(call, names)
    except Exception as error:
        return None if type(error).__name__ in REACHED else type(error).__name__
    return None


def refusals() -> dict[str, str]:
    """Calls that the installed CuPy refuses, and how."""
    import cupy

    memory = np.ones(64)

    def make(shape: tuple[int, ...], dtype: str = "float32") -> Any:
        known = cupy.cuda.UnownedMemory(memory.ctypes.data, memory.nbytes, memory, 0)
        return cupy.ndarray(shape, dtype, cupy.cuda.MemoryPointer(known, 0))

    found = {call: outcome(call, {"cupy": cupy, **operands(make)}) for call in calls()}
    return {call: error for call, error in found.items() if error is not None}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(refusals(), indent=1) + "\n")
