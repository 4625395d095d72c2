"""A vocabulary: numbers for tokens, tokens for numbers, learned from data or given. Base of the lookup layers."""

from __future__ import annotations

import os
from typing import Any, Callable, Sequence

import numpy as np

from .. import config as _config
from .. import ops
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..utils.atomic import atomic_write
from ..utils.fingerprint import buckets
from .data_layer import DataLayer, batches, distinct, encode, host, to_bytes
from .hashing import salt_pair
from .vocabulary import TokenCounts, Vocabulary, check_tokens, listed, plain, read_lines, refuse_file

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
#: Number of a masked token in the modes that don't count it.
_DROPPED = np.iinfo(np.int64).max


class IndexLookup(DataLayer):
    """Tokens as numbers: those of the mask, those of unknown tokens, then those of the vocabulary.

    Args:
        max_tokens: Largest size of the vocabulary, mask and unknown tokens included.
        num_oov_indices: How many numbers unknown tokens share, by their hash; with 0 they are an error.
        mask_token: Token that gets number 0, or ``None`` for no mask.
        oov_token: What unknown numbers become with ``invert``.
        vocabulary_dtype: ``"string"`` or ``"int64"``.
        vocabulary: The tokens, or the name of a file with one a line.
        idf_weights: Weight of each token in mode ``"tf_idf"``.
        invert: Turn numbers into tokens.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"``.
        sparse: Not supported.
        pad_to_max_tokens: Make vectors of length ``max_tokens`` even if the vocabulary is smaller.
        oov_method: How unknown integers are spread: ``"floormod"`` or ``"farmhash"``.
        name: Name.
        salt: Key for the hash of unknown tokens.
        **kwargs: What a configuration carries besides.
    """

    def __init__(self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any,
                 vocabulary_dtype: str, vocabulary: Any = None, idf_weights: Any = None, invert: bool = False,
                 output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False,
                 oov_method: str = "floormod", name: str | None = None, salt: Any = None, **kwargs: Any):  # fmt: skip
        frozen = kwargs.pop("vocabulary_size", None)
        fixed = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        trainable = kwargs.pop("trainable", True)
        super().__init__(name=name, dtype=kwargs.pop("dtype", None), trainable=trainable)
        if kwargs:
            raise self._fail(f"unrecognized keyword argument(s): {sorted(kwargs)}")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self.vocabulary_dtype = vocabulary_dtype
        self.invert, self.max_tokens, self.num_oov_indices = bool(invert), max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.output_mode, self.sparse, self.pad_to_max_tokens = output_mode, sparse, pad_to_max_tokens
        self.oov_method = oov_method
        self._check_arguments(idf_weights)
        if salt is not None and vocabulary_dtype != "string" and oov_method != "farmhash":
            raise self._fail(f"`salt` is for oov_method='farmhash'. Received: oov_method={oov_method!r}")
        self.salt = salt_pair(self, salt)
        self.input_vocabulary = None if isinstance(vocabulary, (str, os.PathLike)) else vocabulary
        self.input_idf_weights = idf_weights
        self.idf_weights: Any = None
        self._frozen_vocab_size = frozen
        self._has_input_vocabulary = fixed
        self._vocabulary = self._new_vocabulary([])
        self._counts = TokenCounts()
        if output_mode == "tf_idf" and fixed and vocabulary is not None and idf_weights is None:
            raise self._fail("in mode 'tf_idf' a `vocabulary` needs its `idf_weights`.")
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, idf_weights: Any) -> None:
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise self._fail(f"`max_tokens` should be greater than 1. Received: max_tokens={self.max_tokens}")
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise self._fail("pad_to_max_tokens=True needs `max_tokens`. Received: max_tokens=None")
        if self.num_oov_indices < 0:
            raise self._fail(f"`num_oov_indices` can't be negative. Received: num_oov_indices={self.num_oov_indices}")
        if self.oov_method not in ("floormod", "farmhash"):
            raise self._fail("`oov_method` should be 'floormod' or 'farmhash'. "
                             f"Received: oov_method={self.oov_method!r}")  # fmt: skip
        self._check_mode(self.output_mode, MODES)
        self._check_dense(self.sparse)
        if self.invert and self.output_mode != "int":
            raise self._fail(f"invert=True needs output_mode='int'. Received: output_mode={self.output_mode!r}")
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise self._fail(f"`idf_weights` is for output_mode='tf_idf'. Received: output_mode={self.output_mode!r}")

    @property
    def takes_strings(self) -> bool:  # type: ignore[override]
        return self.vocabulary_dtype == "string" and not self.invert

    @property
    def entrance_dtype(self) -> str:  # type: ignore[override]
        return "string" if self.takes_strings else "int64"

    # -- the vocabulary ------------------------------------------------------------------------------------------------
    def _new_vocabulary(self, tokens: Sequence[Any]) -> Vocabulary:
        """The table of the tokens, special ones left out."""
        masked = None
        if self.mask_token is not None:
            masked = self._key(self.mask_token), 0 if self.output_mode == "int" else _DROPPED
        return Vocabulary(tokens, self._token_start, self.vocabulary_dtype == "string", masked)

    def _key(self, token: Any) -> Any:
        """A token as the table holds it."""
        if self.vocabulary_dtype != "string":
            return int(token)
        return token if isinstance(token, bytes) else str(token).encode("utf-8", "surrogateescape")

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens by their number; with the special ones, a token's place in the list is its number.

        Args:
            include_special_tokens: Begin with the mask and the tokens that stand for unknown ones.
        """
        tokens = [t.decode(self._encoding) if isinstance(t, bytes) else t for t in self._vocabulary.tokens]
        return [*self._special_tokens(), *tokens] if include_special_tokens else tokens

    _encoding = "utf-8"

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    def vocabulary_size(self) -> int:
        """Number of tokens, special ones included."""
        return len(self._vocabulary.tokens) + self._token_start

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Give the layer its tokens.

        Args:
            vocabulary: List, tuple or array of tokens, with or without the special ones in front; or the name of a
                file with one token a line.
            idf_weights: Weight of each token, for mode ``"tf_idf"`` and only for it.

        Raises:
            ValueError: if it is empty, larger than ``max_tokens``, holds a token twice or a special one out of place.
            TypeError: if it is nothing of the kinds above.
        """
        if (idf_weights is not None) != (self.output_mode == "tf_idf"):
            raise self._fail("`idf_weights` belong to a vocabulary in mode 'tf_idf', and only there. "
                             f"Received: output_mode={self.output_mode!r}, idf_weights={idf_weights!r}")  # fmt: skip
        if isinstance(vocabulary, (str, os.PathLike)):
            return self._set(self._read_file(os.fspath(vocabulary)))
        given = [self._key(t) for t in self._checked(lambda: listed(vocabulary, self.vocabulary_dtype))]
        special = [None if t is None else self._key(t) for t in self._special_tokens()]
        found = given[: self._token_start] == special
        tokens = given[self._token_start :] if found else given
        reserved = {"mask_token": self.mask_token, "oov_token": self.oov_token if self.invert else None}
        self._checked(lambda: check_tokens(tokens, {k: self._key(t) for k, t in reserved.items() if t is not None},
                                           self._special_tokens(), self.max_tokens))  # fmt: skip
        weights = None if idf_weights is None else self._padded_weights(idf_weights, len(given), found)
        self._set(tokens)
        if weights is not None:
            self.idf_weights = weights

    def _checked(self, check: Callable[[], Any]) -> Any:
        """Run a check; its error names the layer."""
        try:
            return check()
        except (TypeError, ValueError) as error:
            raise self._fail(str(error), type(error)) from None

    def _read_file(self, path: str) -> list[Any]:
        if not os.path.exists(path):
            raise self._fail(f"there is no vocabulary file {path!r}.")
        if self.output_mode == "tf_idf":
            raise self._fail("in mode 'tf_idf' a vocabulary can't come from a file, which has no weights: pass a list "
                             "and `idf_weights`.")  # fmt: skip
        lines = read_lines(path)
        try:
            return [self._key(line) for line in lines]
        except ValueError as error:
            raise self._fail(f"the vocabulary file {path!r} should hold integers, one a line: {error}") from None

    def _set(self, tokens: Sequence[Any]) -> None:
        old = self._frozen_vocab_size
        size = self._token_start + len(tokens)
        if old is not None and old != size and self.output_mode != "int" and not self.pad_to_max_tokens:
            raise self._fail(f"in mode {self.output_mode!r} the size of the vocabulary is that of the output, it "
                             f"can't change from {old} to {size}. Make a new layer, or use pad_to_max_tokens.",
                             RuntimeError)  # fmt: skip
        self._vocabulary = self._new_vocabulary(tokens)
        self._frozen_vocab_size = size

    def _padded_weights(self, idf_weights: Any, length: int, special: bool) -> np.ndarray:
        """Weights with those of the special tokens (the average) in front, and zeros up to ``max_tokens``."""
        weights = np.asarray(host(idf_weights), _config.floatx())
        if weights.ndim != 1 or len(weights) != length:
            raise self._fail(f"`idf_weights` should be as long as `vocabulary` ({length}), of one dimension. "
                             f"Received: shape {weights.shape}")  # fmt: skip
        front = 0 if special else self._token_start
        back = self.max_tokens - front - length if self.pad_to_max_tokens and self.max_tokens else 0
        return np.concatenate([np.full(front, weights.mean(), weights.dtype), weights,
                               np.zeros(max(back, 0), weights.dtype)])  # fmt: skip

    # -- learning it ---------------------------------------------------------------------------------------------------
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent tokens first, equally frequent ones in descending order.

        Args:
            data: Array or list (each element of one dimension is a document of its own), or an iterable of batches.
            steps: Number of batches to read of an iterable.

        Raises:
            ValueError: if the vocabulary was given.
        """
        self.reset_state()
        for batch in batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch; one dimension is one document.

        Raises:
            ValueError: if the vocabulary was given.
        """
        values = host(data)
        keys = self._keys(values)
        keys = keys.tolist() if isinstance(keys, np.ndarray) else keys
        rows = len(values) if values.ndim > 1 and self.output_mode == "tf_idf" else 1
        width = len(keys) // max(rows, 1)
        self._count_rows([keys[i * width : (i + 1) * width] for i in range(rows)])

    def _count_rows(self, rows: list[list[Any]]) -> None:
        if self._has_input_vocabulary:
            raise self._fail("it was given its vocabulary, so it can't be adapted. Make it without `vocabulary`.")
        self._counts.update(rows, documents=self.output_mode == "tf_idf")

    def _keys(self, values: np.ndarray) -> Any:
        """All tokens as the table takes them: a list of byte strings, or an array of integers."""
        if self.vocabulary_dtype == "string":
            return to_bytes(values)
        if values.dtype.kind not in "iub" and values.size and (
            values.dtype.kind != "f" or (np.floor(values) != values).any()
        ):
            raise self._fail(f"integers are needed. Received: values of dtype {values.dtype}; index strings with "
                             "StringLookup, put fractions in bins with Discretization.")  # fmt: skip
        return values.astype(np.int64).ravel()

    def finalize_state(self) -> None:
        """Make a vocabulary of the tokens counted."""
        if self._has_input_vocabulary or not self._counts:
            self._frozen_vocab_size = self.vocabulary_size()
            return
        special = [self._key(t) for t in (self.mask_token, self.oov_token) if t is not None]
        limit = None if self.max_tokens is None else self.max_tokens - self._token_start
        tokens = self._counts.ordered(special, limit)
        self._set(tokens)
        if self.output_mode == "tf_idf":
            self.idf_weights = self._padded_weights(self._counts.idf(tokens), len(tokens), False)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget the tokens counted."""
        if not self._has_input_vocabulary:
            self._counts = TokenCounts()

    # -- looking up ----------------------------------------------------------------------------------------------------
    def compute_output_spec(self, inputs: Any) -> Any:
        if self.output_mode == "int":
            return Spec(inputs.shape, self.vocabulary_dtype if self.invert else "int64")
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return encode(Spec(inputs.shape, "int64"), mode, self._ready_depth(), _config.floatx())

    def _ready_depth(self) -> int:
        depth = self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size
        return self._require_vocabulary() if depth is None else depth

    def _require_vocabulary(self) -> int:
        if self._frozen_vocab_size is None:
            raise self._fail("it has no vocabulary yet: call adapt(data) first, or pass `vocabulary`.", RuntimeError)
        return self._frozen_vocab_size

    def call(self, inputs: Any) -> Any:
        self._require_vocabulary()
        values = host(inputs)
        if self.invert:
            return self._tokens_of(values)
        return self._encode(self._numbers(self._keys(values)).reshape(values.shape))

    def _encode(self, numbers: np.ndarray) -> Any:
        if self.output_mode == "int":
            return to_tensor(numbers)
        depth = self._ready_depth()
        if self.output_mode != "tf_idf":
            return encode(numbers, self.output_mode, depth, _config.floatx())
        if self.idf_weights is None:
            raise self._fail("in mode 'tf_idf' it needs `idf_weights`: call adapt(data) first, or pass them.")
        return ops.multiply(encode(numbers, "count", depth, _config.floatx()), self.idf_weights)

    def _numbers(self, keys: Any) -> np.ndarray:
        """The number of each token, whatever stands for unknown ones included."""
        single = self.num_oov_indices == 1
        numbers = self._vocabulary.numbers(keys, self._oov_start if single else -1)
        if not single:
            unknown = np.flatnonzero(numbers == -1)
            if len(unknown):
                found = keys[unknown] if isinstance(keys, np.ndarray) else [keys[i] for i in unknown.tolist()]
                numbers[unknown] = self._oov_start + self._spread(found)
        return numbers

    def _spread(self, keys: Any) -> np.ndarray:
        """Which of the numbers for unknown tokens each of them gets."""
        if not self.num_oov_indices:
            raise self._fail(f"with num_oov_indices=0 all tokens must be in the vocabulary. "
                             f"Received: {list(keys[:10])}, which are not; "
                             "use num_oov_indices=1 to allow for unknown ones.")  # fmt: skip
        if self.vocabulary_dtype != "string":
            if self.oov_method == "floormod":
                return keys % self.num_oov_indices
            keys = to_bytes(keys)
        unique, where = distinct(keys)
        return buckets(unique, self.num_oov_indices, self.salt)[where]

    def _tokens_of(self, values: np.ndarray) -> Any:
        if values.dtype.kind not in "iub":
            raise self._fail(f"with invert=True it takes integers. Received: dtype {values.dtype}")
        strings = self.vocabulary_dtype == "string"
        special = [self.oov_token] * self._token_start
        if self._oov_start:
            special[0] = self.mask_token
        tokens = np.array([*special, *self.get_vocabulary(False), self.oov_token], object if strings else np.int64)
        inside = (values >= 0) & (values < len(tokens) - 1)
        found = tokens[np.where(inside, values, len(tokens) - 1)]
        return found if strings else to_tensor(found)

    # -- saving --------------------------------------------------------------------------------------------------------
    def _in_config(self) -> bool:
        """Whether the configuration carries the vocabulary: given as a list, or not fit for a file of lines."""
        return self.input_vocabulary is not None or self._vocabulary.breaks_lines

    def get_config(self) -> dict[str, Any]:
        vocabulary, weights = self.input_vocabulary, self.input_idf_weights
        if vocabulary is None and self._in_config():
            vocabulary, weights = self.get_vocabulary(), self.idf_weights
            if weights is not None:
                weights = weights[: len(vocabulary)]
        return {
            **super().get_config(), "invert": self.invert, "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices, "oov_token": self.oov_token, "mask_token": self.mask_token,
            "output_mode": self.output_mode, "sparse": self.sparse, "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self.vocabulary_dtype, "idf_weights": plain(weights),
            "vocabulary": plain(vocabulary), "vocabulary_size": self._frozen_vocab_size,
            "oov_method": self.oov_method, "salt": self.salt,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        refuse_file(cls, config)
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        return {}

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the weights of mode ``"tf_idf"`` into ``store``."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of mode ``"tf_idf"`` out of ``store``."""
        if self.output_mode == "tf_idf" and "idf_weights" in store.keys():
            self.idf_weights = np.asarray(store["idf_weights"], _config.floatx())

    def save_assets(self, dir_path: str) -> None:
        """Write ``vocabulary.txt``, one token a line, unless the configuration carries the vocabulary."""
        if not self._in_config():
            text = "\n".join(map(str, self.get_vocabulary()))
            with atomic_write(os.path.join(dir_path, "vocabulary.txt")) as file:
                file.write(text.encode("utf-8", "surrogateescape"))

    def load_assets(self, dir_path: str) -> None:
        """Read what :meth:`save_assets` wrote."""
        path = os.path.join(dir_path, "vocabulary.txt")
        if self.input_vocabulary is not None or not os.path.exists(path):
            return
        tokens = read_lines(path)
        if not tokens:
            return
        values = [self._key(t) for t in tokens]
        weights = None if self.output_mode != "tf_idf" else self.idf_weights
        self._frozen_vocab_size = None
        self.set_vocabulary(values, None if weights is None else weights[: len(values)])
