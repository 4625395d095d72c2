"""``compile``, ``fit``, ``evaluate`` and ``predict``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.op import to_tensor
from ..autograd.tape import GradientTape
from ..autograd.tensor import Tensor
from ..metrics import Mean
from ..utils.nest import flatten, map_nest, pack
from . import step as steps
from .callbacks import CallbackList, History, make_callbacks
from .checks import check_device, check_first_batch
from .compiled import CompiledLoss, CompiledMetrics
from .data import make_loader, only_batch, split_validation, unpack_x_y_sample_weight
from .data_device import on_device
from .guard import guarded, not_made
from .limits import limited, limited_epochs


class Trainer:
    """The training half of a model."""

    def __init__(self) -> None:
        self.compiled = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.run_eagerly = False
        self.jit_compile = False
        self.steps_per_execution = 1
        self.history: Any = None
        self._compiled: dict[str, Any] = {}
        self.train_function: Any = None
        self.test_function: Any = None
        self.predict_function: Any = None
        self._predicted: tuple[str, Any] | None = None  # the last specs of a batch that was checked, and its outputs'

    # -- compile -------------------------------------------------------------------------------------------------------
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how the model is trained.

        Args:
            optimizer: Name, configuration or optimizer.
            loss: Name, loss or function ``(y_true, y_pred)``; a list or dictionary for several outputs.
            loss_weights: Weight of each output's loss.
            metrics: Names, metrics or functions; ``"accuracy"`` picks the one that fits the targets.
            weighted_metrics: Metrics that take the sample weights into account.
            run_eagerly: Switch the capture of the step as a CUDA graph off.
            steps_per_execution: Accepted for compatibility; the step costs too little to batch.
            jit_compile: Accepted for compatibility; there is no compiler.
            auto_scale_loss: With the policy ``"mixed_float16"``, wrap the optimizer in a
                :class:`deepkit.optimizers.LossScaleOptimizer`.

        Raises:
            ValueError: for an unknown name.
        """
        from .. import optimizers

        # Everything that can fail comes before the first change of state.
        optimizer = optimizers.get(optimizer)
        compiled_loss = CompiledLoss(loss, loss_weights) if _given(loss) else None
        compiled_metrics = CompiledMetrics(metrics, weighted_metrics) if metrics or weighted_metrics else None
        self.optimizer = optimizer
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            if not isinstance(optimizer, (optimizers.LossScaleOptimizer, type(None))):
                self.optimizer = optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        self.loss = loss
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self._compiled = {
            "loss": compiled_loss,
            "metrics": compiled_metrics,
            "tracker": Mean(name="loss"),
            "config": {
                "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
                "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
            },
        }  # fmt: skip
        self.stop_training = False
        self.compiled = True
        self.train_function = self.test_function = self.predict_function = self._predicted = None

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of ``compile``, serialized; ``None`` before it."""
        if not self.compiled:
            return None
        from ..registry import serialize_keras_object

        return {key: serialize_keras_object(value) for key, value in self._compiled["config"].items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what :meth:`get_compile_config` gave."""
        from ..registry import deserialize_keras_object

        self.compile(**{k: deserialize_keras_object(v) for k, v in config.items()})
        if self.built and hasattr(self.optimizer, "build"):
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker and all metrics, those of layers included."""
        from ..layers.layer import Layer

        found = {id(m): m for m in self._own_metrics()}
        for m in Layer.metrics.fget(self):  # type: ignore[attr-defined]
            found.setdefault(id(m), m)
        return list(found.values())

    def _own_metrics(self) -> list[Any]:
        out = [self._compiled["tracker"]] if self._compiled else []
        if self._compiled.get("loss") is not None:
            out += self._compiled["loss"].metrics
        if self._compiled.get("metrics") is not None:
            out += self._compiled["metrics"].metrics
        return out

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for m in self.metrics:
            m.reset_state()

    # -- what a subclass may override -------------------------------------------------------------------------------
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The total loss of a batch: the compiled loss, and those of layers and regularizers."""
        total: Any = None
        compiled = self._compiled.get("loss")
        if compiled is not None:
            if y is None:
                raise ValueError(
                    f"Model {self.name!r} was compiled with a loss, but the data has no targets: pass `y`."
                )
            if compiled.losses is None:
                self._build_compiled(y, y_pred)
            total = compiled(y, y_pred, sample_weight)
        for value in steps.extra_losses(self):
            value = value.sum() if value.ndim else value
            total = value if total is None else total + value
        if total is None:
            raise ValueError(
                f"Model {self.name!r} has no loss to train with: compile(loss=...), or add_loss() in a layer."
            )
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take a batch into the metrics and give their results so far."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        compiled = self._compiled.get("metrics")
        if compiled is not None:
            if compiled.by_output is None:
                compiled.build(self._output_names(y_pred), y, y_pred)
            compiled.update(y, y_pred, sample_weight)

    def get_metrics_result(self) -> dict[str, Any]:
        """Results of all metrics by name; tensors, which are read when somebody looks."""
        out: dict[str, Any] = {}
        if self._compiled:
            out["loss"] = self._compiled["tracker"].result()
            if self._compiled["loss"] is not None:
                out.update({m.name: m.result() for m in self._compiled["loss"].metrics})
        named = self._compiled["metrics"].named() if self._compiled.get("metrics") is not None else []
        own = {id(m) for m in self._own_metrics()}
        named += [(m.name, m) for m in self.metrics if id(m) not in own]
        for name, m in named:
            value = m.result()
            out.update(value if isinstance(value, dict) else {name: value})
        return out

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step: forward, loss, gradients, update, metrics. Override it for a training scheme of your own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        self._compiled["tracker"].update_state(loss, sample_weight=_batch_size(x))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of ``evaluate``."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._compiled["tracker"].update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of ``predict``."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    # -- building ------------------------------------------------------------------------------------------------------
    def _output_names(self, y_pred: Any) -> list[str]:
        names = getattr(self, "output_names", None)
        leaves = flatten(y_pred)
        if isinstance(y_pred, dict):
            return [str(k) for k in sorted(y_pred)]
        if names and len(names) == len(leaves):
            return list(names)
        return [f"output_{i + 1}" for i in range(len(leaves))] if len(leaves) > 1 else ["output"]

    def _build_compiled(self, y: Any, y_pred: Any) -> None:
        loss = self._compiled.get("loss")
        names = self._output_names(y_pred)
        if loss is not None and loss.losses is None:
            loss.build(names, y_pred)
        metrics = self._compiled.get("metrics")
        if metrics is not None and metrics.by_output is None and y is not None:
            metrics.build(names, y, y_pred)

    def _prepare(self, loader: Any, training: bool) -> None:
        """Build the model, its losses and metrics from the first batch, and check the data against them."""
        x, y, sample_weight = loader.peek()
        check_first_batch(self, loader, x, y, sample_weight, training)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"Model {self.name!r} must be compiled before {method}(): call model.compile(optimizer, loss)."
            )

    # -- fit -----------------------------------------------------------------------------------------------------------
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train the model.

        Args:
            x: Inputs: array, list or dictionary of arrays, DataFrame, generator, PyDataset or loader.
            y: Targets, unless ``x`` gives them.
            batch_size: Samples a step, 32 by default.
            epochs: Number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch; ``"auto"`` is 1.
            callbacks: List of callbacks.
            validation_split: Share of the samples, taken from the end, to validate on.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a loader to validate on.
            shuffle: Shuffle the samples of arrays before each epoch.
            class_weight: Weight of each class.
            sample_weight: Weight of each sample.
            initial_epoch: Epoch to start at.
            steps_per_epoch: Steps an epoch; all samples by default.
            validation_steps: Steps of a validation.
            validation_batch_size: Samples a validation step.
            validation_freq: Validate each so many epochs, or after the epochs in a list.

        Returns:
            The :class:`History` of losses and metrics an epoch.

        Raises:
            ValueError: for data that doesn't fit the model, before any training.
        """
        self._require_compiled("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation((x, y, sample_weight), validation_split)
        loader = make_loader(
            x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch,
            class_weight=class_weight
        )  # fmt: skip
        epochs, loader = limited_epochs(epochs), limited(loader)
        try:
            self._prepare(loader, training=True)
            run = guarded(steps.train_runner(self))
        except MemoryError as error:
            raise not_made(self, error) from None
        loader = on_device(loader)
        validation = None
        if validation_data is not None:
            vx, vy, vw = unpack_x_y_sample_weight(validation_data)
            validation = make_loader(vx, vy, vw, batch_size=validation_batch_size or batch_size, shuffle=False,
                                     steps=validation_steps)  # fmt: skip
            self._prepare(limited(validation), training=False)
            validation = on_device(validation)
        listeners = make_callbacks(
            callbacks, self, verbose=verbose, epochs=epochs, steps=loader.num_batches, loader=loader
        )
        validate = None if validation is None else guarded(steps.test_runner(self))
        self.stop_training = False
        listeners.on_train_begin()
        logs: dict[str, Any] = {}
        resumed = "_resume_epoch" in self.__dict__
        start = self._initial_epoch(listeners, initial_epoch)
        for epoch in range(start, epochs):
            if self.stop_training and resumed and epoch == start:
                break
            if not loader.ready():
                break
            self.reset_metrics()
            listeners.on_epoch_begin(epoch)
            loader.on_epoch_begin(epoch)
            for i, batch in loader.epoch(epoch):
                if resumed and self.stop_training:
                    break
                listeners.on_train_batch_begin(i)
                step_logs = run(*batch)
                listeners.on_train_batch_end(i, step_logs)
                if self.stop_training:
                    break
            run.finish()
            loader.on_epoch_end(epoch)
            logs = run.logs()
            if validation is not None and _validates(epoch, validation_freq) and validation.ready():
                results = self._evaluate(validation, listeners, validate)
                logs.update({f"val_{name}": value for name, value in results.items()})
            listeners.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if hasattr(self.optimizer, "finalize_variable_values") and (resumed or epochs > start):
            self.optimizer.finalize_variable_values(self.trainable_weights)
        listeners.on_train_end(logs)
        return self.history

    def _initial_epoch(self, listeners: CallbackList, initial_epoch: int) -> int:
        """Where training goes on: a restored backup may be further than ``initial_epoch``."""
        return max(self.__dict__.pop("_resume_epoch", 0), initial_epoch)

    # -- evaluate ------------------------------------------------------------------------------------------------------
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data.

        Args:
            x: Inputs, in any form that :meth:`fit` takes.
            y: Targets.
            batch_size: Samples a step, 32 by default.
            verbose: 0 silent, 1 a progress bar, 2 a line.
            sample_weight: Weight of each sample.
            steps: Steps to run; all samples by default.
            callbacks: List of callbacks.
            return_dict: Return a dictionary by name.

        Returns:
            The loss, or a list of the loss and the metrics, or a dictionary.
        """
        _no_more(kwargs, "evaluate")
        self._require_compiled("evaluate")
        loader = limited(make_loader(x, y, sample_weight, batch_size=batch_size, shuffle=False, steps=steps))
        self._prepare(loader, training=False)
        loader = on_device(loader)
        listeners = make_callbacks(callbacks, self, verbose=verbose, epochs=1, steps=loader.num_batches, history=False)
        logs = self._evaluate(loader, listeners, guarded(steps_module.test_runner(self)))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def _evaluate(self, loader: Any, listeners: CallbackList, run: Any) -> dict[str, float]:
        self.reset_metrics()
        listeners.on_test_begin()
        loader.on_epoch_begin(0)
        for i, batch in loader.epoch(0):
            listeners.on_test_batch_begin(i)
            step_logs = run(*batch)
            listeners.on_test_batch_end(i, step_logs)
        loader.on_epoch_end(0)
        logs = run.logs()
        listeners.on_test_end(logs)
        return logs

    # -- predict -------------------------------------------------------------------------------------------------------
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's outputs for data, as NumPy arrays.

        Args:
            x: Inputs, in any form that :meth:`fit` takes.
            batch_size: Samples a step, 32 by default.
            verbose: 0 silent, 1 a progress bar, 2 a line.
            steps: Steps to run.
            callbacks: List of callbacks.
        """
        if verbose == 0 and steps is None and callbacks is None:
            batch = only_batch(x, batch_size)
            if batch is not None:
                run = self.predict_function = self.predict_function or steps_module.predict_runner(self)
                return map_nest(_own_array, run(batch))
        loader = limited(make_loader(x, batch_size=batch_size, shuffle=False, steps=steps, predicting=True))
        check_device(self)
        loader = on_device(loader)
        listeners = make_callbacks(callbacks, self, verbose=verbose, epochs=1, steps=loader.num_batches, history=False)
        run = guarded(steps_module.predict_runner(self))
        listeners.on_predict_begin()
        parts: list[list[np.ndarray]] = []
        outputs: Any = None
        loader.on_epoch_begin(0)
        for i, batch in loader.epoch(0):
            listeners.on_predict_batch_begin(i)
            outputs = run(batch[0])
            parts.append([y.numpy() if isinstance(y, Tensor) else np.asarray(y) for y in flatten(outputs)])
            listeners.on_predict_batch_end(i, {"outputs": outputs} if listeners.wants_batches else None)
        loader.on_epoch_end(0)
        listeners.on_predict_end()
        if not parts:
            raise ValueError("predict: the data has no batches.")
        # One batch may still share memory with the model's buffers or inputs, hence the copy.
        joined = [np.concatenate(p) if len(p) > 1 else np.array(p[0]) for p in zip(*parts)]
        return pack(outputs, joined)

    # -- single batches ------------------------------------------------------------------------------------------------
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on one batch; gives the loss and metrics on it, before the update."""
        self._require_compiled("train_on_batch")
        batch = self._one_batch(x, y, sample_weight, class_weight, training=True)
        run = self.train_function = self.train_function or guarded(steps.train_runner(self))
        self.reset_metrics()
        run(*batch)
        return _results(run.logs(), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics on one batch."""
        self._require_compiled("test_on_batch")
        batch = self._one_batch(x, y, sample_weight, None, training=False)
        run = self.test_function = self.test_function or guarded(steps.test_runner(self))
        self.reset_metrics()
        run(*batch)
        return _results(run.logs(), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The model's outputs for one batch, as NumPy arrays."""
        x = map_nest(_batch_value, x if isinstance(x, (dict, tuple)) or not isinstance(x, list) else _list_input(x))
        return map_nest(lambda y: np.array(y.numpy()), self(x, training=False))

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any, training: bool) -> Any:
        n = _batch_size(x)
        loader = make_loader(x, y, sample_weight, batch_size=max(n, 1), shuffle=False, class_weight=class_weight)
        self._prepare(loader, training)
        return loader.peek()


steps_module = steps


def _own_array(y: Any) -> np.ndarray:
    """An output as an array that shares no memory with the model's buffers or inputs."""
    return np.array(y.data if type(y) is Tensor else y)


def _given(loss: Any) -> bool:
    return any(item is not None for item in flatten(loss))


def _batch_size(x: Any) -> int:
    first = flatten(x)[0]
    return first.shape[0] if getattr(first, "shape", None) else len(first) if hasattr(first, "__len__") else 1


def _batch_value(x: Any) -> Any:
    """A tensor; strings stay arrays."""
    return x if getattr(getattr(x, "dtype", None), "kind", "f") in "OUST" else to_tensor(x)


def _list_input(x: list) -> Any:
    return x if x and hasattr(x[0], "shape") and len(x[0].shape) else np.asarray(x)


def _validates(epoch: int, freq: Any) -> bool:
    return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq


def _no_more(kwargs: dict[str, Any], method: str) -> None:
    if kwargs:
        raise TypeError(f"{method}() got an unexpected keyword argument {next(iter(kwargs))!r}.")


def _results(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


