"""Random tensors that one seed makes equal on every device.

A ``seed`` argument is an integer (the same values each time), a :class:`SeedGenerator` (new values each time), or
``None`` (the global generator, seeded by :func:`deepkit.utils.set_random_seed`).
"""

from __future__ import annotations

import random as _python_random
from typing import Any

import numpy as np

from . import backend, ops
from .autograd.dtypes import np_dtype
from .autograd.tensor import Tensor
from .autograd.variable import Variable
from .backend import replay
from .ops.shape import _sizes
from .registry import export


def make_default_seed() -> int:
    """A seed from Python's own generator, so that seeding that one makes layers repeatable too."""
    return _python_random.randint(1, int(1e9))


@export("keras.random.SeedGenerator")
class SeedGenerator:
    """A stream of random draws that is part of a model's state.

    Its state is ``[seed, number of draws so far]``; saving and restoring it continues the stream.

    Args:
        seed: Integer, or ``None`` for a random one.
        name: Name.

    Raises:
        ValueError: if ``seed`` is no integer.

    Example:
        >>> g = SeedGenerator(7)
        >>> a, b = uniform((2,), seed=g), uniform((2,), seed=g)
        >>> bool((a == b).any())
        False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"SeedGenerator: `seed` should be an integer. Received: seed={seed!r}")
        self.name = name or "seed_generator"
        self._initial_seed = int(seed)
        with backend.device("cpu"):  # read and moved on by the host, at every draw
            self.state = Variable(
                np.array([int(seed) & 0xFFFFFFFF, 0], "uint32"), trainable=False, name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The state as it is, after which it moves on by one draw."""
        replay.refuse("SeedGenerator.next() gives the state to the host; pass the generator itself as `seed`")
        state = Tensor(self.state.data.copy())
        self.state.writable()[1] += 1
        return state

    def draw(self) -> tuple[Any, int]:
        """Key and draw number of the next draw; in a step that is captured, the state on the device and 0."""
        if replay.capturing():
            return replay.numbers(self._draw, "uint32", now=(0, 0)).array, 0
        return self._draw()

    def _draw(self) -> tuple[int, int]:
        data = self.state.writable()
        key, draw = int(data[0]), int(data[1])
        data[1] = (draw + 1) & 0xFFFFFFFF
        return key, draw

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        store["0"] = self.state.numpy()

    def load_own_variables(self, store: Any) -> None:
        self.state.assign(np.asarray(store["0"]))


_global: SeedGenerator | None = None


def global_seed_generator() -> SeedGenerator:
    """The generator behind ``seed=None``."""
    global _global
    if _global is None:
        _global = SeedGenerator()
    return _global


def set_global_seed(seed: int) -> None:
    """Start the global generator anew."""
    global _global
    _global = SeedGenerator(seed)


def draw_seed(seed: Any) -> tuple[Any, int]:
    """Key and draw number for a ``seed`` argument.

    Raises:
        ValueError: for something that is no seed.
    """
    if seed is None:
        return global_seed_generator().draw()
    if isinstance(seed, SeedGenerator):
        return seed.draw()
    if isinstance(seed, (int, np.integer)):
        return int(seed) & 0xFFFFFFFF, 0
    if isinstance(seed, Tensor) or (hasattr(seed, "__len__") and len(seed) == 2):
        key, draw = (int(v) for v in np.asarray(seed))
        return key & 0xFFFFFFFF, draw & 0xFFFFFFFF
    raise ValueError(f"`seed` should be an integer, a SeedGenerator or None. Received: seed={seed!r}")


def _floating(name: str, dtype: Any) -> np.dtype:
    out = np_dtype(dtype)
    if out.kind not in "fV":
        raise ValueError(f"{name}: `dtype` should be a floating one. Received: dtype={dtype!r}")
    return out


