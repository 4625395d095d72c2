"""Elementwise functions: the table of names, gradient rules and meanings.

Each row reads ``name = unary(name, gradient, meaning, example)``. In a gradient rule, ``k`` is the kernel module (or
this package itself, when a gradient is differentiated), ``g`` the gradient behind the op, ``y`` its result.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import cast, to_tensor
from ..autograd.spec import Spec
from .table import Table

_table = Table(__name__)
unary, binary = _table.unary, _table.binary


def _abs_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    sign = k.sign(x)
    return g * (k.conj(sign) if np_dtype(x.dtype).kind == "c" else sign)


# -- one input ---------------------------------------------------------------------------------------------------------
negative = unary("negative", lambda k, g, y, x: -g, "-x.", "negative([1.0, -2.0]) -> Tensor([-1.,  2.], dtype=float32)", "same")
abs = unary("abs", _abs_vjp, "\\|x\\|.", "abs([1.0, -2.0]) -> Tensor([1., 2.], dtype=float32)", "real")
sign = unary("sign", None, "Sign: -1, 0 or 1.", "sign([3.0, -2.0]) -> Tensor([ 1., -1.], dtype=float32)", "same")
square = unary("square", lambda k, g, y, x: g * x * 2, "x².", "square([3, -2]) -> Tensor([9, 4], dtype=int32)", "number")
sqrt = unary("sqrt", lambda k, g, y, x: g * 0.5 / y, "Square root.", "sqrt([4.0, 9.0]) -> Tensor([2., 3.], dtype=float32)")
rsqrt = unary("rsqrt", lambda k, g, y, x: g * -0.5 * y / x, "1 / sqrt(x).", "rsqrt([4.0]) -> Tensor([0.5], dtype=float32)")
cbrt = unary("cbrt", lambda k, g, y, x: g / (y * y * 3), "Cube root.", "cbrt([8.0]) -> Tensor([2.], dtype=float32)")
exp = unary("exp", lambda k, g, y, x: g * y, "e^x.", "exp([0.0]) -> Tensor([1.], dtype=float32)")
exp2 = unary("exp2", lambda k, g, y, x: g * y * math.log(2), "2^x.", "exp2([3.0]) -> Tensor([8.], dtype=float32)")
expm1 = unary("expm1", lambda k, g, y, x: g * (y + 1), "e^x - 1, exact near 0.", "expm1([0.0]) -> Tensor([0.], dtype=float32)")
log = unary("log", lambda k, g, y, x: g / x, "Natural logarithm.", "log([1.0]) -> Tensor([0.], dtype=float32)")
log2 = unary("log2", lambda k, g, y, x: g / (x * math.log(2)), "Logarithm to base 2.", "log2([8.0]) -> Tensor([3.], dtype=float32)")
log10 = unary("log10", lambda k, g, y, x: g / (x * math.log(10)), "Logarithm to base 10.")
log1p = unary("log1p", lambda k, g, y, x: g / (x + 1), "log(1 + x), exact near 0.", "log1p([0.0]) -> Tensor([0.], dtype=float32)")
sin = unary("sin", lambda k, g, y, x: g * k.cos(x), "Sine of x in radians.", "sin([0.0]) -> Tensor([0.], dtype=float32)")
cos = unary("cos", lambda k, g, y, x: -g * k.sin(x), "Cosine of x in radians.", "cos([0.0]) -> Tensor([1.], dtype=float32)")
tan = unary("tan", lambda k, g, y, x: g * (y * y + 1), "Tangent of x in radians.")
arcsin = unary("arcsin", lambda k, g, y, x: g * k.rsqrt(1 - x * x), "Inverse sine, in radians.")
arccos = unary("arccos", lambda k, g, y, x: -g * k.rsqrt(1 - x * x), "Inverse cosine, in radians.")
arctan = unary("arctan", lambda k, g, y, x: g / (x * x + 1), "Inverse tangent, in radians.")
sinh = unary("sinh", lambda k, g, y, x: g * k.cosh(x), "Hyperbolic sine.")
cosh = unary("cosh", lambda k, g, y, x: g * k.sinh(x), "Hyperbolic cosine.")
tanh = unary("tanh", lambda k, g, y, x: g * (1 - y * y), "Hyperbolic tangent.", "tanh([0.0]) -> Tensor([0.], dtype=float32)")
arcsinh = unary("arcsinh", lambda k, g, y, x: g * k.rsqrt(x * x + 1), "Inverse hyperbolic sine.")
arccosh = unary("arccosh", lambda k, g, y, x: g * k.rsqrt(x * x - 1), "Inverse hyperbolic cosine.")
arctanh = unary("arctanh", lambda k, g, y, x: g / (1 - x * x), "Inverse hyperbolic tangent.")
reciprocal = unary("reciprocal", lambda k, g, y, x: -g * y * y, "1 / x.", "reciprocal([4.0]) -> Tensor([0.25], dtype=float32)")
deg2rad = unary("deg2rad", lambda k, g, y, x: g * (math.pi / 180), "Degrees to radians.")
rad2deg = unary("rad2deg", lambda k, g, y, x: g * (180 / math.pi), "Radians to degrees.")
floor = unary("floor", None, "Largest whole number not above x.", "floor([1.7]) -> Tensor([1.], dtype=float32)")
ceil = unary("ceil", None, "Smallest whole number not below x.", "ceil([1.2]) -> Tensor([2.], dtype=float32)")
trunc = unary("trunc", None, "x without its fraction.", "trunc([-1.7]) -> Tensor([-1.], dtype=float32)", "same")
erf = unary("erf", lambda k, g, y, x: g * (2 / math.sqrt(math.pi)) * k.exp(-x * x), "Error function, 2/√π ∫₀ˣ e^(-t²) dt.")
erfinv = unary("erfinv", lambda k, g, y, x: g * (math.sqrt(math.pi) / 2) * k.exp(y * y), "Inverse of the error function.")
conj = unary("conj", lambda k, g, y, x: k.conj(g), "Complex conjugate.", result="same")
isnan = unary("isnan", None, "Where x is not a number.", "isnan([float('nan')]) -> Tensor([ True], dtype=bool)", "bool")
isinf = unary("isinf", None, "Where x is infinite.", result="bool")
isfinite = unary("isfinite", None, "Where x is neither infinite nor NaN.", result="bool")
signbit = unary("signbit", None, "Where the sign bit is set.", result="bool")
logical_not = unary("logical_not", None, "Where x is zero.", "logical_not([True]) -> Tensor([False], dtype=bool)", "bool")
bitwise_not = unary("bitwise_not", None, "Every bit turned.", "bitwise_not([5]) -> Tensor([-6], dtype=int32)", "same")


# -- two inputs --------------------------------------------------------------------------------------------------------
def _share(k: Any, g: Any, mine: Any, other: Any, y: Any) -> Any:
    """The gradient of an extremum goes to the larger (smaller) input, half each on a tie."""
    return g * k.where(mine == other, 0.5, k.cast(mine == y, g.dtype))


def _power_vjp_exponent(k: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    safe = k.where(a > 0, a, k.ones_like(a))
    return g * y * k.log(safe)


add = binary("add", lambda k, g, y, a, b: g, lambda k, g, y, a, b: g, "x1 + x2.", "add([1.0], 2) -> Tensor([3.], dtype=float32)")
subtract = binary("subtract", lambda k, g, y, a, b: g, lambda k, g, y, a, b: -g, "x1 - x2.")
multiply = binary("multiply", lambda k, g, y, a, b: g * b, lambda k, g, y, a, b: g * a, "x1 · x2.",
                  "multiply([1, 2], 0.5) -> Tensor([0.5, 1. ], dtype=float32)")  # fmt: skip
divide = binary("divide", lambda k, g, y, a, b: g / b, lambda k, g, y, a, b: -g * y / b, "x1 / x2.",
                "divide([1, 2], 4) -> Tensor([0.25, 0.5 ], dtype=float32)", "float")  # fmt: skip
def _one_less(k: Any, b: Any) -> Any:
    """b - 1 as the exponent of a power's gradient, which has a factor b: 0 where b is 0, so that 0 ^ -1 doesn't come."""
    if isinstance(b, (int, float)):  # stays a number, which doesn't widen the gradient
        return (b or 1) - 1
    return k.where(k.equal(b, 0), 1, b) - 1


power = binary("power", lambda k, g, y, a, b: g * b * k.power(a, _one_less(k, b)), _power_vjp_exponent,
               "x1 to the power x2.", "power([2.0, 3.0], 2) -> Tensor([4., 9.], dtype=float32)", "number")  # fmt: skip
floor_divide = binary("floor_divide", None, None, "⌊x1 / x2⌋.", "floor_divide([7, -7], 2) -> Tensor([ 3, -4], dtype=int32)",
                      "number")  # fmt: skip
mod = binary("mod", lambda k, g, y, a, b: g, lambda k, g, y, a, b: -g * k.floor(a / b), "Remainder with the sign of x2.",
             "mod([7, -7], 3) -> Tensor([1, 2], dtype=int32)", "number")  # fmt: skip
maximum = binary("maximum", lambda k, g, y, a, b: _share(k, g, a, b, y), lambda k, g, y, a, b: _share(k, g, b, a, y),
                 "The larger of the two.", "maximum([1.0, 5.0], 3) -> Tensor([3., 5.], dtype=float32)")  # fmt: skip
minimum = binary("minimum", lambda k, g, y, a, b: _share(k, g, a, b, y), lambda k, g, y, a, b: _share(k, g, b, a, y),
                 "The smaller of the two.", "minimum([1.0, 5.0], 3) -> Tensor([1., 3.], dtype=float32)")  # fmt: skip
arctan2 = binary("arctan2", lambda k, g, y, a, b: g * b / (a * a + b * b), lambda k, g, y, a, b: -g * a / (a * a + b * b),
                 "Angle of the point (x2, x1), in radians.", result="float")  # fmt: skip
hypot = binary("hypot", lambda k, g, y, a, b: g * a / y, lambda k, g, y, a, b: g * b / y, "sqrt(x1² + x2²).", result="float")
logaddexp = binary("logaddexp", lambda k, g, y, a, b: g * k.exp(a - y), lambda k, g, y, a, b: g * k.exp(b - y),
                   "log(e^x1 + e^x2), stable.", result="float")  # fmt: skip
logaddexp2 = binary("logaddexp2", lambda k, g, y, a, b: g * k.exp2(a - y), lambda k, g, y, a, b: g * k.exp2(b - y),
                    "log2(2^x1 + 2^x2), stable.", result="float")  # fmt: skip
equal = binary("equal", None, None, "x1 = x2.", "equal([1, 2], 2) -> Tensor([False,  True], dtype=bool)", "bool")
not_equal = binary("not_equal", None, None, "x1 ≠ x2.", result="bool")
less = binary("less", None, None, "x1 < x2.", result="bool")
less_equal = binary("less_equal", None, None, "x1 ≤ x2.", result="bool")
greater = binary("greater", None, None, "x1 > x2.", result="bool")
greater_equal = binary("greater_equal", None, None, "x1 ≥ x2.", result="bool")
logical_and = binary("logical_and", None, None, "Both are nonzero.", result="bool")
logical_or = binary("logical_or", None, None, "At least one is nonzero.", result="bool")
logical_xor = binary("logical_xor", None, None, "Exactly one is nonzero.", result="bool")
bitwise_and = _table.bitwise("bitwise_and", "Bits set in both.", "bitwise_and([6], 3) -> Tensor([2], dtype=int32)")
bitwise_or = _table.bitwise("bitwise_or", "Bits set in either.", "bitwise_or([6], 3) -> Tensor([7], dtype=int32)")
bitwise_xor = _table.bitwise("bitwise_xor", "Bits set in one only.", "bitwise_xor([6], 3) -> Tensor([5], dtype=int32)")
left_shift = _table.bitwise("left_shift", "Bits of x moved up by y.", "left_shift([1], 3) -> Tensor([8], dtype=int32)")
right_shift = _table.bitwise("right_shift", "Bits of x moved down by y.", "right_shift([8], 3) -> Tensor([1], dtype=int32)")
gcd = binary("gcd", None, None, "Greatest common divisor.", "gcd([12], 18) -> Tensor([6], dtype=int32)")
lcm = binary("lcm", None, None, "Least common multiple.", "lcm([4], 6) -> Tensor([12], dtype=int32)")
heaviside = binary("heaviside", None, None, "0 below zero, 1 above, x2 at zero.", result="float")

fmax = binary("fmax", lambda k, g, y, a, b: g * k.cast(k.logical_or(k.equal(a, y), k.isnan(b)), g.dtype),
              lambda k, g, y, a, b: g * k.cast(k.logical_and(k.equal(b, y), k.logical_not(k.equal(a, y))), g.dtype),
              "The larger of the two, or the one that isn't NaN.")  # fmt: skip
fmin = binary("fmin", lambda k, g, y, a, b: g * k.cast(k.logical_or(k.equal(a, y), k.isnan(b)), g.dtype),
              lambda k, g, y, a, b: g * k.cast(k.logical_and(k.equal(b, y), k.logical_not(k.equal(a, y))), g.dtype),
              "The smaller of the two, or the one that isn't NaN.")  # fmt: skip
fmod = binary("fmod", lambda k, g, y, a, b: g, lambda k, g, y, a, b: -g * k.trunc(a / b), "Remainder with the sign of x1.",
              "fmod([7, -7], 3) -> Tensor([ 1, -1], dtype=int32)", "number")  # fmt: skip
nextafter = binary("nextafter", None, None, "The next floating number from x1 towards x2.", result="float")
isposinf = unary("isposinf", None, "Where x is ∞.", result="bool")
isneginf = unary("isneginf", None, "Where x is -∞.", result="bool")
isreal = unary("isreal", None, "Where x has no imaginary part.", result="bool")


def ldexp(x1: Any, x2: Any) -> Any:
    """x1 · 2^x2.

    Args:
        x1: Tensor.
        x2: Integer tensor.

    Example:
        >>> ldexp([1.0, 3.0], [1, 2])
        Tensor([ 2., 12.], dtype=float32)
    """
    x1 = x1 if isinstance(x1, Spec) else to_tensor(x1)
    kind = np_dtype(x1.dtype)
    return x1 * exp2(cast(x2, dtype=kind if kind.kind == "f" else np_dtype(None)))


def sinc(x: Any) -> Any:
    """sin(πx) / (πx), and 1 at 0.

    Args:
        x: Tensor.

    Example:
        >>> sinc([0.0])
        Tensor([1.], dtype=float32)
    """
    from .index import where

    x = multiply(x, math.pi)
    zero = equal(x, 0)
    safe = where(zero, 1.0, x)
    return where(zero, 1.0, sin(safe) / safe)


def fabs(x: Any) -> Any:
    """\\|x\\| as a floating number.

    Args:
        x: Tensor; integers become ``floatx()``.

    Example:
        >>> fabs([1, -2])
        Tensor([1., 2.], dtype=float32)
    """
    from .reduce import _floating

    return abs(_floating(x))


def erfc(x: Any) -> Any:
    """1 - erf(x).

    Args:
        x: Tensor.

    Example:
        >>> erfc([0.0])
        Tensor([1.], dtype=float32)
    """
    return 1 - erf(x)


# Other spellings.
absolute, true_divide = abs, divide
conjugate = conj
bitwise_invert, bitwise_left_shift, bitwise_right_shift = bitwise_not, left_shift, right_shift
remainder = mod


def round(x: Any, decimals: int = 0) -> Any:
    """x rounded to the nearest multiple of 10^-decimals, halves to even.

    Args:
        x: Tensor, array or symbolic tensor.
        decimals: Digits behind the point; negative ones round before it.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> round([1.26, 2.5])
        Tensor([1., 2.], dtype=float32)
    """
    if not decimals:
        return _rint(x)
    scale = 10.0**decimals
    return divide(_rint(multiply(x, scale)), scale)


_rint = unary("rint", None, "Nearest whole number, halves to even.", result="same")
del _table.functions["rint"]

__all__ = [*_table.functions, "conjugate", "erfc", "fabs", "ldexp", "sinc", "absolute", "true_divide", "bitwise_invert", "bitwise_left_shift", "bitwise_right_shift",
           "remainder", "round"]  # fmt: skip
__test__ = _table.doctests()
