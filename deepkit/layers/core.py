"""Dense, activation, lambda, masking, embedding and identity layers."""

from __future__ import annotations

import operator
from typing import Any, Callable

from .. import activations, constraints, initializers, ops, regularizers
from ..ops.linear import dense
from ..registry import export, refuse_code
from .layer import InputSpec, Layer


def positive_int(value: Any, argument: str, layer: str) -> int:
    """``value`` as a positive int; NumPy integers count.

    Raises:
        ValueError: naming layer, argument and value.
    """
    try:
        n = operator.index(value)
    except TypeError:
        n = int(value) if isinstance(value, float) and value.is_integer() else 0
    if n <= 0 or isinstance(value, bool):
        raise ValueError(f"{layer}: `{argument}` should be a positive integer. Received: {argument}={value!r}")
    return n


@export("keras.layers.Dense")
class Dense(Layer):
    """Fully connected layer: activation(x · kernel + bias).

    Input (..., n), output (..., units); the kernel is (n, units), the bias (units,). The product, the bias and the
    common activations are one fused op.

    Args:
        units: Size of the output's last axis.
        activation: Activation; linear by default.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        lora_rank: Accepted as ``None`` only, as are the following two.
        lora_alpha: See ``lora_rank``.
        quantization_config: See ``lora_rank``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``units`` isn't a positive integer, or the input's last size is unknown or changes.

    Example:
        >>> import deepkit
        >>> layer = deepkit.layers.Dense(2, kernel_initializer="ones")
        >>> layer([[1.0, 2.0, 3.0]])
        Tensor([[6., 6.]], dtype=float32)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        unsupported = {"lora_rank": lora_rank, "lora_alpha": lora_alpha, "quantization_config": quantization_config}
        super().__init__(activity_regularizer=activity_regularizer, **unsupported, **kwargs)
        self.units = positive_int(units, "units", "Dense")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self._fused = activations.fusible_name(self.activation)

    def build(self, input_shape: Any) -> None:
        n = input_shape[-1] if input_shape else None
        if n is None:
            raise ValueError(f"Dense {self.name!r}: the last size of the input must be known. Received: {input_shape}")
        self.kernel = self.add_weight((n, self.units), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias",
                                        regularizer=self.bias_regularizer, constraint=self.bias_constraint)  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: n})

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self._fused is not None or self.activation is activations.linear:
            return dense(inputs, self.kernel, self.bias, act=self._fused)
        return self.activation(dense(inputs, self.kernel, self.bias))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }


@export("keras.layers.Activation")
class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: Its name, or the function.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Activation("relu")([-1.0, 2.0])
        Tensor([0., 2.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


@export("keras.layers.Identity")
class Identity(Layer):
    """Gives its inputs back.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Identity()([1.0])
        Tensor([1.], dtype=float32)
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs


@export("keras.layers.Lambda")
class Lambda(Layer):
    """Applies any function of tensors.

    A registered function is named in files by its registered name. A ``lambda`` is written as the bytecode that Keras
    has there, but never run from a file: load the weights into a model built in code.

    Args:
        function: Function of the inputs; it may also take ``mask`` and ``training``.
        output_shape: Shape of the output without the batch dimension, or a function of the input shape, for a
            function that can't run on symbolic tensors.
        mask: Mask of the output, or a function ``(inputs, mask)``.
        arguments: Further keyword arguments.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Lambda(lambda x: x * 2)([1.0])
        Tensor([2.], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        import inspect

        if not callable(function):
            raise TypeError(f"Lambda: `function` should be callable. Received: {function!r}")
        self.function = function
        self.arguments = arguments or {}
        self.supports_masking = mask is not None
        self._mask, self._output_shape = mask, output_shape
        parameters = inspect.signature(function).parameters
        self._takes = [name for name in ("mask", "training") if name in parameters]
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._takes})

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_spec(*args, **kwargs)
        from ..autograd.spec import Spec

        shape = tuple(args[0].shape) if hasattr(args[0], "shape") else [tuple(x.shape) for x in args[0]]
        if callable(self._output_shape):
            return Spec(self._output_shape(shape), self.compute_dtype)
        return Spec((shape[0] if isinstance(shape, tuple) else shape[0][0], *self._output_shape), self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return self._mask(inputs, previous_mask) if callable(self._mask) else self._mask

    def get_config(self) -> dict[str, Any]:
        from ..registry import serialize_keras_object
        from ..utils.lambda_code import dump_lambda, is_lambda

        function = self.function
        if is_lambda(function):
            code = dict(zip(("code", "defaults", "closure"), dump_lambda(function)))
            serialized: Any = {"class_name": "__lambda__", "config": code}
        else:
            serialized = serialize_keras_object(function)
        return {
            **super().get_config(),
            "function": serialized,
            "output_shape": None if callable(self._output_shape) else self._output_shape,
            "mask": None if self._mask is None else serialize_keras_object(self._mask),
            "arguments": self.arguments,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        function = config.get("function")
        if isinstance(function, dict) and function.get("class_name") == "__lambda__":
            refuse_code()
        return super().from_config(config)


@export("keras.layers.Masking")
class Masking(Layer):
    """Masks the time steps in which every feature equals ``mask_value``.

    Input (batch, time, features); later layers that support masks skip the masked steps.

    Args:
        mask_value: The value.

    Example:
        >>> import deepkit
        >>> y = deepkit.layers.Masking()([[[1.0], [0.0]]])
        >>> y._keras_mask
        Tensor([[ True, False]], dtype=bool)
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        keep = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * ops.cast(keep, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}


@export("keras.layers.Embedding")
class Embedding(Layer):
    """Turns integer ids into dense vectors, rows of a table.

    Input (...) of ids in [0, input_dim), output (..., output_dim).

    Args:
        input_dim: Number of rows, the largest id plus one.
        output_dim: Size of the vectors.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint on the table.
        mask_zero: Whether id 0 is padding, to be masked.
        weights: Initial table.
        lora_rank: Accepted as ``None`` only, as are the following two.
        lora_alpha: See ``lora_rank``.
        quantization_config: See ``lora_rank``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if a size isn't a positive integer.

    Example:
        >>> import deepkit
        >>> deepkit.layers.Embedding(10, 4)([[1, 2, 3]]).shape
        (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        unsupported = {"lora_rank": lora_rank, "lora_alpha": lora_alpha, "quantization_config": quantization_config}
        length = kwargs.pop("input_length", None)
        if length is not None and "input_shape" not in kwargs:
            kwargs["input_shape"] = (length,)
        super().__init__(weights=None if weights is None else _as_list(weights), **unsupported, **kwargs)
        self.input_dim = positive_int(input_dim, "input_dim", "Embedding")
        self.output_dim = positive_int(output_dim, "output_dim", "Embedding")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer, name="embeddings",
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        if not str(inputs.dtype).startswith(("int", "uint")):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings, inputs, axis=0), self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }


def _as_list(weights: Any) -> list[Any]:
    return list(weights) if isinstance(weights, (list, tuple)) else [weights]
