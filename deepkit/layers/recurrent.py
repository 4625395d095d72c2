"""SimpleRNN, LSTM and GRU: recurrent layers with a cell of their own."""

from __future__ import annotations

from typing import Any

from ..registry import export
from ..utils.naming import to_snake_case
from .layer import InputSpec
from .recurrent_cell import DropoutCell
from .rnn import RNN
from .rnn_cells import GRUCell, LSTMCell, SimpleRNNCell

_OF_THE_LAYER = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
    "activity_regularizer", "name",
)  # fmt: skip
_OF_BOTH = ("trainable", "dtype")


class OfOneCell(RNN):
    """A recurrent layer that makes its cell itself; the cell's settings are the layer's."""

    cell_class: type[DropoutCell]

    def _make(self, given: dict[str, Any]) -> None:
        """Make the cell and the layer from all arguments of a subclass's ``__init__``, as ``locals()`` has them."""
        kwargs = {**given.pop("kwargs"), **{k: v for k, v in given.items() if k not in ("self", "__class__")}}
        own = {k: kwargs.pop(k) for k in _OF_THE_LAYER if k in kwargs}
        both = {k: kwargs[k] for k in _OF_BOTH if k in kwargs}
        rest = {k: kwargs.pop(k) for k in list(kwargs) if k in _LAYER_KWARGS}
        cell = self.cell_class(**kwargs, name=to_snake_case(self.cell_class.__name__))
        super().__init__(cell, **own, **both, **rest)
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    def get_config(self) -> dict[str, Any]:
        from .. import regularizers

        config = super().get_config()
        del config["cell"]
        cell = {k: v for k, v in self.cell.get_config().items() if k not in config}
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**config, **cell}


_LAYER_KWARGS = ("input_shape", "input_dim", "input_length", "batch_input_shape", "batch_shape", "batch_size",
                 "weights", "autocast", "time_major", "quantization_config")  # fmt: skip


@export("keras.layers.SimpleRNN")
class SimpleRNN(OfOneCell):
    """Fully connected recurrent network over x (batch, steps, n): h_s = activation(x_s W + h_{s-1} U + b).

    Args:
        units: Size of the output and of the state.
        activation: Activation.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of W (n, units).
        recurrent_initializer: Initializer of U (units, units).
        bias_initializer: Initializer of b (units,).
        kernel_regularizer: Regularizer of W.
        recurrent_regularizer: Regularizer of U.
        bias_regularizer: Regularizer of b.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on W.
        recurrent_constraint: Constraint on U.
        bias_constraint: Constraint on b.
        dropout: Share of the input's units to drop in training, the same in all steps.
        recurrent_dropout: Share of the state's units to drop in training, the same in all steps.
        return_sequences: Give the outputs of all steps (batch, steps, units), not only the last (batch, units).
        return_state: Give the last state too, after the output.
        go_backwards: From the last step to the first; the outputs come in that order.
        stateful: Start each batch with the last state of the one before; needs a fixed batch size.
        unroll: Accepted for compatibility.
        seed: Integer for repeatable dropout.
        **kwargs: Those of :class:`RNN`.

    Raises:
        ValueError: as :class:`RNN`, or if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> deepkit.layers.SimpleRNN(4)(deepkit.ops.ones((2, 5, 3))).shape
        (2, 4)
    """

    cell_class = SimpleRNNCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        self._make(locals())

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["seed"]
        return config


@export("keras.layers.LSTM")
class LSTM(OfOneCell):
    """Long short-term memory over x (batch, steps, n) (Hochreiter & Schmidhuber 1997), with states h and c.

    With a = x_s W + h_{s-1} U + b, split in four: i, f, o = recurrent_activation and g = activation of its parts, in
    the order i, f, g, o;  c_s = f c_{s-1} + i g;  h_s = o activation(c_s).

    Args:
        units: Size of the output and of both states.
        activation: Activation of g and of the cell.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of W (n, 4 units).
        recurrent_initializer: Initializer of U (units, 4 units).
        bias_initializer: Initializer of b (4 units,).
        unit_forget_bias: Start the forget gate's bias at 1 (Jozefowicz et al. 2015).
        kernel_regularizer: Regularizer of W.
        recurrent_regularizer: Regularizer of U.
        bias_regularizer: Regularizer of b.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on W.
        recurrent_constraint: Constraint on U.
        bias_constraint: Constraint on b.
        dropout: Share of the input's units to drop in training, the same in all steps.
        recurrent_dropout: Share of the state's units to drop in training, the same in all steps.
        seed: Integer for repeatable dropout.
        return_sequences: Give the outputs of all steps (batch, steps, units), not only the last (batch, units).
        return_state: Give the last h and c too, after the output.
        go_backwards: From the last step to the first; the outputs come in that order.
        stateful: Start each batch with the last states of the one before; needs a fixed batch size.
        unroll: Accepted for compatibility.
        use_cudnn: Accepted for compatibility.
        **kwargs: Those of :class:`RNN`.

    Raises:
        ValueError: as :class:`RNN`, or if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> output, h, c = deepkit.layers.LSTM(4, return_state=True)(deepkit.ops.ones((2, 5, 3)))
        >>> output.shape, c.shape
        ((2, 4), (2, 4))
    """

    cell_class = LSTMCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        given = dict(locals())
        del given["use_cudnn"]
        self._make(given)


@export("keras.layers.GRU")
class GRU(OfOneCell):
    """Gated recurrent unit over x (batch, steps, n) (Cho et al. 2014).

    Update gate p, reset gate r, candidate q from x_s W + b and h_{s-1} U:  h_s = p h_{s-1} + (1 - p) q. With
    ``reset_after`` the reset gate acts on h U_q + b'_q, as in cuDNN, else on h before the product.

    Args:
        units: Size of the output and of the state.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of W (n, 3 units).
        recurrent_initializer: Initializer of U (units, 3 units).
        bias_initializer: Initializer of the bias, (2, 3 units) with ``reset_after``, else (3 units,).
        kernel_regularizer: Regularizer of W.
        recurrent_regularizer: Regularizer of U.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on W.
        recurrent_constraint: Constraint on U.
        bias_constraint: Constraint on the bias.
        dropout: Share of the input's units to drop in training, the same in all steps.
        recurrent_dropout: Share of the state's units to drop in training, the same in all steps.
        seed: Integer for repeatable dropout.
        return_sequences: Give the outputs of all steps (batch, steps, units), not only the last (batch, units).
        return_state: Give the last state too, after the output.
        go_backwards: From the last step to the first; the outputs come in that order.
        stateful: Start each batch with the last state of the one before; needs a fixed batch size.
        unroll: Accepted for compatibility.
        reset_after: Whether the reset gate acts after the product or before it.
        use_cudnn: Accepted for compatibility.
        **kwargs: Those of :class:`RNN`.

    Raises:
        ValueError: as :class:`RNN`, or if ``units`` isn't a positive integer.

    Example:
        >>> import deepkit
        >>> deepkit.layers.GRU(4, return_sequences=True)(deepkit.ops.ones((2, 5, 3))).shape
        (2, 5, 4)
    """

    cell_class = GRUCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        given = dict(locals())
        del given["use_cudnn"]
        self._make(given)
