"""What a machine with a GPU has to show: one command for proof and figures, see ``python -m bench.gpu --help``."""
