"""What the cells of recurrent networks share: weights, dropout, one step, and a whole sequence as one op."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, ops, random, regularizers
from ..autograd.spec import Spec
from ..ops.linear import dense
from .core import positive_int
from .layer import Layer


class DropoutCell(Layer):
    """A cell with masks on its input and on its state, drawn once a sequence and used in all of its steps.

    Dropping the same units in every step is Gal & Ghahramani's recurrent dropout (arXiv 1512.05287).
    """

    gates = 1
    dropout = 0.0
    recurrent_dropout = 0.0

    def _set_dropout(self, dropout: float, recurrent_dropout: float, seed: int | None) -> None:
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self._dropout_mask: Any = None
        self._recurrent_dropout_mask: Any = None

    def _draw(self, like: Any, rate: float, count: int) -> list[Any]:
        ones = ops.ones_like(ops.stop_gradient(like))
        return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(count)]

    def get_dropout_mask(self, step_input: Any) -> list[Any] | None:
        """The input's masks, one for all gates or one each; ``None`` without dropout."""
        if self._dropout_mask is None and self.dropout > 0:
            each = self.recurrent_dropout > 0
            self._dropout_mask = self._draw(step_input, self.dropout, self.gates if each else 1)
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, state: Any) -> list[Any] | None:
        """The state's masks, one a gate; ``None`` without recurrent dropout."""
        if self._recurrent_dropout_mask is None and self.recurrent_dropout > 0:
            self._recurrent_dropout_mask = self._draw(state, self.recurrent_dropout, self.gates)
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Draw new masks of the input for the next step."""
        self._dropout_mask = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Draw new masks of the state for the next step."""
        self._recurrent_dropout_mask = None


class RecurrentCell(DropoutCell):
    """What the three cells share: kernel (n, gates · units), recurrent kernel (units, gates · units), and the bias."""

    states = 1

    def __init__(
        self,
        units: int,
        activation: Any,
        recurrent_activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ):
        kwargs.pop("implementation", None)  # how the products are grouped; there is one way here
        super().__init__(**kwargs)
        self.units = positive_int(units, "units", type(self).__name__.removesuffix("Cell"))
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.state_size: Any = self.units if self.states == 1 else [self.units] * self.states
        self.output_size = self.units
        functions = {"act": self.activation, "recurrent_act": self.recurrent_activation}
        self._acts = {
            key: "hard_sigmoid"
            if functions[key] is activations.ALL["hard_sigmoid"]
            else activations.fusible_name(functions[key])
            for key in list(functions)[: 1 if self.gates == 1 else 2]
        }
        self._known = all(
            name not in (None, "softmax") or functions[key] is activations.linear
            for key, name in self._acts.items()
        )

    @property
    def fused(self) -> bool:
        """Whether a sequence can run as one op: a kernel has the activations, and nobody changed the step."""
        return self._known and type(self).call is RecurrentCell.call

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _make_bias(self, shape: Any, dtype: Any = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    def build(self, input_shape: Any) -> None:
        n = input_shape[-1]
        if n is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the last size of the input must be known. "
                f"Received: {input_shape}"
            )
        width = self.gates * self.units
        self.kernel = self.add_weight(
            (n, width),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width),
            self.recurrent_initializer,
            name="recurrent_kernel",
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(self._bias_shape(), self._make_bias, name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)  # fmt: skip

    def _biases(self) -> tuple[Any, Any]:
        """The bias of the input's product, and that of the state's."""
        return self.bias, None

    def _project(self, x: Any, training: Any) -> Any:
        """The input's share of the gates: x (..., n) to (..., gates · units), by one product."""
        bias = self._biases()[0]
        masks = None
        if training and self.dropout and not isinstance(x, Spec):
            masks = self.get_dropout_mask(x[:, 0] if len(x.shape) == 3 else x)
        if masks is None:
            return dense(x, self.kernel, bias)
        if len(x.shape) == 3:
            masks = [ops.expand_dims(mask, 1) for mask in masks]
        if len(masks) == 1:
            return dense(x * masks[0], self.kernel, bias)
        parts = zip(masks, ops.split(self.kernel, self.gates, axis=1))
        z = ops.concatenate([ops.matmul(x * mask, kernel) for mask, kernel in parts], axis=-1)
        return z if bias is None else z + bias

    def _drop(self, like: Any, training: Any) -> Any:
        if not training or isinstance(like, Spec):
            return None
        masks = self.get_recurrent_dropout_mask(like)
        return None if masks is None else ops.stack(masks)

    def _step(self, z: Any, states: Any, drop: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        given = list(states) if isinstance(states, (list, tuple)) else [states]
        new = self._step(self._project(inputs, training), given, self._drop(given[0], training))
        return new[0], new if isinstance(states, (list, tuple)) else new[0]

    def sequence(self, x: Any, states: Any, mask: Any, training: Any, reverse: bool) -> tuple[Any, list[Any]]:
        """All steps of x (batch, steps, n) at once: the outputs (batch, steps, units) and the last states."""
        z = self._project(x, training)
        drop = self._drop(z[:, 0, : self.units], training) if self.recurrent_dropout else None
        hs, *last = self._fused(z, states, mask, drop, reverse)
        return hs, last

    def _fused(self, z: Any, states: Any, mask: Any, drop: Any, reverse: bool) -> Any:
        raise NotImplementedError

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros (batch_size, units) for each state."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(self.states)]

    def get_config(self) -> dict[str, Any]:
        config = {"units": self.units, "activation": activations.serialize(self.activation)}
        if self.gates > 1:
            config["recurrent_activation"] = activations.serialize(self.recurrent_activation)
        config["use_bias"] = self.use_bias
        for name in ("kernel", "recurrent", "bias"):
            config[f"{name}_initializer"] = initializers.serialize(getattr(self, f"{name}_initializer"))
        for name in ("kernel", "recurrent", "bias"):
            config[f"{name}_regularizer"] = regularizers.serialize(getattr(self, f"{name}_regularizer"))
        for name in ("kernel", "recurrent", "bias"):
            config[f"{name}_constraint"] = constraints.serialize(getattr(self, f"{name}_constraint"))
        dropout = {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout, "seed": self.seed}
        return {**super().get_config(), **config, **dropout}
