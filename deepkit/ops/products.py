"""Sums of products: einsum and what it expresses."""

from __future__ import annotations

import string
from typing import Any, Sequence

from ..autograd.dtypes import join, np_dtype
from ..autograd.op import Basic, Op, to_tensor, unbroadcast
from ..autograd.spec import Spec, broadcast_shapes
from . import elementwise as e
from .arrange import _tensor, diagonal
from .creation import cast
from .linear import matmul, summed_products
from .reduce import axes_of
from .shape import concatenate, expand_dims, moveaxis, ravel, reshape
from .symbolic import one_node


class Einsum(Op):
    """Products of elements, matched by letters and summed over the letters that the result lacks."""

    weak = True

    def infer(self, *xs: Spec, terms: tuple[str, ...] = (), out: str = "") -> Spec:
        sizes: dict[str, int | None] = {}
        dtype = np_dtype(xs[0].dtype)
        for x, term in zip(xs, terms):
            dtype = join(dtype, np_dtype(x.dtype))
            for letter, n in zip(term, x.shape):
                if sizes.get(letter, 1) in (1, None) or n is None:
                    sizes[letter] = n if sizes.get(letter) in (1, None) and n != 1 else sizes.get(letter, n)
                elif n not in (1, sizes[letter]):
                    raise ValueError(f"einsum: sizes {sizes[letter]} and {n} for index {letter!r}.")
        return Spec([sizes[letter] for letter in out], summed_products(dtype).name)

    def forward(self, k: Any, *xs: Any, terms: tuple[str, ...] = (), out: str = "") -> tuple[Any, Any]:
        if xs[0].dtype.char == "b":  # int8
            xs = tuple(x.astype("int32") for x in xs)
        y = k.einsum(",".join(terms) + "->" + out, *xs, optimize=len(xs) > 1).astype(xs[0].dtype, copy=False)
        return y, (xs, terms, out)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return _einsum_grad(k, *saved, g, needs)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return _einsum_grad(ops, [_tensor(x) for x in inputs], params["terms"], params["out"], g, needs)


def _einsum_grad(k: Any, xs: Sequence[Any], terms: Sequence[str], out: str, g: Any, needs: Any) -> list[Any]:
    grads: list[Any] = []
    for i, (x, term) in enumerate(zip(xs, terms)):
        if needs[i] is False:
            grads.append(None)
            continue
        others = [(t, o) for j, (t, o) in enumerate(zip(terms, xs)) if j != i]
        present = set(out).union(*(t for t, _ in others))
        # An index that only this operand has was summed, so the gradient is the same all along it.
        ones = [(letter, k.ones((n,), dtype=x.dtype)) for letter, n in zip(term, x.shape) if letter not in present]
        parts = [(out, g), *others, *ones]
        gi = k.einsum(",".join(t for t, _ in parts) + "->" + term, *[o for _, o in parts], optimize=True)
        grads.append(unbroadcast(k, gi, tuple(x.shape)))
    return grads


