"""The differentiable vocabulary, with the names and signatures of ``keras.ops``.

Every function takes tensors, variables, NumPy arrays, Python numbers and lists, and symbolic tensors
(:class:`deepkit.KerasTensor`), for which it computes shape and dtype alone.
"""

import importlib
from typing import Any

from . import norm, operators  # the module before the function of its name
from .activation import *
from .adaptive_pool import *
from .arrange import *
from .attention import dot_product_attention
from .blocks import *
from .complex import *
from .conv import *
from .conv_transpose import *
from .core import *
from .correlation import *
from .counting import *
from .creation import *
from .creation import identity_matrix as identity
from .ctc import *
from .custom import *
from .directional import *
from .einops import *
from .elementwise import *
from .encoding import *
from .factorization import *
from .fourier import *
from .index import *
from .linear import dense, matmul
from .logistic import *
from .loops import *
from .loss import *
from .lu import *
from .math import *
from .nan import *
from .padding import *
from .pool import *
from .products import *
from .ranges import *
from .reduce import *
from .segments import *
from .shape import *
from .signal import *
from .singular import *
from .sorting import *
from .windows import *

operators.install()

from . import linalg, nn, numpy  # noqa: E402  once every name is there


def __getattr__(name: str) -> Any:  # to a type checker also the names that are lines of a table
    if name == "image":  # imported when a program first uses it
        return importlib.import_module(".image", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "image"})
