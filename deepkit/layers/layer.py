"""The base of all layers: building, calling, state and configuration."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Sequence

import numpy as np

from .. import dtype_policies
from ..autograd.dtypes import is_float, np_dtype
from ..autograd.op import Node, cast, to_tensor
from ..autograd.spec import Spec
from ..autograd.tape import autocasting, local, paused, shapes_only
from ..autograd.tensor import Tensor
from ..autograd.variable import AutocastVariable, Variable
from ..registry import export, serialize_keras_object
from ..utils.naming import auto_name, close_matches
from ..utils.nest import flatten, map_nest, pack
from .context import came_through, context
from .input_spec import InputSpec, check_inputs
from .remat_scope import current_remat_scope
from .shapes import _is_numbers, _lists, _shape_of, _ShapeNest, _tuples
from .tracking import own_variables, sublayers

#: Arguments of Keras's layers that deepkit's take for the sake of configurations, without a value.
_UNSUPPORTED = ("quantization_config", "lora_rank", "lora_alpha")
_KNOWN_KWARGS = (
    "input_shape",
    "input_dim",
    "batch_input_shape",
    "batch_shape",
    "batch_size",
    "weights",
    "sparse",
    "ragged",
    *_UNSUPPORTED,
)


def makes_no_mask(compute_mask: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the ``compute_mask`` of a layer that has no mask, nor a layer in it, where its inputs have none."""
    compute_mask.makes_none = True  # type: ignore[attr-defined]
    return compute_mask


class _CallSignature:
    """What a class's ``call`` takes; read once a class."""

    def __init__(self, call: Callable[..., Any]):
        parameters = [p for p in inspect.signature(call).parameters.values() if p.name != "self"]
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.keywords = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.training = any(p.name == "training" for p in parameters)
        self.default_training = next(
            (p.default for p in parameters if p.name == "training" and p.default is not p.empty), None
        )
        self.masks = [p.name for p in parameters if p.name == "mask" or p.name.endswith("_mask")]
        # One tensor, and none but the mask that rides on it.
        inputs = [n for n in self.names if n not in ("training", "mask")]
        self.plain = not self.keywords and self.masks in ([], ["mask"]) and len(inputs) == 1


