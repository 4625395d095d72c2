"""The diagnosis of the GPU path, with a fake for each part that may be missing."""

from __future__ import annotations

import ctypes
import importlib.metadata

import pytest

import deepkit
from deepkit.backend.cuda import device


class FakeDriver:
    """libcuda as far as the diagnosis calls it."""

    def __init__(self, version=12040, devices=1, init=0):
        self.version, self.devices, self.init = version, devices, init

    def cuDriverGetVersion(self, pointer):
        ctypes.cast(pointer, ctypes.POINTER(ctypes.c_int))[0] = self.version
        return 0

    def cuInit(self, flags):
        return self.init

    def cuDeviceGetCount(self, pointer):
        ctypes.cast(pointer, ctypes.POINTER(ctypes.c_int))[0] = self.devices
        return 0


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine whose GPU path is complete; calling the fixture takes parts away or changes them."""

    def change(driver=FakeDriver(), cupy=("cupy-cuda12x", "14.0.0"), headers=True, nvrtc=True):
        (tmp_path / "include").mkdir(exist_ok=True)
        (tmp_path / "lib64").mkdir(exist_ok=True)
        if headers:
            (tmp_path / "include/cuda_fp16.h").touch()
        if nvrtc:
            (tmp_path / "lib64/libnvrtc.so.12").touch()
        monkeypatch.setattr(device, "_load_driver", lambda: driver)
        monkeypatch.setattr(device, "_driver_version", lambda: driver and "550.54.14")
        monkeypatch.setattr(device, "_find_cupy", lambda: cupy)
        monkeypatch.setattr(device, "_toolkit_roots", lambda major: [tmp_path])
        monkeypatch.setattr(device, "PROVEN", True)
        monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: object() if cupy[0] else None)
        return device.diagnose()

    return change


def test_all_well(machine, tmp_path):
    found = machine()
    assert found.problems == [] and device.usable()
    assert (found.driver, found.driver_cuda_version, found.device_count) == ("550.54.14", (12, 4), 1)
    assert (found.cupy_package, found.cupy_version) == ("cupy-cuda12x", "14.0.0")
    assert found.toolkit == str(tmp_path / "include")


@pytest.mark.parametrize(
    "change, says, mends",
    [
        ({"driver": None}, "No NVIDIA driver", "nvidia.com/drivers"),
        ({"driver": FakeDriver(11080)}, "runs CUDA 11.8", "Update the driver"),
        ({"driver": FakeDriver(devices=0)}, "shows no device", "--gpus all"),
        ({"driver": FakeDriver(init=100)}, "shows no device", "--gpus all"),
        ({"driver": FakeDriver(init=803)}, "CUDA error 803", "nvidia-smi"),
        ({"cupy": (None, None)}, "CuPy is not installed", 'pip install "cupy-cuda12x[ctk]"'),
        (
            {"driver": FakeDriver(13000), "cupy": (None, None)},
            "CuPy is not",
            'pip install "cupy-cuda13x[ctk]"',
        ),
        ({"cupy": ("cupy-cuda13x", "14")}, "built for CUDA 13", "pip uninstall -y cupy-cuda13x"),
        ({"cupy": ("cupy-cuda11x", "13")}, "built for CUDA 11", 'pip install "cupy-cuda12x[ctk]"'),
        ({"headers": False}, "cuda_fp16.h", 'pip install "cupy-cuda12x[ctk]"'),
        ({"nvrtc": False}, "NVRTC", 'pip install "cupy-cuda12x[ctk]"'),
    ],
)
def test_one_part_missing(machine, monkeypatch, change, says, mends):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    problems = machine(**change).problems
    assert len(problems) >= 1
    assert any(says in problem and mends in problem for problem in problems)
    assert not device.usable()


def test_hidden_device(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "unset CUDA_VISIBLE_DEVICES" in machine(driver=FakeDriver(init=100)).problems[0]


def test_cupy_built_from_source_is_believed(machine):
    assert machine(cupy=("cupy", "14.0.0")).problems == []


def test_usable_never_raises(machine, monkeypatch):
    machine()

    def broken():
        raise RuntimeError("broken")

    monkeypatch.setattr(device, "diagnose", broken)
    assert not device.usable()


def test_installed_cupy_is_found(monkeypatch):
    def version(name):
        if name == "cupy-cuda12x":
            return "14.1.0"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert device._find_cupy() == ("cupy-cuda12x", "14.1.0")


def test_wheels_of_the_ctk_extra_are_found(monkeypatch, tmp_path):
    for name in ("CUDA_PATH", "CUDA_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "nvidia/cu13/include").mkdir(parents=True)
    (tmp_path / "nvidia/cu13/include/cuda_fp16.h").touch()
    (tmp_path / "nvidia/cu13/lib").mkdir()
    (tmp_path / "nvidia/cu13/lib/libnvrtc.so.13").touch()
    monkeypatch.setattr(device.sys, "path", [str(tmp_path)])
    assert device._find_toolkit(13) == str(tmp_path / "nvidia/cu13/include") and device._has_nvrtc(13)


def test_asking_for_the_gpu_says_what_is_missing(machine):
    machine(cupy=(None, None))
    for ask in (lambda: deepkit.config.set_backend("cupy"), lambda: deepkit.device("gpu:0").__enter__()):
        with pytest.raises(deepkit.config.BackendUnavailableError, match="pip install"):
            ask()


def test_auto_takes_numpy_without_a_gpu(machine):
    machine(driver=None)
    deepkit.config.set_backend("auto")
    assert deepkit.config.backend() == "numpy"


def test_unknown_backend():
    with pytest.raises(ValueError, match="'auto', 'numpy' or 'cupy'"):
        deepkit.config.set_backend("tensorflow")
