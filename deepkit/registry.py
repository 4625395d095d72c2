"""The closed registry of classes that a configuration may name, and the form configurations take.

A configuration is data: ``{"module", "class_name", "config", "registered_name"}``. The class is looked up in a table
of deepkit's own public classes (by the path Keras gives them) and of those that the program itself registered. A
module path in a configuration is never imported, and no code is ever read from one.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import numpy as np

from .utils.config_text import MAX_DEPTH

_by_path: dict[str, Any] = {}
_by_class_name: dict[str, list[str]] = {}
_paths: dict[Any, str] = {}
_custom: dict[str, Any] = {}
_custom_names: dict[Any, str] = {}
_scopes = threading.local()
_safe_by_default = True

#: More layers than this in one model of a configuration are refused before any is made.
MAX_LAYERS = 10_000
#: What making an object from a malformed configuration may raise beside ValueError.
MALFORMED = (TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def export(*paths: str) -> Callable[[Any], Any]:
    """Class decorator: the public ``keras`` paths of one of deepkit's own classes, the canonical one first."""

    def register(cls: Any) -> Any:
        for path in paths:
            _by_path[path] = cls
            module, _, name = path.rpartition(".")
            _by_class_name.setdefault(name, [])
            if module not in _by_class_name[name]:
                _by_class_name[name].append(module)
        _paths.setdefault(cls, paths[0])
        return cls

    return register


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Class or function decorator: let configurations name it as ``"package>name"``.

    Raises:
        ValueError: for a class without ``get_config``.
    """

    def register(obj: Any) -> Any:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError(f"{obj.__name__} needs a get_config() method to be registered.")
        full = f"{package}>{name or obj.__name__}"
        _custom[full] = obj
        _custom_names[obj] = full
        return obj

    return register


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Inside the block, configurations may name these classes and functions by their keys."""
    before = getattr(_scopes, "objects", {})
    _scopes.objects = {**before, **(custom_objects or {})}
    try:
        yield _scopes.objects
    finally:
        _scopes.objects = before


CustomObjectScope = custom_object_scope


def get_custom_objects() -> dict[str, Any]:
    """The mutable table of registered custom classes and functions."""
    return _custom


def get_registered_name(obj: Any) -> str:
    """``"package>name"`` of a registered object, or its plain name."""
    return _custom_names.get(obj, getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None, module_objects: Any = None) -> Any:
    """The class or function registered under ``name``, or ``None``."""
    for table in (custom_objects or {}, getattr(_scopes, "objects", {}), _custom, module_objects or {}):
        if name in table:
            return table[name]
    return None


def public_path(cls: Any) -> str | None:
    """Canonical ``keras`` path of one of deepkit's own classes."""
    return _paths.get(cls)


def lookup(path: str) -> Any:
    """The class of deepkit's own at a public path, or ``None``."""
    return _by_path.get(path)


