"""The chart of the README, from the results of ``bench.compare``: ``python -m bench.chart bench/results/cpu.json``."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from xml.sax.saxutils import escape

TARGET = Path(__file__).parents[1] / "docs" / "benchmarks.svg"
COLOURS = {"deepkit": "#d1495b", "torch": "#66717e", "keras-jax": "#8fb8de", "keras-torch": "#b8bfc6",
           "keras-tensorflow": "#e3c16f"}  # fmt: skip
NAMES = {"deepkit": "deepkit", "torch": "PyTorch", "keras-jax": "Keras on JAX", "keras-torch": "Keras on PyTorch",
         "keras-tensorflow": "Keras on TensorFlow"}  # fmt: skip
LEFT, WIDTH, BAR, GAP, CUT = 310, 520, 9, 14, 4.0


def chart(seconds: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Bars of the training step's time over the fastest peer's, one group a job; longer ones than 4 are cut."""
    frameworks = list(next(iter(seconds.values())))
    y, parts = 34, []
    for i, name in enumerate(frameworks):
        x = LEFT - 170 + i * 140
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 14}" y="17">{NAMES[name]}</text>')
    for job, times in seconds.items():
        medians = {f: statistics.median(times[f]["step"]) for f in frameworks}
        fastest = min(t for f, t in medians.items() if f != "deepkit")
        height = BAR * len(frameworks)
        parts.append(f'<text x="{LEFT - 8}" y="{y + height / 2 + 4}" text-anchor="end">{escape(job)}</text>')
        for i, (name, t) in enumerate(medians.items()):
            ratio = t / fastest
            long = min(ratio, CUT) / CUT * WIDTH
            parts.append(
                f'<rect x="{LEFT}" y="{y + i * BAR}" width="{long:.1f}" height="{BAR - 1}" fill="{COLOURS[name]}"/>'
            )
            mark = f"{ratio:.2f}" if name == "deepkit" else (f"{ratio:.0f}" if ratio > CUT else "")
            parts.append(f'<text x="{LEFT + long + 4:.1f}" y="{y + i * BAR + 8}" class="s">{mark}</text>')
        y += height + GAP
    one = LEFT + WIDTH / CUT
    parts.append(f'<line x1="{one}" y1="28" x2="{one}" y2="{y - GAP + 4}" stroke="#333" stroke-dasharray="3 3"/>')
    style = "text{font:12px sans-serif;fill:#222}.s{font-size:9px}"
    size = f'width="{LEFT + WIDTH + 50}" height="{y}" viewBox="0 0 {LEFT + WIDTH + 50} {y}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><title>Time of a training step over the fastest peer\'s'
        f'</title><rect width="100%" height="100%" fill="#fff"/><style>{style}</style>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    TARGET.write_text(chart(json.loads(Path(sys.argv[1]).read_text())["seconds"]))
    print(TARGET)
