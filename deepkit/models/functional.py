"""Functional models: a graph of layer and op calls, flattened to a list that runs from top to bottom."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.dtypes import np_dtype
from ..autograd.op import Node, cast, to_tensor
from ..autograd.spec import Spec
from ..layers.input_layer import InputLayer
from ..layers.input_spec import InputSpec
from ..layers.layer import Layer
from ..ops import expand_dims, squeeze
from ..registry import export
from ..utils.nest import flatten, map_nest, pack
from .fusion import NormRelu
from .model import Model


def trace(inputs: list[Spec], outputs: list[Spec]) -> list[Node]:
    """The calls that lead from ``inputs`` to ``outputs``, each after those it depends on.

    Raises:
        ValueError: if an output doesn't come from the inputs, or the calls form a cycle.
    """
    known = {id(x) for x in inputs}
    order: list[Node] = []
    done: set[int] = set()
    active: set[int] = set()
    # An explicit stack: a model may be deeper than Python's recursion limit.
    stack: list[tuple[Any, bool]] = [(x, False) for x in reversed(outputs)]
    while stack:
        item, leaving = stack.pop()
        if leaving:
            done.add(id(item))
            active.discard(id(item))
            order.append(item)
            continue
        if id(item) in known:
            continue
        node = item.node
        if node is None or isinstance(node.operation, InputLayer):
            raise ValueError(
                f"The graph is disconnected: {item!r} is needed for the outputs, but it can't be computed from the "
                "model's inputs. Add it to `inputs`, or compute it from them."
            )
        if id(node) in done:
            continue
        if id(node) in active:
            raise ValueError(f"The calls of {node.operation!r} form a cycle.")
        active.add(id(node))
        stack.append((node, True))
        stack += [(x, False) for x in reversed(_specs((node.args, node.kwargs)))]
    return order


def _specs(tree: Any) -> list[Spec]:
    return [x for x in flatten(tree) if isinstance(x, Spec)]


class _Slot:
    """Placeholder, in the arguments of a planned call, for the value with this number."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index


