"""Tensors, symbolic tensors, ops and the tape."""

from .op import Op, to_tensor
from .spec import KerasTensor, Spec
from .tape import GradientTape, grad
from .tensor import Tensor
from .variable import Variable

__all__ = ["GradientTape", "KerasTensor", "Op", "Spec", "Tensor", "Variable", "grad", "to_tensor"]
