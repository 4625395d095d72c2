"""LSTMs whose products are convolutions."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..autograd.spec import Spec
from ..config import standardize_data_format
from ..ops.recurrent import through_time
from ..registry import export
from ..utils.windows import size_tuple
from .context import context
from .core import positive_int
from .layer import InputSpec
from .recurrent import OfOneCell
from .recurrent_cell import DropoutCell

_WEIGHTS = ("kernel", "recurrent", "bias")


class ConvLSTMCell(DropoutCell):
    """One step of a convolutional LSTM: the LSTM's equations with convolutions for products (Shi et al. 2015).

    The convolution over the input has the strides, padding and dilation given; that over the state keeps its size.
    """

    gates = 4

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", unit_forget_bias: bool = True,
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None, bias_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        label = f"ConvLSTM{rank}D"
        self.rank = rank
        self.filters = positive_int(filters, "filters", label)
        self.kernel_size = size_tuple(kernel_size, rank, "kernel_size", label)
        self.strides = size_tuple(strides, rank, "strides", label)
        self.dilation_rate = size_tuple(dilation_rate, rank, "dilation_rate", label)
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(f"{label}: `padding` should be 'valid' or 'same'. Received: padding={padding!r}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{label}: strides and dilation can't be combined; one of them should be 1. Received: "
                f"strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
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
        self.state_size = [self.filters, self.filters]
        self._axis = 1 if self.data_format == "channels_first" else -1
        self.fused = True  # a sequence's input goes through one convolution

    def build(self, inputs_shape: Any, states_shape: Any = None) -> None:
        self._shape = tuple(inputs_shape[1:])
        if None in self._shape:
            raise ValueError(
                f"ConvLSTM{self.rank}D: the sizes of the images and the number of channels must be known. Received: "
                f"{inputs_shape}"
            )
        channels, n = inputs_shape[self._axis], self.filters
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, 4 * n),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (*self.kernel_size, n, 4 * n),
            self.recurrent_initializer,
            name="recurrent_kernel",
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((4 * n,), self._make_bias, name="bias", regularizer=self.bias_regularizer,
                                        constraint=self.bias_constraint)  # fmt: skip

    def _make_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        n = self.filters
        return ops.concatenate([self.bias_initializer((n,), dtype=dtype), ops.ones((n,), dtype=dtype),
                                self.bias_initializer((2 * n,), dtype=dtype)])  # fmt: skip

    def _input_conv(self, x: Any, masks: Any) -> Any:
        def conv(x: Any, kernel: Any) -> Any:
            return ops.conv(x, kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
                            dilation_rate=self.dilation_rate)  # fmt: skip

        if masks is None or len(masks) == 1:
            z = conv(x if masks is None else x * masks[0], self.kernel)
        else:
            kernels = ops.split(self.kernel, 4, axis=-1)
            z = ops.concatenate(
                [conv(x * mask, kernel) for mask, kernel in zip(masks, kernels)], axis=self._axis
            )
        if self.bias is None:
            return z
        return z + (self.bias if self._axis == -1 else ops.reshape(self.bias, (-1,) + (1,) * self.rank))

    def _state_conv(self, h: Any, masks: Any) -> Any:
        def conv(h: Any, kernel: Any) -> Any:
            return ops.conv(h, kernel, padding="same", data_format=self.data_format)

        if masks is None:
            return conv(h, self.recurrent_kernel)
        kernels = ops.split(self.recurrent_kernel, 4, axis=-1)
        return ops.concatenate(
            [conv(h * mask, kernel) for mask, kernel in zip(masks, kernels)], axis=self._axis
        )

    def _step(self, z: Any, states: Any, masks: Any) -> list[Any]:
        h, c = states
        i, f, g, o = ops.split(z + self._state_conv(h, masks), 4, axis=self._axis)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        return [self.recurrent_activation(o) * self.activation(c), c]

    def _masks(self, x: Any, h: Any, training: Any) -> tuple[Any, Any]:
        if not training or isinstance(x, Spec):
            return None, None
        return self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h)

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        of_input, of_state = self._masks(inputs, states[0], training)
        new = self._step(self._input_conv(inputs, of_input), states, of_state)
        return new[0], new

    def sequence(self, x: Any, states: Any, mask: Any, training: Any, reverse: bool) -> tuple[Any, list[Any]]:
        """All steps of x (batch, steps, ...): the outputs, and the last states."""
        batch, steps, *rest = x.shape
        if isinstance(x, Spec) and (steps is None or not context.inline):
            z = self._input_conv(Spec((batch, *rest), x.dtype), None)
            shape = list(z.shape[1:])
            shape[0 if self._axis == 1 else -1] = self.filters
            state = Spec((batch, *shape), x.dtype)
            return Spec((batch, steps, *shape), x.dtype), [state, Spec(state.shape, x.dtype)]
        if states[0] is None:
            states = self.get_initial_state(1 if batch is None else batch)  # one row serves a batch that isn't known
        of_input, of_state = self._masks(x[:, 0], states[0], training)
        if of_input is not None:  # the same in every step
            of_input = [ops.repeat(m, steps, axis=0) for m in of_input]
        z = self._input_conv(ops.reshape(x, (-1 if batch is None else batch * steps, *rest)), of_input)
        z = ops.reshape(z, (-1 if batch is None else batch, steps, *z.shape[1:]))

        def step(zt: Any, states: Any) -> tuple[Any, Any]:
            new = self._step(zt, states, of_state)
            return new[0], new

        return through_time(step, z, states, mask, reverse)

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros of the output's shape for h and c."""
        z = self._input_conv(Spec((batch_size, *self._shape), self.compute_dtype), None)
        shape = list(z.shape)
        shape[self._axis] = self.filters
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding,
            "data_format": self.data_format, "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation), "use_bias": self.use_bias,
        }  # fmt: skip
        for kind, module in (
            ("initializer", initializers),
            ("regularizer", regularizers),
            ("constraint", constraints),
        ):
            config.update({f"{w}_{kind}": module.serialize(getattr(self, f"{w}_{kind}")) for w in _WEIGHTS})
        config.update(unit_forget_bias=self.unit_forget_bias, dropout=self.dropout,
                      recurrent_dropout=self.recurrent_dropout, seed=self.seed)  # fmt: skip
        return {**super().get_config(), **config}


