"""``Config``: named values that can be frozen."""

from __future__ import annotations

import copy
import json
from typing import Any, Iterator

from .naming import close_matches


class Config:
    """Named values, reached as attributes or as items, which can be frozen and written as JSON.

    Args:
        **kwargs: The values.

    Raises:
        AttributeError: for the attribute of a name that has no value.
        KeyError: for the item of one.
        ValueError: for a change while the values are frozen.

    Example:
        >>> config = Config(learning_rate=0.1)
        >>> config.seed = 3
        >>> config["seed"], "momentum" in config, config.to_json()
        (3, False, '{"learning_rate": 0.1, "seed": 3}')
        >>> config.freeze()
        >>> config.seed = 4
        Traceback (most recent call last):
        ...
        ValueError: The configuration is frozen: 'seed' can't be changed. Call unfreeze() first.
    """

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values can't be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """The values in a dictionary of its own."""
        return copy.copy(self._config)

    def to_json(self) -> str:
        """The values as a JSON object."""
        return json.dumps(self._config)

    def keys(self) -> Any:
        """The names."""
        return self._config.keys()

    def values(self) -> Any:
        """The values."""
        return self._config.values()

    def items(self) -> Any:
        """Pairs of name and value."""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """The value of a name, or ``value`` if it has none."""
        return self._config.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Remove a name and give its value, as :meth:`dict.pop`."""
        self._check_open(args[0] if args else "values")
        return self._config.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values, as :meth:`dict.update`."""
        self._check_open("values")
        self._config.update(*args, **kwargs)

    def _check_open(self, name: str) -> None:
        if self._frozen:
            raise ValueError(f"The configuration is frozen: {name!r} can't be changed. Call unfreeze() first.")

    def __getattr__(self, name: str) -> Any:
        # Only asked for names that are not methods; copies and pickles ask before __init__ has run.
        values = self.__dict__.get("_config", {})
        if name in values:
            return values[name]
        raise AttributeError(f"The configuration has no value {name!r}.{close_matches(name, values)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method of Config: set it as an item, config[{name!r}].")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._config:
            raise AttributeError(f"The configuration has no value {name!r}.")
        del self[name]

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_open(key)
        self._config[key] = value

    def __delitem__(self, key: str) -> None:
        self._check_open(key)
        del self._config[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(self._config)

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"


__all__ = ["Config"]
