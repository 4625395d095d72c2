"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import deepkit
from deepkit.backend import cuda
from deepkit.backend.cpu import native
from deepkit.backend.cuda.device import diagnose


@pytest.fixture(scope="session")
def gpu():
    """A CuPy to run the CUDA backend on: that of a GPU where there is one, else the simulated device.

    ``DEEPKIT_TEST_GPU=real`` wants the GPU, and is an error without one; ``simulated`` takes the simulation anyway.
    """
    wanted = os.environ.get("DEEPKIT_TEST_GPU", "auto")
    if wanted not in ("auto", "real", "simulated"):
        pytest.exit(f"DEEPKIT_TEST_GPU should be auto, real or simulated. Received: {wanted!r}", 2)
    problems = [] if wanted == "simulated" else diagnose().problems
    if wanted == "real" and problems:
        pytest.exit("DEEPKIT_TEST_GPU=real, and the GPU can't be used:\n- " + "\n- ".join(problems), 2)
    if wanted != "simulated" and not problems:
        yield "real"
        return
    from .cuda import emulator, fake_cupy

    if emulator.missing():
        pytest.skip(str(emulator.missing()))
    fake_cupy.install()
    yield "simulated"
    fake_cupy.uninstall()


@pytest.fixture
def simulated(gpu, monkeypatch):
    """The simulated device in use, for tests that count what happens on it; what they patch ends with it."""
    if gpu != "simulated":
        pytest.skip("launches, copies and waits are counted in simulation only")
    monkeypatch.setattr(cuda, "load", cuda.kernel_module)
    with deepkit.device("gpu"):
        yield monkeypatch


@pytest.fixture(params=["cpu", "cpu-compiled", "cuda"])
def device(request):
    """One body for every device: a test that takes this fixture runs once on each.

    ``cpu`` is NumPy alone, ``cpu-compiled`` NumPy with the compiled kernels, ``cuda`` CuPy and our kernels on a GPU
    or, where there is none, in simulation.
    """
    if request.param == "cuda":
        request.getfixturevalue("gpu")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cuda, "load", cuda.kernel_module)
            with deepkit.device("gpu"):
                yield request.param
        return
    compiled = request.param == "cpu-compiled"
    if compiled and not native.available():
        pytest.skip("the compiled kernels aren't built")
    before = native.state.module
    native.enable(compiled)
    try:
        with deepkit.device("cpu"):
            yield request.param
    finally:
        native.state.module = before


@pytest.fixture
def limits():
    """For tests of hostile files: five seconds of processor time and 200 MB at most, where that is measured."""
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")

    def late(*_):
        raise AssertionError("more than five seconds of processor time")

    scale = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale < 200 << 20