_einsum = Einsum()


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Einstein's summation: ``"ij,jk->ik"`` names the axes of each operand and of the result.

    Args:
        subscripts: The axes' letters; ``...`` stands for all others; without ``->`` the letters that occur once,
            in alphabetical order, make the result.
        *operands: Tensors, one a term.
        **kwargs: Accepted for compatibility.

    Raises:
        ValueError: if terms and operands don't match.

    Example:
        >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
        Tensor([3., 7.], dtype=float32)
    """
    xs = [_tensor(x) for x in operands]
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ValueError(f"einsum: {subscripts!r} has {len(terms)} terms for {len(xs)} operands.")
    free = [c for c in string.ascii_letters if c not in subscripts]
    widest = max((len(x.shape) - len(t) + 3 for x, t in zip(xs, terms) if "..." in t), default=0)
    dots = "".join(free[:widest])
    for i, (x, term) in enumerate(zip(xs, terms)):
        if "..." in term:
            hidden = len(x.shape) - len(term) + 3
            term = term.replace("...", dots[widest - hidden :])
        if len(term) != len(x.shape):
            raise ValueError(f"einsum: term {terms[i]!r} does not fit shape {tuple(x.shape)}.")
        while len(set(term)) < len(term):  # an index twice in one operand: its diagonal
            letter = next(c for c in term if term.count(c) > 1)
            a = term.index(letter)
            b = term.index(letter, a + 1)
            xs[i] = x = diagonal(x, 0, a, b)
            term = term[:a] + term[a + 1 : b] + term[b + 1 :] + letter
        terms[i] = term
    if not arrow:
        counts = "".join(left.replace("...", "").split(","))
        right = ("..." if widest else "") + "".join(sorted(c for c in set(counts) if counts.count(c) == 1))
    return _einsum(*xs, terms=tuple(terms), out=right.replace("...", dots))


def _letters(n: int, start: int = 0) -> str:
    return string.ascii_letters[start : start + n]


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Products summed over pairs of axes: the last ``axes`` of x1 with the first of x2, or ``(axes1, axes2)``.

    Example:
        >>> tensordot([[1.0, 2.0]], [[3.0], [4.0]], 1)
        Tensor([[11.]], dtype=float32)
    """
    x1, x2 = _tensor(x1), _tensor(x2)
    m, n = len(x1.shape), len(x2.shape)
    if isinstance(axes, int):
        pairs = list(zip(range(m - axes, m), range(axes)))
    else:
        pairs = list(zip(axes_of(_plain(axes[0]), m), axes_of(_plain(axes[1]), n)))
    a, b = list(_letters(m)), list(_letters(n, m))
    for i, j in pairs:
        b[j] = a[i]
    shared = {a[i] for i, _ in pairs}
    out = "".join(c for c in a + b if c not in shared)
    return _narrowed(_einsum(x1, x2, terms=("".join(a), "".join(b)), out=out), x1, x2)


def _narrowed(y: Any, x1: Any, x2: Any) -> Any:
    """``y`` in the dtype of the operands, where these are int8: only matmul and einsum widen the result."""
    return cast(y, "int8") if np_dtype(x1.dtype).char == np_dtype(x2.dtype).char == "b" else y


def _plain(axes: Any) -> Any:
    return int(axes) if not hasattr(axes, "__len__") else tuple(int(a) for a in axes)


def dot(x1: Any, x2: Any) -> Any:
    """Product of vectors or matrices; of more axes, over the last of x1 and the second to last of x2.

    Example:
        >>> dot([1.0, 2.0], [3.0, 4.0])
        Tensor(11., dtype=float32)
    """
    x1, x2 = _tensor(x1), _tensor(x2)
    if not x1.shape or not x2.shape:
        return e.multiply(x1, x2)
    if len(x2.shape) <= 2 and len(x1.shape) <= 2:
        return _narrowed(matmul(x1, x2), x1, x2)
    return tensordot(x1, x2, ((len(x1.shape) - 1,), (max(len(x2.shape) - 2, 0),)))


def inner(x1: Any, x2: Any) -> Any:
    """Products summed over the last axes of both.

    Example:
        >>> inner([1.0, 2.0], [3.0, 4.0])
        Tensor(11., dtype=float32)
    """
    x1, x2 = _tensor(x1), _tensor(x2)
    if not x1.shape or not x2.shape:
        return e.multiply(x1, x2)
    return tensordot(x1, x2, ((-1,), (-1,)))


def vdot(x1: Any, x2: Any) -> Any:
    """Product of the flattened tensors, a scalar; a complex ``x1`` is conjugated."""
    x1 = ravel(x1)
    return dot(e.conj(x1) if np_dtype(x1.dtype).kind == "c" else x1, ravel(x2))


