"""The subcommands of ``python -m deepkit``, a module each, with ``add_parser`` and ``run``."""
