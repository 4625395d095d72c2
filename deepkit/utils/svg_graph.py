"""Directed graphs of labelled boxes, laid out in layers and drawn as SVG.

The layout is that of K. Sugiyama et al., "Methods for Visual Understanding of Hierarchical System Structures", 1981:
each box gets the layer after its last predecessor, long edges get a bend in each layer they cross, boxes are ordered
by the mean position of their neighbours, and then moved towards it as far as the boxes beside them allow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Iterable

FONT, SMALL_FONT = 14, 12
#: Width of a sign over the size of the font: on the large side for sans-serif fonts, as none is measured here.
SIGN = 0.6
PADDING, GAP, LAYER_GAP, MARGIN = 8, 24, 36, 12


@dataclass
class Cell:
    """A field of a box: a caption, a value in bold, and colours."""

    caption: str = ""
    value: str = ""
    fill: str = "white"
    ink: str = "black"

    @property
    def text(self) -> str:
        """Both parts."""
        return f"{self.caption}{self.value}"


@dataclass
class Box:
    """A node: rows of cells, the first of which is the title; or a frame around a graph of its own."""

    key: Any
    rows: list[list[Cell]]
    inside: Graph | None = None
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0


@dataclass
class Graph:
    """Boxes, each after those before it, and edges between their keys.

    Attributes:
        boxes: The boxes.
        edges: Pairs of keys; an edge to an earlier box closes a cycle.
        direction: ``"TB"``, ``"BT"``, ``"LR"`` or ``"RL"``: where the edges point.
    """

    boxes: list[Box] = field(default_factory=list)
    edges: list[tuple[Any, Any]] = field(default_factory=list)
    direction: str = "TB"


class Layout:
    """Positions of the boxes of a graph, and the points that its edges go through.

    Args:
        graph: The graph; the sizes and positions of its boxes are set.

    Example:
        >>> boxes = [Box(name, [[Cell(value=name)]]) for name in "abc"]
        >>> layout = Layout(Graph(boxes, [("a", "b"), ("a", "c")]))
        >>> boxes[0].y < boxes[1].y == boxes[2].y
        True
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.flat = graph.direction in ("LR", "RL")
        self.inner: dict[Any, Layout] = {}
        for box in graph.boxes:
            self._measure(box)
        self.index = {box.key: i for i, box in enumerate(graph.boxes)}
        pairs = dict.fromkeys((self.index[a], self.index[b]) for a, b in graph.edges)
        self.forward = [(a, b) for a, b in pairs if a < b]
        self.back = [(a, b) for a, b in pairs if a >= b]
        self._assign_layers()
        self._order()
        self._place()

    def _measure(self, box: Box) -> None:
        size = lambda row, font: sum(len(cell.text) * SIGN * font + 2 * PADDING for cell in row)
        fonts = [FONT] + [SMALL_FONT] * len(box.rows)
        box.width = max(size(row, font) for row, font in zip(box.rows, fonts))
        box.height = sum(font + 2 * PADDING for _, font in zip(box.rows, fonts))
        if box.inside is not None:
            inner = self.inner[box.key] = Layout(box.inside)
            box.width = max(box.width, inner.width + 2 * MARGIN)
            box.height += inner.height + 2 * MARGIN

    def _assign_layers(self) -> None:
        """Layers as lists of node numbers; those from ``len(boxes)`` on are bends of long edges."""
        n = len(self.graph.boxes)
        rank = [0] * n
        for a, b in sorted(self.forward, key=lambda edge: edge[1]):
            rank[b] = max(rank[b], rank[a] + 1)
        self.layers: list[list[int]] = [[] for _ in range(max(rank, default=0) + 1)]
        for i, r in enumerate(rank):
            self.layers[r].append(i)
        self.chains: list[list[int]] = []
        self.links: list[tuple[int, int]] = []
        nodes = n
        for a, b in self.forward:
            bends = list(range(nodes, nodes + rank[b] - rank[a] - 1))
            nodes += len(bends)
            for layer, bend in zip(range(rank[a] + 1, rank[b]), bends):
                self.layers[layer].append(bend)
            chain = [a, *bends, b]
            self.chains.append(chain)
            self.links += zip(chain, chain[1:])
        self.above: list[list[int]] = [[] for _ in range(nodes)]
        self.below: list[list[int]] = [[] for _ in range(nodes)]
        for a, b in self.links:
            self.above[b].append(a)
            self.below[a].append(b)
        boxes = self.graph.boxes
        # Across: along the layer. Along: from layer to layer.
        self.across = [(b.height if self.flat else b.width) for b in boxes] + [4.0] * (nodes - n)
        self.along = [(b.width if self.flat else b.height) for b in boxes] + [0.0] * (nodes - n)

    def _order(self) -> None:
        place = {i: p for layer in self.layers for p, i in enumerate(layer)}
        for sweep in range(6):
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for layer in self.layers if down else reversed(self.layers):
                mean = {i: _mean([place[j] for j in neighbours[i]], place[i]) for i in layer}
                layer.sort(key=mean.__getitem__)
                place.update((i, p) for p, i in enumerate(layer))

    def _place(self) -> None:
        centre = [0.0] * len(self.across)
        for layer in self.layers:
            self._settle(layer, [0.0] * len(layer), centre)
        for sweep in range(8):
            down = sweep % 2 == 0
            for layer in self.layers if down else reversed(self.layers):
                near = [(self.above if down else self.below)[i] for i in layer]
                self._settle(layer, [_mean([centre[j] for j in js], centre[i]) for i, js in zip(layer, near)], centre)
        edges = [(c - w / 2, c + w / 2) for c, w in zip(centre, self.across)]
        low = min((a for a, _ in edges), default=0.0)
        breadth = max((b for _, b in edges), default=0.0) - low + (GAP if self.back else 0)
        depths = [max((self.along[i] for i in layer), default=0.0) for layer in self.layers]
        depth = sum(depths) + LAYER_GAP * (len(depths) - 1)
        mirrored = self.graph.direction in ("BT", "RL")
        self.points: list[tuple[float, float]] = [(0.0, 0.0)] * len(centre)
        self.thickness = [0.0] * len(centre)
        position = 0.0
        for layer, thickness in zip(self.layers, depths):
            middle = position + thickness / 2
            for i in layer:
                self.thickness[i] = thickness
                c, a = centre[i] - low, depth - middle if mirrored else middle
                self.points[i] = (a, c) if self.flat else (c, a)
            position += thickness + LAYER_GAP
        self.width: float
        self.height: float
        self.width, self.height = (depth, breadth) if self.flat else (breadth, depth)
        for box, (x, y) in zip(self.graph.boxes, self.points):
            box.x, box.y = x - box.width / 2, y - box.height / 2

    def _settle(self, layer: list[int], wanted: list[float], centre: list[float]) -> None:
        """Centres of a layer's nodes near the wanted ones, in order and apart."""
        apart = [(self.across[i] + self.across[j]) / 2 + GAP for i, j in zip(layer, layer[1:])]
        right, left = list(wanted), list(wanted)
        for p, distance in enumerate(apart):
            right[p + 1] = max(right[p + 1], right[p] + distance)
        for p in range(len(apart) - 1, -1, -1):
            left[p] = min(left[p], left[p + 1] - apart[p])
        for i, a, b in zip(layer, left, right):
            centre[i] = (a + b) / 2

    def paths(self) -> Iterable[str]:
        """The edges as SVG paths."""
        sign = -1.0 if self.graph.direction in ("BT", "RL") else 1.0
        for chain in self.chains:
            # Straight through the layers, curved between them, where there are no boxes.
            start, *bends, end = chain
            points = [self._off(start, sign * self.along[start]), self._off(start, sign * self.thickness[start])]
            for i in bends:
                points += [self._off(i, -sign * self.thickness[i]), self._off(i, sign * self.thickness[i])]
            points += [self._off(end, -sign * self.thickness[end]), self._off(end, -sign * self.along[end])]
            parts = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
            for (x0, y0), (x1, y1) in zip(points, points[1:]):
                if (x0, y0) == (x1, y1):
                    continue
                half = ((x0 + x1) / 2, (y0 + y1) / 2)
                first, second = ((half[0], y0), (half[0], y1)) if self.flat else ((x0, half[1]), (x1, half[1]))
                parts.append("C" + " ".join(f"{x:.1f},{y:.1f}" for x, y in (first, second, (x1, y1))))
            yield "".join(parts)
        for a, b in self.back:  # beside the boxes
            (xa, ya), (xb, yb) = (self._side(i, shift) for i, shift in ((a, 6.0), (b, -6.0)))
            dx, dy = (0.0, 2.0 * GAP) if self.flat else (2.0 * GAP, 0.0)
            yield f"M{xa:.1f},{ya:.1f}C{xa + dx:.1f},{ya + dy:.1f} {xb + dx:.1f},{yb + dy:.1f} {xb:.1f},{yb:.1f}"

    def _off(self, i: int, size: float) -> tuple[float, float]:
        """The point half a size away from a node's middle, in the direction of the layers."""
        x, y = self.points[i]
        return (x + size / 2, y) if self.flat else (x, y + size / 2)

    def _side(self, i: int, shift: float) -> tuple[float, float]:
        x, y = self.points[i]
        half = self.across[i] / 2
        return (x + shift, y + half) if self.flat else (x + half, y + shift)


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def to_svg(graph: Graph, dpi: float = 96) -> str:
    """The graph as an SVG document.

    Args:
        graph: The graph.
        dpi: Its size on the page: 96 dots an inch are one dot of the drawing each.

    Example:
        >>> svg = to_svg(Graph([Box(1, [[Cell(value="<a>")]])]))
        >>> svg.startswith("<svg") and "&lt;a&gt;" in svg
        True
    """
    layout = Layout(graph)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    scale = dpi / 96
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale:.0f}" height="{height * scale:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica,Arial,sans-serif">',
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,0L10,5L0,10z"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
        *_drawn(layout, MARGIN, MARGIN),
        "</svg>",
    ]) + "\n"  # fmt: skip


