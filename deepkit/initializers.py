"""Initializers: functions of a shape that make the first values of weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import ops, random
from .registry import deserialize_keras_object, export, serialize_keras_object
from .utils.naming import close_matches


@export("keras.initializers.Initializer", "keras.Initializer")
class Initializer:
    """Base of initializers; subclass it with ``__call__(shape, dtype=None)``."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError("An initializer needs a __call__ method.")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def clone(self) -> Any:
        return type(self).from_config(self.get_config())


@export("keras.initializers.Zeros")
class Zeros(Initializer):
    """All 0.

    Example:
        >>> Zeros()((2,))
        Tensor([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype)


@export("keras.initializers.Ones")
class Ones(Initializer):
    """All 1.

    Example:
        >>> Ones()((2,))
        Tensor([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.ones(shape, dtype)


@export("keras.initializers.Constant")
class Constant(Initializer):
    """All one value.

    Args:
        value: A number, or an array that is broadcast to the shape.

    Example:
        >>> Constant(3.0)((2,))
        Tensor([3., 3.], dtype=float32)
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        from .autograd.dtypes import standardize_dtype

        return ops.broadcast_to(ops.cast(self.value, standardize_dtype(dtype)), shape)

    def get_config(self) -> dict[str, Any]:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(deserialize_keras_object(config["value"]))


@export("keras.initializers.Identity", "keras.initializers.IdentityInitializer")
class Identity(Initializer):
    """``gain`` times the identity matrix.

    Args:
        gain: The factor.

    Raises:
        ValueError: for a shape that isn't two-dimensional.

    Example:
        >>> Identity(2.0)((2, 2)).tolist()
        [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(f"The Identity initializer makes matrices. Received shape {tuple(shape)}")
        return ops.eye(shape[0], shape[1], dtype=dtype) * self.gain

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of random initializers: an integer seed (or none) gives the same values at each call."""

    def __init__(self, seed: Any = None):
        self._given_seed = seed
        self.seed = random.make_default_seed() if seed is None else seed
        if not isinstance(self.seed, (int, np.integer, random.SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: `seed` should be an integer, a SeedGenerator or None. Received: {seed!r}"
            )

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialize_keras_object(self._given_seed)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        if isinstance(config.get("seed"), dict):
            config["seed"] = deserialize_keras_object(config["seed"])
        return cls(**config)


@export("keras.initializers.RandomNormal")
class RandomNormal(RandomInitializer):
    """Normally distributed.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer, ``SeedGenerator`` or ``None``.

    Example:
        >>> RandomNormal(seed=1)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@export("keras.initializers.TruncatedNormal")
class TruncatedNormal(RandomNormal):
    """Normally distributed, cut off two standard deviations from the mean.

    Args:
        mean: Mean before the cut.
        stddev: Standard deviation before the cut.
        seed: Integer, ``SeedGenerator`` or ``None``.

    Example:
        >>> float(abs(TruncatedNormal(seed=1)((100,))).max()) <= 0.1
        True
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


@export("keras.initializers.RandomUniform")
class RandomUniform(RandomInitializer):
    """Spread evenly over [minval, maxval).

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: Integer, ``SeedGenerator`` or ``None``.

    Example:
        >>> float(abs(RandomUniform(seed=1)((100,))).max()) <= 0.05
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


def compute_fans(shape: Any) -> tuple[float, float]:
    """Numbers of inputs and outputs of a unit of a dense or convolution kernel.

    Example:
        >>> compute_fans((3, 3, 16, 32))
        (144, 288)
    """
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


@export("keras.initializers.VarianceScaling")
class VarianceScaling(RandomInitializer):
    """Random with variance scale / n, where n is the fan-in, the fan-out, or their mean.

    Args:
        scale: Positive factor.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
        seed: Integer, ``SeedGenerator`` or ``None``.
        input_axes: Axes that count as inputs, instead of the second last.
        output_axes: Axes that count as outputs, instead of the last.

    Raises:
        ValueError: for other values.

    Example:
        >>> VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        if scale <= 0:
            raise ValueError(f"VarianceScaling: `scale` should be positive. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f"VarianceScaling: `mode` should be 'fan_in', 'fan_out' or 'fan_avg'. Received: mode={mode!r}"
            )
        distribution = "truncated_normal" if distribution.lower() == "normal" else distribution.lower()
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError("VarianceScaling: `distribution` should be 'truncated_normal', 'untruncated_normal' or "
                             f"'uniform'. Received: distribution={distribution!r}")  # fmt: skip
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def _fans(self, shape: Any) -> tuple[float, float]:
        if self.input_axes is None and self.output_axes is None:
            return compute_fans(shape)
        n = len(shape)
        ins = {a % n for a in (self.input_axes or ())}
        outs = {a % n for a in (self.output_axes or ())}
        receptive = math.prod(shape[i] for i in range(n) if i not in ins | outs)
        return (math.prod(shape[i] for i in ins) * receptive, math.prod(shape[i] for i in outs) * receptive)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        fan_in, fan_out = self._fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, n)
        if self.distribution == "truncated_normal":
            # 0.8796... is the standard deviation of a standard normal cut off at two.
            return random.truncated_normal(shape, 0.0, math.sqrt(scale) / 0.87962566103423978, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(scale), dtype, self.seed)
        limit = math.sqrt(3.0 * scale)
        return random.uniform(shape, -limit, limit, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config(),
                "input_axes": self.input_axes, "output_axes": self.output_axes}  # fmt: skip


def _scaling(name: str, scale: float, mode: str, distribution: str, source: str) -> type:
    """One of the named members of the family of variance scalings."""

    def __init__(self: Any, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed, input_axes, output_axes)

    def get_config(self: Any) -> dict[str, Any]:
        return {**RandomInitializer.get_config(self), "input_axes": self.input_axes, "output_axes": self.output_axes}

    kind = "truncated normal" if "normal" in distribution else "uniform"
    made = type(name, (VarianceScaling,), {
        "__init__": __init__, "get_config": get_config, "__module__": __name__,
        "__doc__": f"{kind.capitalize()} with variance {scale:g} / {mode.replace('_', '-')} ({source}).\n\n    Args:\n"
        "        seed: Integer, ``SeedGenerator`` or ``None``.\n        input_axes: Axes that count as inputs.\n"
        "        output_axes: Axes that count as outputs.\n    ",
    })  # fmt: skip
    return export(f"keras.initializers.{name}")(made)


_GLOROT, _HE, _LECUN = "Glorot & Bengio 2010", "He et al. 2015", "LeCun et al. 1998"
GlorotUniform = _scaling("GlorotUniform", 1.0, "fan_avg", "uniform", _GLOROT)
GlorotNormal = _scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal", _GLOROT)
HeUniform = _scaling("HeUniform", 2.0, "fan_in", "uniform", _HE)
HeNormal = _scaling("HeNormal", 2.0, "fan_in", "truncated_normal", _HE)
LecunUniform = _scaling("LecunUniform", 1.0, "fan_in", "uniform", _LECUN)
LecunNormal = _scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", _LECUN)


@export("keras.initializers.Orthogonal", "keras.initializers.OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """``gain`` times a random orthogonal matrix, from a QR decomposition of normal values (Saxe et al. 2014).

    Args:
        gain: The factor.
        seed: Integer, ``SeedGenerator`` or ``None``.

    Raises:
        ValueError: for a shape of fewer than two dimensions.

    Example:
        >>> q = Orthogonal(seed=1)((3, 3)).numpy()
        >>> bool(abs(q @ q.T - np.eye(3)).max() < 1e-5)
        True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                f"The Orthogonal initializer makes tensors of rank 2 or more. Received shape {tuple(shape)}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        flat = random.normal((max(rows, columns), min(rows, columns)), seed=self.seed, dtype="float64").numpy()
        q, r = np.linalg.qr(flat)
        q = q * np.sign(np.diag(r))
        q = q.T if rows < columns else q
        return ops.convert_to_tensor(self.gain * q.reshape(shape), dtype=dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


_WINDOWS = {  # a - b cos + c cos 2
    "hann": (0.5, 0.5, 0.0),
    "hamming": (0.54, 0.46, 0.0),
    "blackman": (0.42, 0.5, 0.08),
    "boxcar": (1.0, 0.0, 0.0),
}


@export("keras.initializers.STFT", "keras.initializers.STFTInitializer")
class STFT(Initializer):
    """Convolution kernel of the short-time Fourier transform: window[t] · cos(2πkt / n), or -sin, for bin k.

    The kernel's shape is (frame, channels, bins), with n = 2 (bins - 1).

    Args:
        side: ``"real"`` or ``"imag"``, the part of the transform.
        window: ``"hann"``, ``"hamming"``, ``"blackman"``, ``"boxcar"``, an array (frame,), or ``None`` for ones.
        scaling: ``"density"`` divides by √Σw², ``"spectrum"`` by Σw, ``None`` by nothing.
        periodic: Whether the window is periodic and not symmetric.

    Raises:
        ValueError: for other values.

    Example:
        >>> STFT(window=None, scaling=None)((4, 1, 3))[:, 0, 1].tolist()
        [1.0, 0.0, -1.0, 0.0]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ):
        named = window if isinstance(window, str) else None
        for argument, value, allowed in (("side", side, ("real", "imag")), ("window", named, (*_WINDOWS, None)),
                                         ("scaling", scaling, ("density", "spectrum", None))):  # fmt: skip
            if value not in allowed:
                raise ValueError(f"STFT: `{argument}` should be one of {allowed}. Received: {argument}={value!r}")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        frame, channels, bins = shape
        t = np.arange(frame)[:, None, None]
        angle = 2 * np.pi * t * np.arange(bins) / max(2 * (bins - 1), 1)
        kernel = np.round(np.cos(angle) if self.side == "real" else -np.sin(angle), 15) + 0.0
        window = np.ones((frame, 1, 1))
        if isinstance(self.window, str):
            phase = 2 * np.pi * t / max(frame if self.periodic else frame - 1, 1)
            a, b, c = _WINDOWS[self.window]
            window = a - b * np.cos(phase) + c * np.cos(2 * phase)
        elif self.window is not None:
            window = np.asarray(self.window, "float64")
            if window.shape != (frame,):
                raise ValueError(f"STFT: the window should have shape ({frame},), that of a frame, not {window.shape}.")
            window = window[:, None, None]
        if self.scaling is not None:
            window = window / (np.sqrt((window**2).sum()) if self.scaling == "density" else window.sum())
        return ops.convert_to_tensor(np.broadcast_to(kernel * window, shape), dtype=dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


STFTInitializer = stft = STFT
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_normal, glorot_uniform = VarianceScaling, GlorotNormal, GlorotUniform
he_normal, he_uniform, lecun_normal, lecun_uniform = HeNormal, HeUniform, LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

ALL: dict[str, Any] = {
    cls.__name__: cls
    for cls in (Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
    GlorotNormal,
                GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal)
}  # fmt: skip
ALL.update(
    zeros=Zeros, zero=Zeros, ones=Ones, one=Ones, constant=Constant, identity=Identity, eye=Identity,
    orthogonal=Orthogonal,
    normal=RandomNormal, random_normal=RandomNormal, uniform=RandomUniform, random_uniform=RandomUniform,
    truncated_normal=TruncatedNormal, variance_scaling=VarianceScaling, glorot_normal=GlorotNormal,
    glorot_uniform=GlorotUniform, he_normal=HeNormal, he_uniform=HeUniform, lecun_normal=LecunNormal,
    lecun_uniform=LecunUniform, IdentityInitializer=Identity,
    stft=STFT, STFT=STFT, STFTInitializer=STFT, OrthogonalInitializer=Orthogonal,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """An initializer from its name, itself, a class, a configuration, an array or a function ``(shape, dtype)``.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier not in ALL:
        from .registry import get_registered_object

        if get_registered_object(identifier) is None:
            raise ValueError(f"Unknown initializer: {identifier!r}.{close_matches(identifier, ALL)}")
    if isinstance(identifier, (dict, str)):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, np.ndarray) or ops.is_tensor(identifier):
        return Constant(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"An initializer is a name, an object or a function. Received: {identifier!r}")


def serialize(initializer: Any) -> Any:
    """The configuration of an initializer."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that a configuration describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=ALL, printable_module_name="initializer")