def serialize_keras_object(obj: Any) -> Any:
    """``obj`` as plain data: an object with ``get_config`` as a configuration, containers and numbers as themselves.

    Raises:
        TypeError: for something that has no configuration.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("latin-1")}}
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):  # Keras has no tag for tuples: JSON makes them lists
        return [serialize_keras_object(x) for x in obj]
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, slice):
        return {"class_name": "__slice__", "config": {"start": obj.start, "stop": obj.stop, "step": obj.step}}
    if isinstance(obj, np.dtype):
        return obj.name
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _serialize_instance(obj)
    if callable(obj):
        return _serialize_function(obj)
    if hasattr(obj, "numpy") and hasattr(obj, "dtype"):
        return {"class_name": "__tensor__", "config": {"value": obj.numpy().tolist(), "dtype": str(obj.dtype)}}
    raise TypeError(f"{type(obj).__name__} has no configuration: give its class a get_config() method.")


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    path = _paths.get(cls)
    out: dict[str, Any] = {
        "module": path.rpartition(".")[0] if path else cls.__module__,
        "class_name": path.rpartition(".")[2] if path else cls.__name__,
        "config": serialize_config(obj.get_config()),
        "registered_name": None if path else get_registered_name(cls),
    }
    if path and path.startswith("deepkit."):
        out["registered_name"] = None
    build_config = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    if build_config is not None:
        out["build_config"] = serialize_config(build_config)
    compile_config = obj.get_compile_config() if hasattr(obj, "get_compile_config") else None
    if compile_config is not None:
        out["compile_config"] = serialize_config(compile_config)
    return out


def serialize_config(config: dict[str, Any]) -> dict[str, Any]:
    """The values of a ``get_config()`` dictionary as plain data; tuples become lists at this level, as in JSON."""
    return {
        key: [serialize_keras_object(x) for x in value] if isinstance(value, tuple) else serialize_keras_object(value)
        for key, value in config.items()
    }


def _serialize_function(fn: Any) -> Any:
    name = getattr(fn, "__name__", None)
    if name is None or name == "<lambda>":
        raise TypeError(f"{fn!r} can't be written to a configuration: give it a name with def and register it.")
    return {
        "module": "builtins" if fn in _custom_names else getattr(fn, "__module__", None),
        "class_name": "function",
        "config": name,
        "registered_name": _custom_names.get(fn, name),
    }


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that a configuration describes.

    Args:
        config: What :func:`serialize_keras_object` gave, or the older ``{"class_name", "config"}``, or a name.
        custom_objects: Further classes and functions by name.
        safe_mode: Refuse what opens files; nothing but ``False`` switches it off. Code is always refused.
            Within a load, and after :func:`deepkit.config.enable_unsafe_deserialization`, what was said there holds.
        **kwargs: ``module_objects``, the names that a plain string or an old configuration may mean, and
            ``printable_module_name``, what to call the kind of object in messages.

    Raises:
        ValueError: for an unknown class, or something malformed.
        TypeError: for another argument.
    """
    unknown = kwargs.keys() - {"module_objects", "printable_module_name"}
    if unknown:
        raise TypeError(f"deserialize_keras_object() got an unexpected keyword argument {sorted(unknown)[0]!r}.")
    return _deserialize(config, custom_objects, safe_mode, **kwargs)


def _deserialize(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    module_objects: Any = None,
    printable_module_name: str = "object",
    depth: int = 0,
) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"The configuration is nested more than {MAX_DEPTH} levels deep.")
    safe_mode = getattr(_scopes, "safe", safe_mode is not False and _safe_by_default)

    def inner(value: Any) -> Any:
        return _deserialize(value, custom_objects, safe_mode, None, printable_module_name, depth + 1)

    if isinstance(config, str) and (module_objects is not None or custom_objects):
        found = get_registered_object(config, custom_objects, module_objects)
        if found is not None:
            return found() if isinstance(found, type) else found
        if module_objects is not None:
            from .utils.naming import close_matches

            hint = close_matches(config, list(module_objects))
            raise ValueError(f"Unknown {printable_module_name}: {config!r}.{hint}")
    if config is None or isinstance(config, (bool, int, float, str)):
        return config
    if isinstance(config, (list, tuple)):
        return [inner(x) for x in config]
    if not isinstance(config, dict):
        raise ValueError(f"A configuration is a dictionary, not {type(config).__name__}.")
    if "class_name" not in config or "config" not in config:
        return {key: inner(value) for key, value in config.items()}
    class_name, inside = config["class_name"], config["config"]
    if not isinstance(class_name, str):
        raise ValueError(f"class_name should be a string, not {class_name!r}.")
    if class_name.startswith("__"):
        try:
            return _tagged(class_name, inside, inner)
        except MALFORMED as error:
            raise ValueError(f"The configuration has a malformed {class_name!r}: {error}") from error
    if class_name == "function":
        return _function(config, custom_objects)
    cls = _find_class(config, custom_objects, module_objects)
    if not isinstance(inside, dict):
        raise ValueError(f"The configuration of {class_name!r} should be a dictionary, not {type(inside).__name__}.")
    if not hasattr(cls, "from_config"):
        raise ValueError(f"{class_name!r} can't be made from a configuration: it has no from_config().")
    with custom_object_scope(custom_objects or {}), safe_mode_scope(safe_mode):
        try:
            return _make(cls, config)
        except MALFORMED as error:
            reason = str(error) if isinstance(error, TypeError) else f"{type(error).__name__}: {error}"
            raise ValueError(f"{class_name} can't be made from its configuration: {reason}") from error


