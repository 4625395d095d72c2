"""Writes api.md: every public name of Keras beside deepkit's. ``python -m docs.make_api_table``"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: What is left out on purpose: patterns of full names, with the reason.
LEFT_OUT = {
    r"keras\.applications\b.*": "pretrained models; build them with the layers, or load a `.keras` file of one",
    r"keras\.quantizers\b.*": "quantization",
    r".*(Quantize|Quantizer|QDTypePolicy|Int4DTypePolicy).*": "quantization",
    r"keras\.layers\.(FlaxLayer|JaxLayer|TFSMLayer|TorchModuleWrapper)": "wraps another framework",
    r"keras\.callbacks\.OrbaxCheckpoint": "wraps another framework's checkpoints; use `ModelCheckpoint`",
}


def _default(value: Any) -> str:
    plain = isinstance(value, (bool, int, float, str, type(None))) or (
        isinstance(value, (tuple, list))
        and all(isinstance(v, (bool, int, float, str, tuple, type(None))) for v in value)
    )
    return repr(value) if plain else "..."


def signature(value: Any) -> str | None:
    """Parameter names and defaults as text, without ``*args`` and ``**kwargs``; ``None`` for what can't be called."""
    if not callable(value):
        return None
    try:
        found = inspect.signature(value.__init__ if inspect.isclass(value) else value)
    except (TypeError, ValueError):
        return None
    parts = []
    for p in found.parameters.values():
        if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            parts.append(p.name if p.default is p.empty else f"{p.name}={_default(p.default)}")
    return ", ".join(parts)


def _find(full: str) -> Any:
    """The object of deepkit that stands where Keras has ``full``; ``LookupError`` without one."""
    module, _, name = full.rpartition(".")
    where = "deepkit" + module.removeprefix("keras")
    try:
        return getattr(importlib.import_module(where), name)
    except (ImportError, AttributeError):
        pass
    try:
        value: Any = importlib.import_module("deepkit")
        for part in full.split(".")[1:]:
            value = getattr(value, part)
        return value
    except (ImportError, AttributeError):
        raise LookupError(full) from None


def compare() -> dict[str, list[tuple[str, str, str]]]:
    """By namespace: ``(name, state, note)``, the state "same", "other", "absent" or "left out"."""
    names = json.loads((ROOT / "tests" / "golden" / "api.json").read_text())["names"]
    table: dict[str, list[tuple[str, str, str]]] = {}
    for namespace, entries in names.items():
        rows = table.setdefault(namespace, [])
        for name, wanted in entries.items():
            full = f"{namespace}.{name}"
            reason = next((why for pattern, why in LEFT_OUT.items() if re.fullmatch(pattern, full)), None)
            try:
                found = _find(full)
            except LookupError:
                rows.append((name, "absent" if reason is None else "left out", reason or ""))
                continue
            ours = signature(found)
            if wanted is None or ours == wanted:
                rows.append((name, "same", ""))
            else:
                rows.append((name, "other", f"Keras `({wanted})`, deepkit `({ours})`"))
    return table


def counted(table: dict[str, list[tuple[str, str, str]]]) -> tuple[int, int, int]:
    """How many names there are, not counting those left out; how many are present, and how many with one signature."""
    states = [state for rows in table.values() for _, state, _ in rows if state != "left out"]
    return len(states), len(states) - states.count("absent"), states.count("same")


def page() -> str:
    """The text of api.md."""
    table = compare()
    total, present, same = counted(table)
    version = json.loads((ROOT / "tests" / "golden" / "api.json").read_text())["version"]
    lines = [
        f"# deepkit beside Keras {version}",
        "",
        "Every public name of Keras, from `tests/golden/api.json`; written by `python -m docs.make_api_table`, and a",
        "test keeps it true. Signatures are compared by the names, the order and the defaults of their parameters.",
        "",
        f"{present} of {total} names are here ({100 * present / total:.1f} %), {same} of them",
        f"({100 * same / total:.1f} % of all) with the same signature. Not counted is what is left out on purpose:",
        "",
        *[f"- `{pattern}`: {why}" for pattern, why in LEFT_OUT.items()],
        "",
        "| namespace | names | same | other arguments | absent | left out |",
        "|---|---|---|---|---|---|",
    ]
    for namespace, rows in table.items():
        states = [state for _, state, _ in rows]
        counts = " | ".join(str(states.count(s)) for s in ("same", "other", "absent", "left out"))
        lines.append(f"| `{namespace}` | {len(rows)} | {counts} |")
    for title, wanted in (("Present with other arguments", "other"), ("Absent", "absent")):
        lines += ["", f"## {title}", ""]
        found = [(ns, *row) for ns, rows in table.items() for row in rows if row[1] == wanted]
        lines += [f"- `{ns}.{name}`{': ' + note if note else ''}" for ns, name, _, note in found] or ["None."]
    lines += ["", "## Present", ""]
    for namespace, rows in table.items():
        names = [name for name, state, _ in rows if state in ("same", "other")]
        if names:
            lines += [f"**{namespace}**: {', '.join(names)}", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "api.md").write_text(page(), encoding="utf-8")
    total, present, same = counted(compare())
    print(f"docs/api.md: {total} names, {present} present, {same} with the same signature")
