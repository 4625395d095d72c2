"""What the tests of kernels run over."""

from __future__ import annotations

import pytest

from .launching import DTYPES, ORDERS_HERE


@pytest.fixture(params=ORDERS_HERE)
def order(request):
    """The order of the threads in the emulator."""
    return request.param


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    """What a kernel's floats are."""
    return request.param
