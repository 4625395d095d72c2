"""Arrays of the simulated device: NumPy's inside, CuPy's manners outside."""

from __future__ import annotations

import operator
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np

from . import memory, state
from .names import NAMES

__all__ = ["compute", "ndarray", "unwrap", "wrap"]


def unwrap(x: Any) -> Any:
    """The NumPy arrays inside an argument; arrays of the host have no business among them."""
    if isinstance(x, ndarray):
        if x._device != state.current_device():
            raise ValueError(
                "Array device must be same as the current device: "
                f"array device = {x._device} while current = {state.current_device()}"
            )
        return x._a
    if isinstance(x, np.ndarray):
        if x.ndim == 0:
            return x
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(x, tuple):
        return tuple(map(unwrap, x))
    if isinstance(x, list):
        return [unwrap(v) for v in x]
    return x


def wrap(x: Any) -> Any:
    """Results as arrays of the device; reductions give arrays, too."""
    if isinstance(x, (np.ndarray, np.generic)):
        return ndarray(np.asarray(x))
    if isinstance(x, (tuple, list)):
        return type(x)(map(wrap, x)) if type(x) in (tuple, list) else tuple(map(wrap, x))
    return x


def compute(function: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """Run a NumPy function on the arrays inside the arguments.

    While a graph is recorded its results are computed for their shapes only: what is in them before the graph has been
    launched is poison. Views are views at once.
    """
    inner, options = unwrap(args), {k: unwrap(v) for k, v in params.items()}
    found: Any = None

    def call() -> Any:
        with np.errstate(all="ignore"):
            return function(*inner, **options)

    if state.recorder.operations is None:
        found = call()
        state.counters.launches += 1
        return params["out"] if isinstance(params.get("out"), ndarray) else wrap(found)
    if isinstance(params.get("out"), ndarray):
        state.run(call)
        return params["out"]
    found = call()
    if isinstance(found, np.ndarray) and found.size and _is_view(found, inner):
        return ndarray(found)
    several = isinstance(found, (tuple, list))
    results = [np.array(r) for r in (found if several else [found])]

    def again() -> None:
        new = call()
        for target, value in zip(results, new if several else [new]):
            target[...] = value

    state.run(again)
    wrapped = [ndarray(state.poison(r)) for r in results]
    return tuple(wrapped) if several else wrapped[0]


def _is_view(found: np.ndarray, inner: Any) -> bool:
    leaves = [a for a in inner if isinstance(a, np.ndarray)]
    leaves += [a for x in inner if isinstance(x, (tuple, list)) for a in x if isinstance(a, np.ndarray)]
    return any(np.may_share_memory(found, a) for a in leaves)


#: Characters of the dtypes that no device has: objects, text, dates, long doubles.
_UNSUPPORTED = frozenset("OUSMmgG")


class Flags:
    """What CuPy says of an array's memory; there are no read-only arrays."""

    def __init__(self, flags: Any):
        self.c_contiguous, self.f_contiguous = flags.c_contiguous, flags.f_contiguous
        self.owndata, self.forc, self.fnc = flags.owndata, flags.forc, flags.fnc

    def __getitem__(self, name: str) -> bool:
        return getattr(self, name.lower())


class ndarray:
    """An array on the simulated device."""

    __slots__ = ("_a", "_device", "__weakref__")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, a: np.ndarray):
        if not isinstance(a, np.ndarray):
            raise TypeError(f"The simulated cupy.ndarray wraps an array. Received: {type(a)}")
        if a.dtype.char in _UNSUPPORTED:
            raise ValueError(f"Unsupported dtype {a.dtype}")
        memory.account(a)
        self._a = a
        self._device = state.current_device()

    # -- what the host may not do in passing ---------------------------------------------------------------------------
    def __array__(self, *args: Any, **params: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy "
                        "array explicitly.")  # fmt: skip

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **params: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in NAMES["ufuncs"]:
            return NotImplemented
        if "out" in params:
            params["out"] = params["out"][0]
        return compute(ufunc, *inputs, **params)

    def __array_function__(self, function: Any, types: Any, args: Any, params: Any) -> Any:
        import cupy

        name = function.__name__
        if function.__module__ != "numpy" or not hasattr(cupy, name):
            return NotImplemented
        return getattr(cupy, name)(*args, **params)

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> np.ndarray:
        state.synchronize("ndarray.get()")
        state.counters.to_host += 1
        if out is not None:
            out[...] = self._a
            return out
        return self._a.copy()

    def set(self, a: np.ndarray, stream: Any = None) -> None:
        if not isinstance(a, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if a.dtype != self._a.dtype:
            raise TypeError(f"{a.dtype} array cannot be set to {self._a.dtype} array")
        if a.shape != self._a.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self._a.shape}, new shape: {a.shape}")
        state.copied_to_device("ndarray.set()")
        if stream is None or stream.is_current:
            self._a[...] = a
        else:
            stream.pending.append(lambda: np.copyto(self._a, a))

    def __dlpack__(self, **params: Any) -> Any:
        return self._a.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self._a.__dlpack_device__()

    def item(self) -> Any:
        state.synchronize("ndarray.item()")
        return self._a.item()

    def tolist(self) -> Any:
        state.synchronize("ndarray.tolist()")
        return self._a.tolist()

    def __float__(self) -> float:
        state.synchronize("float() of an array")
        return float(self._a)

    def __int__(self) -> int:
        state.synchronize("int() of an array")
        return int(self._a)

    def __index__(self) -> int:
        state.synchronize("an array as an index")
        return operator.index(self._a)

    def __bool__(self) -> bool:
        state.synchronize("bool() of an array")
        return bool(self._a)

    def __repr__(self) -> str:
        state.synchronize("repr() of an array")
        return repr(self._a)

    def __format__(self, spec: str) -> str:
        state.synchronize("format() of an array")
        return format(self._a, spec)

    # -- what it is ----------------------------------------------------------------------------------------------------
    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    nbytes = property(lambda self: self._a.nbytes)
    itemsize = property(lambda self: self._a.itemsize)
    strides = property(lambda self: self._a.strides)
    flags = property(lambda self: Flags(self._a.flags))
    data = property(lambda self: SimpleNamespace(ptr=self._a.ctypes.data, device_id=self._device, mem=None))
    __cuda_array_interface__ = property(lambda self: {**self._a.__array_interface__, "version": 3, "stream": 1})
    T = property(lambda self: ndarray(self._a.T))
    base = property(lambda self: None if self._a.base is None else self)

    @property
    def real(self) -> ndarray:
        return compute(lambda a: a.real, self)

    @real.setter
    def real(self, value: Any) -> None:
        self._part("real", value)

    @property
    def imag(self) -> ndarray:
        return compute(lambda a: a.imag, self)

    @imag.setter
    def imag(self, value: Any) -> None:
        self._part("imag", value)

    def _part(self, name: str, value: Any) -> None:
        value = unwrap(value)
        state.run(lambda: setattr(self._a, name, value))

    @property
    def device(self) -> Any:
        from . import runtime

        return runtime.Device(self._device)

    def __len__(self) -> int:
        return len(self._a)

    def __iter__(self) -> Any:
        if self._a.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._a)))

    def __reduce__(self) -> Any:
        return _restore, (self.get(),)

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: dict) -> ndarray:
        return self.copy()

    # -- elements ------------------------------------------------------------------------------------------------------
    def _index(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        out = tuple(_host_index(p) for p in parts)
        if any(isinstance(p, np.ndarray) and p.dtype == bool for p in out):
            state.synchronize("an index by a mask, whose result has a size that the host must know,")
        return out if isinstance(index, tuple) else out[0]

    def __getitem__(self, index: Any) -> ndarray:
        index = self._index(index)
        return compute(lambda a: np.asarray(a[index]), self)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        masked = _host_index(index) if isinstance(index, ndarray) and index.dtype == bool else None
        where = self._index(index) if masked is None else masked
        inner = unwrap(value)
        a = self._a

        def store() -> None:
            with np.errstate(all="ignore"):
                a[where] = inner

        state.run(store)

    # -- methods -------------------------------------------------------------------------------------------------------
    def astype(
        self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: bool = True
    ) -> ndarray:
        if casting is not None or subok is not None:
            raise TypeError(f"{'subok' if casting is None else 'casting'} is not supported yet")
        if not copy and self._a.dtype == np.dtype(dtype):
            return self
        return compute(lambda a: a.astype(dtype), self)

    def copy(self, order: str = "C") -> ndarray:
        return compute(lambda a: a.copy(), self)

    def view(self, dtype: Any = None) -> ndarray:
        return ndarray(self._a.view(dtype))

    def fill(self, value: Any) -> None:
        self[...] = value

    def reshape(self, *shape: Any, order: str = "C") -> ndarray:
        return compute(lambda a: a.reshape(*shape, order=order), self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in NAMES["ndarray"]:
            raise AttributeError(f"'ndarray' object has no attribute {name!r}")
        method = getattr(np.ndarray, name)

        def call(*args: Any, **params: Any) -> Any:
            if name in _METHODS_WITHOUT_INITIAL and params.keys() & {"initial", "where"} or "mode" in params:
                raise TypeError(f"{name}() got an unexpected keyword argument")
            return compute(method, self, *args, **params)

        return call


_METHODS_WITHOUT_INITIAL = {"sum", "prod", "max", "min", "mean", "any", "all", "var", "std"}


def _host_index(part: Any) -> Any:
    if isinstance(part, np.ndarray) and part.ndim and part.dtype != bool:
        state.counters.to_device += 1  # CuPy copies it over
    return unwrap(part) if isinstance(part, ndarray) else part


ndarray.__module__ = "cupy"  # as users see it in messages, and deepkit knows it by


def _restore(a: np.ndarray) -> ndarray:
    return ndarray(a)


def _operator(name: str, function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: ndarray, other: Any) -> Any:
        if not isinstance(other, (ndarray, int, float, complex, bool, np.generic)):
            if isinstance(other, np.ndarray):
                raise TypeError("Unsupported type <class 'numpy.ndarray'>")
            return NotImplemented
        if name == "matmul":
            from .names import refuse_blas

            refuse_blas("matmul")
        return compute(function, other, self) if reflected else compute(function, self, other)

    return method


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray, other: Any) -> ndarray:
        inner = unwrap(other)
        a = self._a

        def change() -> None:
            with np.errstate(all="ignore"):
                function(a, inner, out=a, casting="same_kind")

        state.run(change)
        return self

    return method


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift, "matmul": np.matmul,
}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", _operator(_name, _ufunc))
    setattr(ndarray, f"__r{_name}__", _operator(_name, _ufunc, reflected=True))
    setattr(ndarray, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
                      "ne": np.not_equal}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", _operator(_name, _ufunc))
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert, "pos": np.positive}.items():
    setattr(ndarray, f"__{_name}__", lambda self, f=_ufunc: compute(f, self))
