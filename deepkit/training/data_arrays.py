"""What users pass as data, made into NumPy arrays: conversion and the checks that come before training."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .. import backend, config
from ..autograd.dtypes import is_float, np_dtype
from ..autograd.tensor import Tensor
from ..utils.nest import flatten, map_nest


class SparseRows:
    """A SciPy sparse matrix that gives dense batches.

    Args:
        matrix: Sparse matrix or array of two dimensions.
    """

    def __init__(self, matrix: Any):
        self.matrix = matrix.tocsr()
        self.shape = matrix.shape
        self.ndim = 2
        self.dtype = np_dtype(config.floatx()) if is_float(matrix.dtype) else matrix.dtype

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self.matrix[rows].toarray(), self.dtype)

    def take(self, rows: np.ndarray, axis: int = 0) -> np.ndarray:
        """The rows as a dense array."""
        return self[rows]


def is_sparse(x: Any) -> bool:
    """Whether ``x`` is a SciPy sparse matrix; never imports SciPy."""
    return hasattr(x, "tocsr") and "scipy" in sys.modules


def is_array_like(x: Any) -> bool:
    """Whether ``x`` is an array of samples, and not a nest of arrays or a source of batches."""
    if isinstance(x, (np.ndarray, Tensor, range)) or hasattr(x, "__array__") or is_sparse(x):
        return True
    return isinstance(x, (list, tuple)) and not is_nest(x)


def is_nest(x: Any) -> bool:
    """Whether a list, tuple or dictionary holds one array for each input; a list of numbers or of rows is an array."""
    if isinstance(x, dict):
        return True
    if not isinstance(x, (list, tuple)) or not x or all(item is None for item in x):
        return False
    return all(item is None or is_nest(item) or _has_samples(item) for item in x)


def _has_samples(x: Any) -> bool:
    if is_sparse(x):
        return True
    shape = getattr(x, "shape", None)
    return shape is not None and len(shape) > 0


def to_arrays(tree: Any, name: str) -> Any:
    """A nest of whatever users pass, with NumPy arrays as leaves.

    Floating arrays get the dtype ``floatx()``, integers and booleans keep theirs, strings become object arrays.

    Args:
        tree: Arrays, tensors, data frames, lists of numbers; or a list, tuple or dictionary of those.
        name: Name of the argument, for messages.

    Raises:
        ValueError: for ragged lists, objects and single numbers.
    """
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: to_arrays(value, f"{name}[{key!r}]") for key, value in tree.items()}
    if isinstance(tree, (list, tuple)) and is_nest(tree):
        items = [to_arrays(item, f"{name}[{i}]") for i, item in enumerate(tree)]
        return items if isinstance(tree, list) else tuple(items)
    return to_array(tree, name)


def to_array(x: Any, name: str) -> Any:
    """One array, see :func:`to_arrays`."""
    if type(x) is not np.ndarray:
        x = _host_array(x, name)
        if isinstance(x, SparseRows):
            return x
    kind = x.dtype.kind
    if kind == "f" or kind == "V":
        floatx = np_dtype(config.floatx())
        if x.dtype != floatx:
            if not is_float(x.dtype):
                raise _unfit(name, x.dtype)
            x = x.astype(floatx)
    elif kind == "O":
        _check_objects(x, name)
    elif kind in "UST":
        x = x.astype(object)
    elif kind not in "biuc":
        raise _unfit(name, x.dtype)
    if not x.ndim:
        raise ValueError(
            f"`{name}` is a single value; data needs a first axis of samples. Received: {name}={x!r}"
        )
    return x


def _host_array(x: Any, name: str) -> Any:
    if isinstance(x, np.ndarray):  # memory maps, masked arrays, matrices
        return np.asarray(x)
    if isinstance(x, Tensor):
        return x.numpy()
    if type(x) in backend.KERNELS or type(x).__module__.startswith("cupy"):
        return backend.to_numpy(x)
    if is_sparse(x):
        return SparseRows(x)
    if type(x).__module__.split(".")[0] == "pandas":
        return _from_pandas(x, name)
    if hasattr(x, "detach") and hasattr(x, "cpu"):  # torch: also those that need a gradient or lie on a GPU
        x = x.detach().cpu()
        return x.float().numpy() if str(x.dtype) == "torch.bfloat16" else x.numpy()
    try:
        return np.asarray(x)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{name}` can't be made into an array: {error}. If its rows differ in length, make them equal first, for "
            "instance with deepkit.utils.pad_sequences."
        ) from None


def _from_pandas(x: Any, name: str) -> np.ndarray:
    """A data frame or series; columns of several numeric dtypes become one of their common dtype."""
    frame = hasattr(x, "columns")
    columns = (
        [(str(c), x.dtypes.iloc[i]) for i, c in enumerate(x.columns)] if frame else [(str(x.name), x.dtype)]
    )
    dtypes = []
    for _, dtype in columns:
        plain = getattr(dtype, "numpy_dtype", dtype)  # nullable dtypes name the NumPy one below
        kind = getattr(plain, "kind", "O")
        if kind not in "biuf":
            if not frame and all(isinstance(item, str) for item in x):
                return x.to_numpy(dtype=object)
            wrong = [
                c for c, d in columns if getattr(getattr(d, "numpy_dtype", d), "kind", "O") not in "biuf"
            ]
            raise ValueError(
                f"`{name}` has columns that aren't numbers: {', '.join(map(repr, wrong))} (dtype {dtype}). Convert "
                "them (pandas.to_numeric, pandas.get_dummies, deepkit.layers.StringLookup) or drop them: "
                f"{name}.drop(columns={wrong})."
            )
        dtypes.append(np.dtype(plain))
    common = np.result_type(*dtypes) if dtypes else np.dtype("float64")
    values = x.isna().to_numpy().any() if any(not isinstance(d, np.dtype) for _, d in columns) else False
    if values:
        return x.to_numpy(dtype="float64", na_value=np.nan)
    return x.to_numpy(dtype=common)


def _check_objects(x: np.ndarray, name: str) -> None:
    flat = x.reshape(-1)
    odd = next((item for item in flat if not isinstance(item, (str, bytes))), None)
    if odd is None:
        return
    if isinstance(odd, (list, tuple, np.ndarray)):
        raise ValueError(
            f"`{name}` is ragged: an object array of shape {x.shape} whose items have lengths of their own. Make them "
            "equal in length, for instance with deepkit.utils.pad_sequences, or stack them with np.stack."
        )
    raise ValueError(
        f"`{name}` has dtype object (it holds, for instance, {odd!r} of type {type(odd).__name__}), where numbers are "
        f"needed. Convert it: {name}.astype('float32')."
    )


def _unfit(name: str, dtype: Any) -> ValueError:
    return ValueError(
        f"`{name}` has dtype {dtype}, which no layer takes. Convert it: {name}.astype('float32')."
    )


def to_weights(tree: Any, name: str = "sample_weight") -> Any:
    """Sample weights as floating arrays."""
    if tree is None:
        return None
    floatx = np_dtype(config.floatx())
    return map_nest(
        lambda w: w if w is None or w.dtype == floatx else w.astype(floatx), to_arrays(tree, name)
    )


def named_leaves(tree: Any, name: str) -> list[tuple[str, Any]]:
    """Leaves with the expression that gives each, without ``None``."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [leaf for key, value in tree.items() for leaf in named_leaves(value, f"{name}[{key!r}]")]
    if isinstance(tree, (list, tuple)):
        return [leaf for i, item in enumerate(tree) for leaf in named_leaves(item, f"{name}[{i}]")]
    return [(name, tree)]


