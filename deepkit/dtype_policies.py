"""Dtype policies: in which dtype a layer computes and in which it keeps its variables."""

from __future__ import annotations

from typing import Any

from . import config
from .autograd.dtypes import standardize_dtype
from .registry import export

_global: Any = None


@export("keras.DTypePolicy", "keras.dtype_policies.DTypePolicy")
class DTypePolicy:
    """A compute dtype and a variable dtype.

    Args:
        name: A dtype name (both are that), or ``"mixed_float16"`` or ``"mixed_bfloat16"`` (compute in it, variables in
            float32). ``None`` is the global policy's name.

    Raises:
        ValueError: for another name.

    Example:
        >>> DTypePolicy("mixed_float16").variable_dtype
        'float32'
    """

    def __init__(self, name: str | None = None, source_name: str | None = None):
        name = name or dtype_policy().name
        if name.startswith("mixed_"):
            self.compute_dtype, self.variable_dtype = standardize_dtype(name[len("mixed_") :]), "float32"
        else:
            self.compute_dtype = self.variable_dtype = standardize_dtype(name)
        self.name: str = name

    quantization_mode = None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: ``floatx()`` unless set."""
    return _global or DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none."""
    global _global
    _global = None if policy is None else get(policy)


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a name, a dtype, a configuration or ``None``."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return DTypePolicy(**(identifier["config"] if "config" in identifier else identifier))
    if isinstance(identifier, str) and identifier.startswith("mixed_"):
        return DTypePolicy(identifier)
    return DTypePolicy(standardize_dtype(identifier))
