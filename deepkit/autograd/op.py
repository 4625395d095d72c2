"""Ops: what a function means on raw arrays, on symbolic tensors and on the way back.

An op is called with tensor-like positional arguments and static keyword parameters. :meth:`Op.__call__` is the one
door: it unwraps tensors, runs ``forward`` with the kernel module of the arrays, and appends a record when a tape is
watching. On a :class:`Spec` it runs ``infer`` instead.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from .. import backend
from ..backend import KERNELS
from .dtypes import join, join_scalar, np_dtype
from .spec import Spec, broadcast_shapes
from .tape import GradientTape, Recorder, autocasting, local, paused
from .tensor import Tensor
from .variable import AutocastVariable, Variable

_SCALARS = (bool, int, float, complex)


def to_array(x: Any, dtype: Any = None) -> Any:
    """The raw array of anything tensor-like; Python numbers become int32, floatx or bool.

    Raises:
        TypeError: if it has no numeric values.
    """
    if isinstance(x, Tensor):
        data = x.data
        return data if dtype is None or data.dtype == np_dtype(dtype) else data.astype(np_dtype(dtype))
    if type(x) in KERNELS:
        array = x
        if type(x) is np.ndarray and backend.active().array_type is not np.ndarray:
            array = backend.active().from_numpy(x)
        return array if dtype is None else array.astype(np_dtype(dtype), copy=False)
    if isinstance(x, Spec):
        raise ValueError(f"A symbolic tensor has no values: {x!r}.")
    if isinstance(x, (list, tuple)) and _holds_tensors(x):
        x = _nested_to_numpy(x)
    if hasattr(x, "detach") and hasattr(x, "cpu"):  # a torch tensor
        x = x.detach().cpu().numpy()
    pythonic = not hasattr(x, "dtype")
    if type(x).__module__.startswith("cupy"):
        raise TypeError(backend.no_backend_for(x))
    array = np.asarray(x)
    if pythonic and dtype is None:
        array = array.astype({"f": np_dtype(None), "i": np.dtype("int32"), "u": np.dtype("int32")}.get(
            array.dtype.kind, array.dtype), copy=False)  # fmt: skip
    if array.dtype.kind not in "biufcV":
        if array.dtype.kind in "OUST" and (dtype is None or str(dtype) == "string"):
            raise TypeError(f"{type(x).__name__} of dtype {array.dtype} can't become a tensor: {_short(x)}. "
                            f"Tensors hold "
                            "numbers; strings go through a preprocessing layer first.")  # fmt: skip
    if dtype is not None:
        array = array.astype(np_dtype(dtype), copy=False)
    return backend.active().from_numpy(array)


def to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """``x`` as a :class:`Tensor`; a tensor of the right dtype is returned as it is."""
    if type(x) is Tensor and (dtype is None or x.data.dtype == np_dtype(dtype)):
        return x
    if isinstance(x, Variable) and dtype is None:
        return identity(x)
    if isinstance(x, Tensor):
        return cast(x, dtype=np_dtype(dtype))
    if isinstance(x, (list, tuple)) and _holds_tensors(x):
        return _stack_nested(x, dtype)
    return Tensor(to_array(x, dtype))


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) < 60 else text[:57] + "..."


def _holds_tensors(x: Any) -> bool:
    return any(isinstance(i, Tensor) or (isinstance(i, (list, tuple)) and _holds_tensors(i)) for i in x)


def _nested_to_numpy(x: Any) -> Any:
    return [
        _nested_to_numpy(i) if isinstance(i, (list, tuple)) else i.numpy() if isinstance(i, Tensor) else i
        for i in x
    ]


def _stack_nested(x: Any, dtype: Any) -> Tensor:
    from ..ops import stack

    return stack([to_tensor(i, dtype) for i in x], axis=0)


class Op:
    """Base of all ops. A subclass defines ``infer``, ``forward``, ``backward`` and, if it is fused, ``reference``.

    Attributes:
        outputs: Number of output tensors (a tuple is returned when it isn't 1).
        weak: Whether Python scalars among the inputs take the dtype of the arrays and all inputs are promoted to one.
        differentiable: Whether the op is recorded at all.
    """

    outputs = 1
    differentiable = True
    weak = False
    name = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.name:
            cls.name = cls.__name__

    def infer(self, *inputs: Any, **params: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.infer")

    def forward(self, k: Any, *inputs: Any, **params: Any) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__name__}.forward")

    def backward(self, k: Any, saved: Any, g: Any, needs: Sequence[Any]) -> Sequence[Any]:
        raise NotImplementedError(f"{type(self).__name__}.backward: this op has no gradient")

    reference: Callable[..., Any] | None = None

    def tensor_gradients(
        self, inputs: Sequence[Any], outs: Any, g: Any, needs: Sequence[bool], params: dict
    ) -> Sequence[Any]:
        """Gradients as tensors that are themselves recorded, by way of the op's reference."""
        if self.reference is None:
            raise NotImplementedError(f"{self.name} has no gradient of its gradient.")
        picked = [i for i, need in enumerate(needs) if need]
        with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            # New handles, so that this pass ends at the op's inputs and not behind them.
            handles = [identity(x) if need else x for x, need in zip(inputs, needs)]
            y = self.reference(*handles, **params)
            ys, gs = (([y], [g]) if self.outputs == 1 else (list(y), list(g)))
            kept = [(a, b) for a, b in zip(ys, gs) if b is not None]
            found = tape.gradient([a for a, _ in kept], [handles[i] for i in picked], [b for _, b in kept])
        out: list[Any] = [None] * len(inputs)
        for i, gi in zip(picked, found):
            out[i] = gi
        return out

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        arrays: list[Any] = []
        nodes: list[int] | None = None
        recorder = local.recorder if self.differentiable else None
        scalars = False
        for i, x in enumerate(inputs):
            kind = type(x)
            if kind is Tensor or kind is Variable:
                arrays.append(x.data)
                if recorder is not None:
                    position = recorder.find(x)
                    if position >= 0:
                        if nodes is None:
                            nodes = [-1] * len(inputs)
                        nodes[i] = position
            elif x is None:
                arrays.append(None)
            elif kind is Spec:
                return self.symbolic(inputs, params)
            elif kind in _SCALARS and self.weak:
                arrays.append(x)
                scalars = True
            elif isinstance(x, Spec):
                return self.symbolic(inputs, params)
            elif isinstance(x, Variable):
                if local.autocast and kind is AutocastVariable:
                    return self(*map(_in_compute_dtype, inputs), **params)
                arrays.append(x.data)
                if recorder is not None and (position := recorder.find(x)) >= 0:
                    nodes = nodes or [-1] * len(inputs)
                    nodes[i] = position
            else:
                arrays.append(to_array(x))
        if self.weak:
            first = arrays[0]
            second = arrays[-1]
            if scalars or first.dtype is not second.dtype or len(arrays) > 2:
                dtypes = self._promote(arrays)
                if dtypes is not None:
                    if nodes is not None:
                        # On the tape the casts are ops of their own, so gradients come back in each input's dtype.
                        inputs = tuple(
                            cast(x, dtype=dtypes) if isinstance(x, Tensor) and x.data.dtype != dtypes else x
                            for x in inputs
                        )
                        return self(*[x if isinstance(x, Tensor) else a for a, x in zip(arrays, inputs)], **params)
        first = arrays[0]
        try:
            k = KERNELS[type(first)]
        except KeyError:
            k = next((KERNELS[type(a)] for a in arrays if type(a) in KERNELS), None) or backend.active()
        try:
            y, saved = self.forward(k, *arrays, **params)
        except (TypeError, ValueError):
            _check_together(arrays)
            raise
        if self.outputs == 1:
            if type(y) is not k.array_type:
                y = k.asarray(y)
            out: Any = Tensor(y)
            if nodes is not None:
                records = recorder.records  # type: ignore[union-attr]
                out.node = recorder.base + len(records)  # type: ignore[union-attr]
                records.append((self, nodes, saved, 1, (inputs, out, params) if recorder.keep else None))  # type: ignore[union-attr]
            return out
        outs = tuple(Tensor(part if type(part) is k.array_type else k.asarray(part)) for part in y)
        if nodes is not None:
            self._record_many(recorder, nodes, params, saved, inputs, outs)  # type: ignore[arg-type]
        return outs

    def _record_many(self, recorder: Recorder, nodes: Any, params: dict, saved: Any, inputs: Any, outs: tuple) -> None:
        records = recorder.records
        for i, out in enumerate(outs):
            out.node = recorder.base + len(records) + i
        records.extend([None] * (len(outs) - 1))
        records.append((self, nodes, saved, len(outs), (inputs, outs, params) if recorder.keep else None))

    def _promote(self, arrays: list[Any]) -> Any:
        """Bring the arrays to one dtype in place of the list; returns it if an array had to be cast."""
        k = backend.active()
        dtype = None
        for a in arrays:
            if type(a) not in _SCALARS:
                dtype = a.dtype if dtype is None else join(dtype, a.dtype)
        if dtype is None:
            dtype = to_array(arrays[0]).dtype
            for a in arrays[1:]:
                dtype = join_scalar(dtype, a)
            arrays[:] = [k.asarray(a, dtype=dtype) for a in arrays]
            return None
        for a in arrays:
            if type(a) in _SCALARS:
                dtype = join_scalar(dtype, a)
        changed = False
        for i, a in enumerate(arrays):
            if type(a) in _SCALARS:
                # NumPy takes Python numbers for float64 beside bfloat16, kind V.
                if (type(a) is float and dtype.kind in "iub") or dtype.kind == "V":
                    arrays[i] = k.asarray(a, dtype=dtype)
            elif a.dtype != dtype:
                arrays[i] = a.astype(dtype)
                changed = True
        return dtype if changed else None

    def symbolic(self, inputs: Sequence[Any], params: dict) -> Any:
        """Result of the op on symbolic inputs: Specs that remember the call, for functional models."""
        if local.autocast:
            inputs = [_in_compute_dtype(x) for x in inputs]
        specs = [
            x if x is None or isinstance(x, Spec) or (self.weak and type(x) in _SCALARS) else spec_of(x)
            for x in inputs
        ]
        out = self.infer(*specs, **params)
        return out if local.shapes_only else attach_node(self, inputs, params, out)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> Any:
        return super().__reduce__()


def _check_together(arrays: Sequence[Any]) -> None:
    """Where an op failed: that its arrays are on one device, if there are several."""
    if len(KERNELS) > 1:
        backend.check_together(*arrays)


def _in_compute_dtype(x: Any) -> Any:
    """An autocast variable as a tensor of its layer's compute dtype; anything else as it is."""
    if type(x) is not AutocastVariable:
        return x
    with autocasting(False):
        return cast(x, dtype=x.compute_dtype)


class Node:
    """One call of an op or a layer on symbolic tensors: ``operation(*args, **kwargs) -> outputs``."""

    __slots__ = ("operation", "args", "kwargs", "outputs", "index")

    def __init__(self, operation: Any, args: Sequence[Any], kwargs: dict, outputs: Any):
        self.operation = operation
        self.args = tuple(args)
        self.kwargs = kwargs
        self.outputs = outputs
        self.index = 0


def attach_node(operation: Any, args: Sequence[Any], kwargs: dict, outputs: Any) -> Any:
    """Make fresh Specs of ``outputs`` that remember the call that made them."""
    if isinstance(outputs, Spec):
        outputs.node = Node(operation, args, kwargs, outputs)
        return outputs
    outputs = tuple(outputs)
    node = Node(operation, args, kwargs, outputs)
    for i, out in enumerate(outputs):
        out.node = node
        out.output_index = i
    return outputs


def spec_of(x: Any) -> Spec:
    """The :class:`Spec` of a tensor-like value."""
    if isinstance(x, Spec):
        return x
    if isinstance(x, Variable):
        return Spec(x.shape, x.dtype)
    array = to_array(x)
    return Spec(array.shape, array.dtype.name)


# -- basic ops ---------------------------------------------------------------------------------------------------------


def unbroadcast(k: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its input was broadcast from ``shape``."""
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    return k.reshape(k.sum(g, axis=axes), shape) if axes else g


class Elementwise(Op):
    """An op that acts on each element, with broadcasting; one table row makes one.

    ``vjps[i](k, g, y, *inputs)`` is the gradient for input ``i`` before it is summed over broadcast axes; ``None``
    says that there is none. ``k`` is the kernel module, or the ops themselves when the gradient is differentiated.
    """

    def __init__(self, name: str, vjps: Sequence[Callable[..., Any] | None], doc: str, result: str = "same"):
        self.name = name
        self.vjps = vjps
        # "same" dtype as the promoted inputs, "float" (integers become floatx), "number" (booleans become int32),
        # "real" (of complex ones) or "bool".
        self.result = result
        self.lifts = result in ("float", "number")
        self.weak = len(vjps) > 1
        self.differentiable = any(vjps)
        self.__doc__ = doc
        self._kernels: dict[type, Callable[..., Any]] = {}

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        # The long way round is Op.__call__; this is the same for what nearly every call is: one or two tensors of one
        # dtype, or a tensor and a Python number.
        if len(inputs) == 2:
            a, b = inputs
            kind_a, kind_b = type(a), type(b)
            if kind_a is Tensor or kind_a is Variable:
                x = a.data
                if kind_b is Tensor or kind_b is Variable:
                    z = b.data
                    plain = x.dtype is z.dtype
                else:
                    z = b
                    plain = (kind_b is float or kind_b is int) and x.dtype.kind == "f"
            elif kind_b is Tensor and (kind_a is float or kind_a is int):
                x, z = a, b.data
                plain = z.dtype.kind == "f"
            else:
                plain = False
            if not plain or params or (self.lifts and _is_integer(x)):
                return Op.__call__(self, *inputs, **params)
            arrays: tuple[Any, ...] = (x, z)
            first = z if x is a else x
        else:
            a = b = inputs[0]
            if type(a) is not Tensor or len(inputs) != 1 or params:
                return Op.__call__(self, *inputs, **params)
            first = a.data
            if self.lifts and first.dtype.kind != "f":
                return Op.__call__(self, a)
            arrays = (first,)
        kernel = self._kernels.get(type(first))
        if kernel is None:
            kernel = self._kernels[type(first)] = getattr(KERNELS[type(first)], self.name)
        try:
            y = kernel(*arrays)
        except (TypeError, ValueError):
            _check_together(arrays)
            raise
        if type(y) is not type(first):
            y = KERNELS[type(first)].asarray(y)
        out = Tensor(y)
        if self.differentiable:
            recorder = local.recorder
            if recorder is not None:
                nodes = [recorder.find(i) for i in inputs]
                if nodes[0] >= 0 or nodes[-1] >= 0:
                    records = recorder.records
                    out.node = recorder.base + len(records)
                    records.append(
                        (
                            self,
                            nodes,
                            (y, arrays, params),
                            1,
                            (inputs, out, params) if recorder.keep else None,
                        )
                    )
        return out

    def infer(self, *inputs: Any, **params: Any) -> Spec:
        specs = [x for x in inputs if isinstance(x, Spec)]
        if self.result == "bool":
            dtype = "bool"
        else:
            joined = np_dtype(specs[0].dtype)
            for x in inputs:
                joined = join(joined, np_dtype(x.dtype)) if isinstance(x, Spec) else join_scalar(joined, x)
            if self.result == "real" and joined.kind == "c":
                joined = np.dtype("float64" if joined.itemsize == 16 else "float32")
            if self.result == "number" and joined.kind == "b":
                joined = np.dtype("int32")
            dtype = np_dtype(None).name if self.result == "float" and joined.kind in "biu" else joined.name
        return Spec(broadcast_shapes(*(x.shape for x in specs)), dtype)

    def forward(self, k: Any, *arrays: Any, **params: Any) -> tuple[Any, Any]:
        if self.result == "float" and all(type(a) in _SCALARS or a.dtype.kind in "biu" for a in arrays):
            arrays = tuple(k.asarray(a, dtype=np_dtype(None)) for a in arrays)
        elif self.result == "number" and all(_is_boolean(a) for a in arrays):
            arrays = tuple(k.asarray(a, dtype="int32") for a in arrays)
        y = getattr(k, self.name)(*arrays, **params)
        x = arrays[0]
        if type(x) not in _SCALARS and x.dtype.kind == "V" and y.dtype.kind == "f":
            y = y.astype(x.dtype)  # kernels' numbers are float64 to NumPy beside bfloat16
        return y, (y, arrays, params)

    def backward(self, k: Any, saved: Any, g: Any, needs: Sequence[Any]) -> Sequence[Any]:
        y, inputs, params = saved
        out: list[Any] = []
        for vjp, need, x in zip(self.vjps, needs, inputs):
            if need is False or vjp is None:
                out.append(None)
                continue
            gi = vjp(k, g, y, *inputs, **params)
            out.append(gi if gi.shape == x.shape else unbroadcast(k, gi, x.shape))
        return out

    def tensor_gradients(
        self, inputs: Sequence[Any], outs: Any, g: Any, needs: Sequence[bool], params: dict
    ) -> Sequence[Any]:
        from .. import ops

        return self.backward(ops, (outs, inputs, params), g, needs)


def _is_boolean(x: Any) -> bool:
    return type(x) is bool or (hasattr(x, "dtype") and x.dtype.kind == "b")


def _is_integer(x: Any) -> bool:
    return type(x) is int or (hasattr(x, "dtype") and x.dtype.kind != "f")


class Basic(Op):
    """A NumPy-like op of one tensor: a kernel function, a shape rule and a gradient rule.

    Args:
        name: Kernel function, called as ``k.name(x, **params)``.
        infer: ``(spec, **params) -> Spec``.
        vjp: ``(k, g, y, x, **params) -> gradient``, or ``None``.
    """

    def __init__(
        self,
        name: str,
        infer: Callable[..., Any],
        vjp: Callable[..., Any] | None,
        kernel: Callable | None = None,
    ):
        self.name = name
        self.infer = infer  # type: ignore[method-assign]
        self.vjp = vjp
        self.differentiable = vjp is not None
        self.kernel = kernel

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        # As in Elementwise: the short way for one eager tensor.
        x = inputs[0]
        kind = type(x)
        if (kind is not Tensor and kind is not Variable) or len(inputs) != 1:
            return Op.__call__(self, *inputs, **params)
        data = x.data
        k = KERNELS[type(data)]
        try:
            y = getattr(k, self.name)(data, **params) if self.kernel is None else self.kernel(k, data, **params)
        except (TypeError, ValueError):
            _check_together((data,))
            raise
        if type(y) is not type(data):
            y = k.asarray(y)
        out = Tensor(y)
        recorder = local.recorder
        if recorder is not None and self.differentiable:
            position = recorder.find(x)
            if position >= 0:
                records = recorder.records
                out.node = recorder.base + len(records)
                records.append(
                    (self, [position], (y, data, params), 1, (inputs, out, params) if recorder.keep else None)
                )
        return out

    def forward(self, k: Any, x: Any, **params: Any) -> tuple[Any, Any]:
        y = getattr(k, self.name)(x, **params) if self.kernel is None else self.kernel(k, x, **params)
        return y, (y, x, params)

    def backward(self, k: Any, saved: Any, g: Any, needs: Sequence[Any]) -> Sequence[Any]:
        y, x, params = saved
        return (self.vjp(k, g, y, x, **params) if self.vjp and needs[0] is not False else None,)

    def tensor_gradients(
        self, inputs: Sequence[Any], outs: Any, g: Any, needs: Sequence[bool], params: dict
    ) -> Sequence[Any]:
        from .. import ops

        return self.backward(ops, (outs, inputs[0], params), g, needs)


def _cast_vjp(k: Any, g: Any, y: Any, x: Any, dtype: Any) -> Any:
    source, result = np_dtype(x.dtype), np_dtype(dtype)
    if source.kind not in "fcV" or result.kind not in "fcV":
        return None
    return k.cast(k.real(g) if result.kind == "c" and source.kind != "c" else g, source)


cast = Basic("cast", lambda x, dtype: Spec(x.shape, np_dtype(dtype).name), _cast_vjp)
identity = Basic(
    "identity",
    lambda x: Spec(x.shape, x.dtype),
    lambda k, g, y, x: g,
    # A variable's array changes in place; its value as a tensor must not.
    kernel=lambda k, x: x.copy(),
)
stop_gradient = Basic("stop_gradient", lambda x: Spec(x.shape, x.dtype), None, kernel=lambda k, x: x)

__all__ = [
    "Basic", "Elementwise", "Node", "Op", "attach_node", "cast", "identity", "paused", "spec_of", "stop_gradient",
    "to_array", "to_tensor", "unbroadcast",
]  # fmt: skip
