"""Distillation: the losses by hand, and a student that learns from its teacher."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

RNG = np.random.default_rng(0)
A, B = (RNG.normal(size=(5, 3)).astype("float32") for _ in range(2))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def make(width, name=None, out=3):
    return deepkit.Sequential(
        [deepkit.Input((4,)), layers.Dense(width, "tanh", name="hidden"), layers.Dense(out, name="logits")], name=name
    )


def test_logits():
    p, q = softmax(A / 2), softmax(B / 2)
    expected = 4 * (p * np.log(p / q)).sum(-1).mean()
    np.testing.assert_allclose(LogitsDistillation(2.0).compute_loss(A, B), expected, rtol=1e-5)
    mse = LogitsDistillation(2.0, "mse").compute_loss(A, B)
    np.testing.assert_allclose(mse, ((A - B) ** 2).mean() / 4, rtol=1e-5)


def test_nests():
    loss = LogitsDistillation(1.0, {"a": "mse", "b": None})
    loss.validate_outputs({"a": A, "b": A}, {"a": B, "b": B})
    np.testing.assert_allclose(loss.compute_loss({"a": A, "b": A}, {"a": B, "b": B}), ((A - B) ** 2).mean(), rtol=1e-5)
    with pytest.raises(ValueError, match="nests of loss and teacher differ"):
        loss.validate_outputs([A], [B])
    with pytest.raises(ValueError, match="nests of teacher and student differ"):
        FeatureDistillation().validate_outputs([A], B)
    both = FeatureDistillation(["mse", "mae"]).compute_loss([A, A], [B, B])
    np.testing.assert_allclose(both, ((A - B) ** 2).mean() + np.abs(A - B).mean(), rtol=1e-5)


@pytest.mark.parametrize("make_loss, message", [
    (lambda: LogitsDistillation(0), "temperature"), (lambda: LogitsDistillation("hot"), "temperature"),
    (lambda: LogitsDistillation(loss=None), "None"), (lambda: FeatureDistillation([None, None]), "None"),
])  # fmt: skip
def test_bad_losses(make_loss, message):
    with pytest.raises(ValueError, match=message):
        make_loss()


@pytest.mark.parametrize("loss", [
    LogitsDistillation(2.5), LogitsDistillation(loss=["mse", None]),
    FeatureDistillation("mae", teacher_layer_name="hidden", student_layer_name="logits"),
])  # fmt: skip
def test_configurations(loss):
    data = deepkit.saving.serialize_keras_object(loss)
    again = deepkit.saving.deserialize_keras_object(data)
    assert type(again) is type(loss) and deepkit.saving.serialize_keras_object(again) == data


def test_the_student_learns():
    deepkit.utils.set_random_seed(0)
    teacher, student = make(16), make(8)
    before = [w.numpy() for w in teacher.weights]
    distiller = Distiller(teacher, student, LogitsDistillation(2.0), student_loss_weight=0.1)
    distiller.compile(
        deepkit.optimizers.Adam(0.01), deepkit.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]
    )
    x = RNG.normal(size=(128, 4)).astype("float32")
    y = np.asarray(teacher(x)).argmax(-1)
    history = distiller.fit(x, y, epochs=15, verbose=0).history
    assert set(history) == {"loss", "accuracy", "student_loss", "distillation_loss", "total_loss"}
    assert history["distillation_loss"][-1] < 0.5 * history["distillation_loss"][0]
    mixed = 0.1 * history["student_loss"][-1] + 0.9 * history["distillation_loss"][-1]
    np.testing.assert_allclose([history["total_loss"][-1], history["loss"][-1]], mixed, rtol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights()))
    np.testing.assert_array_equal(distiller.predict(x, verbose=0), student.predict(x, verbose=0))
    assert len(distiller.trainable_variables) == 4
    assert set(distiller.evaluate(x, y, verbose=0, return_dict=True)) == set(history)


def test_features():
    teacher, student = make(6), make(6)
    losses = [LogitsDistillation(), FeatureDistillation("mse", "hidden", "hidden")]
    distiller = Distiller(teacher, student, losses, [0.5, 2.0], student_loss_weight=0.0)
    distiller.compile(loss="mse")
    x = RNG.normal(size=(5, 4)).astype("float32")
    hidden = [np.asarray(m.get_layer("hidden")(x)) for m in (teacher, student)]
    expected = 0.5 * losses[0].compute_loss(teacher(x), student(x)) + 2.0 * ((hidden[0] - hidden[1]) ** 2).mean()
    np.testing.assert_allclose(distiller.compute_loss(x, A, student(x)), expected, rtol=1e-5)
    first = distiller.fit(x, A, epochs=30, verbose=0).history["loss"]
    assert first[-1] < first[0]


def test_only_the_targets():
    teacher, student = make(6), make(6)
    distiller = Distiller(teacher, student, LogitsDistillation(), student_loss_weight=1.0)
    distiller.compile(loss="mse")
    x = RNG.normal(size=(5, 4)).astype("float32")
    expected = ((np.asarray(student(x)) - A) ** 2).mean()
    np.testing.assert_allclose(distiller.compute_loss(x, A), expected, rtol=1e-5)


class Wrong(DistillationLoss):
    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return teacher_outputs - student_outputs


class Subclassed(deepkit.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize("arguments, message", [
    ((make(3), make(3), None), "distillation_losses"), ((make(3), 5, LogitsDistillation()), "student should be"),
    ((make(3), make(3, out=2), LogitsDistillation()), "outputs of teacher and student differ"),
    ((make(3), make(3), [LogitsDistillation()], [1.0, 2.0]), "2 `distillation_loss_weights`"),
    ((make(3), make(3), LogitsDistillation(), None, 1.5), "between 0 and 1"),
    ((make(3), make(3), FeatureDistillation("mse", "no", "hidden")), "in the teacher"),
    ((Subclassed(), make(3), FeatureDistillation("mse", "no", "hidden")), "functional or sequential"),
])  # fmt: skip
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Distiller(*arguments)


def test_bad_use():
    distiller = Distiller(make(3), make(3), Wrong())
    with pytest.raises(ValueError, match="needs the student's `loss`"):
        distiller.compile("adam")
    with pytest.raises(ValueError, match="list"):
        distiller.compile("adam", "mse", metrics="mae")
    distiller.compile("adam", "mse")
    with pytest.raises(ValueError, match="should give a scalar"):
        distiller.compute_loss(np.ones((5, 4), "float32"), A)
    with pytest.raises(NotImplementedError, match="compute_loss"):
        DistillationLoss().compute_loss(A, B)


def test_saving(tmp_path):
    distiller = Distiller(make(6), make(5), [LogitsDistillation(2.0), FeatureDistillation()], [1.0, 0.5])
    distiller.compile("adam", "mse")
    x = np.ones((2, 4), "float32")
    distiller.fit(x, A[:2], verbose=0)
    distiller.save(tmp_path / "d.keras")
    again = deepkit.models.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), distiller.predict(x, verbose=0))
    assert again.distillation_loss_weights == [1.0, 0.5] and again.compiled
