"""Calls of ops in functional models, to and from the operations that Keras's configurations hold."""

from __future__ import annotations

import inspect
from typing import Any

from .. import ops
from ..autograd.op import Elementwise
from ..ops.symbolic import Function
from ..registry import deserialize_keras_object
from ..utils.allowance import OBJECT, charge
from ..utils.naming import auto_name
from ..utils.nest import flatten
from .operations import BY_FUNCTION, OPERATIONS, Operation

#: Ops by names other than their public function's, and parameters by names other than Keras's.
_PUBLIC = {"MatMul": "matmul", "Concatenate": "concatenate", "Where": "where", "Take": "take",
           "TakeAlong": "take_along_axis", "Einsum": "einsum", "Conv": "conv", "Attention": "dot_product_attention",
           "rint": "round", "identity": "copy"}  # fmt: skip
_RENAMED = {
    "one_hot": {"classes": "num_classes"},
    "top_k": {"count": "k"},
    "clip": {"low": "x_min", "high": "x_max"},
    "tril": {"offset": "k"},
    "triu": {"offset": "k"},
    "max_pool": {"pool": "pool_size"},
    "average_pool": {"pool": "pool_size"},
    "conv": {"dilation": "dilation_rate"},
    "dot_product_attention": {"causal": "is_causal"},
}
_COUNTS = {"num", "n", "k", "repeats", "indices_or_sections", "axes", "size", "minlength", "bins", "N"}


class OpCall:
    """An operation of a configuration: the op with the arguments that the configuration holds."""

    def __init__(self, operation: Operation, config: dict[str, Any]):
        self.operation = operation
        self.config = {k: v for k, v in config.items() if k in operation.config}
        home = ops.image if operation.module.endswith(".image") else ops
        self.function = getattr(home, operation.function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._charge(args, kwargs)
        if self.operation.function == "getitem":
            key = args[1] if len(args) > 1 else kwargs["key"]
            return args[0][_key(key)]
        if self.operation.function == "einsum":
            return self.function(self.config["subscripts"], *args)
        return self.function(*args, **kwargs, **self.config)

    def _charge(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Against what the file may ask for: arguments that count what is made, though no tensor is computed here."""
        try:
            given = inspect.signature(self.function).bind(*args, **{**kwargs, **self.config}).arguments
        except TypeError:
            return  # the call says it better
        for key in _COUNTS & given.keys():
            count = sum(abs(n) for n in flatten(given[key]) if isinstance(n, int))
            count **= 2 if self.operation.function in ("diag", "diagflat") else 1
            charge(count * OBJECT, f"{key} of {self.operation.function}")


def _key(key: Any) -> Any:
    """An index as it was: JSON has lists for tuples."""
    return tuple(key) if isinstance(key, list) else key


def is_operation(entry: dict[str, Any]) -> bool:
    """Whether an entry of a configuration is the call of an op, not a layer."""
    return isinstance(entry.get("module"), str) and entry["module"].startswith("keras.src.ops.")


def read_operation(entry: dict[str, Any]) -> OpCall:
    """The op of an entry.

    Raises:
        ValueError: for an operation that isn't in the list, or a malformed configuration.
    """
    found = OPERATIONS.get((entry["module"], entry.get("class_name")))  # type: ignore[arg-type]
    if found is None:
        raise ValueError(
            f"Unknown operation {entry['module']}.{entry.get('class_name')}: a functional model can call the "
            "functions of deepkit.ops that take and give tensors. Put others into a Layer of your own and pass it in "
            "custom_objects."
        )
    config = entry.get("config", {})
    if not isinstance(config, dict):
        raise ValueError(f"The configuration of operation {entry['class_name']} is no dictionary.")
    return OpCall(found, {k: _plain(deserialize_keras_object(v)) for k, v in config.items()})


def _plain(value: Any) -> Any:
    return tuple(_plain(v) for v in value) if isinstance(value, list) else value


def write_operation(node: Any) -> tuple[str, dict[str, Any], list[Any], dict[str, Any]]:
    """Module and class name, configuration without the name, and arguments of the call, for a node that is an op.

    Raises:
        NotImplementedError: for an op that Keras has no operation for.
    """
    op = node.operation
    if isinstance(op, OpCall):
        return _entry(op.operation), dict(op.config), list(node.args), dict(node.kwargs)
    name = _PUBLIC.get(op.name, op.name)
    operation = BY_FUNCTION.get(name)
    if operation is None:
        raise _no_operation(op.name)
    args, params = list(node.args), dict(node.kwargs)
    if isinstance(op, Function):
        bound = inspect.signature(op.fn).bind(*args, **params)
        bound.apply_defaults()
        given = dict(bound.arguments)
        config = {k: given.pop(k) for k in operation.config if k in given}
        config = {k: _scalar(v) if k in _SIZES else v for k, v in config.items()}
        variadic = [
            p.name for p in inspect.signature(op.fn).parameters.values() if p.kind is p.VAR_POSITIONAL
        ]
        args = []
        for key, value in given.items():
            args.extend(value if key in variadic else [value])
        return _entry(operation), config, args, {}
    if name == "getitem":
        return _entry(operation), {}, [args[0], params["index"]], {}
    if name == "concatenate":
        args = [list(args)]
    if name == "einsum":
        params = {"subscripts": f"{','.join(params['terms'])}->{params['out']}"}
    if name == "conv":
        if params.pop("act", None) is not None or (len(args) > 2 and args[2] is not None):
            raise _no_operation(op.name)
        args = args[:2]
        params.setdefault("strides", 1)
    if name == "dot_product_attention":
        args.append(params.pop("scale", None))
    if name in ("max_pool", "average_pool", "conv"):
        params["data_format"] = "channels_last"
    if isinstance(op, Elementwise):
        params = {}
    params = {_RENAMED.get(name, {}).get(k, k): v for k, v in params.items()}
    config = {k: _scalar(v) if k in _SIZES else v for k, v in _with_defaults(operation, params).items()}
    left = {k: v for k, v in params.items() if k not in config}
    return _entry(operation), config, args, left


def _scalar(value: Any) -> Any:
    """One number for a tuple of equal ones: JSON would make it a list, which Keras's operations don't take there."""
    same = isinstance(value, (tuple, list)) and value and all(type(v) is int and v == value[0] for v in value)
    return value[0] if same else value


_SIZES = {"axis", "pool_size", "strides", "dilation_rate"}


def _entry(operation: Operation) -> str:
    return f"{operation.module}.{operation.name}"


def _with_defaults(operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    """The configuration's arguments: those given, and the public function's defaults for the others."""
    home = ops.image if operation.module.endswith(".image") else ops
    defaults = inspect.signature(getattr(home, operation.function)).parameters
    config = {}
    for key in operation.config:
        if key in params:
            config[key] = params[key]
        elif key in defaults and defaults[key].default is not inspect.Parameter.empty:
            config[key] = defaults[key].default
    return config


def _no_operation(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"The op {name!r} outside of a layer can't be written to a configuration, as Keras has none for it: put the "
        "call into a Layer of your own."
    )


def operation_name(node: Any) -> str:
    """A name for the node that is new in this process."""
    path = write_operation(node)[0]
    return auto_name(path.rpartition(".")[2])


__all__ = ["OpCall", "is_operation", "operation_name", "read_operation", "write_operation"]
