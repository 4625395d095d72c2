"""Dtype policies: in which dtype a layer computes and in which it keeps its variables."""

from __future__ import annotations

import re
from typing import Any, Iterator, MutableMapping

from . import config
from .autograd.dtypes import is_float, np_dtype, standardize_dtype
from .autograd.op import cast, to_tensor
from .autograd.spec import Spec
from .registry import deserialize_keras_object, export, serialize_keras_object

_global: Any = None


@export("keras.DTypePolicy", "keras.dtype_policies.DTypePolicy", "keras.mixed_precision.Policy")
class DTypePolicy:
    """A compute dtype and a variable dtype.

    With one of the mixed policies, a layer casts its floating inputs and, within its ``call``, its variables to half
    precision, while the variables themselves, and so their gradients and updates, stay float32 (Micikevicius et al.
    2018).

    Args:
        name: A dtype name (both are that), or ``"mixed_float16"`` or ``"mixed_bfloat16"`` (compute in it, variables in
            float32). ``None`` is the global policy's name.

    Attributes:
        name: The name.
        compute_dtype: Dtype of inputs, and of variables within a call.
        variable_dtype: Dtype of variables.

    Raises:
        TypeError: if the name is no string.
        ValueError: for another name.

    Example:
        >>> DTypePolicy("mixed_float16").variable_dtype
        'float32'
    """

    name: str
    compute_dtype: str
    variable_dtype: str
    quantization_mode = None

    def __init__(self, name: str | None = None):
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str):
            raise TypeError(f"DTypePolicy: `name` should be a string like 'mixed_float16'. Received: name={name!r}")
        mixed = name in ("mixed_float16", "mixed_bfloat16")
        try:
            self.compute_dtype = standardize_dtype(name[len("mixed_") :] if mixed else name)
        except ValueError:
            raise ValueError(
                f"DTypePolicy: `name` should be 'mixed_float16', 'mixed_bfloat16' or a dtype. Received: name={name!r}"
            ) from None
        self.variable_dtype = "float32" if mixed else self.compute_dtype
        self.name = name

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """``x`` as a tensor, in ``dtype`` if it is floating and ``autocast`` is true; other objects unchanged."""
        if not isinstance(x, Spec):
            if not hasattr(x, "__array__"):
                return x
            x = to_tensor(x)
        found = np_dtype(str(x.dtype))
        return cast(x, dtype=np_dtype(dtype)) if autocast and is_float(found) and found != np_dtype(dtype) else x

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the policy again."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and not isinstance(other, DTypePolicyMap) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


@export("keras.FloatDTypePolicy", "keras.dtype_policies.FloatDTypePolicy")
class FloatDTypePolicy(DTypePolicy):
    """The name that :class:`DTypePolicy` had in earlier versions of Keras."""


@export("keras.dtype_policies.DTypePolicyMap")
class DTypePolicyMap(DTypePolicy, MutableMapping):  # type: ignore[type-arg]
    """Policies by the paths of layers.

    Keys are regular expressions that have to match a whole path; layers that none matches get the default. A layer
    that is given a map takes its policy from it when it is first called.

    Args:
        default_policy: The default; the global policy if ``None``.
        policy_map: Dictionary of the others.

    Raises:
        TypeError: if ``policy_map`` is no dictionary.
        ValueError: if the default is a map itself, and on looking up a path that several keys match.

    Example:
        >>> import deepkit
        >>> policies = DTypePolicyMap("mixed_float16", {"head": DTypePolicy("float32")})
        >>> policies["dense"].name, policies["head"].name
        ('mixed_float16', 'float32')
        >>> deepkit.layers.Dense(2, name="head", dtype=policies)([[1.0]]).dtype.name
        'float32'
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: `default_policy` can't be a map itself.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"DTypePolicyMap: `policy_map` should be a dictionary. Received: {policy_map!r}")
        self._given = default_policy
        self._map: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no key matches."""
        return get(self._given)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:  # type: ignore[override]
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:  # type: ignore[override]
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._map:
            return self._map[key]
        matching = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(f"DTypePolicyMap: several keys match the path {key!r}: {matching}.")
        return self._map[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._map:
            raise ValueError(f"DTypePolicyMap: the key {key!r} is there already. Delete it first to replace it.")
        self._map[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicyMap) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((self.name, tuple(self._map)))

    def __repr__(self) -> str:
        names = {key: policy.name for key, policy in self._map.items()}
        return f'<DTypePolicyMap default="{self.default_policy.name}" map={names}>'

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the map again."""
        given = self._given
        return {
            "default_policy": serialize_keras_object(given) if isinstance(given, DTypePolicy) else given,
            "policy_map": serialize_keras_object(self._map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicyMap:
        return cls(**{key: deserialize_keras_object(value, custom_objects) if isinstance(value, dict) else value
                      for key, value in config.items()})  # fmt: skip


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: ``floatx()`` unless set."""
    return _global or DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none.

    Example:
        >>> set_dtype_policy("mixed_float16")
        >>> dtype_policy().compute_dtype
        'float16'
        >>> set_dtype_policy(None)  # that of floatx()
    """
    global _global
    _global = None if policy is None else get(policy)


def serialize(dtype_policy: Any) -> Any:
    """The configuration of a policy, for :func:`deserialize`."""
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy that a configuration describes."""
    known = {cls.__name__: cls for cls in (DTypePolicy, FloatDTypePolicy, DTypePolicyMap)}
    return deserialize_keras_object(config, custom_objects, module_objects=known)


def get(identifier: Any) -> Any:
    """A policy from a policy, a name, a dtype, a configuration or ``None``, the global one.

    Raises:
        ValueError: for anything else.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier) if "class_name" in identifier else DTypePolicy(**identifier)
    return DTypePolicy(identifier if isinstance(identifier, str) else standardize_dtype(identifier))
