"""A progress bar in a terminal or a notebook; a line at the end everywhere else."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Iterable

from .. import config

BAR, BAR_ASCII = "━", "="


def print_message(text: str, line_break: bool = True) -> None:
    """Write to standard output, where signs that it can't show are replaced, or to the logger ``"deepkit"`` after
    :func:`deepkit.config.disable_interactive_logging`."""
    if not config.is_interactive_logging_enabled():
        import logging  # here, to keep `import deepkit` light

        logging.getLogger("deepkit").info("%s", text.strip())
        return
    out = sys.stdout
    if out is None:  # a program without a console
        return
    text = text + "\n" if line_break else text
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = getattr(out, "encoding", None) or "ascii"
        out.write(text.replace(BAR, BAR_ASCII).encode(encoding, "replace").decode(encoding))
    out.flush()


def _is_terminal() -> bool:
    return bool(getattr(sys.stdout, "isatty", None) and sys.stdout.isatty())


class Progbar:
    """A bar with the step, the time left, the time a step, and metrics.

    In a terminal or a notebook it is redrawn in place; elsewhere (a file, a pipe) only its last state is written.

    Args:
        target: Number of steps, ``None`` if unknown.
        width: Signs in the bar; fewer where the terminal is narrow.
        verbose: 0 silent, 1 a bar, 2 a line at the end.
        interval: Least time between two drawings, in seconds.
        stateful_metrics: Names of metrics shown as they are; all others are averaged over the steps.
        stateless_metrics: Names of metrics that are averaged; all others are shown as they are.
        unit_name: What is counted.

    Raises:
        ValueError: if both lists of names are given.

    Example:
        >>> bar = Progbar(2, verbose=2, stateful_metrics=["loss"])
        >>> bar.update(1, [("loss", 0.5)])
        >>> bar.update(2, [("loss", 0.25)])
        2/2 - 0s - ...s/step - loss: 0.2500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: pass either `stateful_metrics` or `stateless_metrics`, not both.")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.stateful_metrics = set(stateful_metrics or ()) if stateless_metrics is None else None
        interactive = config.is_interactive_logging_enabled()
        self._terminal = interactive and _is_terminal()
        self._live = verbose == 1 and interactive and (
            self._terminal or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ
        )
        self._values: dict[str, list[Any]] = {}  # sum and number of steps
        self._seen_so_far = 0
        self._start = time.perf_counter()
        self._after_first: float | None = None
        self._last_update = float("-inf")
        self._drawn = 0

    def due(self) -> bool:
        """Whether an update would be shown now."""
        return self._live and time.perf_counter() - self._last_update >= self.interval

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show a state.

        Args:
            current: Number of steps done.
            values: Pairs of a metric's name and its value in the last step.
            finalize: Whether it is the last one; when ``target`` is reached by default.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen_so_far, 1)
        for name, value in values or ():
            averaged = name not in self.stateful_metrics if self.stateful_metrics is not None else (
                name in (self.stateless_metrics or ())
            )  # fmt: skip
            if averaged and not finalize:
                entry = self._values.setdefault(name, [0.0, 0])
                entry[0] += value * steps
                entry[1] += steps
            else:
                self._values[name] = [value, 1]
        self._seen_so_far = current
        now = time.perf_counter()
        per_step = self._step_duration(current, now)
        if self._live and (finalize or now - self._last_update >= self.interval):
            self._draw(current, now, per_step, finalize)
            self._last_update = now
        elif not self._live and self.verbose and finalize and self.target:
            line = f"{current:>{len(str(self.target))}d}/{self.target} - {now - self._start:.0f}s -"
            print_message(line + self._rate(per_step) + self._metrics())

    def add(self, n: int, values: Any = None) -> None:
        """Go on by ``n`` steps."""
        self.update(self._seen_so_far + n, values)

    def _draw(self, current: int, now: float, per_step: float, finalize: bool) -> None:
        count, bar = f"{current:7d}/Unknown", ""
        tail = f" {_duration(now - self._start)}"
        if self.target:
            count = f"{current:>{len(str(self.target))}d}/{self.target}"
            if not finalize:
                tail = f" {_duration(per_step * max(self.target - current, 0))}"
        tail += self._rate(per_step) + self._metrics()
        import shutil  # here, to keep `import deepkit` light

        room = (shutil.get_terminal_size().columns - 1) if self._terminal else 1 << 20
        if self.target:
            width = max(min(self.width, room - len(count) - len(tail) - 1), 5)
            done = min(width * current // self.target, width)
            bar = " " + self._coloured(BAR * done, 32) + self._coloured(BAR * (width - done), 37)
            length = len(count) + 1 + width
        else:
            length = len(count)
        if length + len(tail) > room:  # a line that wraps can't be drawn over
            tail = tail[: max(room - length - 1, 0)] + "…"
        length += len(tail)
        padding = " " * max(self._drawn - length, 0)
        self._drawn = length
        print_message(f"\r{count}{bar}{tail}{padding}", line_break=finalize)

    def _coloured(self, text: str, colour: int) -> str:
        if not text or not self._terminal or os.environ.get("NO_COLOR"):
            return text
        return f"\x1b[{colour}m{text}\x1b[0m"

    def _metrics(self) -> str:
        out = ""
        for name, (total, count) in self._values.items():
            try:
                mean = float(total) / max(1, count)
                out += f" - {name}: {mean:.4f}" if abs(mean) > 1e-3 or mean == 0 else f" - {name}: {mean:.4e}"
            except (TypeError, ValueError):
                out += f" - {name}: {total}"
        return out

    def _rate(self, per_step: float) -> str:
        if per_step >= 1 or per_step == 0:
            return f" {per_step:.0f}s/{self.unit_name}"
        if per_step >= 1e-3:
            return f" {per_step * 1e3:.0f}ms/{self.unit_name}"
        return f" {per_step * 1e6:.0f}us/{self.unit_name}"

    def _step_duration(self, current: int, now: float) -> float:
        """Mean time of a step; the first, which builds and compiles things, is left out once there are more."""
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:
            return (now - self._after_first) / (current - 1)
        if current == 1:
            self._after_first = now
        return (now - self._start) / current


def _duration(seconds: float) -> str:
    if seconds > 3600:
        return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{seconds % 60 // 1:02.0f}"
    if seconds > 60:
        return f"{seconds // 60:.0f}:{seconds % 60 // 1:02.0f}"
    return f"{seconds:.0f}s"


__all__ = ["Progbar", "print_message"]
