"""NumPy kernels: one flat namespace of plain functions, a module a concern."""

from .elementwise import *
from .linear import *
