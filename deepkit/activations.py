"""Activation functions by name."""

from __future__ import annotations

from typing import Any, Callable

from . import ops
from .registry import get_registered_object, serialize_keras_object
from .utils.naming import close_matches


def linear(x: Any) -> Any:
    """x itself.

    Example:
        >>> linear(3.0)
        3.0
    """
    return x


def binary_step(x: Any) -> Any:
    """1 where x ≥ 0, else 0: the perceptron's activation. Its gradient is zero.

    Example:
        >>> binary_step([-0.5, 0.0, 2.0])
        Tensor([0., 1., 1.], dtype=float32)
    """
    x = ops.convert_to_tensor(x)
    return ops.cast(ops.greater_equal(x, 0), x.dtype if str(x.dtype).startswith("float") else None)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0), or the general ramp: negative_slope · (x - threshold) below the threshold, x from it to max_value.

    Args:
        x: Tensor.
        negative_slope: Slope below the threshold.
        max_value: Upper bound of the result.
        threshold: Where the ramp starts.

    Example:
        >>> relu([-5.0, 3.0, 9.0], max_value=6)
        Tensor([0., 3., 6.], dtype=float32)
    """
    if not negative_slope and not threshold:
        x = ops.relu(x)
    else:
        x = ops.convert_to_tensor(x)
        below = (x - threshold) * negative_slope if negative_slope else ops.zeros_like(x)  # 0 · -inf is no number
        x = ops.where(ops.greater(x, threshold) if threshold else ops.greater_equal(x, 0), x, below)
    return x if max_value is None else ops.minimum(x, max_value)


def exponential(x: Any) -> Any:
    """e^x.

    Example:
        >>> exponential([0.0])
        Tensor([1.], dtype=float32)
    """
    return ops.exp(x)


def softmax(x: Any, axis: int = -1) -> Any:
    """e^x / Σ e^x along an axis; positive and summing to 1.

    Example:
        >>> softmax([[1.0, 1.0]])
        Tensor([[0.5, 0.5]], dtype=float32)
    """
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """log(softmax(x)).

    Example:
        >>> log_softmax([[0.0, 0.0]])
        Tensor([[-0.6931472, -0.6931472]], dtype=float32)
    """
    return ops.log_softmax(x, axis=axis)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x).

    Example:
        >>> sigmoid([0.0])
        Tensor([0.5], dtype=float32)
    """
    return ops.sigmoid(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Example:
        >>> tanh([0.0])
        Tensor([0.], dtype=float32)
    """
    return ops.tanh(x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, else α (e^x - 1) (Clevert et al. 2016).

    Example:
        >>> elu([2.0, 0.0])
        Tensor([2., 0.], dtype=float32)
    """
    return ops.elu(x, alpha=alpha)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x · Φ(x) with Φ the normal distribution function (Hendrycks & Gimpel 2016).

    Args:
        x: Tensor.
        approximate: Use 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Example:
        >>> gelu([0.0])
        Tensor([0.], dtype=float32)
    """
    return ops.gelu(x, approximate=approximate)


def mish(x: Any) -> Any:
    """x · tanh(log(1 + e^x)) (Misra 2019).

    Example:
        >>> mish([0.0])
        Tensor([0.], dtype=float32)
    """
    return x * ops.tanh(ops.softplus(x)) if hasattr(x, "shape") else mish(ops.convert_to_tensor(x))


def _from_ops(name: str) -> Callable[..., Any]:
    """An activation that is the op of the same name, looked up when it is called."""

    def fn(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(ops, name)(x, *args, **kwargs)

    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = f"See :func:`deepkit.ops.{name}`."
    fn.__wrapped__ = getattr(ops, name)  # type: ignore[attr-defined]  # for its signature
    return fn


_FROM_OPS = """celu glu hard_shrink hard_sigmoid hard_tanh leaky_relu log_sigmoid relu6 selu softplus
soft_shrink softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold""".split()
for _name in _FROM_OPS:
    globals()[_name] = _from_ops(_name)
silu = _from_ops("silu")
hard_silu = _from_ops("hard_silu")
swish, hard_swish = silu, hard_silu

ALL: dict[str, Callable[..., Any]] = {
    fn.__name__: fn
    for fn in (linear, binary_step, relu, exponential, softmax, log_softmax, sigmoid, tanh, elu, gelu, mish,
               *(globals()[n] for n in _FROM_OPS))
}  # fmt: skip
ALL.update(silu=silu, swish=silu, hard_silu=hard_silu, hard_swish=hard_silu)

#: Activations that kernels fuse into the op before them.
_FUSIBLE = {id(fn): fn.__name__ for fn in (relu, sigmoid, tanh, elu, exponential, softmax)}


def fusible_name(activation: Any) -> str | None:
    """The name under which a dense or convolution kernel can run ``activation`` itself, ``None`` if it can't."""
    return _FUSIBLE.get(id(activation))


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from its name, itself, a layer, a configuration, or ``None`` (linear).

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> get("relu") is relu
        True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = get_registered_object(identifier, module_objects=ALL)
        if found is None:
            raise ValueError(f"Unknown activation: {identifier!r}.{close_matches(identifier, ALL)}")
        return found
    if callable(identifier):
        return identifier
    raise ValueError(f"An activation is a name or a function. Received: {identifier!r}")


def serialize(activation: Any) -> Any:
    """The name of an activation of deepkit's, else its configuration."""
    name = getattr(activation, "__name__", None)
    if name and ALL.get(name) is activation:
        return name
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation that a name or configuration describes."""
    from .registry import deserialize_keras_object

    if isinstance(config, dict) and config.get("class_name") == "function" and config.get("config") in ALL:
        return ALL[config["config"]]
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="activation")