@export("keras.src.models.functional.Functional", "keras.models.Functional", "keras.Functional")
class Functional(Model):
    """A model given by its symbolic inputs and outputs; made by ``Model(inputs, outputs)``.

    Args:
        inputs: Symbolic tensor, or a list or dictionary of them.
        outputs: The same.
        name: Name.

    Raises:
        ValueError: if the outputs can't be computed from the inputs, or two layers share a name.

    Example:
        >>> import deepkit
        >>> x = deepkit.Input((3,))
        >>> model = deepkit.Model(x, deepkit.layers.Dense(2)(x))
        >>> model.output_shape
        (None, 2)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        trainable = kwargs.pop("trainable", True)
        Model.__init__(self, name=name, **kwargs)
        for x in flatten(inputs) + flatten(outputs):
            if not isinstance(x, Spec):
                raise ValueError(f"Model(inputs, outputs) takes symbolic tensors, as Input() gives; received {x!r}.")
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = flatten(inputs), flatten(outputs)
        if len({id(x) for x in self._inputs}) != len(self._inputs):
            raise ValueError("An input is listed twice.")
        self._nodes = trace(self._inputs, self._outputs)
        self._compile_plan()
        self._check_names()
        self.built = True
        if not trainable:
            self.trainable = False

    # -- the plan ------------------------------------------------------------------------------------------------------
    def _compile_plan(self) -> None:
        slots = {id(x): i for i, x in enumerate(self._inputs)}
        plan = []
        for node in self._nodes:
            for y in _specs(node.outputs):
                slots.setdefault(id(y), len(slots))
            outs = [slots[id(y)] for y in _specs(node.outputs)]

            def place(x: Any) -> Any:
                return _Slot(slots[id(x)]) if isinstance(x, Spec) else x

            args = tuple(map_nest(place, a) for a in node.args)
            kwargs = {k: map_nest(place, v) for k, v in node.kwargs.items()}
            # Counts only while the model itself isn't told: fit and predict decide for all of its layers.
            training = kwargs.pop("training", None) if isinstance(node.operation, Layer) else None
            simple = len(args) == 1 and isinstance(args[0], _Slot) and not kwargs and len(outs) == 1
            plan.append((node.operation, args[0].index if simple else None, args, kwargs, outs, training))
        self._slots = len(slots)
        self._output_slots = [slots[id(y)] for y in self._outputs]
        self._plan = self._fused(plan)

    def _fused(self, plan: list[Any]) -> list[Any]:
        """The plan with the pairs of :mod:`.fusion` as one call each."""
        used = [x.index for _, _, args, kwargs, _, _ in plan for x in flatten((args, kwargs)) if isinstance(x, _Slot)]
        used += self._output_slots
        made = {outs[0]: i for i, (_, single, _, _, outs, own) in enumerate(plan) if single is not None and own is None}
        gone = set()
        for i, (relu, single, _, _, outs, own) in enumerate(plan):
            first = made.get(single)
            if first is None or own is not None or used.count(single) > 1 or first in gone:
                continue
            norm, source, args, kwargs, _, _ = plan[first]
            if NormRelu.fits(norm, relu):
                plan[i] = (NormRelu(norm, relu), source, args, kwargs, outs, None)
                gone.add(first)
        return [call for i, call in enumerate(plan) if i not in gone]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        values: list[Any] = [None] * self._slots
        values[: len(self._inputs)] = self._standardize(inputs)
        if mask is not None:
            for x, m in zip(values, flatten(mask)):
                if m is not None:
                    x._keras_mask = m
        for operation, single, args, kwargs, outs, own_training in self._plan:
            if own_training is not None and training is None:
                kwargs = {**kwargs, "training": own_training}
                y = operation(*(_fill(a, values) for a in args), **{k: _fill(v, values) for k, v in kwargs.items()})
            elif single is not None:
                y = operation(values[single])
            else:
                y = operation(*(_fill(a, values) for a in args), **{k: _fill(v, values) for k, v in kwargs.items()})
            if len(outs) == 1:
                values[outs[0]] = flatten(y)[0] if isinstance(y, (list, tuple, dict)) else y
            else:
                for slot, part in zip(outs, flatten(y)):
                    values[slot] = part
        return pack(self._outputs_struct, [values[i] for i in self._output_slots])

    def _standardize(self, inputs: Any) -> list[Any]:
        """The inputs in the model's order, each with the rank and dtype the model was made for."""
        if isinstance(inputs, dict) and not isinstance(self._inputs_struct, dict):
            names = [x.name for x in self._inputs]
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ValueError(f"Model {self.name!r}: no data for input {missing[0]!r}; the dictionary has "
                                 f"{sorted(map(str, inputs))}.")  # fmt: skip
            leaves = [inputs[n] for n in names]
        elif isinstance(self._inputs_struct, dict) and isinstance(inputs, dict):
            missing = [k for k in self._inputs_struct if k not in inputs]
            if missing:
                raise ValueError(f"Model {self.name!r}: no data for input {missing[0]!r}; the dictionary has "
                                 f"{sorted(map(str, inputs))}.")  # fmt: skip
            leaves = flatten({k: inputs[k] for k in self._inputs_struct})
        else:
            leaves = flatten(inputs)
        if len(leaves) != len(self._inputs):
            raise ValueError(f"Model {self.name!r} has {len(self._inputs)} input(s), but {len(leaves)} were given.")
        return [self._fit(x, spec) for x, spec in zip(leaves, self._inputs)]

    def _check_inputs(self, inputs: Any) -> None:
        """Nothing here: :meth:`_standardize` checks, and knows the inputs' names."""

    def _fit(self, x: Any, spec: Spec) -> Any:
        if not isinstance(x, Spec):
            strings = getattr(getattr(x, "dtype", None), "kind", "f") in "OUST"
            if strings != (spec.dtype == "string"):
                raise ValueError(f"Model {self.name!r}: input {spec.name!r} takes dtype {spec.dtype}, but data of "
                                 f"dtype {getattr(x, 'dtype', type(x).__name__)} was given.")  # fmt: skip
            if strings:
                return self._fit_rank(x, spec)
            x = to_tensor(x)
        wanted_dtype = np_dtype(spec.dtype)
        if isinstance(x, Spec) or x.data.dtype is not wanted_dtype:
            if np_dtype(x.dtype) != wanted_dtype:
                mask = x._keras_mask
                x = cast(x, dtype=wanted_dtype)
                x._keras_mask = mask
        return self._fit_rank(x, spec)

    def _fit_rank(self, x: Any, spec: Spec) -> Any:
        rank, wanted = len(x.shape), len(spec.shape)
        if rank == wanted:
            for got, want in zip(x.shape[1:], spec.shape[1:]):
                if want is not None and got is not None and got != want:
                    raise self._misfit(x, spec)
            return x
        if rank == wanted - 1 and spec.shape[-1] == 1:
            return x[..., None] if isinstance(x, np.ndarray) else expand_dims(x, -1)
        if rank == wanted + 1 and x.shape[-1] == 1:
            return x[..., 0] if isinstance(x, np.ndarray) else squeeze(x, -1)
        raise self._misfit(x, spec)

    def _misfit(self, x: Any, spec: Spec) -> ValueError:
        return ValueError(
            f"Model {self.name!r}: input {spec.name!r} should have shape {spec.shape} (None is any size), but data of "
            f"shape {tuple(x.shape)} was given."
        )

    # -- structure -----------------------------------------------------------------------------------------------------
    def _check_names(self) -> None:
        names: dict[str, Layer] = {}
        for layer in self.layers:
            if names.setdefault(layer.name, layer) is not layer:
                raise ValueError(
                    f"Two layers of model {self.name!r} are named {layer.name!r}. Names must be unique: give "
                    f"one of them "
                    "another `name`."
                )

    @property
    def layers(self) -> list[Layer]:
        """The layers: the inputs first, the others in the order they run."""
        found: dict[int, Layer] = {}
        for x in self._inputs:
            if x.node is not None and isinstance(x.node.operation, Layer):
                found.setdefault(id(x.node.operation), x.node.operation)
        for node in self._nodes:
            if isinstance(node.operation, Layer):
                found.setdefault(id(node.operation), node.operation)
        return list(found.values())

    @property
    def _layers(self) -> list[Layer]:
        found = {id(layer): layer for layer in self.layers}
        for layer in super()._layers:
            found.setdefault(id(layer), layer)
        return list(found.values())

    @property
    def inputs(self) -> list[Spec]:
        return self._inputs

    @property
    def outputs(self) -> list[Spec]:
        return self._outputs

    @property
    def input(self) -> Any:
        return self._inputs_struct

    @property
    def output(self) -> Any:
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        return map_nest(lambda x: x.shape, self._inputs_struct)

    @property
    def output_shape(self) -> Any:
        return map_nest(lambda x: x.shape, self._outputs_struct)

    @property
    def input_names(self) -> list[str]:
        return [x.name for x in self._inputs]

    @property
    def output_names(self) -> list[str]:
        """Name of the layer that makes each output."""
        names: list[str] = []
        for y in self._outputs:
            base = getattr(y.node.operation, "name", y.name) if y.node is not None else y.name
            name, n = base, 1
            while name in names:
                name, n = f"{base}_{n}", n + 1
            names.append(name)
        return names

    @property
    def input_spec(self) -> Any:
        specs = [InputSpec(shape=(None, *x.shape[1:]), allow_last_axis_squeeze=True) for x in self._inputs]
        return None if isinstance(self._inputs_struct, dict) else specs

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        pass

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("training", None)
        return self.call(*args, **kwargs)

    def rewire(self, layers: dict[str, Layer], inputs: Any = None, call: Any = None) -> Functional:
        """The same graph with other layers, by name, and optionally other inputs.

        Args:
            layers: The layers; those not named stay.
            inputs: Symbolic inputs; new ones by default.
            call: Called with a layer or op and its arguments in place of calling it.
        """
        new: dict[int, Any] = {}
        for i, x in enumerate(self._inputs):
            made = (
                flatten(inputs)[i]
                if inputs is not None
                else InputLayer(batch_shape=x.shape, dtype=x.dtype, name=x.name).output
            )
            new[id(x)] = made

        def place(x: Any) -> Any:
            return new[id(x)] if isinstance(x, Spec) else x

        for node in self._nodes:
            operation = (
                layers.get(node.operation.name, node.operation)
                if isinstance(node.operation, Layer)
                else node.operation
            )
            args, kwargs = map_nest(place, node.args), map_nest(place, node.kwargs)
            y = operation(*args, **kwargs) if call is None else call(operation, *args, **kwargs)
            new.update(zip(map(id, _specs(node.outputs)), flatten(y)))
        cls = type(self) if type(self).__init__ is Functional.__init__ else Functional
        return cls(map_nest(place, self._inputs_struct), map_nest(place, self._outputs_struct), name=self.name)

    # -- configuration -------------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        from .functional_config import functional_config

        if type(self) is not Functional and type(self).get_config is Functional.get_config:
            return Layer.get_config(self)
        return functional_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from .functional_config import functional_from_config

        if "layers" not in config:
            return super().from_config(config)
        return functional_from_config(cls, config, custom_objects)


def _fill(tree: Any, values: list[Any]) -> Any:
    if type(tree) is _Slot:
        return values[tree.index]
    if isinstance(tree, (list, tuple, dict)):
        return map_nest(lambda x: values[x.index] if type(x) is _Slot else x, tree)
    return tree
