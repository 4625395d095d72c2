"""The loss classes: functions with their arguments, a reduction and a check of the targets."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from ..ops.loss import mean_of_cross_entropy, mean_of_squared_error
from ..registry import export
from . import functions as f
from .loss import LossFunctionWrapper


class _Checked(LossFunctionWrapper):
    """A loss that compares each output with a target of its own."""

    def check_targets(self, y_true: Any, pred_shape: tuple[Any, ...]) -> None:
        shape = tuple(np.shape(y_true))
        if (
            len(shape) == len(pred_shape)
            and shape
            and shape[-1] != pred_shape[-1]
            and 1 not in (shape[-1], pred_shape[-1])
        ):
            raise ValueError(
                f"targets of shape {shape} don't fit predictions of shape {pred_shape}: the last sizes differ. "
                f"Give the last "
                f"layer {shape[-1]} units, or the targets {pred_shape[-1]} columns."
            )


def _make(name: str, fn: Any, doc_name: str, base: type = _Checked, negative: bool = False) -> type:
    """A loss class whose arguments are those of its function."""
    parameters = list(inspect.signature(fn).parameters.values())[2:]
    call = (lambda y_true, y_pred, **kwargs: -fn(y_true, y_pred, **kwargs)) if negative else fn

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = dict(list(bound.arguments.items())[1:])
        reduction, label, dtype = values.pop("reduction"), values.pop("name"), values.pop("dtype")
        LossFunctionWrapper.__init__(self, call, reduction=reduction, name=label, dtype=dtype, **values)
        for key, value in values.items():
            setattr(self, key, value)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter("self", kind), *[p.replace(annotation=inspect.Parameter.empty) for p in parameters]]
    common = [
        inspect.Parameter("reduction", kind, default="sum_over_batch_size"),
        inspect.Parameter("name", kind, default=doc_name),
        inspect.Parameter("dtype", kind, default=None),
    ]
    if _ORDER.get(name) == "axis last":  # Keras puts some arguments behind the reduction and the name
        late = [p for p in own if p.name == "axis"]
        own = [p for p in own if p.name != "axis"]
        order = [
            *own,
            *(common[:1] + late + common[1:2] if name.startswith("Sparse") else common[:2] + late),
            common[2],
        ]
    else:
        order = own + common
    signature = inspect.Signature(order)
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    summary = inspect.cleandoc(fn.__doc__ or "").splitlines()[0]
    if negative:
        summary = "Minus the " + summary[0].lower() + summary[1:]
    made = type(name, (base,), {
        "__init__": __init__, "__module__": __name__,
        "__doc__": f"{summary}\n\n    Its arguments are those of :func:`{fn.__name__}`, and ``reduction``, "
                   f"``name`` and ``dtype``.\n    ",
    })  # fmt: skip
    return export(f"keras.losses.{name}")(made)


_ORDER = {"SparseCategoricalCrossentropy": "axis last", "Dice": "axis last", "Tversky": "axis last"}


class _Squared(_Checked):
    """The mean squared error."""

    def _batch_mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        t, p = y_true.data, y_pred.data
        if t.dtype is p.dtype and t.shape == p.shape and self._plain(y_pred):
            return mean_of_squared_error(y_true, y_pred)
        return None


class _Sparse(LossFunctionWrapper):
    """Integer labels."""

    def _target(self, y_true: Any, dtype: str) -> Any:
        return y_true if isinstance(y_true, Spec) else to_tensor(y_true)

    def check_targets(self, y_true: Any, pred_shape: tuple[Any, ...]) -> None:
        labels = np.asarray(y_true)
        axis = self._fn_kwargs.get("axis", -1)
        classes = pred_shape[axis]
        if labels.ndim == len(pred_shape) and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.ndim != len(pred_shape) - 1:
            raise ValueError(
                f"{self.name} takes one integer label a sample, but the targets have shape "
                f"{np.shape(y_true)} for predictions of shape {pred_shape}. For one-hot targets use "
                "loss='categorical_crossentropy'."
            )
        if not labels.size or classes is None:
            return
        ignored = self._fn_kwargs.get("ignore_class")
        if ignored is not None:
            labels = labels[labels != ignored]
        low, high = labels.min(initial=0), labels.max(initial=0)
        if low < 0 or high >= classes:
            wrong = low if low < 0 else high
            raise ValueError(
                f"label {wrong} is out of range for the {classes} outputs: labels should lie in "
                f"0..{classes - 1}. Give the "
                f"last layer {int(high) + 1} units, or relabel."
            )
        if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
            raise ValueError(
                f"{self.name} takes whole numbers as labels; the targets hold fractions."
            )


class _SparseCrossentropy(_Sparse):
    """Integer labels, one a sample."""

    def _batch_mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        t, p, how = y_true.data, y_pred.data, self._fn_kwargs
        if t.dtype.char not in "ilq" or t.shape != p.shape[:-1] or how["axis"] != -1 or how["ignore_class"] is not None:
            return None
        if not self._plain(y_pred):
            return None
        return mean_of_cross_entropy(y_true, y_pred, from_logits=how["from_logits"], sparse=True)


class _Dense(_Checked):
    """One-hot labels or distributions."""

    def check_targets(self, y_true: Any, pred_shape: tuple[Any, ...]) -> None:
        shape = tuple(np.shape(y_true))
        if len(shape) != len(pred_shape) or (shape and shape[-1] != pred_shape[-1]):
            raise ValueError(
                f"{self.name} takes one-hot targets of shape {('batch', *pred_shape[1:])}, but they have shape "
                f"{shape}. Turn "
                "integer labels into one-hot vectors with deepkit.utils.to_categorical, or use "
                "loss='sparse_categorical_crossentropy'."
            )


class _Binary(_Checked):
    """Labels 0 and 1."""

    def check_targets(self, y_true: Any, pred_shape: tuple[Any, ...]) -> None:
        super().check_targets(y_true, pred_shape)
        labels = np.asarray(y_true)
        if labels.size and labels.dtype.kind in "iuf" and (labels.min() < 0 or labels.max() > 1):
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise ValueError(f"{self.name} takes targets between 0 and 1; found {wrong}.")


MeanSquaredError = _make("MeanSquaredError", f.mean_squared_error, "mean_squared_error", _Squared)
MeanAbsoluteError = _make("MeanAbsoluteError", f.mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _make("MeanAbsolutePercentageError", f.mean_absolute_percentage_error,
                                    "mean_absolute_percentage_error")  # fmt: skip
MeanSquaredLogarithmicError = _make("MeanSquaredLogarithmicError", f.mean_squared_logarithmic_error,
                                    "mean_squared_logarithmic_error")  # fmt: skip
CosineSimilarity = _make("CosineSimilarity", f.cosine_similarity, "cosine_similarity", negative=True)
Huber = _make("Huber", f.huber, "huber_loss")
LogCosh = _make("LogCosh", f.log_cosh, "log_cosh")
Hinge = _make("Hinge", f.hinge, "hinge")
SquaredHinge = _make("SquaredHinge", f.squared_hinge, "squared_hinge")
CategoricalHinge = _make("CategoricalHinge", f.categorical_hinge, "categorical_hinge", _Dense)
KLDivergence = _make("KLDivergence", f.kl_divergence, "kl_divergence")
Poisson = _make("Poisson", f.poisson, "poisson")
BinaryCrossentropy = _make("BinaryCrossentropy", f.binary_crossentropy, "binary_crossentropy", _Binary)
BinaryFocalCrossentropy = _make(
    "BinaryFocalCrossentropy", f.binary_focal_crossentropy, "binary_focal_crossentropy", _Binary
)
CategoricalCrossentropy = _make(
    "CategoricalCrossentropy", f.categorical_crossentropy, "categorical_crossentropy", _Dense
)
CategoricalFocalCrossentropy = _make("CategoricalFocalCrossentropy", f.categorical_focal_crossentropy,
                                     "categorical_focal_crossentropy", _Dense)  # fmt: skip
SparseCategoricalCrossentropy = _make("SparseCategoricalCrossentropy", f.sparse_categorical_crossentropy,
                                      "sparse_categorical_crossentropy", _SparseCrossentropy)  # fmt: skip
Dice = _make("Dice", f.dice, "dice")
Tversky = _make("Tversky", f.tversky, "tversky")


@export("keras.losses.CTC")
class CTC(LossFunctionWrapper):
    """Connectionist temporal classification; see :func:`ctc`."""

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "ctc", dtype: Any = None):
        super().__init__(f.ctc, reduction=reduction, name=name, dtype=dtype)


@export("keras.losses.Circle")
class Circle(LossFunctionWrapper):
    """Circle loss of embeddings with integer labels; see :func:`circle`.

    Args:
        gamma: Scale.
        margin: Relaxation of the targets.
        remove_diagonal: Leave a sample's pair with itself out.
        reduction: See :class:`Loss`.
        name: Name.
        dtype: See :class:`Loss`.
    """

    def __init__(self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
                 reduction: Any = "sum_over_batch_size", name: str = "circle", dtype: Any = None):  # fmt: skip
        super().__init__(f.circle, reduction=reduction, name=name, dtype=dtype, gamma=gamma, margin=margin,
                         remove_diagonal=remove_diagonal)  # fmt: skip

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)


@export("keras.losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(_Sparse):
    """(1 - p^q) / q with p the probability of the true class (Zhang & Sabuncu 2018).

    Args:
        q: Between 0 (cross entropy) and 1 (mean absolute error).
        reduction: See :class:`Loss`.
        name: Name.
        dtype: See :class:`Loss`.

    Raises:
        ValueError: if ``q`` isn't in (0, 1).
    """

    def __init__(self, q: float = 0.5, reduction: Any = "sum_over_batch_size",
                 name: str = "categorical_generalized_cross_entropy", dtype: Any = None):  # fmt: skip
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy: `q` should be in (0, 1). Received: q={q}")
        super().__init__(f.categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q)
        self.q = q
