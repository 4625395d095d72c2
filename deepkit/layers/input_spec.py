"""What a layer says of the inputs it takes, and the check of it."""

from __future__ import annotations

from typing import Any

from ..registry import export


@export("keras.layers.InputSpec", "keras.InputSpec")
class InputSpec:
    """Rank, shape, dtype and sizes along axes that a layer's input must have.

    Args:
        dtype: Expected dtype.
        shape: Expected shape, ``None`` for any size.
        ndim: Expected rank.
        max_ndim: Largest rank.
        min_ndim: Smallest rank.
        axes: Expected sizes by axis.
        allow_last_axis_squeeze: Accept inputs that lack, or have one more, last axis of size 1.
        name: Expected name, for dictionaries of inputs.
        optional: Whether the input may be ``None``.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
                "min_ndim": self.min_ndim, "axes": self.axes}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)

    def problem(self, shape: tuple[Any, ...]) -> str | None:
        """What is wrong with an input of this shape, or ``None``."""
        rank = len(shape)
        if self.shape is not None and self.allow_last_axis_squeeze and rank != len(self.shape):
            if rank == len(self.shape) + 1 and shape[-1] == 1:
                shape, rank = shape[:-1], rank - 1
            elif rank == len(self.shape) - 1 and self.shape[-1] == 1:
                shape, rank = (*shape, 1), rank + 1
        if self.ndim is not None and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return f"expected axis {axis} of input shape to have value {size}, but received {shape[axis]}"
        for want, got in zip(self.shape or (), shape):
            if want is not None and got is not None and want != got:
                return f"expected shape={self.shape}"
        return None


def check_inputs(specs: Any, inputs: Any, layer_name: str) -> None:
    """Check tensors, symbolic or not, against a layer's input specs.

    Raises:
        ValueError: naming the layer, what it expected and the shape it received.
    """
    if isinstance(specs, InputSpec) or specs is None:
        specs = [specs]
        inputs = [inputs] if not isinstance(inputs, (list, tuple)) or len(inputs) != 1 else inputs
    elif isinstance(specs, dict):
        if not isinstance(inputs, dict):
            return
        inputs, specs = [inputs.get(k) for k in specs], list(specs.values())
    if not isinstance(inputs, (list, tuple)):
        inputs = [inputs]
    if len(inputs) != len(specs):
        raise ValueError(f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(inputs)}.')
    for i, (spec, x) in enumerate(zip(specs, inputs)):
        if spec is None or not hasattr(x, "shape"):
            continue
        problem = spec.problem(tuple(x.shape))
        if problem:
            raise ValueError(
                f'Input {i} of layer "{layer_name}" is incompatible with the layer: {problem}. Full shape received: '
                f"{tuple(x.shape)}"
            )
