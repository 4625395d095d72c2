"""Layers for categories and text that are compared with real Keras: ``(make(keras), data to adapt to, inputs)``."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

Case = tuple[Callable[[Any], Any], Any, Any]

_rng = np.random.default_rng(7)
NUMBERS = _rng.normal(size=(50, 3)).astype("float32")
MANY = _rng.gamma(2.0, size=(1000,)).astype("float32")
IDS = np.array([[3, 0, 1], [2, 2, 3]])
WORDS = np.array([["a", "b", "é"], ["zebra", "a", ""], ["b", "b", "日本"]])
LONG = np.array(["x" * n + "ab" * (n // 3) for n in (0, 1, 4, 9, 17, 33, 60, 65, 90, 130)])
LENGTHS = np.array(["".join(chr(97 + (i * i + n) % 26) for i in range(n)) for n in (*range(140), 191, 192, 193, 300)])
INTS = np.array([[12, -5, 1138], [42, 7, 12]])
BATCH = [[["a", "b"], ["b", "c"]], [["d", "b"], ["c", "a"]]]
DOCUMENTS = np.array([
    "The quick brown Fox, jumped over the LAZY dog!", "the dog; the fox & the hen", "", "  spaces\tand\nlines  ",
    "Élan vital — naïve café's", "it's e-mail: a_b [c] {d} ~`^ \"q\" 100%", "one", "日本 語 日本",
])  # fmt: skip
SPACES = np.array(["a\x0bb\x0cc\rd", "a\x1cb\x85c\u00a0d\u3000e", " \t\n"])


def _d(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.Discretization(**kwargs)


def _c(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.CategoryEncoding(**kwargs)


def _h(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.Hashing(**kwargs)


def _x(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.HashedCrossing(**kwargs)


def _i(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.IntegerLookup(**kwargs)


def _s(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.StringLookup(**kwargs)


def _t(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.layers.TextVectorization(**kwargs)


HASHES: dict[str, Case] = {
    "bins_int": (_d(bin_boundaries=[-1.0, 0.0, 0.5]), None, NUMBERS),
    "bins_edge": (_d(bin_boundaries=[0.1, 0.2, 0.3]), None, np.array([0.1, 0.2, 0.3, 0.0, 1.0], "float32")),
    "bins_one_hot": (_d(bin_boundaries=[-1.0, 0.0], output_mode="one_hot"), None, NUMBERS[:4]),
    "bins_one_hot_column": (_d(bin_boundaries=[-1.0, 0.0], output_mode="one_hot"), None, NUMBERS[:4, :1]),
    "bins_multi_hot": (_d(bin_boundaries=[-1.0, 0.0], output_mode="multi_hot"), None, NUMBERS[:4]),
    "bins_count": (_d(bin_boundaries=[-1.0, 0.0], output_mode="count"), None, NUMBERS[:4]),
    "bins_count_3d": (_d(bin_boundaries=[0.0], output_mode="count"), None, NUMBERS[:4].reshape(2, 2, 3)),
    "bins_adapt": (_d(num_bins=4), NUMBERS, NUMBERS),
    "bins_adapt_few": (_d(num_bins=4, epsilon=0.01), np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]]),
                       np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])),
    "bins_adapt_many": (_d(num_bins=10, epsilon=0.05), MANY, MANY[:50]),
    "bins_adapt_batches": (_d(num_bins=7, epsilon=0.02), [MANY[:300], MANY[300:650], MANY[650:]], MANY[:50]),
    "encode_multi_hot": (_c(num_tokens=4), None, IDS),
    "encode_one_hot": (_c(num_tokens=4, output_mode="one_hot"), None, IDS),
    "encode_one_hot_column": (_c(num_tokens=4, output_mode="one_hot"), None, IDS[:, :1]),
    "encode_one_hot_row": (_c(num_tokens=4, output_mode="one_hot"), None, IDS[0]),
    "encode_count": (_c(num_tokens=5, output_mode="count"), None, IDS),
    "encode_count_row": (_c(num_tokens=5, output_mode="count"), None, IDS[1]),
    "encode_count_3d": (_c(num_tokens=4, output_mode="count"), None, np.stack([IDS, IDS[:, ::-1]])),
    "hash": (_h(num_bins=17), None, WORDS),
    "hash_long": (_h(num_bins=10007), None, LONG),
    "hash_every_length": (_h(num_bins=2**62), None, LENGTHS),
    "hash_every_length_salt": (_h(num_bins=2**62, salt=[2**40, 7]), None, LENGTHS),
    "hash_ints": (_h(num_bins=101), None, INTS),
    "hash_salt": (_h(num_bins=101, salt=1337), None, WORDS),
    "hash_salt_pair": (_h(num_bins=10007, salt=[133, 137]), None, LONG),
    "hash_salt_ints": (_h(num_bins=101, salt=3), None, INTS),
    "hash_mask": (_h(num_bins=5, mask_value="a"), None, WORDS),
    "hash_mask_empty": (_h(num_bins=5, mask_value=""), None, WORDS),
    "hash_mask_int": (_h(num_bins=5, mask_value=12), None, INTS),
    "hash_one_hot": (_h(num_bins=5, output_mode="one_hot"), None, WORDS[:, :1]),
    "hash_one_hot_wide": (_h(num_bins=5, output_mode="one_hot"), None, WORDS),
    "hash_multi_hot": (_h(num_bins=5, output_mode="multi_hot"), None, WORDS),
    "hash_count": (_h(num_bins=5, output_mode="count"), None, WORDS),
    "cross": (_x(num_bins=997), None, [WORDS.ravel()[:6], INTS.ravel()]),
    "cross_column": (_x(num_bins=997), None, [LONG[:, None], LONG[::-1, None], np.arange(-5, 5)[:, None]]),
    "cross_one_hot": (_x(num_bins=5, output_mode="one_hot"), None, [INTS.ravel()[:, None], INTS.ravel()[::-1, None]]),
    "cross_one_hot_flat": (_x(num_bins=5, output_mode="one_hot"), None, [INTS.ravel(), INTS.ravel()]),
}  # fmt: skip

VOCABULARY = ["a", "b", "zebra"]
WEIGHTS = [0.25, 0.75, 0.5]
LOOKUPS: dict[str, Case] = {
    "strings": (_s(vocabulary=VOCABULARY), None, WORDS),
    "strings_mask": (_s(vocabulary=VOCABULARY, mask_token=""), None, WORDS),
    "strings_special": (_s(vocabulary=["", "[UNK]", *VOCABULARY], mask_token=""), None, WORDS),
    "strings_oov3": (_s(vocabulary=VOCABULARY, num_oov_indices=3, mask_token="é"), None, WORDS),
    "strings_oov3_salt": (_s(vocabulary=VOCABULARY, num_oov_indices=3, salt=[3, 4]), None, WORDS),
    "strings_adapt": (_s(), WORDS, WORDS),
    "strings_adapt_list": (_s(), ["b", "a", "c", "c", "ab"], ["a", "b"]),
    "strings_adapt_max": (_s(max_tokens=4), WORDS, WORDS),
    "strings_adapt_special": (_s(mask_token="b", oov_token="a"), WORDS, WORDS),
    "strings_adapt_batches": (_s(mask_token=""), [np.array(b) for b in BATCH], WORDS),
    "strings_one_hot": (_s(vocabulary=VOCABULARY, output_mode="one_hot"), None, WORDS),
    "strings_one_hot_column": (_s(vocabulary=VOCABULARY, output_mode="one_hot"), None, WORDS[:, 1:2]),
    "strings_one_hot_mask": (_s(vocabulary=VOCABULARY, output_mode="one_hot", mask_token="é"), None, WORDS),
    "strings_multi_hot": (_s(vocabulary=VOCABULARY, output_mode="multi_hot", num_oov_indices=2), None, WORDS),
    "strings_multi_hot_pad": (_s(output_mode="multi_hot", max_tokens=9, pad_to_max_tokens=True), WORDS, WORDS),
    "strings_count": (_s(vocabulary=VOCABULARY, output_mode="count", mask_token=""), None, WORDS),
    "strings_count_row": (_s(vocabulary=VOCABULARY, output_mode="count"), None, WORDS[0]),
    "strings_tf_idf": (_s(vocabulary=VOCABULARY, idf_weights=WEIGHTS, output_mode="tf_idf"), None, WORDS),
    "strings_tf_idf_special": (
        _s(vocabulary=["[UNK]", *VOCABULARY], idf_weights=[0.9, *WEIGHTS], output_mode="tf_idf"), None, WORDS),
    "strings_tf_idf_pad": (_s(vocabulary=VOCABULARY, idf_weights=WEIGHTS, output_mode="tf_idf", max_tokens=7,
                              pad_to_max_tokens=True), None, WORDS),
    "strings_tf_idf_adapt": (_s(output_mode="tf_idf"), WORDS, WORDS),
    "strings_tf_idf_adapt_pad": (
        _s(output_mode="tf_idf", max_tokens=5, pad_to_max_tokens=True, mask_token=""), WORDS, WORDS),
    "strings_tf_idf_batches": (_s(output_mode="tf_idf"), [np.array(b) for b in BATCH], WORDS),
    "strings_invert": (_s(vocabulary=VOCABULARY, invert=True), None, np.array([[1, 3], [0, 2], [9, -1]])),
    "strings_invert_mask": (_s(vocabulary=VOCABULARY, invert=True, mask_token="", num_oov_indices=2), None,
                            np.array([[1, 3], [0, 2], [9, 5]])),
    "integers": (_i(vocabulary=[12, 36, 1138, 42]), None, INTS),
    "integers_mask": (_i(vocabulary=[36, 1138, 42], mask_token=12), None, INTS),
    "integers_oov3": (_i(vocabulary=[12, 42], num_oov_indices=3), None, INTS),
    "integers_oov3_farm": (_i(vocabulary=[12, 42], num_oov_indices=3, oov_method="farmhash"), None, INTS),
    "integers_oov3_salt": (_i(vocabulary=[12, 42], num_oov_indices=3, oov_method="farmhash", salt=9), None, INTS),
    "integers_adapt": (_i(), INTS, INTS),
    "integers_adapt_max": (_i(max_tokens=3, mask_token=0), INTS, INTS),
    "integers_invert": (_i(vocabulary=[12, 36, 42], invert=True), None, np.array([[1, 3, 3], [3, 0, 2]])),
    "integers_count": (_i(vocabulary=[12, 36, 42], output_mode="count"), None, INTS),
    "integers_tf_idf": (_i(vocabulary=[-1, 12, 42], idf_weights=[0.9, 0.5, 0.25], output_mode="tf_idf"), None, INTS),
}  # fmt: skip

TEXTS: dict[str, Case] = {
    "text": (_t(), DOCUMENTS, DOCUMENTS),
    "text_column": (_t(), DOCUMENTS[:, None], DOCUMENTS[:, None]),
    "text_list": (_t(vocabulary=["fox", "the"]), None, ["the fox", "a fox the fox"]),
    "text_length": (_t(output_sequence_length=4), DOCUMENTS, DOCUMENTS),
    "text_length_long": (_t(output_sequence_length=12), DOCUMENTS, DOCUMENTS),
    "text_max": (_t(max_tokens=6), DOCUMENTS, DOCUMENTS),
    "text_lower": (_t(standardize="lower"), DOCUMENTS, DOCUMENTS),
    "text_strip": (_t(standardize="strip_punctuation"), DOCUMENTS, DOCUMENTS),
    "text_raw": (_t(standardize=None), DOCUMENTS, DOCUMENTS),
    "text_spaces": (_t(standardize=None), SPACES, SPACES),
    "text_character": (_t(split="character"), DOCUMENTS, DOCUMENTS),
    "text_no_split": (_t(split=None, standardize=None, vocabulary=VOCABULARY), None, WORDS),
    "text_no_split_length": (_t(split=None, standardize=None, vocabulary=VOCABULARY, output_sequence_length=5), None,
                             WORDS),
    "text_bigrams": (_t(ngrams=2), DOCUMENTS, DOCUMENTS),
    "text_ngrams_tuple": (_t(ngrams=(3, 1)), DOCUMENTS, DOCUMENTS),
    "text_no_split_ngrams": (_t(split=None, ngrams=2, standardize=None), WORDS, WORDS),
    "text_multi_hot": (_t(output_mode="multi_hot"), DOCUMENTS, DOCUMENTS),
    "text_multi_hot_pad": (_t(output_mode="multi_hot", max_tokens=50, pad_to_max_tokens=True), DOCUMENTS, DOCUMENTS),
    "text_count": (_t(output_mode="count", max_tokens=8), DOCUMENTS, DOCUMENTS),
    "text_tf_idf": (_t(output_mode="tf_idf"), DOCUMENTS, DOCUMENTS),
    "text_tf_idf_pad": (
        _t(output_mode="tf_idf", max_tokens=50, pad_to_max_tokens=True, ngrams=2), DOCUMENTS, DOCUMENTS),
    "text_tf_idf_weights": (
        _t(vocabulary=["fox", "the"], idf_weights=[0.5, 0.25], output_mode="tf_idf"), None, DOCUMENTS),
    "text_batches": (_t(), [DOCUMENTS[:3], DOCUMENTS[3:]], DOCUMENTS),
    "text_tf_idf_batches": (_t(output_mode="tf_idf"), [DOCUMENTS[:3], DOCUMENTS[3:]], DOCUMENTS),
}  # fmt: skip

TABLE = {
    "a": MANY[:100].tolist(), "b": [["x", "y", "z", "x"][i % 4] for i in range(100)],
    "c": [(i * i) % 7 for i in range(100)], "t": [["the cat sat", "a dog", "the dog"][i % 3] for i in range(100)],
}  # fmt: skip


def _space(features: Any, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: k.utils.FeatureSpace(features(k.utils.FeatureSpace, k.layers), **kwargs)


#: Feature spaces, adapted to ``TABLE`` and called on its head: ``make(keras)``.
SPACES: dict[str, Callable[[Any], Any]] = {
    "space_concat": _space(
        lambda f, _: {"a": "float_normalized", "b": "string_categorical",
                      "c": f.integer_categorical(num_oov_indices=2)},
        crosses=[("b", "c")], crossing_dim=11),
    "space_kinds": _space(
        lambda f, _: {"a": "float_discretized", "b": "string_hashed", "c": f.integer_hashed(num_bins=5)},
        hashing_dim=6, num_discretization_bins=7),
    "space_floats": _space(lambda f, _: {"a": f.float_rescaled(scale=2.0, offset=1.0), "c": "float"}),
    "space_bins": _space(lambda f, _: {"a": f.float_discretized(num_bins=4, output_mode="one_hot"), "c": "float"}),
    "space_dict": _space(
        lambda f, _: {"a": f.float(), "b": f.string_categorical(output_mode="int", max_tokens=3),
                      "c": f.integer_categorical(output_mode="int")},
        crosses=[("c", "b")], output_mode="dict"),
    "space_text": _space(
        lambda f, layers: {"t": f.feature("string", layers.TextVectorization(output_mode="tf_idf"), "float")}),
}  # fmt: skip

CASES: dict[str, Case] = {**HASHES, **LOOKUPS, **TEXTS}
