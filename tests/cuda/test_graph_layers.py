"""Every layer in a step that is captured: replayed, it trains to the same bits; or it is in the list of what is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import deepkit
from deepkit.backend import cuda

from ..golden import interchange_cases as cases
from .fake_cupy import counters

#: Layers that read values on the host at every call; most are for the preparation of data.
EAGER = {
    "Equalization", "ContrastLimitedAdaptiveHistogramEqualization", "AugMix", "CutMix", "MixUp", "RandAugment",
    "RandomElasticTransform", "RandomCrop", "RandomPerspective", "CategoryEncoding", "IntegerLookup",
    "Hashing of integers, salted",
}  # fmt: skip

NAMES = [n for n, case in cases.CASES.items() if case.head and case.kind != "string"]


def trained(name: str, eagerly: bool) -> tuple[list, list, list[str]]:
    deepkit.utils.set_random_seed(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = cases.model(deepkit, name)
        model.run_eagerly, model.train_function = eagerly, None
        losses = cases.losses(model, cases.data(name), 5)
    said = [str(w.message) for w in caught if "captured" in str(w.message)]
    return losses, [w.numpy() for w in model.variables], said


@pytest.mark.parametrize("name", NAMES)
def test_a_replayed_step_trains_to_the_same_bits(name, gpu):
    if gpu != "simulated":
        pytest.skip("launches are counted in simulation only")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "load", cuda.kernel_module)
        with deepkit.device("gpu"):
            losses, weights, _ = trained(name, True)
            counters.reset()
            replayed, others, said = trained(name, False)
    assert replayed == losses
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a, b)
    if name in EAGER:
        assert len(said) == 1
    else:
        assert not said
        assert counters.graph_launches == 3