def outer(x1: Any, x2: Any) -> Any:
    """The product of every element of x1 with every element of x2.

    Example:
        >>> outer([1, 2], [3, 4])
        Tensor([[3, 4],
               [6, 8]], dtype=int32)
    """
    return e.multiply(expand_dims(ravel(x1), 1), expand_dims(ravel(x2), 0))


@one_node
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: each element of x1 replaced by its product with x2.

    Example:
        >>> kron([1, 2], [1, 10])
        Tensor([ 1, 10,  2, 20], dtype=int32)
    """
    x1, x2 = _tensor(x1), _tensor(x2)
    rank = max(len(x1.shape), len(x2.shape))
    s1 = (1,) * (rank - len(x1.shape)) + tuple(x1.shape)
    s2 = (1,) * (rank - len(x2.shape)) + tuple(x2.shape)
    if None in s1 + s2:
        shape = [None if None in (a, b) else a * b for a, b in zip(s1, s2)]
        return Spec(shape, join(np_dtype(x1.dtype), np_dtype(x2.dtype)).name)
    wide = e.multiply(reshape(x1, [n for a in s1 for n in (a, 1)]), reshape(x2, [n for b in s2 for n in (1, b)]))
    return reshape(wide, [a * b for a, b in zip(s1, s2)])


@one_node
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Vector product in two or three dimensions; of plane vectors alone, its third component.

    Raises:
        ValueError: if the vectors have another size.

    Example:
        >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        Tensor([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if None in (a.shape[-1], b.shape[-1]):  # three components, unless both have two
        shape = (*broadcast_shapes(a.shape[:-1], b.shape[:-1]), None)
        return Spec(shape, join(np_dtype(a.dtype), np_dtype(b.dtype)).name)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(f"cross takes vectors of 2 or 3 components, not shapes {tuple(a.shape)} and {tuple(b.shape)}.")
    third = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if a.shape[-1] == b.shape[-1] == 2:
        return third
    az = a[..., 2] if a.shape[-1] == 3 else a[..., 0] * 0
    bz = b[..., 2] if b.shape[-1] == 3 else b[..., 0] * 0
    parts = [a[..., 1] * bz - az * b[..., 1], az * b[..., 0] - a[..., 0] * bz, third]
    return moveaxis(concatenate([expand_dims(p, -1) for p in parts], -1), -1, axisc)


def _vander_infer(x: Spec, N: int | None, increasing: bool) -> Spec:
    return Spec((x.shape[0], x.shape[0] if N is None else N), x.dtype)


def _vander_vjp(k: Any, g: Any, y: Any, x: Any, N: int | None, increasing: bool) -> Any:
    # d x^j / dx = j x^(j - 1): the matrix of one column less, weighted.
    if not y.shape[1]:
        return k.zeros_like(x)
    rising = g if increasing else k.flip(g, 1)
    lower = k.vander(x, y.shape[1] - 1, increasing=True) * k.cast(k.arange(1, y.shape[1]), g.dtype)
    return k.sum(rising[:, 1:] * lower, axis=1)


_vander = Basic(
    "vander",
    _vander_infer,
    _vander_vjp,
    lambda k, x, N, increasing: k.vander(x, N, increasing).astype(x.dtype),  # NumPy makes integers int64
)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The Vandermonde matrix of a vector, whose columns are its powers.

    Args:
        x: Tensor (n,).
        N: Number of columns, n by default.
        increasing: From x⁰ to x^(N - 1), instead of the other way.

    Returns:
        A tensor (n, N).

    Raises:
        ValueError: for another rank.

    Example:
        >>> vander([2, 3], 3)
        Tensor([[4, 2, 1],
               [9, 3, 1]], dtype=int32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    if len(x.shape) != 1:
        raise ValueError(f"vander takes a vector, not shape {tuple(x.shape)}.")
    return _vander(x, N=N, increasing=bool(increasing))


__all__ = ["cross", "dot", "einsum", "inner", "kron", "outer", "tensordot", "vander", "vdot"]
