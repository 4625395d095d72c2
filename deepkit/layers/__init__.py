"""Layers."""

from ..registry import deserialize_keras_object as _deserialize
from ..registry import serialize_keras_object as _serialize
from .activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .adaptive_pool import *
from .attention import AdditiveAttention, Attention
from .augmentation import *
from .bidirectional import Bidirectional
from .category_encoding import CategoryEncoding
from .conv import *
from .conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from .conv_transpose import *
from .core import Activation, Dense, Embedding, Identity, Lambda, Masking
from .depthwise import *
from .discretization import Discretization
from .einsum_dense import EinsumDense
from .global_pool import *
from .group_normalization import GroupNormalization
from .grouped_query_attention import GroupedQueryAttention as GroupQueryAttention
from .hashing import HashedCrossing, Hashing
from .image_preprocessing import CenterCrop, Resizing
from .input_layer import Input, InputLayer
from .layer import InputSpec, Layer
from .lookup import IntegerLookup, StringLookup
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .multi_head_attention import MultiHeadAttention
from .normalization import BatchNormalization, LayerNormalization, UnitNormalization
from .padding import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from .pool import *
from .preprocessing import Normalization, Rescaling
from .recurrent import GRU, LSTM, SimpleRNN
from .regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .reshaping import Flatten, Permute, RepeatVector, Reshape
from .reversible_embedding import ReversibleEmbedding
from .rms_normalization import RMSNormalization
from .rnn import RNN
from .rnn_cells import GRUCell, LSTMCell, SimpleRNNCell
from .spectral_normalization import SpectralNormalization
from .spectrogram import MelSpectrogram, STFTSpectrogram
from .stacked_rnn_cells import StackedRNNCells
from .text_vectorization import TextVectorization
from .time_distributed import TimeDistributed
from .upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from .wrapper import Wrapper


def serialize(layer):
    """The configuration of a layer, for :func:`deserialize`."""
    return _serialize(layer)


def deserialize(config, custom_objects=None):
    """The layer that a configuration describes.

    Raises:
        ValueError: if it describes something else.
    """
    layer = _deserialize(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(f"The configuration describes no layer: {config!r}")
    return layer