def _drawn(layout: Layout, x: float, y: float) -> Iterable[str]:
    yield f'<g transform="translate({x:.1f},{y:.1f})">'
    for box in layout.graph.boxes:
        yield from _drawn_box(box)
        inner = layout.inner.get(box.key)
        if inner is not None:
            left = box.x + (box.width - inner.width) / 2
            yield from _drawn(inner, left, box.y + box.height - MARGIN - inner.height)
    for path in layout.paths():
        yield f'<path d="{path}" fill="none" stroke="black" stroke-width="1.5" marker-end="url(#arrow)"/>'
    yield "</g>"


def _drawn_box(box: Box) -> Iterable[str]:
    if box.inside is not None:
        yield _rectangle(box.x, box.y, box.width, box.height, "none", ' stroke-dasharray="5,4"')
    top = box.y
    for r, row in enumerate(box.rows):
        font = FONT if r == 0 else SMALL_FONT
        height = font + 2 * PADDING
        widths = [len(cell.text) * SIGN * font + 2 * PADDING for cell in row]
        stretch = (box.width - sum(widths)) / len(row)
        left = box.x
        for cell, width in zip(row, widths):
            yield _rectangle(left, top, width + stretch, height, cell.fill)
            # Where the caption ends and the value begins; an empty one leaves the middle to the other.
            both = bool(cell.caption and cell.value)
            before = stretch / 2 + PADDING + len(cell.caption) * SIGN * font if both else (width + stretch) / 2
            split = left + before
            yield f'<g class="cell" font-size="{font}" fill="{cell.ink}">'
            for text, anchor, weight in ((cell.caption, "end", "normal"), (cell.value, "start", "bold")):
                if text:
                    yield (
                        f'<text x="{split:.1f}" y="{top + height / 2 + font * 0.35:.1f}" font-weight="{weight}" '
                        f'text-anchor="{anchor if both else "middle"}" xml:space="preserve">{escape(text)}</text>'
                    )
            yield "</g>"
            left += width + stretch
        top += height


def _rectangle(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" '
        f'stroke="black"{more}/>'
    )


__all__ = ["Box", "Cell", "Graph", "Layout", "to_svg"]
