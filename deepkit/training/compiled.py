"""What ``compile`` makes of its losses and metrics: one function of all outputs each."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from .. import losses as losses_module
from .. import metrics as metrics_module
from ..autograd.tensor import Tensor
from ..metrics.metric import Metric
from ..utils.naming import to_snake_case
from ..utils.nest import flatten


def per_output(given: Any, names: Sequence[str], what: str, structure: Any) -> list[Any]:
    """A setting for each output, from one for all, a list, or a dictionary by output name.

    Raises:
        ValueError: if their number differs from that of the outputs, or a name is unknown.
    """
    if isinstance(given, dict):
        keys = list(structure) if isinstance(structure, dict) else list(names)
        # The outputs of a dictionary are flattened by sorted key.
        order = sorted(keys) if isinstance(structure, dict) else keys
        unknown = [k for k in given if k not in order]
        if unknown:
            raise ValueError(f"`{what}` names the output {unknown[0]!r}, but the model's outputs are {order}.")
        return [given.get(k) for k in order]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(
                f"`{what}` has {len(given)} entries, but the model has {len(names)} output(s): {list(names)}."
            )
        return list(given)
    return [given] * len(names)


def accuracy_for(kind: str, y_true: Any, y_pred: Any) -> Callable[..., Any]:
    """The accuracy (or crossentropy) that fits the targets: binary, sparse or one-hot.

    Args:
        kind: ``"accuracy"`` or ``"crossentropy"``.
        y_true: Targets.
        y_pred: Predictions.
    """
    binary = y_pred.shape[-1] == 1 if len(y_pred.shape) else True
    sparse = len(y_true.shape) < len(y_pred.shape) or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
    if kind == "accuracy":
        names = ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy")
    else:
        names = ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy")
    return getattr(metrics_module, names[0] if binary else names[1] if sparse else names[2])


def make_metric(given: Any, y_true: Any, y_pred: Any) -> Metric | None:
    """A metric from a name, a metric, a loss or a plain function ``(y_true, y_pred)``.

    Raises:
        ValueError: for an unknown name.
    """
    if given is None:
        return None
    if isinstance(given, str) and given.lower() in ("accuracy", "acc", "crossentropy", "ce"):
        kind = "accuracy" if given.lower().startswith("acc") else "crossentropy"
        return accuracy_for(kind, y_true, y_pred)(name=given)
    metric = metrics_module.get(given)
    if isinstance(metric, type) and issubclass(metric, Metric):
        metric = metric()
    if isinstance(metric, Metric):
        if isinstance(given, str):
            metric.name = given  # as Keras: history and logs speak of a metric as compile() did
        return metric
    if isinstance(given, str):
        name = given
    else:
        name = (
            getattr(metric, "name", None)
            or getattr(metric, "__name__", None)
            or to_snake_case(type(metric).__name__)
        )
    return metrics_module.MeanMetricWrapper(metric, name=name)


class CompiledLoss:
    """The sum of the weighted losses of all outputs.

    Args:
        loss: Loss, or a list or dictionary of them, one an output.
        loss_weights: Their weights, in the same form.
    """

    def __init__(self, loss: Any, loss_weights: Any = None):
        self.given, self.weights_given = loss, loss_weights
        # Names are resolved at once, so that a misspelt one is an error of compile() and not of fit().
        self._resolved = {id(item): losses_module.get(item) for item in flatten(loss) if item is not None}
        self.losses: list[Any] | None = None
        self.trackers: list[Any] = []

    def build(self, names: Sequence[str], structure: Any) -> None:
        """Match losses to outputs.

        Raises:
            ValueError: if there are too few, too many, or for an unknown output.
        """
        losses = per_output(self.given, names, "loss", structure)
        self.losses = [None if item is None else losses_module.checked(losses_module.get(item)) for item in losses]
        weights = self.weights_given
        if isinstance(weights, (int, float)):
            weights = [float(weights)] * len(names)
        self.weights = [1.0 if w is None else w for w in per_output(weights, names, "loss_weights", structure)]
        if all(item is None for item in self.losses):
            raise ValueError(f"compile: no output has a loss. Outputs: {list(names)}.")
        self.trackers = []
        if len(names) > 1:
            self.trackers = [None if loss is None else metrics_module.Mean(name=f"{name}_loss")
                             for name, loss in zip(names, self.losses)]  # fmt: skip

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The total loss, a scalar tensor."""
        losses = self.losses
        assert losses is not None
        if len(losses) == 1:
            y_true, y_pred, sample_weight = _single(y_true), _single(y_pred), _single(sample_weight)
            value = losses[0](y_true, y_pred, sample_weight)
            return value if self.weights[0] == 1.0 else value * self.weights[0]
        total: Any = None
        preds = flatten(y_pred)
        trues = _aligned(y_true, y_pred, len(preds), "y")
        weights = (
            [None] * len(preds)
            if sample_weight is None
            else _aligned(sample_weight, y_pred, len(preds), "sample_weight")
        )
        for i, (loss, t, p, w, scale) in enumerate(zip(losses, trues, preds, weights, self.weights)):
            if loss is None:
                continue
            value = loss(t, p, w)
            if self.trackers:
                self.trackers[i].update_state(value, sample_weight=p.shape[0])
            value = value if scale == 1.0 else value * scale
            total = value if total is None else total + value
        return total

    @property
    def metrics(self) -> list[Metric]:
        return [m for m in self.trackers if m is not None]


