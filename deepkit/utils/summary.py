"""The table that ``model.summary()`` prints."""

from __future__ import annotations

import math
from typing import Any


def readable_size(n_bytes: float) -> str:
    """Bytes in the largest unit that fits.

    Example:
        >>> readable_size(2048)
        '2.00 KB'
    """
    if n_bytes < 1:
        return "0.00 B"
    units = ["B", "KB", "MB", "GB", "TB"]
    i = min(int(math.log(n_bytes, 1024)), len(units) - 1)
    return f"{n_bytes / 1024**i:.2f} {units[i]}"


def _counts(variables: list[Any]) -> tuple[int, int]:
    return sum(v.size for v in variables), sum(v.nbytes for v in variables)


def _output_shape(layer: Any) -> str:
    from ..layers.input_layer import InputLayer
    from .nest import flatten

    if isinstance(layer, InputLayer):
        return str(layer.batch_shape)
    if not layer._inbound_nodes:
        return "?" if not layer.built else "-"
    shapes = [tuple(y.shape) for y in flatten(layer._inbound_nodes[0].outputs)]
    return str(shapes[0]) if len(shapes) == 1 else ", ".join(map(str, shapes))


def _rows(model: Any, expand: bool, trainable: bool, layers: list[Any], indent: str = "") -> list[list[str]]:
    from ..models.functional import Functional
    from ..models.model import Model

    rows = []
    linked = isinstance(model, Functional)
    for layer in layers:
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        row = [f"{indent}{layer.name} ({type(layer).__name__})", _output_shape(layer), count]
        if linked:
            row.append(", ".join(_sources(layer, model)) or "-")
        if trainable:
            row.append("-" if not layer.weights else "Y" if layer.trainable else "N")
        rows.append(row)
        if expand and isinstance(layer, Model):
            inner = _rows(layer, True, trainable, layer.layers, indent + "  ")
            rows += [r[:3] + (r[3:] if len(r) == len(row) else ["-"] * (len(row) - 3)) for r in inner]
    return rows


def _sources(layer: Any, model: Any) -> list[str]:
    from ..autograd.spec import Spec
    from .nest import flatten

    nodes = set(map(id, model._nodes))
    return [
        f"{x.node.operation.name}[{x.node.index}][{x.output_index}]"
        for node in layer._inbound_nodes
        if id(node) in nodes
        for x in flatten((node.args, list(node.kwargs.values())))
        if isinstance(x, Spec) and x.node is not None
    ]


def summary_text(
    model: Any, line_length: int | None, expand_nested: bool, show_trainable: bool, layer_range: Any = None
) -> str:
    """The summary of a model as text."""
    from ..models.functional import Functional
    from ..models.sequential import Sequential

    layers = model.layers
    if layer_range is not None:
        names = [layer.name for layer in layers]
        first, last = (next(i for i, n in enumerate(names) if n.startswith(x)) for x in layer_range)
        layers = layers[first : last + 1]
    header = ["Layer (type)", "Output Shape", "Param #"]
    linked = isinstance(model, Functional)
    if linked:
        header.append("Connected to")
    if show_trainable:
        header.append("Trainable")
    rows = _rows(model, expand_nested, show_trainable, layers)
    simple = linked and all(r[3].count("[") <= 2 for r in rows) and len(model.inputs) == len(model.outputs) == 1
    if simple and all(i == 0 or f"{layers[i - 1].name}[" in rows[i][3] for i in range(min(len(layers), len(rows)))):
        # A plain chain says nothing in this column.
        header = header[:3] + header[4:]
        rows = [r[:3] + r[4:] for r in rows]
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
    import shutil  # here, to keep `import deepkit` light

    limit = line_length or max(shutil.get_terminal_size((98, 24)).columns, 64)
    excess = sum(widths) + 3 * len(widths) + 1 - limit
    if excess > 0:
        widths[0] = max(widths[0] - excess, 20)
    cut = [[c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(r, widths)] for r in rows]

    def line(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (w + 2) for w in widths) + right

    def text(row: list[str]) -> str:
        cells = [c.rjust(w) if header[i] == "Param #" else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))]
        return "│ " + " │ ".join(cells) + " │"

    out = [f'Model: "{model.name}"', line("┏", "━", "┳", "┓"), text(header).replace("│", "┃"), line("┡", "━", "╇", "┩")]
    for i, row in enumerate(cut):
        out += ([line("├", "─", "┼", "┤")] if i else []) + [text(row)]
    out.append(line("└", "─", "┴", "┘"))
    unbuilt = not model.built and not isinstance(model, Sequential)
    n_all, b_all = _counts(model.weights)
    n_train, b_train = _counts(model.trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    optimizer_variables = list(getattr(optimizer, "variables", [])) if optimizer is not None else []
    n_opt, b_opt = _counts(optimizer_variables)
    if unbuilt:
        out.append(" (the model is not built yet)")
    out.append(f" Total params: {n_all + n_opt:,} ({readable_size(b_all + b_opt)})")
    out.append(f" Trainable params: {n_train:,} ({readable_size(b_train)})")
    out.append(f" Non-trainable params: {n_all - n_train:,} ({readable_size(b_all - b_train)})")
    if n_opt:
        out.append(f" Optimizer params: {n_opt:,} ({readable_size(b_opt)})")
    return "\n".join(out)
