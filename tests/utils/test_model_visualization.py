"""Pictures of models; the SVG that is drawn without graphviz is taken apart as XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

import deepkit
from deepkit import layers
from deepkit.utils import model_to_dot, plot_model
from deepkit.utils.model_visualization import graphviz_is_there, model_graph
from deepkit.utils.svg_graph import Box, Cell, Graph, Layout, to_svg

NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr("deepkit.utils.model_visualization.graphviz_is_there", lambda: False)


@pytest.fixture
def model():
    x = deepkit.Input((8,), name="data")
    a = layers.Dense(4, "relu", name="left")(x)
    b = layers.Dense(4, name="right", trainable=False)(x)
    return deepkit.Model(x, layers.Add(name="sum")([a, b * 2.0]), name="diamond")


def texts(path):
    cells = [g for g in ET.parse(path).getroot().iter(f"{NS}g") if g.get("class") == "cell"]
    return ["".join(text.text for text in cell.iter(f"{NS}text")) for cell in cells]


def test_svg(no_graphviz, model, tmp_path):
    plot_model(
        model, tmp_path / "m.svg", show_shapes=True, show_dtype=True, show_layer_names=True,
        show_layer_activations=True, show_trainable=True,
    )  # fmt: skip
    found = texts(tmp_path / "m.svg")
    assert {"data (InputLayer)", "left (Dense)", "multiply", "Activation: relu", "Output dtype: float32"} <= set(found)
    assert "Input shape: (None, 8)" in found and "Output shape: (None, 4)" in found
    assert found.count("Trainable") == 1 and found.count("Non-trainable") == 1
    assert "Input shape: (None, 4), (None, 4)" in found
    paths = [p for p in ET.parse(tmp_path / "m.svg").getroot().iter(f"{NS}path") if "marker-end" in p.attrib]
    assert len(paths) == 5


def test_plain_svg(no_graphviz, model, tmp_path):
    plot_model(model, str(tmp_path / "m.svg"))
    assert sorted(texts(tmp_path / "m.svg")) == ["Add", "Dense", "Dense", "InputLayer", "multiply"]


def test_nested(no_graphviz, tmp_path):
    inner = deepkit.Sequential([layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inner")
    x = deepkit.Input((4,))
    outer = deepkit.Model(x, inner(x))
    plot_model(outer, tmp_path / "m.svg", show_layer_names=True)
    assert "inner (Sequential)" in texts(tmp_path / "m.svg") and len(texts(tmp_path / "m.svg")) == 2
    plot_model(outer, tmp_path / "m.svg", show_layer_names=True, expand_nested=True)
    assert {"a (Dense)", "b (Dense)", "inner (Sequential)"} <= set(texts(tmp_path / "m.svg"))


def test_kinds_of_models(no_graphviz, tmp_path):
    class Own(deepkit.Model):
        def call(self, x):
            return x

    own = Own()
    own.build((None, 2))
    assert [len(model_graph(m, **NONE).boxes) for m in (own, deepkit.Sequential([deepkit.Input((2,)),
            layers.Dense(1), layers.Dense(1)]))] == [1, 2]  # fmt: skip


NONE = dict.fromkeys(
    ("show_shapes", "show_dtype", "show_layer_names", "show_layer_activations", "show_trainable"), False
)


def test_shared_layers_have_one_box(no_graphviz, tmp_path):
    x = deepkit.Input((4,))
    dense = layers.Dense(4)
    model = deepkit.Model(x, dense(layers.ReLU()(dense(x))))
    graph = model_graph(model, **NONE)
    assert len(graph.boxes) == 3 and len(graph.edges) == 3
    plot_model(model, tmp_path / "m.svg", rankdir="LR")
    assert len(texts(tmp_path / "m.svg")) == 3


def test_errors(no_graphviz, model, tmp_path):
    with pytest.raises(ImportError, match=r"pip install pydot.*to_file='model\.svg'"):
        plot_model(model, tmp_path / "m.png")
    with pytest.raises(ImportError, match="png"):
        plot_model(model, tmp_path / "m")
    with pytest.raises(ValueError, match="not built"):
        plot_model(deepkit.Sequential([layers.Dense(1)]), tmp_path / "m.svg")
    with pytest.raises(ValueError, match="rankdir"):
        plot_model(model, tmp_path / "m.svg", rankdir="XX")
    with pytest.raises(ValueError, match="layer_range"):
        plot_model(model, tmp_path / "m.svg", layer_range=["a"])
    assert not list(tmp_path.iterdir())


def test_model_to_dot_without_pydot(monkeypatch, model):
    monkeypatch.setitem(__import__("sys").modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        model_to_dot(model)
    assert not graphviz_is_there()


def test_model_to_dot(model):
    pytest.importorskip("pydot")
    text = model_to_dot(model, show_shapes=True, rankdir="LR").to_string()
    assert "rankdir=LR" in text and "(None, 8)" in text and text.count("->") == 5
    assert "cluster" in model_to_dot(model, subgraph=True).to_string()


def chain(n, edges, direction="TB"):
    return Graph([Box(i, [[Cell(value=str(i))]]) for i in range(n)], edges, direction)


@pytest.mark.parametrize("direction, axis, sign", [("TB", "y", 1), ("BT", "y", -1), ("LR", "x", 1), ("RL", "x", -1)])
def test_edges_point_one_way(direction, axis, sign):
    graph = chain(5, [(0, 1), (1, 2), (0, 3), (3, 4), (2, 4), (0, 4)], direction)
    Layout(graph)
    at = [getattr(box, axis) for box in graph.boxes]
    assert all(sign * (at[b] - at[a]) > 0 for a, b in graph.edges)


def test_boxes_do_not_overlap():
    import random

    rng = random.Random(0)
    for trial in range(20):
        n = rng.randrange(2, 30)
        edges = [(a, b) for b in range(1, n) for a in rng.sample(range(b), min(b, rng.randrange(0, 3)))]
        graph = chain(n, edges, rng.choice(["TB", "BT", "LR", "RL"]))
        layout = Layout(graph)
        for i, p in enumerate(graph.boxes):
            assert p.x >= -1e-6 and p.x + p.width <= layout.width + 1e-6
            assert p.y >= -1e-6 and p.y + p.height <= layout.height + 1e-6
            for q in graph.boxes[:i]:
                apart = p.x + p.width <= q.x or q.x + q.width <= p.x or p.y + p.height <= q.y or q.y + q.height <= p.y
                assert apart, (trial, i, q.key)


def test_a_chain_is_straight():
    graph = chain(4, [(0, 1), (1, 2), (2, 3)])
    Layout(graph)
    assert len({round(box.x + box.width / 2, 6) for box in graph.boxes}) == 1


def test_cycles_and_nothing():
    svg = to_svg(chain(3, [(0, 1), (1, 2), (2, 0), (1, 1)]))
    assert len(re.findall("marker-end", svg)) == 4
    ET.fromstring(to_svg(Graph()))


def test_size_of_the_page():
    small, large = (to_svg(chain(1, []), dpi) for dpi in (96, 192))
    width = lambda svg: int(ET.fromstring(svg).attrib["width"])
    assert abs(width(large) - 2 * width(small)) <= 1
