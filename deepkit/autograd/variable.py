"""Variables: tensors whose values change in place."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from .. import backend
from ..utils.allowance import charge_array
from .context import context
from .dtypes import np_dtype, standardize_dtype
from .tape import local
from .tensor import Tensor


class Variable(Tensor):
    """A tensor with state: weights, optimizer slots, metric totals.

    A trainable variable is watched by every open :class:`deepkit.GradientTape`. Its array may be a view of a larger
    one (the parameter arena), so it is always updated in place.

    Args:
        initializer: Values, or a callable ``(shape, dtype=...)`` that makes them.
        shape: Shape, needed with a callable.
        dtype: Dtype name; that of the values, or ``floatx()``, by default.
        trainable: Whether gradients and optimizers concern it.
        name: Name, used in paths and messages.

    Raises:
        ValueError: on a callable without a shape, or values of another shape.

    Example:
        >>> v = Variable([1.0, 2.0], name="v")
        >>> v.assign_add([0.5, 0.5]).numpy()
        array([1.5, 2.5], dtype=float32)
    """

    __slots__ = (
        "name", "path", "regularizer", "constraint", "overwrite_with_gradient", "autocast", "aggregation", "_trainable",
        "born_trainable",
        "__dict__",
    )  # fmt: skip

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        k = backend.active()
        if callable(initializer) and not isinstance(initializer, Tensor):
            if shape is None:
                raise ValueError(f"Variable {name!r}: an initializer that is callable needs `shape`.")
            charge_array(shape, standardize_dtype(dtype), name or "a variable")
            value = initializer(tuple(shape), dtype=standardize_dtype(dtype))
        else:
            value = initializer
        raw = value.data if isinstance(value, Tensor) else value
        given = getattr(raw, "dtype", None)
        if dtype is None:
            dtype = given if given is not None else _default_dtype(raw)
        data = k.array(raw, dtype=np_dtype(dtype))  # always a copy: assignment must not change the caller's array
        if shape is not None and tuple(shape) != data.shape:
            raise ValueError(f"Variable {name!r} should have shape {tuple(shape)}, but its values have {data.shape}.")
        super().__init__(data)
        if name is None:
            from ..utils.naming import auto_name

            name = auto_name("variable")
        if "/" in name:
            raise ValueError(f"A variable's name can't contain '/': {name!r}.")
        self.name = name
        self.path = "/".join((*context.path, name))
        self._trainable = self.born_trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation = aggregation
        self.regularizer: Callable | None = None
        self.constraint: Callable | None = None
        self.overwrite_with_gradient = False

    @property
    def dtype(self) -> str:
        return self.data.dtype.name

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def value(self) -> Tensor:
        """The present values as a tensor of their own; gradients flow through it to the variable."""
        from .op import identity

        return identity(self)

    def assign(self, value: Any) -> Variable:
        """Overwrite the values in place.

        Raises:
            ValueError: if the shape differs.
        """
        raw = value.data if isinstance(value, Tensor) else value
        shape = getattr(raw, "shape", None)
        if shape is None or type(raw) is not type(self.data):  # a list, or an array of another device
            raw = backend.kernels_of(self.data).asarray(raw)
            shape = raw.shape
        if shape != self.data.shape:
            raise ValueError(
                f"Variable {self.path!r} has shape {self.data.shape}; values of shape {tuple(shape)} can't be assigned "
                "to it."
            )
        self.writable()[...] = raw
        return self

    def writable(self) -> Any:
        """The array of the values, to be written to; inside a :class:`deepkit.StatelessScope`, one for its time."""
        if local.stateless is not None:
            local.stateless.own(self)
        return self.data

    def accumulate(self, raw: Any) -> None:
        """Add a raw array or number in place: :meth:`assign_add` for those who call it at each step."""
        if local.stateless is not None:
            local.stateless.own(self)
        self.data += raw

    def assign_add(self, value: Any) -> Variable:
        """Add in place."""
        data = self.writable()
        data += (
            value.data
            if isinstance(value, Tensor)
            else backend.kernels_of(self.data).asarray(value, self.data.dtype)
        )
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract in place."""
        data = self.writable()
        data -= (
            value.data
            if isinstance(value, Tensor)
            else backend.kernels_of(self.data).asarray(value, self.data.dtype)
        )
        return self

    def numpy(self) -> np.ndarray:
        """A copy of the values; later training doesn't change it."""
        return np.array(backend.to_numpy(self.data))

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._values()}>"

    def __deepcopy__(self, memo: dict) -> Variable:
        out = Variable(self.data, dtype=self.dtype, trainable=self._trainable, name=self.name)
        for slot in ("path", "regularizer", "constraint", "overwrite_with_gradient", "autocast", "aggregation"):
            setattr(out, slot, getattr(self, slot))
        AutocastVariable.adopt(out, getattr(self, "compute_dtype", None))
        memo[id(self)] = out
        return out

    def __reduce__(self) -> Any:
        state = {s: getattr(self, s) for s in ("path", "regularizer", "constraint")}
        state["compute_dtype"] = getattr(self, "compute_dtype", None)
        return _restore, (np.array(self.numpy()), self.dtype, self._trainable, self.name, state)


class AutocastVariable(Variable):
    """A variable of a layer with mixed precision: within layer calls, ops see it in the layer's compute dtype.

    The cast is an op on the tape, so that gradients come back in the variable's own dtype. It is a class of its own
    so that ops on other variables needn't ask.
    """

    __slots__ = ()  # laid out as Variable, so that a variable can become one

    compute_dtype: np.dtype

    @classmethod
    def adopt(cls, variable: Variable, dtype: np.dtype | None) -> None:
        """Let ``variable`` be seen in ``dtype`` from now on; ``None`` takes that back."""
        if type(variable) in (Variable, cls):
            variable.__class__ = Variable if dtype is None else cls
            variable.compute_dtype = dtype  # type: ignore[attr-defined]

    @property
    def dtype(self) -> str:
        return (self.compute_dtype if local.autocast else self.data.dtype).name


def _restore(values: np.ndarray, dtype: str, trainable: bool, name: str, state: dict) -> Variable:
    out = Variable(values, dtype=dtype, trainable=trainable, name=name)
    AutocastVariable.adopt(out, state.pop("compute_dtype"))
    for key, value in state.items():
        setattr(out, key, value)
    return out


def _default_dtype(raw: Any) -> str | None:
    kind = np.asarray(raw).dtype.kind
    return {"b": "bool", "i": "int32", "u": "int32"}.get(kind)
