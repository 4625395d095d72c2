"""A graph of calls as a function, without the training and saving of a model."""

from __future__ import annotations

from typing import Any

from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..layers.operation import Operation
from ..registry import export
from ..utils.nest import flatten, is_nest, map_nest, pack
from .functional import trace


@export("keras.Function")
class Function(Operation):
    """The function from symbolic inputs to symbolic outputs that were computed from them.

    Args:
        inputs: Symbolic tensor, or a nest of them; any in a graph, not only those of :func:`deepkit.Input`.
        outputs: The same.
        name: Name.

    Raises:
        ValueError: if the outputs can't be computed from the inputs.

    Example:
        >>> import deepkit
        >>> x = deepkit.Input((2,))
        >>> f = Function(x, {"double": x * 2.0, "sum": deepkit.ops.sum(x, axis=-1)})
        >>> {name: y.tolist() for name, y in f(deepkit.ops.ones((1, 2))).items()}
        {'double': [[2.0, 2.0]], 'sum': [2.0]}
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name=name)
        for x in flatten(inputs) + flatten(outputs):
            if not isinstance(x, Spec):
                raise ValueError(f"Function(inputs, outputs) takes symbolic tensors. Received: {x!r}")
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = flatten(inputs), flatten(outputs)
        self._nodes = trace(self._inputs, self._outputs)

    @property
    def inputs(self) -> list[Spec]:
        """The symbolic inputs, flat."""
        return self._inputs

    @property
    def outputs(self) -> list[Spec]:
        """The symbolic outputs, flat."""
        return self._outputs

    @property
    def operations(self) -> list[Any]:
        """The layers and ops: those that make the inputs first, the others in the order in which they run."""
        nodes = [x.node for x in self._inputs if x.node is not None] + self._nodes
        return list({id(node.operation): node.operation for node in nodes}.values())

    def call(self, inputs: Any) -> Any:
        leaves = flatten(inputs)
        if len(leaves) != len(self._inputs) or is_nest(inputs) != is_nest(self._inputs_struct):
            raise ValueError(f"Function {self.name!r} takes inputs in the form of {self._inputs_struct!r}. Received: "
                             f"{inputs!r}")  # fmt: skip
        values = dict(zip(map(id, self._inputs), (x if isinstance(x, Spec) else to_tensor(x) for x in leaves)))

        def value(x: Any) -> Any:
            return values[id(x)] if isinstance(x, Spec) else x

        for node in self._nodes:
            y = node.operation(*map_nest(value, node.args), **map_nest(value, node.kwargs))
            values.update(zip(map(id, flatten(node.outputs)), flatten(y)))
        return pack(self._outputs_struct, [values[id(y)] for y in self._outputs])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs for shapes of the inputs."""
        shapes = [input_shape] if len(self._inputs) == 1 and not is_nest(self._inputs_struct) else input_shape
        if isinstance(shapes, dict):
            shapes = [shapes[key] for key in sorted(shapes)]
        specs = [Spec(shape, x.dtype) for shape, x in zip(shapes, self._inputs)]
        outputs = self.compute_output_spec(pack(self._inputs_struct, specs))
        return map_nest(lambda y: tuple(y.shape), outputs)

    def get_config(self) -> dict[str, Any]:
        """A function has no configuration.

        Raises:
            NotImplementedError: always; a :class:`deepkit.Model` of the same inputs and outputs has one.
        """
        raise NotImplementedError(f"Function {self.name!r} has no configuration: make a Model of the same ends.")


__all__ = ["Function"]
