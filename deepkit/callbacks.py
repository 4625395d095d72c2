"""Callbacks, under the name that Keras gives them."""

from .training.callbacks import *
from .training.callbacks import __all__ as __all__
