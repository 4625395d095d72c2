"""The kernel that puts the host's numbers where a captured step reads them."""

from __future__ import annotations

import numpy as np
import pytest

from .launching import ORDERS_HERE, blank, module, needs_emulator

pytestmark = needs_emulator


@pytest.mark.parametrize("order", ORDERS_HERE)
@pytest.mark.parametrize("n", [1, 3, 8])
def test_words(n, order):
    out = blank(9, np.uint64)
    before = out.copy()
    words = [np.uint64(2**63 + i) for i in range(8)]
    module("numbers", order).launch("set_words", (1,), (1,), [out, np.int64(n), *words])
    np.testing.assert_array_equal(out[:n], words[:n])
    np.testing.assert_array_equal(out[n:], before[n:])
