"""The training, test and prediction steps.

A training step is: forward on a new tape, loss, backward into the gradient arena, one optimizer kernel over the
arena, metrics. Nothing in it reads a value back to the host; the losses and metrics that it accumulates are read when
somebody looks at them. So a GPU can record it once and replay it as one launch (``backend/cuda/graph.py``).
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import Any

from .. import backend
from ..autograd.dtypes import is_float
from ..autograd.op import to_tensor
from ..autograd.tape import Recorder, backward, local
from ..autograd.tensor import Tensor
from ..layers.context import context
from ..layers.layer import Layer
from ..utils.nest import flatten, map_nest, pack


def extra_losses(model: Any) -> list[Any]:
    """Losses of layers (activity, ``add_loss``) and of weights (regularizers), as they stand in this step."""
    if context.losses is None:
        return model.losses
    return context.losses + [v.regularizer(v) for v in model._compiled["regularized"]]


class Runner:
    """One kind of step of a compiled model.

    Args:
        model: The model.
        training: Whether ``call`` runs in training mode.
        losses: Whether the step computes losses.

    Attributes:
        graphs: The step's CUDA graphs; ``None`` where there are none, and with ``run_eagerly``.
        variables: What is trained, if the step computes losses.
    """

    graphs: Any = None

    def __init__(self, model: Any, training: bool, losses: bool = True):
        self.model = model
        self.training = training
        # The model's own __call__ adds conversions, masks and bookkeeping of losses, which the runner does once.
        self.direct = type(model).__call__ is Layer.__call__ and model.activity_regularizer is None
        self.direct = self.direct and not model._mixed
        self.takes_training = model._signature.training
        self.tracker = model._compiled.get("tracker")
        self.has_metrics = model._compiled.get("metrics") is not None
        # Looking for them takes as long as some steps of a deep model.
        self.variables = model.trainable_variables if losses else []
        if losses:
            model._compiled["regularized"] = [v for v in self.variables if v.regularizer is not None]
        self.step_logs: Any = None
        self.loss_layers: list[Any] | None = None
        self.array_type = backend.active().array_type
        if not model.run_eagerly:
            self.graphs = backend.active().graphs()
            self.held: list[tuple[Any, Any]] = []  # variables with the arrays that the graphs know them by

    def __call__(self, *batch: Any) -> Any:
        """One step on a batch: ``x``, ``y``, ``sample_weight``, as far as there are."""
        try:
            return self.step(*batch) if self.graphs is None else self._replayed(batch)
        except MemoryError as error:
            from .guard import explained

            raise explained(self, error, batch) from None

    def step(self, *batch: Any) -> Any:
        """The step, run launch by launch."""
        raise NotImplementedError

    def phase(self) -> Any:
        """What tells this step from others on batches of the same shapes, besides what the device computes."""
        return None

    def _replayed(self, batch: tuple[Any, ...]) -> Any:
        """A step as a graph, if one can be made of it."""
        leaves = [leaf.data if type(leaf) is Tensor else leaf for leaf in flatten(batch)]
        if not all(leaf is None or getattr(getattr(leaf, "dtype", None), "kind", "O") in "biufcV" for leaf in leaves):
            return self.step(*batch)
        if any(v.data is not array for v, array in self.held):
            self.graphs.forget()
            self.held = []

        def step(arrays: list[Any]) -> tuple[list[Any], Any]:
            result = self.step(*pack(batch, arrays))
            return [leaf.data for leaf in flatten(result) if isinstance(leaf, Tensor)], result

        captured, refused = len(self.graphs), self.graphs.refused
        arrays, form = self.graphs.run((self.phase(), _form(batch)), leaves, step)
        if len(self.graphs) > captured:
            self.held = [(v, v.data) for v in self._state()]
        if self.graphs.refused != refused:
            warnings.warn(
                f"The step of model {self.model.name!r} can't be captured as a CUDA graph: {self.graphs.refused}. It "
                "runs launch by launch, which takes the host longer; run_eagerly=True in compile() says that you know.",
                stacklevel=3,
            )
        fresh = iter(arrays)
        return map_nest(lambda leaf: Tensor(next(fresh)) if isinstance(leaf, Tensor) else leaf, form)

    def _state(self) -> list[Any]:
        """The variables that the step reads or writes."""
        model = self.model
        optimizer = model.optimizer if self.training else None
        found = [*model.variables, *getattr(optimizer, "variables", ())]
        return found + [v for m in model.metrics for v in m.variables]

    def tensors(self, x: Any) -> Any:
        """A batch as tensors; strings stay arrays."""
        return map_nest(self._tensor, x) if isinstance(x, (list, tuple, dict)) else self._tensor(x)

    def _tensor(self, x: Any) -> Any:
        if type(x) is self.array_type and x.dtype.kind not in "OUST":
            return Tensor(x)
        if type(x) is Tensor or x is None or getattr(getattr(x, "dtype", None), "kind", "f") in "OUST":
            return x
        return to_tensor(x)

    def forward(self, x: Any) -> Any:
        """The model's outputs for a batch of tensors."""
        model = self.model
        if not self.direct or not model.built:
            return model(x, training=self.training)
        if type(x) is Tensor:
            x = self._cast(x)
        elif isinstance(x, (list, tuple, dict)):
            x = map_nest(self._cast, x)
        before = context.training, context.path
        context.depth += 1
        context.training, context.path = self.training, (model.name,)
        try:
            return model.call(x, training=self.training) if self.takes_training else model.call(x)
        finally:
            context.depth -= 1
            context.training, context.path = before

    def _cast(self, x: Any) -> Any:
        compute = self.model._compute
        if type(x) is Tensor and x.data.dtype is not compute and is_float(x.data.dtype) and x.data.dtype != compute:
            mask = x._keras_mask
            x = Tensor(x.data.astype(compute))
            x._keras_mask = mask
        return x

    def clear_losses(self) -> None:
        """Forget what layers added to the loss in this step."""
        if self.loss_layers is None:
            self.loss_layers = [layer for layer in self.model._flatten_layers() if layer._losses]
        for layer in self.loss_layers:
            layer._losses.clear()

    def finish(self) -> None:
        """End of an epoch."""

    def logs(self) -> dict[str, float]:
        """Results so far as Python numbers; this is where the device is waited for."""
        results = self.step_logs if self.step_logs is not None else self.model.get_metrics_result()
        return {name: _number(value) for name, value in results.items()}


