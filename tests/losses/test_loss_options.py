"""Losses against real Keras (golden/loss_options_cases.py), their gradients, configurations, names and errors."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from deepkit import KerasTensor, losses, ops
from tests.golden import loss_options_cases as c
from tests.helpers import check_gradient, check_second_order

GOLDEN = Path(__file__).parents[1] / "golden" / "loss_options.npz"
NUMBERED = [pytest.param(i, *case, id=f"{i}-{case[0]}") for i, case in enumerate(c.CASES)]
CLASSES = [pytest.param(*row, id=row[0]) for row in c.PLAIN]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def described(golden):
    return json.loads(str(golden["json"]))


@pytest.mark.parametrize("number,name,config,y_true,y_pred,options", NUMBERED)
def test_value(device, golden, number, name, config, y_true, y_pred, options):
    options, y_pred = dict(options), ops.convert_to_tensor(y_pred)
    if "mask" in options:
        y_pred._keras_mask = ops.convert_to_tensor(options.pop("mask"))
    out = getattr(losses, name)(**config)(y_true, y_pred, **options)
    assert out.shape == golden[str(number)].shape
    np.testing.assert_allclose(out.numpy(), golden[str(number)], rtol=2e-5, atol=2e-6)


def without_kinks(name, config, y_true, y_pred, options):
    """Cases whose predictions lie away from where clipping and maxima bend a loss."""
    return not (name.endswith(("entropy", "KLDivergence")) and set(np.unique(y_pred)) <= {0, 1})


@pytest.mark.parametrize(
    "name,config,y_true,y_pred,options",
    [pytest.param(*k, id=f"{i}-{k[0]}") for i, k in enumerate(c.CASES)
     if without_kinks(*k) and (k[1] or not k[4]) and "dtype" not in k[1]],
)  # fmt: skip
def test_gradient(device, name, config, y_true, y_pred, options):
    options = dict(options)
    mask = options.pop("mask", None)
    loss = getattr(losses, name)(dtype="float64", **config)

    def fn(p):
        p = ops.convert_to_tensor(p)
        if mask is not None:
            p._keras_mask = ops.convert_to_tensor(mask)
        return loss(y_true, p, **options)

    if name == "Circle":  # its weights are constants in the gradient, so that differences don't show it
        return
    check_gradient(fn, y_pred, tol=1e-4)


@pytest.mark.parametrize(
    "name,y_true,y_pred",
    [k for k in CLASSES if k.id in ("MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy",
                                    "SparseCategoricalCrossentropy", "LogCosh", "KLDivergence")],
)  # fmt: skip
def test_second_order(device, name, y_true, y_pred):
    check_second_order(lambda p: getattr(losses, name)(dtype="float64")(y_true, p), y_pred)


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy"])
def test_gradient_reaches_the_targets(device, name):
    for config in ({}, {"from_logits": True}) if name.endswith("entropy") else ({},):
        loss = getattr(losses, name)(dtype="float64", reduction=None, **config)
        check_gradient(loss, c.SOFT, c.LOGITS if config else c.PROBABILITIES)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_fused_cross_entropy_equals_its_reference(device, sparse, from_logits):
    from deepkit.ops.loss import cross_entropy

    target, output = (c.LABELS if sparse else c.SOFT), (c.LOGITS if from_logits else c.UNNORMALISED)
    options = {"from_logits": from_logits, "sparse": sparse}
    fused, plain = cross_entropy(target, output, **options), cross_entropy.reference(target, output, **options)
    np.testing.assert_allclose(fused.numpy(), plain.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name,y_true,y_pred", CLASSES)
def test_symbolic_shape(device, name, y_true, y_pred):
    if name in ("Circle", "CTC"):
        pytest.skip("needs the batch size")
    for reduction in ("sum_over_batch_size", None):
        loss = getattr(losses, name)(reduction=reduction)
        real = loss(y_true, y_pred)
        specs = [KerasTensor((None, *a.shape[1:]), a.dtype.name) for a in (y_true, y_pred)]
        out = loss(*specs)
        assert len(out.shape) == real.ndim and str(out.dtype) == str(real.dtype)


@pytest.mark.parametrize("name,y_true,y_pred", CLASSES)
def test_strides_and_small_batches(device, name, y_true, y_pred):
    loss = getattr(losses, name)(**({} if name in ("Dice", "Tversky") else {"reduction": None}))
    wide = np.repeat(y_pred, 2, axis=-1)[..., ::2]
    assert not wide.flags.c_contiguous
    np.testing.assert_allclose(loss(y_true, wide).numpy(), loss(y_true, y_pred).numpy(), rtol=1e-6)
    for n in (1, 0):
        if n == 0 and name in ("Circle", "CTC"):
            continue
        assert np.isfinite(loss(y_true[:n], y_pred[:n]).numpy()).all()


@pytest.mark.parametrize("name,y_true,y_pred", CLASSES)
def test_configuration(described, name, y_true, y_pred):
    cls, expected = getattr(losses, name), described["classes"][name]
    assert [p for p in inspect.signature(cls.__init__).parameters if p != "self"] == expected["parameters"]
    config = cls().get_config()
    assert expected["config"].items() <= config.items()
    assert set(config) <= {*expected["config"], *expected["parameters"]}
    again = losses.deserialize(losses.serialize(cls(name="mine", reduction="sum")))
    assert type(again) is cls and again.get_config() == cls(name="mine", reduction="sum").get_config()


def test_configuration_keeps_its_arguments():
    loss = losses.Huber(delta=0.3, dtype="float64")
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config()["delta"] == 0.3 and again.dtype == "float64"


@pytest.mark.parametrize("name", c.NAMES)
def test_names(described, name):
    found = losses.get(name)
    assert getattr(found, "__name__", type(found).__name__) == described["names"][name]


def test_own_functions_and_classes():
    def cubic(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)

    assert losses.get(cubic) is cubic
    assert losses.get(None) is None
    assert float(losses.checked(cubic)(np.zeros((2, 1)), np.full((2, 1), 2.0))) == 8.0
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()([1.0], [1.0])


def test_errors():
    with pytest.raises(ValueError, match="mean_squared_error"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ValueError, match=r"\(5,\).*\(5, 4\)(?s:.*)sparse_categorical_crossentropy"):
        losses.CategoricalCrossentropy()(c.LABELS, c.PROBABILITIES)
    with pytest.raises(ValueError, match=r"\(5, 4\).*\(5, 4\)(?s:.*)categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(c.ONE_HOT, c.PROBABILITIES)
    with pytest.raises(ValueError, match="`q`"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.5)


@pytest.mark.parametrize(
    "name,targets,shape,message",
    [
        ("SparseCategoricalCrossentropy", [0, 4], (2, 4), "label 4 is out of range for the 4 outputs"),
        ("SparseCategoricalCrossentropy", [0, -1], (2, 4), "label -1"),
        ("SparseCategoricalCrossentropy", [0.0, 1.5], (2, 4), "whole numbers"),
        ("SparseCategoricalCrossentropy", np.eye(4), (4, 4), "categorical_crossentropy"),
        ("CategoricalCrossentropy", [0, 1], (2, 4), "to_categorical"),
        ("BinaryCrossentropy", [[2.0]], (1, 1), "between 0 and 1"),
        ("MeanSquaredError", np.zeros((3, 2)), (3, 4), "2 units"),
    ],
)
def test_check_targets(name, targets, shape, message):
    with pytest.raises(ValueError, match=message):
        getattr(losses, name)().check_targets(np.asarray(targets), shape)


@pytest.mark.parametrize("name,y_true,y_pred", CLASSES)
def test_check_targets_lets_good_ones_pass(name, y_true, y_pred):
    getattr(losses, name)().check_targets(y_true, y_pred.shape)


def test_ignored_labels_may_be_out_of_range():
    losses.SparseCategoricalCrossentropy(ignore_class=255).check_targets(np.array([0, 255]), (2, 4))