def _placed(x: Any, scale: Any, shift: Any, kind: np.dtype) -> Any:
    """scale · x + shift; where these are tensors, gradients flow to them."""
    if all(isinstance(v, (int, float, np.generic)) for v in (scale, shift)):
        return Tensor((x * scale + shift).astype(kind, copy=False))
    scale, shift = (ops.cast(ops.convert_to_tensor(v), kind) for v in (scale, shift))
    return Tensor(x) * scale + shift


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values spread evenly over [minval, maxval).

    Args:
        shape: Shape.
        minval: Lower bound, a number or a tensor that is broadcast to the shape.
        maxval: Upper bound, excluded.
        dtype: Floating dtype, ``floatx()`` by default.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Example:
        >>> x = uniform((1000,), seed=1)
        >>> bool((x >= 0).all()), bool((x < 1).all())
        (True, True)
    """
    kind = _floating("uniform", dtype)
    x = backend.active().random_uniform(*draw_seed(seed), _sizes(shape), kind)
    if type(minval) in (int, float) and type(maxval) in (int, float) and (minval, maxval) == (0, 1):
        return Tensor(x)
    return _placed(x, maxval - minval, minval, kind)


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values of the normal distribution.

    Args:
        shape: Shape.
        mean: Mean, a number or a tensor that is broadcast to the shape. Gradients flow to it.
        stddev: Standard deviation, likewise.
        dtype: Floating dtype, ``floatx()`` by default.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    kind = _floating("normal", dtype)
    x = backend.active().random_normal(*draw_seed(seed), _sizes(shape), kind)
    return _placed(x, stddev, mean, kind)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values of the normal distribution cut off two standard deviations from the mean.

    Args:
        shape: Shape.
        mean: Mean before the cut.
        stddev: Standard deviation before the cut.
        dtype: Floating dtype, ``floatx()`` by default.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Example:
        >>> bool((abs(truncated_normal((1000,), seed=1)) <= 2).all())
        True
    """
    kind = _floating("truncated_normal", dtype)
    x = backend.active().random_truncated_normal(*draw_seed(seed), _sizes(shape), kind)
    return _placed(x, stddev, mean, kind)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Integers spread evenly over [minval, maxval).

    Args:
        shape: Shape.
        minval: Lower bound, an integer or a tensor that is broadcast to the shape.
        maxval: Upper bound, excluded.
        dtype: Integer dtype; ``None`` for int32.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Raises:
        ValueError: for another dtype.

    Example:
        >>> x = randint((100,), 0, 3, seed=1)
        >>> int(x.min()), int(x.max())
        (0, 2)
    """
    kind = np_dtype("int32" if dtype is None else dtype)
    if kind.kind not in "iu":
        raise ValueError(f"randint: `dtype` should be an integer one. Received: dtype={dtype!r}")
    k = backend.active()
    minval, maxval = (v if isinstance(v, int) else ops.convert_to_tensor(v).data for v in (minval, maxval))
    u = k.random_uniform(*draw_seed(seed), _sizes(shape), np.dtype("float64"))
    return Tensor((k.floor(u * (maxval - minval)) + minval).astype(kind))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn with probabilities softmax(logits): argmax of logits plus Gumbel noise.

    Args:
        logits: Tensor (batch, classes).
        num_samples: Draws a row.
        dtype: Integer dtype.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Returns:
        Tensor (batch, num_samples).

    Example:
        >>> categorical([[0.0, 100.0]], 3, seed=1)
        Tensor([[1, 1, 1]], dtype=int32)
    """
    logits = ops.convert_to_tensor(logits)
    if logits.ndim != 2:
        raise ValueError(f"categorical: `logits` should be (batch, classes). Received shape {logits.shape}")
    u = uniform((logits.shape[0], num_samples, logits.shape[1]), dtype="float64", seed=seed)
    noise = -ops.log(-ops.log(u + 1e-300))
    return ops.cast(ops.argmax(ops.expand_dims(ops.cast(logits, "float64"), 1) + noise, axis=-1), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices of ``x`` along ``axis`` in random order.

    Example:
        >>> sorted(shuffle([1, 2, 3], seed=1).tolist())
        [1, 2, 3]
    """
    x = ops.convert_to_tensor(x)
    return ops.take(x, Tensor(backend.active().random_order(*draw_seed(seed), x.shape[axis])), axis=axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """``inputs`` with a share ``rate`` of elements set to 0 and the others scaled by 1 / (1 - rate).

    Args:
        inputs: Tensor.
        rate: Share in [0, 1].
        noise_shape: Shape of the mask, broadcast against ``inputs``.
        seed: Integer, :class:`SeedGenerator` or ``None``.

    Example:
        >>> dropout([1.0, 1.0], 0.0)
        Tensor([1., 1.], dtype=float32)
    """
    from .ops.dropout import dropout as op

    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: `rate` should be in [0, 1]. Received: rate={rate!r}")
    inputs = ops.convert_to_tensor(inputs)
    key, draw = draw_seed(seed)
    shape = None if noise_shape is None else tuple(
        n if m is None else m for m, n in zip(noise_shape, inputs.shape)
    )  # fmt: skip
    return op(inputs, rate=float(rate), key=key, draw=draw, noise_shape=shape)


def gamma(shape: Any, alpha: float, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values of the gamma distribution with shape ``alpha`` and scale 1 (made on the host).

    Example:
        >>> bool((gamma((10,), 2.0, seed=1) > 0).all())
        True
    """
    values = _host(seed).gamma(np.asarray(alpha), size=_sizes(shape))
    return ops.convert_to_tensor(values, dtype=_floating("gamma", dtype))


def beta(shape: Any, alpha: float, beta: float, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values of the beta distribution (made on the host).

    Example:
        >>> beta((3,), 2.0, 3.0, seed=1).shape
        (3,)
    """
    values = _host(seed).beta(np.asarray(alpha), np.asarray(beta), size=_sizes(shape))
    return ops.convert_to_tensor(values, dtype=_floating("beta", dtype))


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of successes in ``counts`` trials (made on the host).

    Example:
        >>> binomial((2,), 5, 1.0, seed=1)
        Tensor([5., 5.], dtype=float32)
    """
    values = _host(seed).binomial(np.asarray(counts).astype("int64"), np.asarray(probabilities), size=_sizes(shape))
    return ops.convert_to_tensor(values, dtype=_floating("binomial", dtype))


def _host(seed: Any) -> np.random.Generator:
    from .backend import cpu

    return cpu.random_generator(*draw_seed(seed))
