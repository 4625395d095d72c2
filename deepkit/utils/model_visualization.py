"""Pictures of models: boxes for layers, arrows for what flows between them."""

from __future__ import annotations

import os
from html import escape
from typing import Any

from .atomic import atomic_write
from .nest import flatten, map_nest
from .svg_graph import Box, Cell, Graph, to_svg

_INSTALL = "pip install pydot, and the program `dot` from https://graphviz.org/download/"


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Write a picture of a model to a file.

    Pictures are drawn by graphviz, through pydot. Where one of them is missing, an SVG is drawn without.

    Args:
        model: A built model.
        to_file: The file; its ending says the format.
        show_shapes: Show the shapes of inputs and outputs.
        show_dtype: Show the dtypes of outputs.
        show_layer_names: Show the names of the layers beside their classes.
        rankdir: Where the arrows point: ``"TB"`` down, ``"BT"`` up, ``"LR"`` right, ``"RL"`` left.
        expand_nested: Show what is inside of models in the model.
        dpi: Dots an inch.
        show_layer_activations: Show the activation functions of layers that have one.
        show_trainable: Show which layers are trained.
        splines: How graphviz draws arrows: ``"ortho"``, ``"curved"``, ``"polyline"``, ``"spline"`` or ``"line"``.

    Returns:
        The picture for a notebook where IPython is installed, else ``None``.

    Raises:
        ValueError: for a model that isn't built, or unknown arguments.
        ImportError: for another format than SVG without pydot and graphviz.

    Example:
        >>> import deepkit, os, tempfile
        >>> model = deepkit.Sequential([deepkit.Input((4,)), deepkit.layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = plot_model(model, os.path.join(folder, "model.svg"), show_shapes=True)
    """
    to_file = os.fspath(to_file)
    ending = os.path.splitext(to_file)[1][1:].lower() or "png"
    options = {
        "show_shapes": show_shapes, "show_dtype": show_dtype, "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations, "show_trainable": show_trainable,
    }  # fmt: skip
    _no_more(kwargs)
    graph = model_graph(model, rankdir, expand_nested, **options)
    if graphviz_is_there():
        picture = _dot(graph, dpi, splines).create(format=ending)
    elif ending == "svg":
        picture = to_svg(graph, dpi=96).encode()
    else:
        raise ImportError(f"plot_model: a {ending} file needs graphviz ({_INSTALL}). Or pass "
                          "to_file='model.svg', which needs neither.")  # fmt: skip
    with atomic_write(to_file) as file:
        file.write(picture)
    return _picture(to_file, ending)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """The picture of a model as a graph of the pydot package.

    Args:
        model: A built model.
        subgraph: Give a ``pydot.Cluster``, to be put into another graph.
        show_shapes: See :func:`plot_model`, as for all other arguments.

    Returns:
        A ``pydot.Dot`` or ``pydot.Cluster``.

    Raises:
        ValueError: for a model that isn't built, or unknown arguments.
        ImportError: without pydot.
    """
    _no_more(kwargs)
    graph = model_graph(
        model, rankdir, expand_nested, show_shapes=show_shapes, show_dtype=show_dtype,
        show_layer_names=show_layer_names, show_layer_activations=show_layer_activations, show_trainable=show_trainable,
    )  # fmt: skip
    return _dot(graph, dpi, splines, model.name if subgraph else None)


def graphviz_is_there() -> bool:
    """Whether both pydot and the program ``dot`` can be used."""
    import shutil

    try:
        import pydot  # noqa: F401
    except ImportError:
        return False
    return shutil.which("dot") is not None


def model_graph(model: Any, rankdir: str = "TB", expand_nested: bool = False, **options: bool) -> Graph:
    """The boxes and arrows of a model.

    Raises:
        ValueError: for a model that isn't built, or an unknown direction.
    """
    from ..models import Functional, Sequential

    if rankdir not in ("TB", "BT", "LR", "RL"):
        raise ValueError(f"`rankdir` should be 'TB', 'BT', 'LR' or 'RL'. Received: rankdir={rankdir!r}")
    if not model.built:
        raise ValueError(f"Model {model.name!r} is not built: call build(input_shape), or call it on data, first.")
    graph = Graph(direction=rankdir)

    def add(operation: Any, key: Any, calls: Any) -> None:
        inside = None
        if expand_nested and isinstance(operation, (Functional, Sequential)):
            inside = model_graph(operation, rankdir, True, **options)
        graph.boxes.append(Box(key, _rows(operation, calls, **options), inside))

    if isinstance(model, Sequential):
        for layer in model.layers:
            add(layer, id(layer), layer)
        graph.edges = [(id(a), id(b)) for a, b in zip(model.layers, model.layers[1:])]
    elif isinstance(model, Functional):
        nodes = [x.node for x in model.inputs if x.node is not None] + model._nodes
        known = set()
        for node in nodes:
            key = _key(node)
            if key not in known:
                known.add(key)
                add(node.operation, key, node)
            sources = [x.node for x in _specs((node.args, node.kwargs)) if x.node is not None]
            graph.edges += [(_key(source), key) for source in sources]
        graph.edges = [(a, b) for a, b in dict.fromkeys(graph.edges) if a in known]
    else:
        add(model, id(model), model)
    return graph


def _specs(tree: Any) -> list[Any]:
    from ..autograd.spec import is_keras_tensor

    return [x for x in flatten(tree) if is_keras_tensor(x)]


def _key(node: Any) -> int:
    """A layer has one box for all its calls; an op, which has no state, one for each."""
    from ..autograd.op import Op

    return id(node) if isinstance(node.operation, Op) else id(node.operation)


def _rows(
    operation: Any,
    call: Any,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> list[list[Cell]]:
    from ..autograd.op import Op

    kind = type(operation).__name__
    if isinstance(operation, Op):
        kind, show_layer_names = operation.name, False
    name = operation.name if show_layer_names else kind
    rows = [[Cell(value=name, fill="black", ink="white")]]
    if show_layer_names:
        rows[0][0].caption, rows[0][0].value = f"{name} ({kind})", ""
    activation = getattr(operation, "activation", None)
    if show_layer_activations and activation is not None:
        label = getattr(activation, "name", None) or getattr(activation, "__name__", None) or str(activation)
        rows.append([Cell("Activation: ", label)])
    cells = []
    inputs, outputs = _ends(operation, call)
    if show_shapes:
        if kind != "InputLayer":
            cells.append(Cell("Input shape: ", _text(inputs, "shape")))
        cells.append(Cell("Output shape: ", _text(outputs, "shape")))
    if show_dtype:
        cells.append(Cell("Output dtype: ", _text(outputs, "dtype")))
    if show_trainable and getattr(operation, "weights", None):
        trained = operation.trainable
        cells.append(Cell("", "Trainable" if trained else "Non-trainable",
                          "forestgreen" if trained else "firebrick", "white"))  # fmt: skip
    return [*rows, cells] if cells else rows


def _ends(operation: Any, call: Any) -> tuple[Any, Any]:
    """Symbolic inputs and outputs, ``None`` where they aren't known."""
    if hasattr(call, "outputs") and hasattr(call, "args"):  # a node of the graph
        inputs = _specs((call.args, call.kwargs))
        return (inputs[0] if len(inputs) == 1 else inputs), call.outputs
    try:
        return operation.input, operation.output
    except (AttributeError, ValueError):
        return None, None


def _text(tree: Any, attribute: str) -> str:
    if tree is None:
        return "?"
    values = map_nest(lambda x: getattr(x, attribute, "?"), tree)
    if isinstance(values, dict):
        return ", ".join(f"{key}: {value}" for key, value in values.items())
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def _dot(graph: Graph, dpi: int, splines: str, cluster: str | None = None) -> Any:
    """The graph for pydot; with a name, as a cluster."""
    try:
        import pydot
    except ImportError:
        raise ImportError(f"model_to_dot needs pydot: {_INSTALL}.") from None
    if cluster is None:
        dot = pydot.Dot(rankdir=graph.direction, concentrate=True, dpi=dpi, splines=splines)
    else:
        dot = pydot.Cluster(graph_name=_quoted(cluster), label=_quoted(cluster), style="dashed", labeljust="l")
    for box in graph.boxes:
        if box.inside is not None:
            dot.add_subgraph(_dot(box.inside, dpi, splines, box.rows[0][0].text))
        else:
            dot.add_node(pydot.Node(str(box.key), label=_html(box), shape="plain", fontname="Helvetica"))
    boxes = {box.key: box for box in graph.boxes}
    for a, b in graph.edges:
        source, target = _innermost(boxes[a], -1), _innermost(boxes[b], 0)
        dot.add_edge(pydot.Edge(str(source.key), str(target.key), penwidth=2))
    return dot


def _innermost(box: Box, index: int) -> Box:
    """The box inside nested models at which an arrow ends: dot has no arrows to frames."""
    while box.inside is not None and box.inside.boxes:
        box = box.inside.boxes[index]
    return box


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


def _html(box: Box) -> str:
    columns = max(len(row) for row in box.rows)
    rows = ""
    for r, row in enumerate(box.rows):
        rows += "<tr>"
        for cell in row:
            span = columns if len(row) == 1 else 1
            bold = f"<b>{escape(cell.value)}</b>" if cell.value else ""
            rows += (
                f'<td colspan="{span}" bgcolor="{cell.fill}"><font point-size="{16 if r == 0 else 14}" '
                f'color="{cell.ink}">{escape(cell.caption)}{bold}</font></td>'
            )
        rows += "</tr>"
    return f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="10">{rows}</table>>'


def _picture(path: str, ending: str) -> Any:
    try:
        from IPython import display
    except ImportError:
        return None
    if ending == "svg":
        return display.SVG(filename=path)
    return None if ending == "pdf" else display.Image(filename=path)


def _no_more(kwargs: dict[str, Any]) -> None:
    kwargs = {key: value for key, value in kwargs.items() if key != "layer_range" or value is not None}
    if kwargs:
        raise ValueError(f"Unknown arguments: {', '.join(kwargs)}.")


__all__ = ["graphviz_is_there", "model_graph", "model_to_dot", "plot_model"]
