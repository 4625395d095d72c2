"""deepkit: neural networks behind the Keras 3 API, on NumPy and on NVIDIA GPUs through CuPy."""

from . import config, ops
from .autograd import GradientTape, KerasTensor, Tensor, Variable, grad
from .config import device

__version__ = "0.1.0"