@export("keras.layers.Layer", "keras.Layer")
class Layer:
    """A function with state: weights made once in ``build``, used in ``call``.

    Subclasses define ``__init__``, ``build(input_shape)`` (which calls :meth:`add_weight`) and ``call(inputs)``;
    ``call`` may take ``training`` and ``mask``. Output shapes are found by running ``call`` on symbolic tensors, so
    there is nothing more to write.

    Args:
        activity_regularizer: Function of the outputs that gives a loss.
        trainable: Whether the weights are trained.
        dtype: Dtype or :class:`deepkit.DTypePolicy`; the global policy by default.
        autocast: Cast floating inputs to the compute dtype.
        name: Name; made from the class name by default.

    Example:
        >>> import deepkit
        >>> class Scale(deepkit.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
        ...     def call(self, x):
        ...         return x * self.scale
        >>> Scale()([[1.0, 2.0]])
        Tensor([[1., 2.]], dtype=float32)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        object.__setattr__(instance, "_auto_args", (args, kwargs))
        return instance

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _guard_build(vars(cls)["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        for key in kwargs:
            if key not in _KNOWN_KWARGS:
                raise TypeError(
                    f"{type(self).__name__} got an unexpected keyword argument {key!r}."
                    + close_matches(key, list(inspect.signature(type(self).__init__).parameters))
                )
        for key in _UNSUPPORTED:
            if kwargs.get(key) is not None:
                raise ValueError(f"{type(self).__name__}: `{key}` is not supported; leave it out. Received: "
                                 f"{key}={kwargs[key]!r}")  # fmt: skip
        self.name = auto_name(type(self).__name__) if name is None else str(name)
        if "/" in self.name:
            raise ValueError(f"A layer's name can't contain '/': {self.name!r}.")
        self.built = False
        self._trainable = bool(trainable)
        self.autocast = autocast
        self._use_policy(dtype_policies.get(dtype))
        self.activity_regularizer = None
        if activity_regularizer is not None:
            from .. import regularizers

            self.activity_regularizer = regularizers.get(activity_regularizer)
        self._remat = current_remat_scope() if context.remat else None
        self.input_spec: Any = None
        self.supports_masking = False
        self._own_weights: list[Variable] = []
        self._losses: list[Any] = []
        self._inbound_nodes: list[Node] = []
        self._build_shapes: Any = None
        self._ready = False
        self._path: str | None = None
        self._initial_weights = kwargs.get("weights")
        shape = kwargs.get("batch_input_shape") or kwargs.get("batch_shape")
        if shape is None and kwargs.get("input_dim") is not None:
            shape = (None, int(kwargs["input_dim"]))
        if shape is None and kwargs.get("input_shape") is not None:
            given = kwargs["input_shape"]
            shape = (kwargs.get("batch_size"), *(given if isinstance(given, (tuple, list)) else (given,)))
        if shape is not None:
            self._input_shape_arg = tuple(None if n is None else int(n) for n in shape)

    @property
    def dtype_policy(self) -> Any:
        """In which dtypes the layer computes and keeps its variables; setting it reaches those there are."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._use_policy(dtype_policies.get(value))
        self._ready = False
        self._adopt(own_variables(self))

    def _adopt(self, variables: Sequence[Variable]) -> None:
        """Let calls see floating variables in the compute dtype, if it is another."""
        for v in variables:
            if v.autocast and is_float(v.data.dtype):
                mixed = self._mixed and self.autocast and v.data.dtype != self._compute
                AutocastVariable.adopt(v, self._compute if mixed else None)

    # Set on layers for which they are true only: what lies in a layer is searched for weights again and again.
    _mixed = _policy_by_path = False

    def _use_policy(self, policy: Any) -> None:
        self._dtype_policy = policy
        self._compute = np_dtype(policy.compute_dtype)
        for name, value in (
            ("_policy_by_path", isinstance(policy, dtype_policies.DTypePolicyMap)),
            ("_mixed", policy.compute_dtype != policy.variable_dtype),
        ):
            if getattr(self, name) != value:
                setattr(self, name, value)

    # -- to be overridden ----------------------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Make the weights; called once, before the first ``call``, with the shape of the inputs."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's function."""
        raise NotImplementedError(f"Layer {type(self).__name__} has no call() method.")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Mask of the outputs; that of the inputs by default."""
        return previous_mask

    # -- weights -------------------------------------------------------------------------------------------------------
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to the layer.

        Args:
            shape: Shape; a scalar by default.
            initializer: Name, initializer or callable; ``"glorot_uniform"`` for floats and zeros else by default.
            dtype: Dtype; the policy's variable dtype by default.
            trainable: Whether it is trained.
            autocast: Whether calls in mixed precision see it in the compute dtype.
            regularizer: Adds a loss of the variable.
            constraint: Projection applied after each update.
            aggregation: Accepted for compatibility.
            overwrite_with_gradient: Accepted for compatibility.
            name: Name.
        """
        from .. import constraints, initializers, regularizers

        self._check_super_called()
        dtype = np_dtype(dtype or self.dtype_policy.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        shape = (
            ()
            if shape is None
            else tuple(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
        )
        name = name or f"variable{'_' + str(len(self._own_weights)) if self._own_weights else ''}"
        variable = Variable(
            initializers.get(initializer), shape, dtype.name, trainable, autocast, aggregation, name=name
        )
        if self._mixed:
            self._adopt([variable])
        variable.path = f"{self.path}/{name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        if not self._trainable:  # born trainable all the same, so that it is trained once the layer is unfrozen
            variable.trainable = False
        self._own_weights.append(variable)
        return variable

    add_variable = add_weight

    @property
    def path(self) -> str:
        """The layer's name after those of the layers that hold it."""
        return self._path or self.name

    @property
    def _layers(self) -> list[Layer]:
        return sublayers(self, Layer)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        found: dict[int, Layer] = {id(self): self}
        queue = list(self._layers)
        while queue:
            layer = queue.pop(0)
            if id(layer) not in found:
                found[id(layer)] = layer
                if recursive:
                    queue[:0] = layer._layers
        return list(found.values())[0 if include_self else 1 :]

    def _gather(self, seeds: bool) -> list[Variable]:
        from ..random import SeedGenerator

        found: dict[int, Variable] = {}
        layers = self._flatten_layers()
        for layer in layers:
            for v in own_variables(layer):
                found.setdefault(id(v), v)
        if seeds:
            for layer in layers:
                for generator in sublayers(layer, SeedGenerator):
                    found.setdefault(id(generator.state), generator.state)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """All weights of the layer and its sublayers, trainable or not."""
        return self._gather(seeds=False)

    @property
    def variables(self) -> list[Variable]:
        """All weights, and the states of random generators."""
        return self._gather(seeds=True)

    @property
    def trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable and self._trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if not v.trainable] if self._trainable else self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if not v.trainable] if self._trainable else self.variables

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it reaches all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for v in own_variables(self):
            if v.born_trainable:
                v.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """The values of :attr:`weights`, as NumPy arrays of their own."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite the values of :attr:`weights`.

        Raises:
            ValueError: if the number of arrays or a shape differs; nothing is changed then.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(f"Layer {self.name!r} has {len(variables)} weights, but {len(weights)} arrays were given.")
        for v, w in zip(variables, weights):
            if tuple(np.shape(w)) != v.shape:
                raise ValueError(f"Layer {self.name!r}: weight {v.path!r} has shape {v.shape}, the array given for it "
                                 f"{tuple(np.shape(w))}.")  # fmt: skip
        for v, w in zip(variables, weights):
            v.assign(np.asarray(w))

    def count_params(self) -> int:
        """Number of scalars in :attr:`weights`.

        Raises:
            ValueError: before the layer is built.
        """
        if not self.built:
            raise ValueError(f"Layer {self.name!r} has no weights yet: call it on data, or build(input_shape), first.")
        return sum(v.size for v in self.weights)

    # -- losses --------------------------------------------------------------------------------------------------------
    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or several) to the training loss, from inside ``call``."""
        for value in loss if isinstance(loss, (list, tuple)) else [loss]:
            if isinstance(value, Spec):
                continue
            value = to_tensor(value)
            if local.stateless is not None and local.stateless.collect_losses:
                local.stateless.add_loss(value)
                continue
            self._losses.append(value)
            if context.losses is not None:
                context.losses.append(value)

    @property
    def losses(self) -> list[Any]:
        """Losses added in the last call, and those of the regularizers."""
        out = [loss for layer in self._flatten_layers() for loss in layer._losses]
        return out + self._regularization_losses()

    def _regularization_losses(self) -> list[Any]:
        return [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # -- calling -------------------------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The common case: built, tensors of the right dtype, no masks. Everything was checked when it was built; an
        # error that comes up all the same is explained by the checks of the long way.
        if self._ready and args and not kwargs and context.depth:
            for x in args:
                if type(x) is not Tensor or x.data.dtype is not self._compute or x._keras_mask is not None:
                    return self._call(args, kwargs)
            try:
                return self.call(*args, training=context.training) if self._signature.training else self.call(*args)
            except (ValueError, IndexError):
                self._check_inputs(args[0])
                raise
            except MemoryError as error:
                came_through(error, self.name)
                raise
        return self._call(args, kwargs)

    def _check_inputs(self, inputs: Any) -> None:
        check_inputs(self.input_spec, inputs, self.name)

    @property
    def _signature(self) -> _CallSignature:
        cls = type(self)
        found = cls.__dict__.get("_signature_of_class")
        if found is None:
            found = cls._signature_of_class = _CallSignature(cls.call)  # type: ignore[attr-defined]
        return found

    def _convert(self, x: Any) -> Any:
        if isinstance(x, Spec):
            if self.autocast and x.dtype != self._compute.name and is_float(np_dtype(x.dtype)):
                return cast(x, dtype=self._compute)
            return x
        if isinstance(x, (np.ndarray, Tensor)) or (hasattr(x, "__array__") and hasattr(x, "dtype")):
            if isinstance(x, np.ndarray) and x.dtype.kind in "OUST":
                return x  # strings are for the preprocessing layer that is called with them
            mask = getattr(x, "_keras_mask", None)
            x = to_tensor(x)
            if self.autocast and x.data.dtype != self._compute and is_float(x.data.dtype):
                x = cast(x, dtype=self._compute)
                x._keras_mask = mask
        return x

    def _call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        self._check_super_called()
        signature = self._signature
        if args and isinstance(args[0], (list, tuple)) and _is_numbers(args[0]):
            args = (to_tensor(args[0]), *args[1:])
        if self._policy_by_path:
            self._use_policy(self.dtype_policy["/".join((*context.path, self.name))])
        args = tuple(map_nest(self._convert, a) for a in args)
        kwargs = {k: map_nest(self._convert, v) for k, v in kwargs.items()}
        self._maybe_build(args, kwargs)
        if args and self.input_spec is not None:
            self._check_inputs(args[0])
        given = dict(zip(signature.names, args))
        training = kwargs.get("training", given.get("training"))
        if training is None:
            training = context.training
        if training is None:
            training = signature.default_training
        if signature.training and "training" not in given:
            kwargs["training"] = training
        elif not signature.training and not signature.keywords:
            kwargs.pop("training", None)
        before = context.training, context.losses, context.path
        masks = self._fill_masks(given, kwargs)
        symbolic = any(isinstance(x, Spec) for x in flatten((args, list(kwargs.values()))))
        if context.depth == 0 and not symbolic:
            self._clear_losses()
        context.depth += 1
        context.training = training
        context.path = (*context.path, self.name)
        try:
            if symbolic:
                outputs = self._symbolic_call(args, kwargs)
            else:
                call = self.call if self._remat is None else self._remat.applied(self, args, kwargs)
                if self._mixed and self.autocast:
                    with autocasting():
                        outputs = call(*args, **kwargs)
                else:
                    outputs = call(*args, **kwargs)
                if self.activity_regularizer is not None:
                    for y in flatten(outputs):
                        self.add_loss(self.activity_regularizer(y) / max(y.shape[0], 1))
        except MemoryError as error:
            came_through(error, self.name)
            raise
        finally:
            context.depth -= 1
            context.training, context.losses, context.path = before
        self._set_masks(args, outputs, masks)
        if not self._ready and not symbolic:
            free = self._remat is None and self.activity_regularizer is None and not self._mixed
            plain = signature.plain
            if signature.masks:  # without a mask on the input there is none on the output, and none for sublayers
                computes = type(self).compute_mask
                makes_none = getattr(computes, "makes_none", False)
                plain = makes_none or (plain and computes is Layer.compute_mask and not self._layers)
            self._ready = plain and free
        return outputs

    def _fill_masks(self, given: dict[str, Any], kwargs: dict[str, Any]) -> Any:
        """Give ``call`` the masks that ride on its inputs; returns that of the first one."""
        names = self._signature.names
        first = given.get(names[0]) if names else None
        leaves = flatten(first)
        mask: Any = None
        if any(getattr(x, "_keras_mask", None) is not None for x in leaves):
            mask = pack(first, [getattr(x, "_keras_mask", None) for x in leaves])
        for name in self._signature.masks:
            if name in given or kwargs.get(name) is not None:
                mask = given.get(name, kwargs.get(name)) if name == "mask" else mask
                continue
            if name == "mask":
                if mask is not None:
                    kwargs[name] = mask
            else:
                source = given.get(name[: -len("_mask")], kwargs.get(name[: -len("_mask")]))
                found = getattr(source, "_keras_mask", None)
                if found is not None:
                    kwargs[name] = found
        return mask

    def _set_masks(self, args: Sequence[Any], outputs: Any, mask: Any) -> None:
        computes = type(self).compute_mask is not Layer.compute_mask
        if not (computes or (mask is not None and self.supports_masking)):
            return
        found = self.compute_mask(args[0] if args else None, mask)
        if found is None:
            return
        leaves = flatten(outputs)
        masks = flatten(found) if len(leaves) > 1 else [found]
        if len(leaves) == 1 and isinstance(found, (list, tuple)):
            masks = [m for m in flatten(found) if m is not None][:1]
        for y, m in zip(leaves, masks):
            if m is not None and hasattr(y, "_keras_mask"):
                y._keras_mask = m

    def _maybe_build(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        self._path = "/".join((*context.path, self.name))
        shapes = [map_nest(_shape_of, a) for a in args]
        names = [p for p in inspect.signature(self.build).parameters]
        with paused():
            if len(names) > 1 and len(shapes) >= 1:
                by_name = dict(zip(self._signature.names, shapes))
                by_name.update({k: map_nest(_shape_of, v) for k, v in kwargs.items()})
                wanted = {n: by_name.get(n[: -len("_shape")] if n.endswith("_shape") else n) for n in names}
                self.build(**{n: s for n, s in wanted.items() if s is not None})
            elif names:
                self.build(shapes[0] if shapes else next(iter(map_nest(_shape_of, v) for v in kwargs.values()), None))
            else:
                self.build()  # type: ignore[call-arg]
        self.built = True
        if self._mixed:
            self._adopt(own_variables(self))  # those that build made itself

    def _symbolic_call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        mixed = self._mixed and self.autocast
        if context.inline:
            with autocasting(local.autocast or mixed):
                return self.call(*args, **kwargs)
        with paused(), shapes_only(), autocasting(local.autocast or mixed):
            outputs = self.compute_output_spec(*args, **kwargs)
        if local.shapes_only:
            return outputs
        # Fresh Specs: a layer may give its input back, which remembers another call.
        outputs = map_nest(lambda y: Spec(y.shape, y.dtype) if isinstance(y, Spec) else y, outputs)
        node = Node(self, args, {k: v for k, v in kwargs.items() if k != "training" or v is not None}, outputs)
        node.index = len(self._inbound_nodes)
        self._inbound_nodes.append(node)
        for i, y in enumerate(flatten(outputs)):
            if isinstance(y, Spec):
                y.node, y.output_index = node, i
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs, by running ``call`` on them."""
        overridden = type(self).__dict__.get("compute_output_shape")
        if overridden is not None and args:
            shape = self.compute_output_shape(map_nest(_shape_of, args[0]))
            return map_nest(lambda s: Spec(s, self.compute_dtype), _ShapeNest.wrap(shape))
        return self.call(*args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shape of the outputs for a shape (or several) of the inputs."""
        specs = [_ShapeNest.to_specs(shape, self.compute_dtype) for shape in (*args, *kwargs.values())]
        self._maybe_build(specs, {})
        with paused(), shapes_only(), autocasting(local.autocast or (self._mixed and self.autocast)):
            context.depth += 1
            try:
                outputs = self.compute_output_spec(*specs)
            finally:
                context.depth -= 1
        return map_nest(lambda y: tuple(y.shape), outputs)

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer with other values of its variables, and without a change of its own.

        Args:
            trainable_variables: Values in the order of :attr:`trainable_variables`.
            non_trainable_variables: Values in the order of :attr:`non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether to give the losses too.
            **kwargs: Arguments of the call.

        Returns:
            The outputs and the non-trainable variables after the call, and the losses if asked for.

        Raises:
            ValueError: before the layer is built, or for another number of values.
        """
        from .stateless import stateless_call

        return stateless_call(self, trainable_variables, non_trainable_variables, args, kwargs, return_losses)

    # -- information ---------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> str:
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._dtype_policy.variable_dtype

    input_dtype = compute_dtype

    @property
    def input(self) -> Any:
        """Symbolic input of the layer's only call in a functional model."""
        inputs = self._only_node().args
        return inputs[0] if len(inputs) == 1 else list(inputs)

    @property
    def output(self) -> Any:
        """Symbolic output of the layer's only call in a functional model."""
        return self._only_node().outputs

    def _only_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name!r} has not been called on symbolic inputs.")
        return self._inbound_nodes[-1 if len(self._inbound_nodes) == 1 else 0]

    @property
    def metrics(self) -> list[Any]:
        """Metrics held by the layer and its sublayers."""
        from ..metrics.metric import Metric

        found: dict[int, Any] = {}
        for layer in self._flatten_layers():
            for metric in sublayers(layer, Metric):
                found.setdefault(id(metric), metric)
        return list(found.values())

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the layer again.

        A subclass with arguments of its own adds them; without, those that it was made with are taken.
        """
        self._check_super_called()
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        cls = type(self)
        if cls.get_config is Layer.get_config and cls.__init__ is not Layer.__init__:
            config.update(self._auto_config(config))
        return config

    def _auto_config(self, base: dict[str, Any]) -> dict[str, Any]:
        args, kwargs = self._auto_args
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        out = {}
        for name, value in list(bound.arguments.items())[1:]:
            parameter = inspect.signature(type(self).__init__).parameters[name]
            values = value if parameter.kind is parameter.VAR_KEYWORD else {name: value}
            if parameter.kind is parameter.VAR_POSITIONAL:
                raise NotImplementedError(f"{type(self).__name__} takes *{name}: it needs a get_config() of its own.")
            for key, item in values.items():
                if key not in base:
                    try:
                        out[key] = serialize_keras_object(item)
                    except TypeError as error:
                        raise NotImplementedError(
                            f"{type(self).__name__} needs a get_config() of its own: argument {key!r}: {error}"
                        ) from None
        return out

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that a configuration describes."""
        from ..registry import MAX_DEPTH, deserialize_keras_object

        def resolved(value: Any, depth: int = 0) -> Any:
            if isinstance(value, dict) and "class_name" in value:
                return deserialize_keras_object(value)
            if depth > MAX_DEPTH:
                raise ValueError(f"The configuration of a {cls.__name__} is nested more than {MAX_DEPTH} levels deep.")
            return [resolved(v, depth + 1) for v in value] if isinstance(value, list) else value

        config = {key: resolved(value) for key, value in config.items()}
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(f"{cls.__name__} can't be made from its configuration {config}: {error}") from error

    def get_build_config(self) -> dict[str, Any] | None:
        """What :meth:`build_from_config` needs."""
        return {"input_shape": _lists(self._build_shapes)} if self._build_shapes is not None else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of :meth:`get_build_config`."""
        if config and "input_shape" in config and not self.built:
            self.build(_tuples(config["input_shape"]))
            self.built = True

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the layer's own variables into ``store`` by their number."""
        for i, v in enumerate(own_variables(self)):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables out of ``store``.

        Raises:
            ValueError: if the number or a shape differs.
        """
        own = own_variables(self)
        if len(store.keys()) != len(own):
            hint = " It was never built: build it, or call it on data, first." if not self.built and not own else ""
            raise ValueError(
                f"Layer {self.name!r} has {len(own)} variables, the file has {len(store.keys())} for it.{hint}"
            )
        for i, v in enumerate(own):
            v.assign(np.asarray(store[str(i)]))

    def _check_super_called(self) -> None:
        if "_own_weights" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}.__init__() must call super().__init__() before anything else.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.__dict__.get('built', False)}>"


def _guard_build(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a subclass's ``build``: it runs once, and its shapes are remembered."""
    if getattr(build, "_guarded", False):
        return build

    def guarded(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building") or self.built:
            if not self.built:
                build(self, *args, **kwargs)
            return
        self._building = True
        if self._path is None and context.path:
            self._path = "/".join((*context.path, self.name))
        before, context.path = context.path, tuple(self.path.split("/"))  # for the layers that it builds
        try:
            build(self, *args, **kwargs)
        except Exception as error:
            self._own_weights.clear()
            if isinstance(error, MemoryError):
                came_through(error, self.name)
            raise
        finally:
            self._building = False
            context.path = before
        self._build_shapes = args[0] if args else next(iter(kwargs.values()), None)
        self.built = True
        if self._initial_weights is not None:
            weights, self._initial_weights = self._initial_weights, None
            self.set_weights(weights)

    guarded._guarded = True  # type: ignore[attr-defined]
    guarded.__wrapped__ = build  # type: ignore[attr-defined]  # inspect.signature sees through it
    guarded.__doc__ = build.__doc__
    return guarded


__all__ = ["InputSpec", "Layer"]
