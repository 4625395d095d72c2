"""Spectral normalization of a layer's kernel."""

from __future__ import annotations

from typing import Any

from .. import initializers, ops
from ..autograd.op import to_tensor
from ..autograd.tape import autocasting, paused
from ..registry import export
from .layer import InputSpec
from .wrapper import Wrapper


def _unit(x: Any) -> Any:
    """``x`` divided by its norm."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x)), 1e-12))


@export("keras.layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value at each training step (Miyato et al. 2018).

    The kernel, its last axis kept and the others folded, is a matrix W; power iteration finds σ = v W uᵀ, starting
    from the u of the step before, so that one iteration a step is enough. In inference the kernel stays as it is.

    Args:
        layer: A layer with a ``kernel`` or ``embeddings``.
        power_iterations: Number of iterations a step.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``power_iterations`` isn't positive, or the layer has neither weight.

    Example:
        >>> import deepkit
        >>> layer = SpectralNormalization(deepkit.layers.Dense(2, kernel_initializer="identity"), power_iterations=9)
        >>> _ = layer([[3.0, 4.0]], training=True)
        >>> deepkit.ops.round(layer.layer.kernel, 3)
        Tensor([[1., 0.],
                [0., 1.]], dtype=float32)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                f"SpectralNormalization: `power_iterations` should be positive. Received: {power_iterations}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        name = next((name for name in ("kernel", "embeddings") if hasattr(self.layer, name)), None)
        if name is None:
            raise ValueError(
                f"SpectralNormalization {self.name!r}: {type(self.layer).__name__} has neither a kernel nor embeddings "
                "to normalize."
            )
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight((1, self.kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02),
                                        self.kernel.data.dtype, trainable=False, name="vector_u")  # fmt: skip

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and hasattr(inputs, "data"):
            with paused(), autocasting(False):
                self._normalize()
        return ops.cast(self.layer(inputs), inputs.dtype)

    def _normalize(self) -> None:
        weights = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(weights)))
            u = _unit(ops.matmul(v, weights))
        sigma = ops.reshape(ops.matmul(ops.matmul(v, weights), ops.transpose(u)), ())
        empty = ops.all(ops.equal(self.kernel, 0))  # a kernel of zeros has no direction
        self.vector_u.assign(ops.where(empty, self.vector_u, u))
        self.kernel.assign(self.kernel / ops.where(empty, 1.0, sigma))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}
