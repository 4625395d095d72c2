"""What is checked once, before the first step: that data, model, loss and metrics fit together."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.spec import Spec
from ..autograd.tape import paused, shapes_only
from ..layers.context import context
from ..utils.nest import flatten, map_nest


def check_first_batch(model: Any, loader: Any, x: Any, y: Any, sample_weight: Any, training: bool) -> None:
    """Build the model and what was compiled from a first batch, and check the targets.

    Only shapes are run through the model: nothing is computed and no state changes but the weights' being made.

    Raises:
        ValueError: naming the input, layer or output, the shapes and the fix.
    """
    check_device(model)
    strings = [leaf for leaf in flatten(x) if getattr(getattr(leaf, "dtype", None), "kind", "f") in "OUST"]
    if strings and not any(getattr(layer, "takes_strings", False) for layer in model._flatten_layers()):
        raise ValueError(
            f"`x` has dtype {strings[0].dtype}, but model {model.name!r} takes numbers. Convert it, e.g. "
            "np.asarray(x, dtype='float32'), or start the model with a preprocessing layer for strings."
        )
    y_pred = predicted_specs(model, x)
    if y_pred is None:
        return
    compiled_loss = model._compiled.get("loss")
    if compiled_loss is None:
        return
    if y is None:
        raise ValueError(
            f"Model {model.name!r} was compiled with a loss, but the data has no targets: pass `y`, or a loader "
            f"that gives "
            "(x, y)."
        )
    y_specs = map_nest(_spec_of, y)
    model._build_compiled(y_specs, y_pred)
    preds = flatten(y_pred)
    for i, (loss, name, target, pred) in enumerate(
        zip(compiled_loss.losses or [], model._output_names(y_pred), _targets(y, y_pred, len(preds)), preds)
    ):
        check = getattr(loss, "check_targets", None)
        if loss is None or target is None:
            continue
        n = _length(target)
        if pred.shape and pred.shape[0] is not None and n is not None and pred.shape[0] != n:
            raise ValueError(f"Output {name!r} has {pred.shape[0]} samples in a batch, its targets {n}.")
        if check is not None:
            whole = loader.all_targets() if hasattr(loader, "all_targets") else None
            values = target if whole is None else _targets(whole, y_pred, len(preds))[i]
            try:
                check(values, tuple(pred.shape))
            except ValueError as error:
                raise ValueError(f"Model {model.name!r}, output {name!r}: {error}") from None


def check_device(model: Any) -> None:
    """Where there are several devices, the weights have to be on the one in use.

    Raises:
        ValueError: naming a weight and both devices.
    """
    if len(backend.KERNELS) < 2:
        return
    here = backend.current_device()
    for v in model.weights:
        there = backend.kernels_of(v.data).place_of(v.data)
        if there != here:
            raise ValueError(
                f"Model {model.name!r} has its weights on {there} (for instance {v.path!r}), and deepkit computes on "
                f"{here}. Run it inside `with deepkit.device({there!r}):`, or make or load it on {here}."
            )


def predicted_specs(model: Any, x: Any) -> Any:
    """Symbolic outputs of ``model`` for a batch like ``x``; builds it. ``None`` if it can't run symbolically."""
    specs = map_nest(_spec_of, x)
    if not model.built:
        batchless = map_nest(lambda s: Spec((None, *s.shape[1:]), s.dtype) if isinstance(s, Spec) else s, specs)
        if not all(isinstance(s, Spec) for s in flatten(batchless)):
            return None
        try:
            _run(model, batchless)
        except NotImplementedError:
            raise
        except (TypeError, AttributeError):
            # A call() written for values, not symbols: one real run builds the model.
            with paused():
                model(map_nest(_one_row, x), training=False)
            return None
    if not all(isinstance(s, Spec) for s in flatten(specs)):
        return None
    key = repr(map_nest(lambda s: (s.shape, s.dtype), specs))
    if model._predicted is None or model._predicted[0] != key:  # a deep model takes some steps' time for it
        try:
            model._predicted = key, _run(model, specs)
        except (TypeError, AttributeError, NotImplementedError):
            return None
    return model._predicted[1]


def _run(model: Any, specs: Any) -> Any:
    if not model.built:
        model._maybe_build((specs,), {})
    before = context.path, context.training
    context.depth += 1
    context.path, context.training = (*context.path, model.name), False
    try:
        with paused(), shapes_only():
            return model.call(specs)
    finally:
        context.depth -= 1
        context.path, context.training = before


def _spec_of(x: Any) -> Any:
    if x is None or not hasattr(x, "shape"):
        return x
    strings = getattr(getattr(x, "dtype", None), "kind", "f") in "OUST"
    return Spec(x.shape, "string" if strings else str(x.dtype))


def _one_row(x: Any) -> Any:
    return x[:1] if hasattr(x, "shape") and len(x.shape) else x


def _length(x: Any) -> int | None:
    return x.shape[0] if getattr(x, "shape", None) else None


def _targets(y: Any, y_pred: Any, n: int) -> list[Any]:
    if isinstance(y, dict) and isinstance(y_pred, dict):
        return [y.get(k) for k in sorted(y_pred)]
    leaves = flatten(y)
    if len(leaves) != n:
        raise ValueError(f"The model has {n} output(s), but there are {len(leaves)} arrays of targets.")
    return leaves