class _ConvLSTM(OfOneCell):
    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ):
        self._make({**locals(), "rank": self.rank})
        self.input_spec = InputSpec(ndim=self.rank + 3)

    cell_class = ConvLSTMCell


@export("keras.layers.ConvLSTM1D")
class ConvLSTM1D(_ConvLSTM):
    """Convolutional LSTM over sequences of rows, x (batch, steps, n, channels) (Shi et al. 2015).

    The LSTM's equations with convolutions for products; the state has the size of the input convolution's output, and
    the convolution over it keeps that size.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernels.
        strides: Strides of the convolution over the input.
        padding: ``"valid"`` or ``"same"``, of the convolution over the input.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: Dilation of the convolution over the input.
        activation: Activation of the candidate and of the cell.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel (*kernel_size, channels, 4 filters).
        recurrent_initializer: Initializer of the recurrent kernel (*kernel_size, filters, 4 filters).
        bias_initializer: Initializer of the bias (4 filters,).
        unit_forget_bias: Start the forget gate's bias at 1.
        kernel_regularizer: Regularizer of the kernel.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on the kernel.
        recurrent_constraint: Constraint on the recurrent kernel.
        bias_constraint: Constraint on the bias.
        dropout: Share of the input to drop in training.
        recurrent_dropout: Share of the state to drop in training.
        seed: Integer for repeatable dropout.
        return_sequences: Give the outputs of all steps, not only the last.
        return_state: Give the last h and c too, after the output.
        go_backwards: From the last step to the first; the outputs come in that order.
        stateful: Start each batch with the last states of the one before; needs a fixed batch size.
        **kwargs: Those of :class:`RNN`.

    Raises:
        ValueError: for an argument out of range, or a size of the input that is unknown.

    Example:
        >>> import deepkit
        >>> deepkit.layers.ConvLSTM1D(2, 3, padding="same")(deepkit.ops.ones((1, 4, 8, 3))).shape
        (1, 8, 2)
    """

    rank = 1


@export("keras.layers.ConvLSTM2D")
class ConvLSTM2D(_ConvLSTM):
    """Convolutional LSTM over sequences of images, x (batch, steps, height, width, channels); see :class:`ConvLSTM1D`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.ConvLSTM2D(2, 3)(deepkit.ops.ones((1, 4, 8, 8, 3))).shape
        (1, 6, 6, 2)
    """

    rank = 2


@export("keras.layers.ConvLSTM3D")
class ConvLSTM3D(_ConvLSTM):
    """Convolutional LSTM over sequences of volumes, x (batch, steps, d, h, w, channels); see :class:`ConvLSTM1D`.

    Example:
        >>> import deepkit
        >>> deepkit.layers.ConvLSTM3D(2, 2)(deepkit.ops.ones((1, 2, 4, 4, 4, 3))).shape
        (1, 3, 3, 3, 2)
    """

    rank = 3
