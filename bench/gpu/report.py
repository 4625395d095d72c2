"""The results as a file and as a table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["file_name", "holds", "table", "write"]

RESULTS = Path(__file__).parents[1] / "results"


def file_name(results: dict[str, Any]) -> Path:
    """``bench/results/gpu-<card>.json``."""
    card = results.get("header", {}).get("result", {}).get("card", "unknown")
    return RESULTS / f"gpu-{re.sub(r'[^a-z0-9]+', '-', card.lower()).strip('-')}.json"


def write(results: dict[str, Any], path: Path) -> None:
    """Write the results; parts of an earlier run that this one left out stay."""
    before = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**before, **results}, indent=1) + "\n")


def holds(result: Any) -> bool:
    """Whether nothing in a part's result says that it doesn't hold."""
    if not isinstance(result, dict):
        return True
    return result.get("holds") is not False and all(map(holds, result.values()))


def table(results: dict[str, Any], command: str) -> str:
    """Markdown: the command and the machine, then a table a part."""
    header = results.get("header", {}).get("result", {})
    lines = [f"## `{command}`", "", ", ".join(f"{name} {value}" for name, value in header.items() if value), ""]
    for part, found in results.items():
        if part == "header":
            continue
        state = found["state"] if holds(found.get("result")) else "done, and something doesn't hold"
        lines += [f"### {part}: {state}, {found['seconds']} s", ""]
        if found["state"] != "done":
            lines += ["```", found.get("why", "")[-1500:], "```", ""]
        elif isinstance(found.get("result"), dict):
            lines += ["| | |", "|---|---|", *(f"| {name} | {_cell(v)} |" for name, v in found["result"].items()), ""]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(v)}" for name, v in value.items())
    return str(value).replace("|", "\\|").replace("\n", " ")