def _make(cls: Any, config: dict[str, Any]) -> Any:
    obj = cls.from_config(config["config"])
    for step in ("build", "compile"):
        inside = config.get(f"{step}_config")
        if inside and hasattr(obj, f"{step}_from_config"):
            if not isinstance(inside, dict):
                raise ValueError(f"{step}_config should be a dictionary, not {type(inside).__name__}.")
            getattr(obj, f"{step}_from_config")(inside)
    return obj


@contextmanager
def safe_mode_scope(safe_mode: Any) -> Iterator[None]:
    """Carry ``safe_mode`` down to nested ``from_config`` calls; only ``False`` itself is unsafe."""
    before = getattr(_scopes, "safe", None)
    _scopes.safe = safe_mode is not False
    try:
        yield
    finally:
        if before is None:
            del _scopes.safe
        else:
            _scopes.safe = before


def in_safe_mode() -> bool:
    """Whether configurations that name files are refused; true unless a caller switched it off."""
    return getattr(_scopes, "safe", _safe_by_default)


def disable_safe_mode() -> None:
    """Let every later load in this process open the files that a configuration names."""
    global _safe_by_default
    _safe_by_default = False


def refuse_code() -> None:
    """Raise the error for a configuration that holds a function as bytecode, which is never run."""
    raise ValueError(
        "The configuration holds a function as bytecode, which deepkit never runs, whatever safe_mode says. Build the "
        "model in code and load its weights (load_weights reads this file too), or register the function with "
        "@deepkit.utils.register_keras_serializable() before the model is saved."
    )


def _find_class(config: dict, custom_objects: dict[str, Any] | None, module_objects: Any) -> Any:
    class_name, registered = config["class_name"], config.get("registered_name")
    for name in (registered, class_name):
        if isinstance(name, str):
            found = get_registered_object(name, custom_objects)
            if found is not None:
                return found
    module = config.get("module")
    if isinstance(module, str):
        found = _by_path.get(f"{module}.{class_name}")
        if found is None and module.startswith("keras.src.backend.") and ".optimizers." in module:
            # With PyTorch and TensorFlow, Keras writes its optimizers by where their backend's form is.
            found = _by_path.get(f"keras.optimizers.{class_name}")
        if found is not None:
            return found
    elif module is None:
        if module_objects and class_name in module_objects:
            return module_objects[class_name]
        modules = _by_class_name.get(class_name, [])
        if modules:
            return _by_path[f"{modules[0]}.{class_name}"]
    raise ValueError(
        f"Unknown class {class_name!r}" + (f" (registered as {registered!r})" if registered else "") + ". Register it "
        "with @deepkit.utils.register_keras_serializable() or pass it in custom_objects."
    )


def _function(config: dict, custom_objects: dict[str, Any] | None) -> Any:
    name = config["config"]
    for key in (config.get("registered_name"), name):
        if isinstance(key, str):
            found = get_registered_object(key, custom_objects)
            if found is None and isinstance(config.get("module"), str):
                found = _by_path.get(f"{config['module']}.{key}")
            if found is not None:
                return found
    raise ValueError(f"Unknown function {name!r}. Register it or pass it in custom_objects.")


def _tagged(tag: str, inside: Any, inner: Callable[[Any], Any]) -> Any:
    if tag == "__lambda__":
        refuse_code()
    if tag == "__tuple__":
        return tuple(inner(x) for x in inside)
    if tag == "__bytes__":
        return inside["value"].encode("latin-1")
    if tag == "__numpy__":
        return np.array(inside["value"], dtype=_numeric(inside["dtype"]))
    if tag == "__tensor__":
        from .autograd.op import to_tensor

        return to_tensor(np.array(inside["value"], dtype=_numeric(inside["dtype"])))
    if tag == "__ellipsis__":
        return Ellipsis
    if tag == "__slice__":
        return slice(inside["start"], inside["stop"], inside["step"])
    if tag == "__keras_tensor__":
        from .autograd.spec import Spec

        return Spec(tuple(inside["shape"]), inside["dtype"])
    raise ValueError(f"A configuration with {tag!r} is refused: it carries code or is unknown.")


def _numeric(name: Any) -> np.dtype:
    dtype = np.dtype(str(name))
    if dtype.hasobject:
        raise ValueError("Arrays of Python objects are refused.")
    return dtype
