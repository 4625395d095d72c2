"""Vocabularies of strings and of integers."""

from __future__ import annotations

from typing import Any

from ..registry import export
from .index_lookup import IndexLookup


@export("keras.layers.StringLookup")
class StringLookup(IndexLookup):
    """Strings as numbers by a vocabulary, or, with ``invert``, numbers as strings.

    The vocabulary is given, or :meth:`adapt` learns it: the most frequent strings first. Strings that it lacks share
    ``num_oov_indices`` numbers in front of it. In mode ``"tf_idf"`` a string counts log(1 + documents / (1 + documents
    that hold it)) each time it occurs (Spärck Jones 1972).

    Args:
        max_tokens: Largest size of the vocabulary, special tokens included.
        num_oov_indices: How many numbers unknown strings share, by FarmHash; with 0 they are an error.
        mask_token: String that gets number 0, and counts for nothing in the modes of vectors.
        oov_token: What unknown numbers become with ``invert``.
        vocabulary: List or array of strings, or the name of a file with one a line.
        idf_weights: Weight of each string of ``vocabulary`` in mode ``"tf_idf"``.
        invert: Turn numbers into strings, in a NumPy array of objects.
        output_mode: ``"int"`` (int64); ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"`` for vectors.
        pad_to_max_tokens: Make vectors of length ``max_tokens`` even if the vocabulary is smaller.
        sparse: Not supported.
        encoding: How bytes of the vocabulary are read as text.
        name: Name.
        salt: Key (an integer or a pair) to spread unknown strings with SipHash-2-4.
        **kwargs: ``dtype``, ``trainable``.

    Raises:
        ValueError: for arguments that don't fit together, and a vocabulary with a string twice.
        RuntimeError: when called before there is a vocabulary.

    Example:
        >>> layer = StringLookup(vocabulary=["a", "b"])
        >>> layer([["b", "z", "a"]])
        Tensor([[2, 0, 1]], dtype=int64)
        >>> StringLookup(vocabulary=["a", "b"], invert=True)([2, 0]).tolist()
        ['b', '[UNK]']
    """

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: str | None = None,
                 oov_token: str | None = "[UNK]", vocabulary: Any = None, idf_weights: Any = None,
                 invert: bool = False, output_mode: str = "int", pad_to_max_tokens: bool = False,
                 sparse: bool = False, encoding: str = "utf-8", name: str | None = None, salt: Any = None,
                 **kwargs: Any):  # fmt: skip
        self._encoding = self.encoding = encoding
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, "string", vocabulary, idf_weights, invert,
                         output_mode, sparse, pad_to_max_tokens, name=name, salt=salt, **kwargs)  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        config = {"encoding": self.encoding, **super().get_config()}
        del config["vocabulary_dtype"]
        return config


@export("keras.layers.IntegerLookup")
class IntegerLookup(IndexLookup):
    """Integers of any size as consecutive numbers by a vocabulary, or, with ``invert``, the way back.

    The vocabulary is given, or :meth:`adapt` learns it: the most frequent integers first. Integers that it lacks share
    ``num_oov_indices`` numbers in front of it.

    Args:
        max_tokens: Largest size of the vocabulary, special tokens included.
        num_oov_indices: How many numbers unknown integers share; with 0 they are an error.
        mask_token: Integer that gets number 0, and counts for nothing in the modes of vectors.
        oov_token: What unknown numbers become with ``invert``.
        vocabulary: List or array of integers, or the name of a file with one a line.
        vocabulary_dtype: ``"int64"``.
        idf_weights: Weight of each integer of ``vocabulary`` in mode ``"tf_idf"``.
        invert: Turn numbers into integers of the vocabulary.
        output_mode: ``"int"`` (int64); ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"`` for vectors.
        sparse: Not supported.
        pad_to_max_tokens: Make vectors of length ``max_tokens`` even if the vocabulary is smaller.
        oov_method: ``"floormod"`` spreads unknown integers by their remainder, ``"farmhash"`` by their hash.
        salt: Key (an integer or a pair) to spread them with SipHash-2-4 instead.
        name: Name.
        **kwargs: ``dtype``, ``trainable``.

    Raises:
        ValueError: for arguments that don't fit together, and a vocabulary with an integer twice.
        RuntimeError: when called before there is a vocabulary.

    Example:
        >>> IntegerLookup(vocabulary=[12, 42])([[42, 7, 12]])
        Tensor([[2, 0, 1]], dtype=int64)
    """

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: int | None = None,
                 oov_token: int | None = -1, vocabulary: Any = None, vocabulary_dtype: str = "int64",
                 idf_weights: Any = None, invert: bool = False, output_mode: str = "int", sparse: bool = False,
                 pad_to_max_tokens: bool = False, oov_method: str = "floormod", salt: Any = None,
                 name: str | None = None, **kwargs: Any):  # fmt: skip
        if vocabulary_dtype != "int64":
            raise ValueError(f"IntegerLookup: `vocabulary_dtype` should be 'int64'. Received: {vocabulary_dtype!r}")
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, vocabulary_dtype, vocabulary, idf_weights,
                         invert, output_mode, sparse, pad_to_max_tokens, oov_method, name, salt, **kwargs)  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("oov_token", "mask_token"):
            config[key] = None if config[key] is None else int(config[key])
        if config["vocabulary"] is not None:
            config["vocabulary"] = [int(v) for v in config["vocabulary"]]
        return config
