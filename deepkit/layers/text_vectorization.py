"""Text as numbers: cleaning, splitting, n-grams, and a vocabulary."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from ..autograd.spec import Spec
from ..registry import export
from .data_layer import DataLayer, batches, host, is_strings, to_bytes
from .index_lookup import MODES
from .lookup import StringLookup
from .vocabulary import plain, refuse_file

_PUNCTUATION = string.punctuation.encode()
_LOWER = bytes(range(256)).lower()  # letters of ASCII only, as TensorFlow does
#: Number of the places after the end of a document in the modes of vectors: counts for nothing.
_NOTHING = np.iinfo(np.int64).max
_STANDARDIZE = {
    "lower": lambda text: text.translate(_LOWER),
    "strip_punctuation": lambda text: text.translate(None, _PUNCTUATION),
    "lower_and_strip_punctuation": lambda text: text.translate(_LOWER, _PUNCTUATION),
}
_SPLIT = {
    "whitespace": lambda text: text.split(),
    "character": lambda text: [c.encode("utf-8") for c in text.decode("utf-8", "replace")],
}


@export("keras.layers.TextVectorization")
class TextVectorization(DataLayer):
    """Texts as sequences of token numbers, or as vectors over the vocabulary.

    A text is standardized, split into tokens, these are joined to n-grams, and each is looked up. The vocabulary is
    given, or :meth:`adapt` learns it. Number 0 pads, 1 is for unknown tokens.

    Args:
        max_tokens: Largest size of the vocabulary, padding and unknown tokens included.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``, ``"strip_punctuation"`` (letters and punctuation of
            ASCII), ``None``, or a function of a NumPy array of strings that gives another.
        split: ``"whitespace"``, ``"character"``, ``None``, or a function of a NumPy array of strings that gives a list
            of tokens for each.
        ngrams: n for all n-grams up to that length, or a tuple of lengths.
        output_mode: ``"int"``: a number for each token; ``"multi_hot"``: which tokens of the vocabulary occur;
            ``"count"``: how often; ``"tf_idf"``: how often, weighted by how rare they are.
        output_sequence_length: Length that sequences are cut or padded to in mode ``"int"``; that of the longest of the
            batch by default.
        pad_to_max_tokens: Make vectors of length ``max_tokens`` even if the vocabulary is smaller.
        vocabulary: List or array of tokens, or the name of a file with one a line.
        idf_weights: Weight of each token of ``vocabulary`` in mode ``"tf_idf"``.
        sparse: Not supported.
        ragged: Not supported; ``False`` pads.
        encoding: How bytes of the vocabulary are read as text.
        name: Name.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for arguments that don't fit together, and inputs that aren't (batch,) or (batch, 1).
        RuntimeError: when called before there is a vocabulary.

    Example:
        >>> layer = TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["The sea.", "The sea, the sky!"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sea', 'sky']
        >>> layer(["The deep sea"])
        Tensor([[2, 1, 3, 0]], dtype=int64)
    """

    takes_strings = True
    entrance_dtype = "string"

    def __init__(self, max_tokens: int | None = None, standardize: Any = "lower_and_strip_punctuation",
                 split: Any = "whitespace", ngrams: Any = None, output_mode: str = "int",
                 output_sequence_length: int | None = None, pad_to_max_tokens: bool = False, vocabulary: Any = None,
                 idf_weights: Any = None, sparse: bool = False, ragged: bool = False, encoding: str = "utf-8",
                 name: str | None = None, **kwargs: Any):  # fmt: skip
        fixed = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self._check_dense(sparse)
        self._check_mode(output_mode, MODES)
        self._check_choice("standardize", standardize, _STANDARDIZE)
        self._check_choice("split", split, _SPLIT)
        if ragged:
            raise self._fail("ragged tensors are not supported: leave `ragged` at False, which pads with zeros. "
                             f"Received: ragged={ragged}")  # fmt: skip
        if not (ngrams is None or _is_int(ngrams) or (isinstance(ngrams, tuple) and all(map(_is_int, ngrams)))):
            raise self._fail(f"`ngrams` should be None, an integer or a tuple of integers. Received: ngrams={ngrams!r}")
        if output_sequence_length is not None and (output_mode != "int" or not _is_int(output_sequence_length)):
            raise self._fail("`output_sequence_length` should be an integer, and is for output_mode='int'. Received: "
                             f"output_sequence_length={output_sequence_length!r}, "
                             f"output_mode={output_mode!r}")  # fmt: skip
        self._standardize, self._split, self._ngrams_arg = standardize, split, ngrams
        self._ngrams = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams
        self._output_mode, self._output_sequence_length = output_mode, output_sequence_length
        self._ragged, self._encoding = ragged, encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens,
            mask_token="", output_mode=output_mode, has_input_vocabulary=fixed, encoding=encoding,
            vocabulary_size=size, name=f"{self.name}_lookup",
        )  # fmt: skip

    def _check_choice(self, what: str, value: Any, choices: dict[str, Any]) -> None:
        if not (value is None or callable(value) or (isinstance(value, str) and value in choices)):
            raise self._fail(f"`{what}` should be one of {', '.join(map(repr, choices))}, None or a function. "
                             f"Received: {what}={value!r}")  # fmt: skip

    # -- the vocabulary ------------------------------------------------------------------------------------------------
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first, equally frequent ones in descending order.

        Args:
            data: Array or list of texts, or an iterable of batches of texts.
            batch_size: Accepted for compatibility.
            steps: Number of batches to read of an iterable.

        Raises:
            ValueError: if the vocabulary was given.
        """
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        tokens = self._tokens(host(data))
        if isinstance(tokens, np.ndarray):
            self._lookup_layer.update_state(tokens)
        else:
            self._lookup_layer._count_rows(tokens)

    def finalize_state(self) -> None:
        """Make a vocabulary of the tokens counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget the tokens counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens by their number; with the special ones, a token's place in the list is its number."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Number of tokens, padding and unknown ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Give the layer its tokens, see :meth:`StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    @property
    def input_vocabulary(self) -> Any:
        return self._lookup_layer.input_vocabulary

    # -- from text to tokens -------------------------------------------------------------------------------------------
    def _tokens(self, texts: np.ndarray) -> Any:
        """Tokens as lists of byte strings, one a text; as an array of the inputs' shape where nothing is split."""
        if not is_strings(texts):
            raise self._fail(f"strings are needed. Received: values of dtype {texts.dtype}; index integers with "
                             "IntegerLookup.")  # fmt: skip
        texts = self._standardized(texts)
        if self._split is None:
            return texts if self._ngrams is None else self._joined(list(texts) if texts.ndim > 1 else [texts])
        if texts.ndim > 1 and texts.shape[-1] != 1:
            raise self._fail("texts should come in shape (batch,) or (batch, 1) to be split. "
                             f"Received: shape {texts.shape}")  # fmt: skip
        flat = texts.ravel()
        if callable(self._split):
            rows = [_encoded(row) for row in _listed(self._split(_decoded(flat)))]
        else:
            rows = list(map(_SPLIT[self._split], flat.tolist()))
        return rows if self._ngrams is None else self._joined(rows)

    def _standardized(self, texts: np.ndarray) -> np.ndarray:
        if callable(self._standardize):
            texts = host(self._standardize(_decoded(texts)))
        out = np.empty(texts.size, object)
        strings = to_bytes(texts)
        out[:] = strings if not isinstance(self._standardize, str) else (
            list(map(_STANDARDIZE[self._standardize], strings)))  # fmt: skip
        return out.reshape(texts.shape)

    def _joined(self, rows: Any) -> list[list[bytes]]:
        """All n-grams of each row, one length after the other."""
        out = []
        for row in rows:
            row = list(row)
            lengths = self._ngrams[: len(row)] if isinstance(self._ngrams, range) else self._ngrams
            out.append([b" ".join(row[i : i + n]) for n in lengths for i in range(len(row) - n + 1)])
        return out

    # -- from tokens to numbers ----------------------------------------------------------------------------------------
    def compute_output_spec(self, inputs: Any) -> Any:
        shape = tuple(inputs.shape)
        if self._split is not None:
            shape = (*shape[:1], None)
        elif self._ngrams is not None:
            shape = (*shape[:-1], None)
        if self._output_mode != "int":
            return self._lookup_layer.compute_output_spec(Spec(shape, "string"))
        length = self._output_sequence_length
        return Spec(shape if length is None else (*shape[:-1], length), "int64")

    def call(self, inputs: Any) -> Any:
        lookup = self._lookup_layer
        lookup._require_vocabulary()
        texts = host(inputs)
        tokens = self._tokens(texts)
        if isinstance(tokens, np.ndarray):
            numbers = lookup._numbers(tokens.ravel().tolist()).reshape(tokens.shape)
            if self._output_sequence_length is not None:
                numbers = _fitted(numbers, self._output_sequence_length)
        else:
            lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
            flat = lookup._numbers([token for row in tokens for token in row])
            whole = self._output_mode == "int"
            width = self._output_sequence_length if whole else None
            width = int(lengths.max(initial=0 if whole else 1)) if width is None else width
            numbers = _padded(flat, lengths, width, 0 if whole else _NOTHING)
            if texts.ndim == (0 if self._split is not None else 1):
                numbers = numbers[0]
        return lookup._encode(numbers)

    # -- saving --------------------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer.get_config()
        return {
            **super().get_config(), "max_tokens": lookup["max_tokens"], "standardize": self._standardize,
            "split": self._split, "ngrams": self._ngrams_arg, "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length, "pad_to_max_tokens": lookup["pad_to_max_tokens"],
            "sparse": lookup["sparse"], "ragged": self._ragged, "vocabulary": plain(lookup["vocabulary"]),
            "idf_weights": plain(lookup["idf_weights"]), "encoding": self._encoding,
            "vocabulary_size": lookup["vocabulary_size"],
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        refuse_file(cls, config)
        if isinstance(config.get("ngrams"), list):
            config = {**config, "ngrams": tuple(config["ngrams"])}
        return super().from_config(config)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the weights of mode ``"tf_idf"`` into ``store``."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of mode ``"tf_idf"`` out of ``store``."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write ``vocabulary.txt``, one token a line, unless the configuration carries the vocabulary."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Read what :meth:`save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)


def _is_int(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)


def _decoded(texts: np.ndarray) -> np.ndarray:
    """Byte strings as an array of text, for a user's function."""
    words = [t.decode("utf-8", "surrogateescape") for t in to_bytes(texts)]
    return np.array(words, dtype=str).reshape(texts.shape)


def _encoded(row: Any) -> list[bytes]:
    return to_bytes(np.array(row, dtype=object))


def _listed(rows: Any) -> Any:
    return rows.to_list() if hasattr(rows, "to_list") else rows


def _padded(flat: np.ndarray, lengths: np.ndarray, width: int, fill: int) -> np.ndarray:
    """Rows of a flat array, cut or filled up to one width."""
    columns = np.arange(width)
    inside = columns < lengths[:, None]
    starts = np.cumsum(lengths) - lengths
    out = np.full(inside.shape, fill, np.int64)
    out[inside] = flat[(starts[:, None] + columns)[inside]]
    return out


def _fitted(numbers: np.ndarray, length: int) -> np.ndarray:
    """The last axis cut or padded with zeros to a length."""
    numbers = numbers[..., :length]
    missing = length - numbers.shape[-1]
    return np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)]) if missing else numbers
