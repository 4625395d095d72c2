"""Making tensors: constants, ranges, and tensors like others."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.dtypes import np_dtype
from ..autograd.op import Op, identity, to_tensor
from ..autograd.op import cast as _cast
from ..autograd.op import stop_gradient as _stop
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from ..autograd.variable import Variable
from .shape import _sizes


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """A tensor of the values of ``x``; Python numbers become int32, ``floatx()`` or bool.

    Args:
        x: Array, number, nested list, tensor, or anything with ``__array__``.
        dtype: Dtype, that of ``x`` by default.
        sparse: Accepted for compatibility; tensors are dense.
        ragged: Accepted for compatibility.

    Raises:
        TypeError: if ``x`` holds no numbers.

    Example:
        >>> convert_to_tensor([1, 2])
        Tensor([1, 2], dtype=int32)
    """
    if isinstance(x, Spec):
        return x if dtype is None or x.dtype == np_dtype(dtype).name else cast(x, dtype)
    return to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> Any:
    """The values of ``x`` as a NumPy array.

    Example:
        >>> convert_to_numpy(convert_to_tensor([1, 2]))
        array([1, 2], dtype=int32)
    """
    return to_tensor(x).numpy()


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is an eager tensor of deepkit's.

    Example:
        >>> is_tensor(ones(2)), is_tensor([1])
        (True, False)
    """
    return isinstance(x, Tensor) and not isinstance(x, Variable)


def cast(x: Any, dtype: Any) -> Any:
    """``x`` with another dtype; gradients pass between floating ones.

    Example:
        >>> cast([1.7, 2.2], "int32")
        Tensor([1, 2], dtype=int32)
    """
    wanted = np_dtype(dtype)
    if not isinstance(x, Spec):
        x = to_tensor(x)
        if x.data.dtype == wanted:
            return x
    return _cast(x, dtype=wanted)


def stop_gradient(variable: Any) -> Any:
    """``variable`` as a constant: no gradient flows through the result.

    Example:
        >>> import deepkit
        >>> float(deepkit.grad(lambda x: x * stop_gradient(x))(3.0))
        3.0
    """
    return _stop(variable)


def copy(x: Any) -> Any:
    """A tensor of its own with the values of ``x``.

    Example:
        >>> copy([1, 2])
        Tensor([1, 2], dtype=int32)
    """
    return identity(x)


def _make(shape: Any, dtype: Any, fill: Any) -> Tensor:
    return Tensor(backend.active().full(_sizes(shape), fill, dtype=np_dtype(dtype)))


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros, ``floatx()`` by default.

    Example:
        >>> zeros(2)
        Tensor([0., 0.], dtype=float32)
    """
    return Tensor(backend.active().zeros(_sizes(shape), dtype=np_dtype(dtype)))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones, ``floatx()`` by default.

    Example:
        >>> ones(2)
        Tensor([1., 1.], dtype=float32)
    """
    return _make(shape, dtype, 1)


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros (nothing reads memory that nobody wrote).

    Example:
        >>> empty((2, 3)).shape
        (2, 3)
    """
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor filled with ``fill_value``; its dtype is ``dtype`` or else the value's.

    Example:
        >>> full(2, 7)
        Tensor([7, 7], dtype=int32)
    """
    from .shape import broadcast_to

    return broadcast_to(cast(fill_value, dtype) if dtype is not None else to_tensor(fill_value), shape)


class _FilledLike(Op):
    """A constant in the shape of a symbolic tensor."""

    differentiable = False

    def infer(self, x: Spec, fill: Any, dtype: Any) -> Spec:
        return Spec(x.shape, dtype.name)

    def forward(self, k: Any, x: Any, fill: Any, dtype: Any) -> tuple[Any, Any]:
        return k.full(x.shape, fill, dtype=dtype), None


_filled_like = _FilledLike()


def _like(x: Any, dtype: Any, fill: Any) -> Any:
    dtype = np_dtype(dtype or x.dtype) if hasattr(x, "dtype") or dtype else to_tensor(x).dtype
    if isinstance(x, Spec):
        return _filled_like(x, fill=fill, dtype=dtype)
    return _make(to_tensor(x).shape, dtype, fill)


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of ``x``.

    Example:
        >>> zeros_like([1, 2])
        Tensor([0, 0], dtype=int32)
    """
    return _like(x, dtype, 0)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape and dtype of ``x``.

    Example:
        >>> ones_like([1.0, 2.0])
        Tensor([1., 1.], dtype=float32)
    """
    return _like(x, dtype, 1)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape and dtype of ``x`` (nothing reads memory that nobody wrote).

    Example:
        >>> empty_like([1.0, 2.0]).shape
        (2,)
    """
    return zeros_like(x, dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """:func:`convert_to_tensor` under NumPy's name.

    Example:
        >>> array([1, 2])
        Tensor([1, 2], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """``fill_value`` in the shape and dtype of ``x``.

    Example:
        >>> full_like([1, 2], 5)
        Tensor([5, 5], dtype=int32)
    """
    return _like(x, dtype, fill_value)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Numbers from ``start`` up to, without, ``stop``.

    Example:
        >>> arange(3), arange(0.0, 1.0, 0.5)
        (Tensor([0, 1, 2], dtype=int32), Tensor([0. , 0.5], dtype=float32))
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        from ..autograd.dtypes import result_type

        dtype = result_type(*[getattr(v, "dtype", type(v)) for v in (start, stop, step)])
    values = [v.item() if hasattr(v, "item") else v for v in (start, stop, step)]
    return Tensor(backend.active().arange(*values, dtype=np_dtype(dtype)))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """A matrix (N, M) with ones on the k-th diagonal.

    Example:
        >>> eye(2)
        Tensor([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return Tensor(backend.active().eye(int(N), None if M is None else int(M), int(k), dtype=np_dtype(dtype)))


def identity_matrix(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix (n, n); ``ops.identity``."""
    return eye(n, dtype=dtype)


__all__ = [
    "arange",
    "array",
    "empty_like",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "empty",
    "eye",
    "full",
    "full_like",
    "is_tensor",
    "ones",
    "ones_like",
    "stop_gradient",
    "zeros",
    "zeros_like",
]
