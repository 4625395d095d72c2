"""A dense layer over any axes, written as an einsum."""

from __future__ import annotations

import re
from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..autograd.spec import Spec
from ..ops.linear import dense_over
from ..registry import export
from .layer import InputSpec, Layer


@export("keras.layers.EinsumDense")
class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias).

    Args:
        equation: ``"ab,bc->ac"``, with ``...`` at the left of input and output (``"...x,xy->...y"``) or at their right.
        output_shape: Sizes of the output without the batch, ``None`` where the input's are unknown; without the axes of
            the ellipsis.
        activation: Activation; linear by default.
        bias_axes: Letters of the output that the bias has; no bias by default.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        lora_rank: Must be ``None``.
        lora_alpha: Accepted for compatibility.
        gptq_unpacked_column_size: Accepted for compatibility.
        quantization_config: Must be ``None``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the equation has another form, its letters don't fit together or the shapes don't fit it.

    Example:
        >>> import deepkit
        >>> layer = deepkit.layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")
        >>> layer(deepkit.ops.ones((2, 5, 3))).shape
        (2, 5, 4)
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if lora_rank is not None or quantization_config is not None:
            raise ValueError("EinsumDense: LoRA and quantization aren't there; leave `lora_rank` and "
                             "`quantization_config` out.")  # fmt: skip
        self.equation = equation
        self._terms(())  # its form
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._fused = activations.fusible_name(self.activation)

    def _terms(self, input_shape: Any) -> tuple[str, str, str]:
        """Letters of input, kernel and output; the axes of the ellipsis get digits."""
        found = re.fullmatch(
            r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", self.equation
        )
        if found is None or (found[1] or None) != (found[5] or None) or (found[3] or None) != (found[7] or None) or (
            found[1] and found[3]
        ):  # fmt: skip
            raise ValueError(
                "EinsumDense: `equation` should have the form 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'. "
                f"Received: equation={self.equation!r}"
            )
        rest = "".join(map(str, range(max(0, len(input_shape) - len(found[2])))))
        left, right = (rest if found[1] else "", rest if found[3] else "")
        return left + found[2] + right, found[4], left + found[6] + right

    def build(self, input_shape: Any) -> None:
        source, weight, target = self._terms(input_shape)
        if len(source) != len(input_shape):
            raise ValueError(f"EinsumDense {self.name!r}: equation {self.equation!r} doesn't fit an input of shape "
                             f"{tuple(input_shape)}.")  # fmt: skip
        sizes = dict(zip(source, input_shape))
        # The given sizes are those of the output without the batch and the ellipsis.
        named = [
            letter for i, letter in enumerate(target) if not letter.isdigit() and (i or target[0].isdigit())
        ]
        if len(named) != len(self.partial_output_shape):
            raise ValueError(f"EinsumDense {self.name!r}: `output_shape` should have {len(named)} sizes for equation "
                             f"{self.equation!r}. Received: {self.partial_output_shape}")  # fmt: skip
        for letter, n in zip(named, self.partial_output_shape):
            if letter in sizes and n is not None and sizes[letter] is not None and sizes[letter] != n:
                raise ValueError(f"EinsumDense {self.name!r}: axis {letter!r} has size {sizes[letter]} in the input "
                                 f"and {n} in `output_shape`.")  # fmt: skip
            sizes[letter] = n if sizes.get(letter) is None else sizes[letter]
        unknown = [letter for letter in weight if sizes.get(letter) is None]
        if unknown or any(letter not in source + weight for letter in target):
            raise ValueError(
                f"EinsumDense {self.name!r}: equation {self.equation!r} leaves {unknown or target} open."
            )
        initializer = self.kernel_initializer
        if getattr(initializer, "input_axes", 0) is None and getattr(initializer, "output_axes", 0) is None:
            axes = {"output_axes": [i for i, a in enumerate(weight) if a in target],
                    "input_axes": [i for i, a in enumerate(weight) if a not in target]}  # fmt: skip
            initializer = type(initializer).from_config({**initializer.get_config(), **axes})
        self.kernel = self.add_weight([sizes[a] for a in weight], initializer, name="kernel",
                                      regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)  # fmt: skip
        self.bias = None
        if self.bias_axes:
            if any(a not in target for a in self.bias_axes):
                raise ValueError(f"EinsumDense {self.name!r}: `bias_axes` {self.bias_axes!r} aren't all in the output "
                                 f"{target!r}.")  # fmt: skip
            last = target[min(target.index(a) for a in self.bias_axes) :]
            shape = [sizes[a] if a in self.bias_axes else 1 for a in last]
            self.bias = self.add_weight(shape, self.bias_initializer, name="bias", regularizer=self.bias_regularizer,
                                        constraint=self.bias_constraint)  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape))
        self._equation = f"{source},{weight}->{target}".translate(_LETTERS)
        # One matrix product does it if the kernel goes from the input's last axes to the output's last ones.
        summed = [a for a in weight if a in source]
        n, made = len(summed), [a for a in weight if a not in source]
        self._summed = n if (
            list(weight) == summed + made and list(source)[len(source) - n :] == summed
            and list(target) == list(source)[: len(source) - n] + made
            and (not self.bias_axes or set(self.bias_axes) == set(made))
        ) else 0  # fmt: skip

    def call(self, inputs: Any, training: Any = None) -> Any:
        n = self._summed
        if n and not isinstance(inputs, Spec):
            act = self._fused if len(self.kernel.shape) == n + 1 or self._fused != "softmax" else None
            y = dense_over(inputs, self.kernel, self.bias, axes=n, act=act)
            return y if act is not None or self.activation is activations.linear else self.activation(y)
        y = ops.einsum(self._equation, inputs, self.kernel)
        y = y if self.bias is None else y + self.bias
        return y if self.activation is activations.linear else self.activation(y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }


# einsum takes letters only; these are rarely in an equation.
_LETTERS = str.maketrans("0123456789", "ZYXWVUTSRQ")
