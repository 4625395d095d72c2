"""The cells of recurrent networks."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops import recurrent
from ..registry import export
from .recurrent_cell import RecurrentCell


@export("keras.layers.SimpleRNNCell")
class SimpleRNNCell(RecurrentCell):
    """One step of a fully connected recurrent network: h' = activation(x @ kernel + h @ recurrent_kernel + bias).

    Args:
        units: Size of the output and of the state.
        activation: Activation.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel (n, units).
        recurrent_initializer: Initializer of the recurrent kernel (units, units).
        bias_initializer: Initializer of the bias (units,).
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: Share of the input's units to drop in training.
        recurrent_dropout: Share of the state's units to drop in training.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> cell = deepkit.layers.SimpleRNNCell(4)
        >>> output, states = cell(deepkit.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units, activation, None, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip

    def _step(self, z: Any, states: Any, drop: Any) -> Any:
        return [recurrent.simple_rnn_step(z, states[0], self.recurrent_kernel, drop, self.activation)]

    def _fused(self, z: Any, states: Any, mask: Any, drop: Any, reverse: bool) -> Any:
        return recurrent.simple_rnn(
            z, self.recurrent_kernel, states[0], mask, drop, reverse=reverse, **self._acts
        )


@export("keras.layers.LSTMCell")
class LSTMCell(RecurrentCell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997), with states h and c.

    i, f, o = recurrent_activation and g = activation of x @ kernel + h @ recurrent_kernel + bias, in the order i, f, g,
    o;  c' = f c + i g;  h' = o activation(c').

    Args:
        units: Size of the output and of the states.
        activation: Activation of the candidate and of the cell.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel (n, 4 units).
        recurrent_initializer: Initializer of the recurrent kernel (units, 4 units).
        bias_initializer: Initializer of the bias (4 units,).
        unit_forget_bias: Start the forget gate's bias at 1 (Jozefowicz et al. 2015).
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: Share of the input's units to drop in training.
        recurrent_dropout: Share of the state's units to drop in training.
        seed: Integer for repeatable masks.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> cell = deepkit.layers.LSTMCell(4)
        >>> output, (h, c) = cell(deepkit.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape, c.shape
        ((2, 4), (2, 4))
    """

    gates = 4
    states = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.unit_forget_bias = unit_forget_bias

    def _make_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        n = self.units
        parts = [self.bias_initializer((n,), dtype=dtype), ops.ones((n,), dtype=dtype),
                 self.bias_initializer((2 * n,), dtype=dtype)]  # fmt: skip
        return ops.concatenate(parts)

    def _step(self, z: Any, states: Any, drop: Any) -> Any:
        u = self.recurrent_kernel
        return list(recurrent.lstm_step(z, states[0], states[1], u, drop, self.activation, self.recurrent_activation))

    def _fused(self, z: Any, states: Any, mask: Any, drop: Any, reverse: bool) -> Any:
        return recurrent.lstm(z, self.recurrent_kernel, *states, mask, drop, reverse=reverse, **self._acts)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@export("keras.layers.GRUCell")
class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit (Cho et al. 2014).

    Update gate p and reset gate r are recurrent_activation, the candidate q is activation, of the input's share
    x @ kernel + bias and the state's: q sees r (h @ u_q + b_q) with ``reset_after``, (r h) @ u_q without it.
    h' = p h + (1 - p) q. The weights hold p, r, q in this order.

    Args:
        units: Size of the output and of the state.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel (n, 3 units).
        recurrent_initializer: Initializer of the recurrent kernel (units, 3 units).
        bias_initializer: Initializer of the bias, (2, 3 units) with ``reset_after``, else (3 units,).
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: Share of the input's units to drop in training.
        recurrent_dropout: Share of the state's units to drop in training.
        seed: Integer for repeatable masks.
        reset_after: Whether the reset gate acts after the product, as in cuDNN, or before it.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> cell = deepkit.layers.GRUCell(4)
        >>> output, states = cell(deepkit.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape
        (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _biases(self) -> tuple[Any, Any]:
        return (
            (self.bias[0], self.bias[1]) if self.reset_after and self.bias is not None else (self.bias, None)
        )

    def _step(self, z: Any, states: Any, drop: Any) -> Any:
        u, b = self.recurrent_kernel, self._biases()[1]
        args = self.activation, self.recurrent_activation, self.reset_after
        return [recurrent.gru_step(z, states[0], u, b, drop, *args)]

    def _fused(self, z: Any, states: Any, mask: Any, drop: Any, reverse: bool) -> Any:
        return recurrent.gru(z, self.recurrent_kernel, self._biases()[1], states[0], mask, drop, reverse=reverse,
                             reset_after=self.reset_after, **self._acts)  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}
