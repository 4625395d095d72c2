"""A CPU stand-in for the CUDA device, for tests; see :mod:`.emulator`."""

from .emulator import EmulatorError, Module, missing

__all__ = ["EmulatorError", "Module", "missing"]
