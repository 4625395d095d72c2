"""The programs in README.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from deepkit.backend import cpu
from tests.helpers import check_gradient, check_second_order

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def namespace():
    """What the README's Python blocks define, run in order."""
    names: dict = {}
    patch = pytest.MonkeyPatch()
    for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(README), "exec"), names)
        if "squareplus" in names and not hasattr(
            cpu, "squareplus"
        ):  # "put it into a module of deepkit/backend/cpu"
            for kernel in ("squareplus", "squareplus_grad"):
                patch.setattr(cpu, kernel, names[kernel], raising=False)
    yield names
    patch.undo()


def test_first_program_learns(namespace):
    x, y = namespace["x_test"][..., None] / 16, namespace["y_test"]
    assert x.shape == (359, 8, 8, 1) and y.shape == (359,)
    assert namespace["x"].shape == (2, 3)


def test_example_op_is_right(namespace):
    op, x = namespace["squareplus_op"], np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(op(x).numpy(), op.reference(x))
    check_gradient(op, x)
    check_second_order(op, x)


def test_example_layer_restores_from_its_configuration(namespace):
    layer = namespace["ScaledSquareplus"](b=2.0)
    assert namespace["ScaledSquareplus"].from_config(layer.get_config()).b == 2.0


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
