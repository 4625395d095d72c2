"""How far a student is from its teacher."""

from __future__ import annotations

from typing import Any

from .. import losses, ops
from ..registry import deserialize_keras_object, export
from ..utils.nest import flatten, map_nest


@export("keras.distillation.DistillationLoss")
class DistillationLoss:
    """Base of the losses between the outputs of a teacher and of a student; a subclass defines ``compute_loss``."""

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar tensor.

        Args:
            teacher_outputs: Tensor or nest of tensors.
            student_outputs: The same of the student.
        """
        raise NotImplementedError(f"{type(self).__name__} must define compute_loss(teacher_outputs, student_outputs).")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Check the outputs before the loss.

        Raises:
            ValueError: if their nests differ.
        """
        _check_same_nest("teacher", teacher_outputs, "student", student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Check the models before the training.

        Raises:
            ValueError: if this loss can't be computed for them.
        """


class _NestOfLosses(DistillationLoss):
    """What both losses share: a loss for each output, or ``None`` for an output to leave out."""

    def _set_losses(self, loss: Any) -> None:
        self.loss = map_nest(lambda item: losses.get(item) if isinstance(item, str) else item, loss)
        if all(item is None for item in flatten(self.loss)):
            raise ValueError(f"{type(self).__name__}: at least one `loss` should not be None. Received: loss={loss!r}")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        super().validate_outputs(teacher_outputs, student_outputs)
        _check_same_nest("loss", self.loss, "teacher", teacher_outputs)

    def _total(self, terms: list[Any]) -> Any:
        return ops.sum(ops.stack(terms))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The loss that a configuration describes."""
        return cls(**{**config, "loss": _from_data(config["loss"])})


@export("keras.distillation.LogitsDistillation")
class LogitsDistillation(_NestOfLosses):
    """The loss between the outputs of both models, softened by a temperature T.

    With logits t and s, KL divergence gives T² · KL(softmax(t / T) ‖ softmax(s / T)); any other loss is computed
    from t / T and s / T as they are. G. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.

    Args:
        temperature: T; higher ones show more of how the teacher ranks the wrong answers.
        loss: Name, loss, or a nest of them like the outputs, with ``None`` for those to leave out.

    Raises:
        ValueError: for a temperature that isn't a positive number, or no loss.

    Example:
        >>> logits = ops.convert_to_tensor([[2.0, 0.0, -1.0]])
        >>> float(LogitsDistillation(temperature=2.0).compute_loss(logits, logits))
        0.0
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence"):
        if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or temperature <= 0:
            raise ValueError(f"LogitsDistillation: `temperature` should be positive. Received: {temperature!r}")
        self.temperature = temperature
        self._set_losses(loss)

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        def term(loss: Any, teacher: Any, student: Any) -> Any:
            if loss is None:
                return 0.0
            teacher, student = teacher / self.temperature, student / self.temperature
            if isinstance(loss, losses.KLDivergence) or loss is losses.kl_divergence:
                teacher, student = ops.softmax(teacher, axis=-1), ops.softmax(student, axis=-1)
                return ops.mean(loss(teacher, student)) * self.temperature**2
            return ops.mean(loss(teacher, student))

        return self._total(flatten(map_nest(term, self.loss, teacher_outputs, student_outputs)))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the loss again."""
        return {"temperature": self.temperature, "loss": map_nest(losses.serialize, self.loss)}


@export("keras.distillation.FeatureDistillation")
class FeatureDistillation(_NestOfLosses):
    """The loss between the outputs of a layer of the teacher and a layer of the student.

    A. Romero et al., "FitNets: Hints for Thin Deep Nets", 2015.

    Args:
        loss: Name, loss, or a nest of them like the layer's outputs, with ``None`` for those to leave out.
        teacher_layer_name: Layer of the teacher; its last outputs by default.
        student_layer_name: Layer of the student; its last outputs by default.

    Raises:
        ValueError: for no loss.

    Example:
        >>> loss = FeatureDistillation("mse")
        >>> float(loss.compute_loss(ops.ones((2, 3)), ops.zeros((2, 3))))
        1.0
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ):
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name
        self._set_losses(loss)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        for role, model, name in (
            ("teacher", teacher, self.teacher_layer_name), ("student", student, self.student_layer_name),
        ):  # fmt: skip
            if name is None:
                continue
            if not getattr(model, "inputs", None):
                raise ValueError(
                    f"FeatureDistillation: layer names need functional or sequential models, and the {role} "
                    f"{model.name!r} is neither. Leave the names out to compare the last outputs."
                )
            try:
                model.get_layer(name=name)
            except ValueError as error:
                raise ValueError(f"FeatureDistillation: in the {role}: {error}") from error

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        def term(loss: Any, teacher: Any, student: Any) -> Any:
            return 0.0 if loss is None else ops.mean(loss(teacher, student))

        return self._total(flatten(map_nest(term, self.loss, teacher_outputs, student_outputs)))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the loss again."""
        return {
            "loss": map_nest(losses.serialize, self.loss),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }


def _from_data(loss: Any) -> Any:
    """The losses in a configuration: names and configurations, or a nest of them."""
    if isinstance(loss, (list, tuple)):
        return [_from_data(item) for item in loss]
    if isinstance(loss, dict):
        if loss.get("class_name") == "function" and loss.get("config") in losses.ALL:
            return losses.get(loss["config"])
        if "class_name" in loss:
            return deserialize_keras_object(loss)
        return {key: _from_data(item) for key, item in loss.items()}
    return loss


def _check_same_nest(first: str, a: Any, second: str, b: Any) -> None:
    from ..tree import assert_same_structure

    try:
        assert_same_structure(a, b)
    except ValueError as error:
        raise ValueError(f"Distillation: the nests of {first} and {second} differ. {error}") from error


__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]