def _number(value: Any) -> Any:
    value = value.numpy() if isinstance(value, Tensor) else value
    return float(value) if getattr(value, "size", 1) == 1 else value


class TrainRunner(Runner):
    """The training step over the parameter arena."""

    def __init__(self, model: Any):
        super().__init__(model, training=True)
        model.optimizer.build(self.variables)
        self.arena = model.optimizer.arena

    def __call__(self, *batch: Any) -> Any:
        self.arena.rebind()  # another optimizer may have trained the same variables since
        return super().__call__(*batch)

    def phase(self) -> Any:
        return self.model.optimizer.phase()

    def step(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        model = self.model
        x, y, sample_weight = self.tensors(x), self.tensors(y), self.tensors(sample_weight)
        recorder = Recorder()
        losses_before, context.losses = context.losses, []
        local.recorder = recorder
        try:
            y_pred = self.forward(x)
            loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        finally:
            local.recorder = None
            collected, context.losses = context.losses, losses_before
        if collected:
            self.clear_losses()
        self.tracker.update_state(loss, sample_weight=_batch_length(x))
        if self.has_metrics:
            model._update_metrics(y, y_pred, sample_weight)
        self.backward(recorder, loss)  # last, as a step that runs out of memory leaves the weights alone
        return self.logs

    def backward(self, recorder: Recorder, loss: Tensor) -> None:
        """Gradients of ``loss`` into the arena, then the update."""
        records = recorder.records
        position = recorder.position(loss)
        if position < 0:
            raise ValueError(
                f"Model {self.model.name!r}: the loss doesn't depend on any trainable weight, so there is "
                f"nothing to train. "
                "Check `trainable` and the loss function."
            )
        optimizer = self.model.optimizer
        loss_data = loss.data
        k = backend.kernels_of(loss_data)
        grads: list[Any] = [None] * len(records)
        scale = optimizer.loss_scale()
        grads[position] = k.full(loss_data.shape, 1, loss_data.dtype)
        if scale is not None:
            grads[position] *= scale
        base, n = recorder.base, len(records)
        into: dict[int, Any] = {}
        unused = []
        for i, (v, g) in enumerate(zip(self.arena.variables, self.arena.grads)):
            p = v.node - base
            if 0 <= p < n:
                into[p] = g
            else:
                unused.append(i)
        with k.unwarned() if scale is not None else nullcontext():  # a scaled loss may overflow: the step is skipped
            backward(records, grads, into=into, consume=True)
        for p in into:
            if grads[p] is None:
                unused.append(next(i for i, v in enumerate(self.arena.variables) if v.node - base == p))
        optimizer.step_arena(unused)


class CustomTrainRunner(Runner):
    """A model's own ``train_step``."""

    def __init__(self, model: Any):
        super().__init__(model, training=True)
        if model.optimizer is not None and hasattr(model.optimizer, "build"):
            model.optimizer.build(self.variables)
        self.own_step = model.train_step

    def __call__(self, *batch: Any) -> Any:
        result = super().__call__(*batch)
        self.step_logs = result if isinstance(result, dict) else None
        return self.logs

    def step(self, *data: Any) -> Any:
        return self.own_step(_packed([self.tensors(part) for part in data]))

    def phase(self) -> Any:
        phase = getattr(self.model.optimizer, "phase", None)
        return phase and phase()


class TestRunner(Runner):
    """The evaluation step."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, model: Any):
        super().__init__(model, training=False)

    def step(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        model = self.model
        x, y, sample_weight = self.tensors(x), self.tensors(y), self.tensors(sample_weight)
        losses_before, context.losses = context.losses, []
        try:
            y_pred = self.forward(x)
            if model._compiled["loss"] is not None:
                loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
                self.tracker.update_state(loss, sample_weight=_batch_length(x))
        finally:
            collected, context.losses = context.losses, losses_before
        if collected:
            self.clear_losses()
        if self.has_metrics:
            model._update_metrics(y, y_pred, sample_weight)
        return self.logs


class CustomTestRunner(CustomTrainRunner):
    """A model's own ``test_step``."""

    def __init__(self, model: Any):
        Runner.__init__(self, model, training=False)
        self.own_step = model.test_step


class PredictRunner(Runner):
    """The prediction step."""

    def __init__(self, model: Any):
        super().__init__(model, training=False, losses=False)
        from .trainer import Trainer

        self.custom = type(model).predict_step is not Trainer.predict_step

    def step(self, x: Any) -> Any:
        x = self.tensors(x)
        return self.model.predict_step(x) if self.custom else self.forward(x)


def _packed(data: list[Any]) -> Any:
    """A batch as ``train_step`` gets it: without trailing parts that weren't given."""
    while len(data) > 1 and data[-1] is None:
        data.pop()
    return tuple(data)


def _form(tree: Any) -> Any:
    """How a nest is made up, without its leaves."""
    if isinstance(tree, dict):
        return tuple((key, _form(tree[key])) for key in tree)
    return tuple(map(_form, tree)) if isinstance(tree, (list, tuple)) else None


def _batch_length(x: Any) -> int:
    first = x if type(x) is Tensor else flatten(x)[0]
    return first.shape[0] if first.shape else 1


def train_runner(model: Any) -> Any:
    """The training step of a compiled model."""
    from .trainer import Trainer

    return TrainRunner(model) if type(model).train_step is Trainer.train_step else CustomTrainRunner(model)


def test_runner(model: Any) -> Any:
    """The evaluation step of a compiled model."""
    from .trainer import Trainer

    return TestRunner(model) if type(model).test_step is Trainer.test_step else CustomTestRunner(model)


test_runner.__test__ = False  # type: ignore[attr-defined]


def predict_runner(model: Any) -> PredictRunner:
    """The prediction step of a model."""
    return PredictRunner(model)
