"""Constructors whose arguments are those of a base class, in another order or with other defaults."""

from __future__ import annotations

import inspect
from typing import Any, Callable, TypeVar

Class = TypeVar("Class", bound=type)
#: The default of an argument that has none.
REQUIRED = inspect.Parameter.empty
_PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _install(cls: Any, parameters: list[inspect.Parameter]) -> None:
    """Give ``cls`` an ``__init__`` with these parameters that calls, by keyword, the one it has."""
    inner = cls.__init__
    signature = inspect.Signature(parameters)
    catch_all = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}.") from None
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        rest = given.pop(catch_all, {}) if catch_all else {}
        inner(self, **given, **rest)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__doc__ = inner.__doc__
    __init__.__qualname__, __init__.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    cls.__init__ = __init__


def with_defaults(*order: str, **defaults: Any) -> Callable[[Class], Class]:
    """Class decorator: a constructor like the inherited one, with other defaults.

    Args:
        *order: Names of arguments that change places: they stand in this order where the first of them stood.
        **defaults: The defaults; :data:`REQUIRED` takes one away.

    Example:
        >>> class Window:
        ...     def __init__(self, size, step=1):
        ...         self.size, self.step = size, step
        >>> @with_defaults(step=(1, 1))
        ... class Window2D(Window):
        ...     pass
        >>> Window2D(3).step
        (1, 1)
    """

    def decorate(cls: Class) -> Class:
        found = dict(inspect.signature(cls.__init__).parameters)  # type: ignore[misc]
        moving = iter(order)
        names = [next(moving) if name in order else name for name in found]
        _install(cls, [found[n].replace(default=defaults.get(n, found[n].default)) for n in names])
        return cls

    return decorate


def spelled_out(base: type) -> Callable[[Class], Class]:
    """Class decorator: names the arguments of ``base`` that the constructor takes as ``**kwargs``.

    They stand behind the constructor's own arguments, but before those that it takes by keyword only; all can be given
    by position.

    Example:
        >>> class Base:
        ...     def __init__(self, rate, name=None):
        ...         self.rate, self.name = rate, name
        >>> @spelled_out(Base)
        ... class Child(Base):
        ...     def __init__(self, rate=0.1, *, momentum=0.0, **kwargs):
        ...         super().__init__(rate, **kwargs)
        >>> inspect.signature(Child)
        <Signature (rate=0.1, name=None, momentum=0.0)>
    """

    def decorate(cls: Class) -> Class:
        own = list(inspect.signature(cls.__init__).parameters.values())  # type: ignore[misc]
        names = {p.name for p in own if p.kind is not p.VAR_KEYWORD}
        added = [p for p in inspect.signature(base.__init__).parameters.values() if p.name not in names]  # type: ignore[misc]
        places = {kind: [p for p in own if p.kind is kind] for kind in (_PLAIN, inspect.Parameter.KEYWORD_ONLY)}
        last = [p.replace(kind=_PLAIN) for p in places[inspect.Parameter.KEYWORD_ONLY]]
        plain = [p for p in added if p.kind is _PLAIN]
        _install(cls, [*places[_PLAIN], *plain, *last, *(p for p in added if p.kind is p.VAR_KEYWORD)])
        return cls

    return decorate
