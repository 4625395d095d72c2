"""NumPy kernels: one flat namespace of plain functions, a module a concern."""

from .adaptive_pool import *
from .attention import *
from .bessel import *
from .blocks import *
from .conv import *
from .ctc import *
from .elementwise import *
from .fourier import *
from .graph import *
from .layerwise import *
from .linear import *
from .loss import *
from .memory import *
from .norm import *
from .optimizer import *
from .place import *
from .pool import *
from .random import *
from .recurrent import *
from .staging import *

# isort: split
# Last, as these are the same names again: the compiled kernels where they are built.
from .compiled import *
from .compiled_conv import *
