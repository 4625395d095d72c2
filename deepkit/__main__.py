"""``python -m deepkit``: try deepkit, or find out why the GPU isn't used."""

from __future__ import annotations

import argparse
import sys
from typing import Sequence

from . import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 0 if all went well.

    Args:
        arguments: the command line without the program's name; by default the process's own.
    """
    from .cli import demo, doctor

    parser = argparse.ArgumentParser(
        prog="python -m deepkit", description="Neural networks on NumPy and CuPy."
    )
    parser.add_argument("--version", action="version", version=f"deepkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for module in (demo, doctor):
        module.add_parser(commands)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
