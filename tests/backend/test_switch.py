"""The backend switch, and that ops follow the arrays they are given."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

import deepkit
from deepkit import backend, ops
from deepkit.backend.cuda import device as cuda_device


@pytest.fixture
def restored():
    before = backend._active
    yield
    backend._active = before


def test_names(restored):
    deepkit.config.set_backend("numpy")
    assert deepkit.config.backend() == deepkit.backend.backend() == "numpy"
    with pytest.raises(ValueError, match="'cuda9'.*'auto', 'numpy' or 'cupy'"):
        deepkit.config.set_backend("cuda9")
    assert deepkit.config.backend() == "numpy"
    for wrong in ("tpu", "gpu:x"):
        with pytest.raises(ValueError, match="Unknown device"):
            with deepkit.device(wrong):
                pass
    with deepkit.device("cpu"):
        assert deepkit.config.backend() == "numpy"


def test_the_variable_is_read():
    code = "import deepkit; print(deepkit.config.backend())"
    for value, expected in (
        ("numpy", "numpy"),
        ("auto", "numpy" if not cuda_device.usable() else ""),
        ("NumPy", "numpy"),
    ):
        out = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "DEEPKIT_BACKEND": value},
        )
        assert expected in out.stdout, out.stderr
    wrong = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "DEEPKIT_BACKEND": "torch"},
    )
    assert "Unknown backend 'torch'" in wrong.stderr


def test_ops_run_on_the_kernels_of_their_arrays(restored, monkeypatch):
    """A second device, made of a NumPy subclass: what lives on it is computed by its kernel module."""

    class Elsewhere(np.ndarray):
        pass

    module = ModuleType("elsewhere")
    module.__dict__.update({k: v for k, v in vars(backend.cpu).items() if not k.startswith("__")})
    seen: list[str] = []

    def watched(name):
        def fn(*args, **kwargs):
            seen.append(name)
            return np.asarray(getattr(backend.cpu, name)(*args, **kwargs)).view(Elsewhere)

        return fn

    for name in ("add", "multiply", "asarray", "full", "zeros", "ones_like", "dense", "reshape"):
        setattr(module, name, watched(name))
    module.array_type = Elsewhere
    module.from_numpy = lambda x: np.asarray(x).view(Elsewhere)
    monkeypatch.setitem(backend.KERNELS, Elsewhere, module)
    backend._active = module
    x = ops.convert_to_tensor(np.ones((2, 3), "float32"))
    assert type(x.data) is Elsewhere
    y = ops.dense(x + x, ops.convert_to_tensor(np.ones((3, 1), "float32")), None)
    assert type(y.data) is Elsewhere and y.tolist() == [[6.0], [6.0]]
    assert seen.count("add") == 1 and seen.count("dense") == 1
    backend._active = backend.cpu
    assert type((ops.convert_to_tensor(np.ones(2)) + 1).data) is np.ndarray
