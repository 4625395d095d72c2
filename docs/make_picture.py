"""Draw ``docs/demo.svg``: what a terminal shows during a run of the demo.

    python docs/make_picture.py [--epochs 20]

The demo runs in a terminal of its own (a pseudo-terminal, so POSIX only); its output is replayed on a small screen
that knows the few control codes of a progress bar, and the lines left on it are drawn. The epochs in the middle are
left out.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from html import escape
from pathlib import Path

OUT = Path(__file__).with_name("demo.svg")
WIDTH, LINE, CHARACTER, MARGIN = 112, 17, 8.4, 16
COMMAND = "python -m deepkit demo"


def record(arguments: list[str]) -> str:
    """Everything the demo writes to its terminal."""
    import pty

    chunks: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 1024)
        chunks.append(data)
        return data

    os.environ.update(COLUMNS=str(WIDTH), LINES="50", TERM="xterm", PYTHONUNBUFFERED="1")
    if pty.spawn([sys.executable, "-m", "deepkit", "demo", *arguments], read):
        raise SystemExit("The demo failed.")
    return b"".join(chunks).decode()


def replay(text: str) -> list[str]:
    """The lines that stay on the screen: carriage returns and backspaces overwrite, colours are dropped."""
    lines: list[str] = []
    for raw in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        column = 0
        for character in raw:
            if character == "\r":
                column = 0
            elif character == "\b":
                column = max(column - 1, 0)
            else:
                cells[column : column + 1] = [character]
                column += 1
        lines.append("".join(cells).rstrip())
    return lines


def shorten(lines: list[str], first: int = 2, last: int = 3) -> list[str]:
    """From the line that counts the images on, with only the first and last epochs."""
    begin = next(i for i, line in enumerate(lines) if "images to train on" in line)
    lines = lines[begin:]
    starts = [i for i, line in enumerate(lines) if re.match(r"Epoch \d+/\d+", line)]
    if len(starts) > first + last:
        lines = lines[: starts[first]] + ["  ..."] + lines[starts[-last] :]
    while lines and not lines[-1]:
        lines.pop()
    return [f"$ {COMMAND}", *lines]


def draw(lines: list[str]) -> str:
    """The lines as an SVG image of a terminal."""
    width = int(max(map(len, lines)) * CHARACTER + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN
    rows = []
    for i, line in enumerate(lines):
        kind = "command" if i == 0 else "strong" if re.match(r"Held-out|Epoch", line) else "plain"
        rows.append(f'<text x="{MARGIN}" y="{MARGIN + LINE * i + 13}" class="{kind}">{escape(line)}</text>')
    style = (
        "text{font:14px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#c9d1d9}"
        ".command{fill:#7ee787}.strong{fill:#79c0ff}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="A terminal during the demo">\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n' + "\n".join(rows) + "\n</svg>\n"
    )


def main() -> None:
    """Run the demo and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs")
    options = parser.parse_args()
    text = record(["--epochs", options.epochs] if options.epochs else [])
    OUT.write_text(draw(shorten(replay(text))), encoding="utf-8")
    print(f"Wrote {OUT}")


if __name__ == "__main__":
    main()
