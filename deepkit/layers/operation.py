"""Functions with a name and a configuration, for tensors and symbolic tensors alike."""

from __future__ import annotations

import abc
import inspect
from typing import Any

from ..autograd.op import Node, Op
from ..autograd.spec import Spec
from ..autograd.tape import local, paused, shapes_only
from ..registry import export
from ..utils.naming import auto_name
from ..utils.nest import flatten, map_nest
from .layer import Layer


@export("keras.Operation")
class Operation(metaclass=abc.ABCMeta):
    """A function without weights that can be part of a functional model.

    A subclass defines ``call``, and ``compute_output_spec`` where running ``call`` on symbolic tensors doesn't give
    the shapes. Layers and ops are operations too.

    Args:
        name: Name; made from the class name by default.

    Raises:
        ValueError: for a name that is no string or contains ``/``.

    Example:
        >>> import deepkit
        >>> class Scale(Operation):
        ...     def __init__(self, factor, name=None):
        ...         super().__init__(name=name)
        ...         self.factor = factor
        ...     def call(self, x):
        ...         return x * self.factor
        >>> op = Scale(3.0, name="triple")
        >>> op(deepkit.ops.ones(2)).tolist(), op(deepkit.Input((4,))).shape
        ([3.0, 3.0], (None, 4))
        >>> op.get_config()
        {'name': 'triple', 'factor': 3.0}
    """

    _auto_args: tuple[tuple, dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        instance._auto_args = (args, kwargs)
        return instance

    def __init__(self, name: str | None = None):
        if name is None:
            name = auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"The name of an operation should be a string without '/'. Received: name={name!r}")
        self.name = name
        self._inbound_nodes: list[Node] = []

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function."""
        raise NotImplementedError(f"{type(self).__name__} has no call() method.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs; by default, ``call`` is run on them."""
        return self.call(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Spec) for x in flatten((args, kwargs))):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs that remember this call, from which functional models are made."""
        with paused(), shapes_only():
            outputs = self.compute_output_spec(*args, **kwargs)
        if local.shapes_only:
            return outputs
        # Fresh Specs: an operation may give its input back, which remembers another call.
        outputs = map_nest(lambda y: Spec(y.shape, y.dtype) if isinstance(y, Spec) else y, outputs)
        node = Node(self, args, kwargs, outputs)
        node.index = len(self._inbound_nodes)
        self._inbound_nodes.append(node)
        for i, y in enumerate(flatten(outputs)):
            if isinstance(y, Spec):
                y.node, y.output_index = node, i
        return outputs

    @property
    def input(self) -> Any:
        """Symbolic inputs of the first symbolic call."""
        inputs = self._first_node().args
        return inputs[0] if len(inputs) == 1 else list(inputs)

    @property
    def output(self) -> Any:
        """Symbolic outputs of the first symbolic call."""
        return self._first_node().outputs

    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(f"Operation {self.name!r} has not been called on symbolic inputs.")
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the operation again: those that it was made with, and its name.

        Raises:
            NotImplementedError: if they aren't plain values; the class needs a ``get_config`` of its own then.
        """
        args, kwargs = self._auto_args
        signature = inspect.signature(type(self).__init__)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        config: dict[str, Any] = {"name": self.name}
        for name, value in list(bound.arguments.items())[1:]:
            kind = signature.parameters[name].kind
            given = value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
            if kind is inspect.Parameter.VAR_POSITIONAL:
                given = {name: value} if value else {}
            for key, item in given.items():
                plain = all(isinstance(x, (str, int, float, bool, type(None))) for x in flatten(item))
                if not plain or kind is inspect.Parameter.VAR_POSITIONAL:
                    raise NotImplementedError(f"{type(self).__name__} needs a get_config() of its own: argument "
                                              f"{key!r} can't be written to a configuration.")  # fmt: skip
                if key != "name":
                    config[key] = item
        if "name" not in signature.parameters and not any(
            p.kind is p.VAR_KEYWORD for p in signature.parameters.values()
        ):
            del config["name"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The operation that a configuration describes."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


Operation.register(Layer)
Operation.register(Op)

__all__ = ["Operation"]
