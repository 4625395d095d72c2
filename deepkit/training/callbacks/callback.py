"""The base of callbacks, and the list that calls them."""

from __future__ import annotations

from typing import Any, Callable

from ...autograd.tensor import Tensor


def lazy_logs(hook: Callable) -> Callable:
    """Mark a batch hook that may be given its logs as a function, and calls :func:`resolve` only when it needs them.

    Reading a metric waits for the device, so hooks that rarely look must not make every step wait.
    """
    hook._lazy_logs = True  # type: ignore[attr-defined]
    return hook


def resolve(logs: Any) -> dict[str, Any]:
    """Logs as a dictionary of Python numbers, sorted by name; ``logs`` may be a function that gives them."""
    if callable(logs):
        logs = logs()
    if not logs:
        return {}
    out: dict[str, Any] = {}
    for name in sorted(logs):
        value = logs[name]
        if isinstance(value, dict):
            out.update(resolve(value))
        else:
            out[name] = value if type(value) is float else _number(value)
    return out


def _number(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.numpy()
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


class Callback:
    """Base of callbacks; a subclass overrides the hooks it wants.

    ``logs`` are dictionaries of Python numbers by metric name: at the end of a batch the results since the epoch began,
    at the end of an epoch those of the epoch, the validation's with the prefix ``val_``.

    Attributes:
        model: The model that is trained; setting its ``stop_training`` ends the training after the step.
        params: Dictionary of ``verbose``, ``epochs`` and ``steps``.

    Example:
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, logs["loss"])
        >>> CallbackList([Announce()]).on_epoch_end(0, {"loss": 0.5})
        0 0.5
    """

    #: Attributes that a backup keeps: plain data, and arrays in lists and dictionaries.
    resumed: tuple[str, ...] = ()
    #: Whether the callback is called after all others, as one is that saves their state.
    runs_last = False

    def __init__(self) -> None:
        self.params: Any = None
        self._model: Any = None

    def set_params(self, params: Any) -> None:
        """Called before training with the dictionary that becomes :attr:`params`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called before training with the model."""
        self._model = model

    @property
    def model(self) -> Any:
        return self.__dict__.get("_model")

    def resume_state(self) -> dict[str, Any]:
        """What a backup keeps of the callback: the attributes that :attr:`resumed` names."""
        return {name: getattr(self, name) for name in self.resumed}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take on what :meth:`resume_state` gave; called after ``on_train_begin``."""
        for name in self.resumed:
            if name in state:
                setattr(self, name, state[name])

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """The old name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """The old name of :meth:`on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Called before each epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after each epoch of training, and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each training step."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each training step."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each step of an evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each step of an evaluation or validation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each step of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each step of a prediction; ``logs["outputs"]`` are the model's outputs."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Called before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """Called after training, with the logs of the last epoch."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Called before an evaluation or validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """Called after an evaluation or validation, with its results."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Called after a prediction."""


def _overrides(callback: Any, name: str) -> bool:
    """Whether a callback has a hook of its own, in its class or set on the object."""
    if name in getattr(callback, "__dict__", ()):
        return True
    return getattr(type(callback), name, None) is not getattr(Callback, name)


class CallbackList(Callback):
    """Several callbacks, called as one in their order.

    Which callbacks have which batch hooks is found out once, so that a step costs next to nothing where none has.

    Args:
        callbacks: Callbacks, or a nest of them.
        add_history: Add a :class:`History` unless there is one.
        add_progbar: Add a :class:`ProgbarLogger` unless there is one.
        model: The model.
        params: What the callbacks get as ``params``.

    Raises:
        TypeError: for something that isn't a callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Any] = []
        for callback in _flatten(callbacks):
            if isinstance(callback, type) or not hasattr(callback, "on_epoch_end"):
                hint = f" Make one: {callback.__name__}(...)." if isinstance(callback, type) else ""
                raise TypeError(f"`callbacks` should hold Callback objects. Received: {callback!r}.{hint}")
            self.callbacks.append(callback)
        self._history: Any = None
        if self.callbacks or add_history or add_progbar:
            self._complete(add_history, add_progbar)
        self._find_hooks()
        self.set_model(model)
        self.set_params(params)

    def _complete(self, add_history: bool, add_progbar: bool) -> None:
        """Add what every run has unless the user's callbacks have it already."""
        from .history import History
        from .progbar_logger import ProgbarLogger

        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)
        self._find_hooks()

    def _find_hooks(self) -> None:
        if not self.callbacks:  # predict and evaluate, mostly, for which every microsecond counts
            self._train_begin = self._train_end = self._test_begin = self._test_end = []
            self._predict_begin = self._predict_end = []
            self.wants_batches = False
            return
        self.callbacks.sort(key=lambda callback: getattr(callback, "runs_last", False))
        self._train_begin = self._hooks("on_train_batch_begin", "on_batch_begin")
        self._train_end = self._hooks("on_train_batch_end", "on_batch_end")
        self._test_begin = self._hooks("on_test_batch_begin")
        self._test_end = self._hooks("on_test_batch_end")
        self._predict_begin = self._hooks("on_predict_batch_begin")
        self._predict_end = self._hooks("on_predict_batch_end")
        #: Whether a callback looks at the outputs of ``predict``.
        self.wants_batches = any(not lazy for _, lazy in self._predict_end)

    def _hooks(self, name: str, old_name: str | None = None) -> list[tuple[Callable, bool]]:
        """The hook of each callback that has its own, and whether it takes unread logs."""
        out: list[tuple[Callable, bool]] = []
        if not self.callbacks:
            return out
        for callback in self.callbacks:
            for n in (name, old_name):
                if n is not None and _overrides(callback, n):
                    # A hook under the old name is reached through the base's new one, unless only it is lazy.
                    hook = getattr(callback, name)
                    out.append((hook, bool(getattr(getattr(callback, n), "_lazy_logs", False))))
                    break
        return out

    def set_params(self, params: Any) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_loader(self, loader: Any) -> None:
        """Show the loader of the training data to callbacks that save and restore where it stands."""
        for callback in self.callbacks:
            if hasattr(callback, "set_loader"):
                callback.set_loader(loader)
            if hasattr(callback, "set_listeners"):
                callback.set_listeners(self.callbacks)

    @staticmethod
    def _call(hooks: list[tuple[Callable, bool]], batch: int, logs: Any) -> None:
        values: Any = None
        for hook, lazy in hooks:
            if lazy:
                hook(batch, logs=logs if values is None else values)
            else:
                values = resolve(logs) if values is None else values
                hook(batch, logs=values)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        for callback in self.callbacks:
            callback.on_batch_begin(batch, logs=resolve(logs))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        values = resolve(logs)
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs=values)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._train_begin:
            self._call(self._train_begin, batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._train_end:
            self._call(self._train_end, batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._test_begin:
            self._call(self._test_begin, batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._test_end:
            self._call(self._test_end, batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._predict_begin:
            self._call(self._predict_begin, batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        for hook, _ in self._predict_end:
            hook(batch, logs=logs or {})

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        values = resolve(logs)
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, values)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        values = resolve(logs)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, values)


def _broadcast(name: str) -> Callable[..., None]:
    def hook(self: CallbackList, logs: Any = None) -> None:
        values = resolve(logs)
        for callback in self.callbacks:
            getattr(callback, name)(values)

    hook.__name__, hook.__doc__ = name, getattr(Callback, name).__doc__
    return hook


for _name in (
    "on_train_begin",
    "on_train_end",
    "on_test_begin",
    "on_test_end",
    "on_predict_begin",
    "on_predict_end",
):
    setattr(CallbackList, _name, _broadcast(_name))


def _flatten(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [c for item in callbacks for c in _flatten(item)]
    return [callbacks]


def make_callbacks(
    callbacks: Any,
    model: Any,
    verbose: Any = "auto",
    epochs: int = 1,
    steps: int | None = None,
    history: bool = True,
    loader: Any = None,
) -> CallbackList:
    """The list of callbacks of one call of ``fit``, ``evaluate`` or ``predict``.

    Args:
        callbacks: What the user passed: callbacks, or a list of the user's own making, which is used as it is.
        model: The model.
        verbose: 0 silent, 1 or ``"auto"`` a progress bar, 2 a line an epoch.
        epochs: Number of the last epoch.
        steps: Steps an epoch, ``None`` if unknown.
        history: Record a :class:`History`.
        loader: The loader of the training data.

    Raises:
        ValueError: for another ``verbose``.
    """
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"`verbose` should be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
    if isinstance(callbacks, CallbackList):
        made = callbacks
        if made.model is None:
            made.set_model(model)
    else:
        made = CallbackList(
            callbacks,
            add_history=history,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
    if loader is not None:
        made.set_loader(loader)
    return made


__all__ = ["Callback", "CallbackList", "lazy_logs", "make_callbacks", "resolve"]