def check_lengths(x: Any, y: Any, sample_weight: Any) -> int:
    """Number of samples.

    Raises:
        ValueError: if arrays differ in it, or there is none.
    """
    leaves = named_leaves(x, "x") + named_leaves(y, "y") + named_leaves(sample_weight, "sample_weight")
    if not leaves:
        raise ValueError("There is no data: `x` holds no arrays.")
    n = leaves[0][1].shape[0]
    if any(leaf.shape[0] != n for _, leaf in leaves):
        lengths = ", ".join(f"{name} has {leaf.shape[0]}" for name, leaf in leaves)
        hint = ""
        if isinstance(x, list) or isinstance(y, list):
            hint = (
                " A list of arrays counts as one array for each input or output; stack samples with np.stack."
            )
        raise ValueError(f"All arrays must have the same number of samples (first axis): {lengths}.{hint}")
    if not n:
        shapes = ", ".join(f"{name} {tuple(leaf.shape)}" for name, leaf in leaves)
        raise ValueError(f"The data is empty, it has 0 samples: {shapes}.")
    return n


def check_finite(x: Any) -> None:
    """Look for NaN in the floating inputs. A memory map isn't read for it.

    Raises:
        ValueError: naming the array, how many there are and where the first is.
    """
    for name, leaf in named_leaves(x, "x"):
        if not isinstance(leaf, np.ndarray) or leaf.dtype.kind != "f" or isinstance(leaf.base, np.memmap):
            continue
        with np.errstate(all="ignore"):
            total = np.add.reduce(leaf, axis=None)  # NaN if any element is: far cheaper than a mask of all
        if total == total:
            continue
        found = np.argwhere(np.isnan(leaf))
        if len(found):
            where = ", ".join(map(str, found[0].tolist()))
            raise ValueError(
                f"`{name}` holds NaN: {len(found)} of {leaf.size} values, the first at {name}[{where}]. Drop those "
                f"samples or fill the gaps first, for instance with np.nan_to_num({name})."
            )


def class_weights(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """The weight of each sample's class; 1 for classes that ``class_weight`` doesn't name.

    Args:
        y: Class numbers ``(n,)`` or ``(n, 1)``, or one-hot rows ``(n, classes)``.
        class_weight: Weight by class number.

    Raises:
        ValueError: for several outputs, no targets, or a weight that is no number.
    """
    if y is None:
        raise ValueError("`class_weight` needs targets: pass `y`.")
    leaves = flatten(y)
    if len(leaves) != 1 or isinstance(y, dict):
        raise ValueError(
            "`class_weight` is only supported for models with a single output; use `sample_weight`."
        )
    if not isinstance(class_weight, dict):
        raise ValueError(
            f"`class_weight` should be a dictionary {{class: weight}}. Received: {class_weight!r}"
        )
    labels = np.asarray(leaves[0])
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    classes, where = np.unique(np.round(labels).astype("int64"), return_inverse=True)
    try:
        weights = np.array([float(class_weight.get(int(c), 1.0)) for c in classes], np_dtype(config.floatx()))
    except (TypeError, ValueError):
        raise ValueError(
            f"`class_weight` should give a number for each class. Received: {class_weight!r}"
        ) from None
    return weights[where.reshape(labels.shape)]


def standardize_batch(batch: Any, class_weight: Any = None) -> tuple[Any, Any, Any]:
    """``(x, y, sample_weight)`` of arrays from what a source gives.

    Raises:
        ValueError: for more than three parts, or weights from both sides.
    """
    from .data import unpack_x_y_sample_weight

    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    x, y = to_arrays(x, "x"), to_arrays(y, "y")
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError("`class_weight` can't be used with data that gives sample weights itself.")
        return x, y, class_weights(y, class_weight)
    return x, y, None if sample_weight is None else to_weights(sample_weight)