def _single(tree: Any) -> Any:
    if tree is None or type(tree) is Tensor:
        return tree
    leaves = flatten(tree) if isinstance(tree, (dict, list, tuple)) else None
    return leaves[0] if leaves is not None and len(leaves) == 1 else tree


def _aligned(tree: Any, y_pred: Any, n: int, what: str) -> list[Any]:
    if isinstance(tree, dict) and isinstance(y_pred, dict):
        return [tree.get(k) for k in sorted(y_pred)]
    leaves = flatten(tree)
    if len(leaves) == 1 and n > 1:
        leaves = leaves * n if what == "sample_weight" else leaves
    if len(leaves) != n:
        raise ValueError(f"The model has {n} outputs, but `{what}` has {len(leaves)} arrays.")
    return leaves


class CompiledMetrics:
    """The metrics of all outputs, with and without sample weights.

    Args:
        metrics: List of metrics; a list of lists or a dictionary of them for several outputs.
        weighted_metrics: The same, updated with the sample weights.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any):
        self.given = (metrics, weighted_metrics)
        self.by_output: list[list[tuple[Metric, bool]]] | None = None
        self.names: list[str] = []
        for item in flatten(metrics) + flatten(weighted_metrics):
            if isinstance(item, str) and item.lower() not in ("accuracy", "acc", "crossentropy", "ce"):
                metrics_module.get(item)

    def build(self, names: Sequence[str], y_true: Any, y_pred: Any) -> None:
        """Make the metrics, now that targets and predictions are known."""
        preds = flatten(y_pred)
        trues = _aligned(y_true, y_pred, len(preds), "y") if y_true is not None else [None] * len(preds)
        self.by_output = [[] for _ in preds]
        for given, weighted in zip(self.given, (False, True)):
            if given is None:
                continue
            for i, items in enumerate(self._per_output(given, names, y_pred)):
                items = items if isinstance(items, (list, tuple)) else [items]
                for item in items:
                    if trues[i] is None:
                        continue
                    metric = make_metric(item, trues[i], preds[i])
                    if metric is not None:
                        self.by_output[i].append((metric, weighted))
        self.names = list(names)

    @staticmethod
    def _per_output(given: Any, names: Sequence[str], structure: Any) -> list[Any]:
        if isinstance(given, dict):
            return per_output(given, names, "metrics", structure)
        given = given if isinstance(given, (list, tuple)) else [given]
        if len(names) == 1:
            return [given]
        if len(given) == len(names) and any(isinstance(item, (list, tuple)) or item is None for item in given):
            return list(given)
        if len(given) == len(names):
            return [[item] for item in given]
        if any(isinstance(item, (list, tuple)) for item in given):
            return per_output(given, names, "metrics", structure)
        return [list(given) for _ in names]

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch."""
        assert self.by_output is not None
        if len(self.by_output) == 1:
            trues, preds, weights = [_single(y_true)], [_single(y_pred)], [_single(sample_weight)]
        else:
            preds = flatten(y_pred)
            trues = _aligned(y_true, y_pred, len(preds), "y") if y_true is not None else [None] * len(preds)
            weights = (
                [None] * len(preds)
                if sample_weight is None
                else _aligned(sample_weight, y_pred, len(preds), "sample_weight")
            )
        for metrics, t, p, w in zip(self.by_output, trues, preds, weights):
            for metric, weighted in metrics:
                if weighted and w is not None:
                    metric.update_state(t, p, sample_weight=w)
                else:
                    metric.update_state(t, p)

    @property
    def metrics(self) -> list[Metric]:
        return [metric for metrics in self.by_output or [] for metric, _ in metrics]

    def named(self) -> list[tuple[str, Metric]]:
        """Metrics with the names they are reported by; with several outputs, that of the output comes first."""
        out: list[tuple[str, Metric]] = []
        seen: dict[str, int] = {}
        for i, metrics in enumerate(self.by_output or []):
            for metric, _ in metrics:
                name = metric.name if len(self.by_output or []) == 1 else f"{self.names[i]}_{metric.name}"
                n = seen.get(name, 0)
                seen[name] = n + 1
                out.append((f"{name}_{n}" if n else name, metric))
        return out
