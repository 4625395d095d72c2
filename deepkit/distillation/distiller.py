"""``Distiller``: a model that trains a student on its targets and on its teacher."""

from __future__ import annotations

from typing import Any

from .. import losses, ops
from ..metrics import Mean
from ..models import Model
from ..registry import deserialize_keras_object, export, serialize_keras_object
from ..utils.nest import flatten, map_nest


@export("keras.distillation.Distiller")
class Distiller(Model):
    """Trains a student: w · (loss on the targets) + (1 - w) · Σ (weight · distillation loss).

    The teacher is frozen. Calling, evaluating and predicting are those of the student; what is trained is in
    ``distiller.student``.

    Args:
        teacher: A trained model.
        student: The model to train.
        distillation_losses: A :class:`DistillationLoss`, or a list of them.
        distillation_loss_weights: Their weights, 1 by default.
        student_loss_weight: w, between 0 and 1.
        name: Name.

    Raises:
        ValueError: for models that don't fit each other or the losses, or bad weights.

    Example:
        >>> import deepkit
        >>> from deepkit.distillation import Distiller, LogitsDistillation
        >>> make = lambda n: deepkit.Sequential([
        ...     deepkit.Input((4,)), deepkit.layers.Dense(n, "relu"), deepkit.layers.Dense(3)])
        >>> distiller = Distiller(make(32), make(4), LogitsDistillation(temperature=2.0))
        >>> distiller.compile("adam", loss=deepkit.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = distiller.fit(deepkit.ops.ones((8, 4)), deepkit.ops.zeros((8,), "int32"), verbose=0)
        >>> sorted(history.history)
        ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if not isinstance(student_loss_weight, (int, float)) or not 0 <= student_loss_weight <= 1:
            raise ValueError(f"Distiller: `student_loss_weight` should be between 0 and 1. Received: "
                             f"{student_loss_weight!r}")  # fmt: skip
        if distillation_losses is None:
            raise ValueError("Distiller: `distillation_losses` is None. Pass LogitsDistillation() or another loss.")
        several = isinstance(distillation_losses, (list, tuple))
        self.distillation_losses = list(distillation_losses) if several else [distillation_losses]
        weights = distillation_loss_weights if several and distillation_loss_weights is not None else None
        self.distillation_loss_weights = [1.0] * len(self.distillation_losses) if weights is None else list(weights)
        if len(self.distillation_loss_weights) != len(self.distillation_losses):
            raise ValueError(f"Distiller: {len(self.distillation_loss_weights)} `distillation_loss_weights` for "
                             f"{len(self.distillation_losses)} `distillation_losses`.")  # fmt: skip
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.student_loss_weight = student_loss_weight
        self._teacher_features = _extractor(teacher, self.distillation_losses, "teacher_layer_name")
        self._student_features = _extractor(student, self.distillation_losses, "student_layer_name")
        teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")
        self._student_loss: Any = None

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Choose how the student is trained.

        Args:
            optimizer: Name, configuration or optimizer.
            loss: The student's loss on the targets; a nest of losses for several outputs.
            metrics: List of metrics of the student's outputs.
            **kwargs: Further arguments of :meth:`deepkit.Model.compile`.

        Raises:
            ValueError: without a loss, or for metrics that are no list.
        """
        if loss is None:
            raise ValueError("Distiller: compile() needs the student's `loss`.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError(f"Distiller: `metrics` should be a list. Received: {metrics!r}")
        self._student_loss = map_nest(lambda item: losses.get(item) if isinstance(item, str) else item, loss)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)
        self._compiled["config"]["loss"] = loss

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.student(inputs, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the student's loss and the distillation losses.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: The student's outputs; computed if they aren't given.
            sample_weight: Not used.
            training: Whether it is for a training step.
        """
        if y_pred is None:
            y_pred = self(x, training=training)
        student_loss: Any = 0.0
        if self.student_loss_weight > 0 and y is not None:
            terms = flatten(map_nest(lambda loss, t, p: ops.mean(loss(t, p)), self._student_loss, y, y_pred))
            student_loss = sum(terms[1:], terms[0])
        distillation_loss: Any = 0.0
        if self.student_loss_weight < 1:
            distillation_loss = self._distillation_loss(x, y_pred)
        w = self.student_loss_weight
        total = w * student_loss + (1.0 - w) * distillation_loss
        self.student_loss_tracker.update_state(student_loss)
        self.distillation_loss_tracker.update_state(distillation_loss)
        self.total_loss_tracker.update_state(total)
        return ops.convert_to_tensor(total)

    def _distillation_loss(self, x: Any, y_pred: Any) -> Any:
        taught = _features(self.teacher, self._teacher_features, x, training=False)
        learned = {"": y_pred}
        if self._student_features is not None:
            learned = {**_features(self.student, self._student_features, x, training=True), **learned}
        total: Any = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights):
            teacher = taught[getattr(loss, "teacher_layer_name", None) or ""]
            student = learned[getattr(loss, "student_layer_name", None) or ""]
            loss.validate_outputs(teacher, student)
            value = loss.compute_loss(teacher, student)
            if getattr(value, "shape", ()):
                raise ValueError(f"{type(loss).__name__}.compute_loss should give a scalar; its result has shape "
                                 f"{tuple(value.shape)}.")  # fmt: skip
            total = total + weight * value
        return total

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the distiller again, both models among them."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": self.distillation_loss_weights,
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The distiller that a configuration describes."""
        parts = ("teacher", "student", "distillation_losses", "dtype")
        made = {key: deserialize_keras_object(config[key], custom_objects) for key in parts if key in config}
        return cls(**{**config, **made})


def _check_models(teacher: Any, student: Any) -> None:
    for role, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"Distiller: the {role} should be a Model. Received: {model!r}")
    for what in ("inputs", "outputs"):
        taught, learned = getattr(teacher, what, None), getattr(student, what, None)
        if taught is None or learned is None:
            continue  # subclassed models have none
        if len(taught) != len(learned):
            raise ValueError(f"Distiller: the teacher has {len(taught)} {what}, the student {len(learned)}.")
        for a, b in zip(taught, learned):
            fits = len(a.shape) == len(b.shape) and all(m == n or None in (m, n) for m, n in zip(a.shape, b.shape))
            if not fits or a.dtype != b.dtype:
                raise ValueError(
                    f"Distiller: the {what} of teacher and student differ: {a.shape} of {a.dtype} and {b.shape} of "
                    f"{b.dtype}."
                )


def _extractor(model: Any, distillation_losses: list[Any], attribute: str) -> Any:
    """The model with the outputs of the layers that the losses name, or ``None`` if they name none."""
    names = {getattr(loss, attribute, None) for loss in distillation_losses} - {None}
    if not names:
        return None
    outputs = {"": model.output, **{name: model.get_layer(name=name).output for name in names}}
    return Model(model.inputs, outputs, name=f"{model.name}_features")


def _features(model: Any, extractor: Any, x: Any, training: bool) -> dict[str, Any]:
    return extractor(x, training=training) if extractor is not None else {"": model(x, training=training)}


__all__ = ["Distiller"]
