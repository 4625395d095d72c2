"""Complex numbers: their parts, and tensors read as another dtype.

Gradients of complex tensors follow JAX: that of a real y by z = a + ib is ∂y/∂a - i ∂y/∂b, so that dy = Re(g dz) and
holomorphic functions have their usual derivative. (PyTorch and TensorFlow give the conjugate.)
"""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .reduce import _floating
from .shape import stack
from .sorting import Plain
from .symbolic import one_node


def _is_complex(x: Any) -> bool:
    return np_dtype(x.dtype).kind == "c"


def _part_dtype(dtype: Any) -> str:
    """The dtype of a complex number's parts, any other as it is."""
    found = np_dtype(dtype)
    return found.name if found.kind != "c" else "float64" if found.itemsize == 16 else "float32"


def _part(x: Spec) -> Spec:
    return Spec(x.shape, _part_dtype(x.dtype))


def _real_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    return k.cast(g, x.dtype) if _is_complex(x) else g


def _imag_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    return k.cast(g, x.dtype) * -1j if _is_complex(x) else k.zeros_like(g)


def _angle_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    return k.cast(g, x.dtype) * -1j / x if _is_complex(x) else k.zeros_like(g)


_real = Basic("real", _part, _real_vjp)
_imag = Basic("imag", _part, _imag_vjp)
_angle = Basic("angle", _part, _angle_vjp)


def real(x: Any) -> Any:
    """The real part; a real tensor as it is.

    Args:
        x: Tensor.

    Returns:
        A tensor of the same shape, float32 for complex64 and float64 for complex128.

    Example:
        >>> real([1 + 2j, 3 - 1j])
        Tensor([1., 3.], dtype=float32)
    """
    return _real(_complex_or_real(x))


def imag(x: Any) -> Any:
    """The imaginary part; zeros for a real tensor.

    Args:
        x: Tensor.

    Returns:
        A tensor of the same shape, float32 for complex64 and float64 for complex128.

    Example:
        >>> imag([1 + 2j, 3 - 1j])
        Tensor([ 2., -1.], dtype=float32)
    """
    return _imag(_complex_or_real(x))


def angle(x: Any) -> Any:
    """The angle of x in the complex plane, in radians: in (-π, π], 0 or π for a real tensor.

    Args:
        x: Tensor; integers become ``floatx()``.

    Returns:
        A real tensor of the same shape.

    Example:
        >>> angle([1.0 + 1.0j, 2.0])
        Tensor([0.785398..., 0.       ], dtype=float32)
    """
    return _angle(_floating(_complex_or_real(x)))


def _complex_or_real(x: Any) -> Any:
    """``x`` as a tensor, Python's complex numbers as complex64."""
    if isinstance(x, Spec) or hasattr(x, "dtype"):
        return x
    x = to_tensor(x)
    return to_tensor(x, "complex64") if _is_complex(x) else x


def polar(abs_: Any, angle: Any) -> Any:
    """The complex numbers abs_ · e^(i angle).

    Args:
        abs_: Absolute values.
        angle: Angles in radians.

    Returns:
        A complex tensor of the broadcast shape.

    Example:
        >>> from deepkit import ops
        >>> ops.round(ops.real(polar([2.0, 1.0], [0.0, 3.1415927])))
        Tensor([ 2., -1.], dtype=float32)
    """
    abs_, angle = _floating(abs_), _floating(angle)
    return view_as_complex(stack([abs_ * e.cos(angle), abs_ * e.sin(angle)], axis=-1))


def _complex_dtype(dtype: Any) -> str:
    return "complex128" if np_dtype(dtype).itemsize == 8 else "complex64"


_as_complex = Basic(
    "view_as_complex",
    lambda x: Spec(x.shape[:-1], _complex_dtype(x.dtype)),
    lambda k, g, y, x: k.cast(k.view_as_real(k.conj(g)), x.dtype),
)
_as_real = Basic(
    "view_as_real",
    lambda x: Spec((*x.shape, 2), _part_dtype(x.dtype)),
    lambda k, g, y, x: k.conj(k.view_as_complex(g)) if _is_complex(x) else g[..., 0],
)


@one_node
def view_as_complex(x: Any) -> Any:
    """The complex numbers x[..., 0] + i x[..., 1].

    Args:
        x: Real tensor (..., 2); integers become ``floatx()``.

    Returns:
        A tensor (...), complex128 for float64 and complex64 for other dtypes.

    Raises:
        ValueError: if the last axis isn't of size 2.

    Example:
        >>> view_as_complex([[1.0, 2.0], [3.0, 4.0]])
        Tensor([1.+2.j, 3.+4.j], dtype=complex64)
    """
    x = _floating(x)
    if not len(x.shape) or x.shape[-1] not in (2, None):
        raise ValueError(f"view_as_complex takes a tensor (..., 2), not shape {tuple(x.shape)}.")
    return _as_complex(x)


def view_as_real(x: Any) -> Any:
    """The real and imaginary parts along a new last axis of size 2.

    Args:
        x: Tensor (...); the imaginary parts of a real one are zero.

    Returns:
        A real tensor (..., 2).

    Example:
        >>> view_as_real([1 + 2j])
        Tensor([[1., 2.]], dtype=float32)
    """
    return _as_real(_complex_or_real(x))


# -- other dtypes ------------------------------------------------------------------------------------------------------
def _view_shape(shape: Any, old: int, new: int) -> tuple[int | None, ...]:
    if old == new:
        return tuple(shape)
    if not len(shape):
        raise ValueError("view: a scalar can't be read as a dtype of another size.")
    n = shape[-1]
    if new > old and n is not None and n * old % new:
        raise ValueError(f"view: {n} elements of {old} bytes on the last axis aren't a multiple of {new} bytes.")
    return (*shape[:-1], None if n is None else n * old // new)


_view = Plain(
    "view",
    lambda x, dtype: Spec(_view_shape(x.shape, np_dtype(x.dtype).itemsize, np_dtype(dtype).itemsize), dtype),
    lambda k, x, dtype: k.ascontiguousarray(x).view(np_dtype(dtype)).reshape(
        _view_shape(x.shape, x.dtype.itemsize, np_dtype(dtype).itemsize)
    ),
)


def view(x: Any, dtype: Any = None) -> Any:
    """The bytes of ``x`` read as another dtype; the last axis grows or shrinks with its size.

    Args:
        x: Tensor.
        dtype: The dtype to read. With that of ``x``, or ``None``, the result is ``x`` and passes gradients on; a change
            of dtype has no gradient.

    Raises:
        ValueError: if the last axis has no whole number of elements.

    Example:
        >>> view([1, 2], "uint8")
        Tensor([1, 0, 0, 0, 2, 0, 0, 0], dtype=uint8)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    name = np_dtype(x.dtype if dtype is None else dtype).name
    return x if name == np_dtype(x.dtype).name else _view(x, dtype=name)


__all__ = ["angle", "imag", "polar", "real", "view", "view_as_complex", "view_as_real"]
