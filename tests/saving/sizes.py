"""Gives every class that a configuration may name huge arguments, one at a time, and tells which take time or memory.

Run by ``test_hostile_sizes.py`` in a process with limits: ``python -m tests.saving.sizes``.
"""

from __future__ import annotations

import inspect
import signal
import time
import warnings
from typing import Any, Iterator

import deepkit
from deepkit import registry
from deepkit.models.operations import OPERATIONS
from deepkit.utils.allowance import allowance

HUGE: list[Any] = [10**9, 10**12, [10**6, 10**6]]
#: What classes need, by the names of their arguments.
NEEDED: dict[str, Any] = {
    "units": 2, "filters": 2, "kernel_size": 2, "input_dim": 3, "output_dim": 2, "num_tokens": 3, "num_bins": 3, "n": 2,
    "rate": 0.5, "num_heads": 2, "key_dim": 2, "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1,
    "target_shape": [4], "dims": [1], "height": 2, "width": 2, "factor": 0.1, "max_value": 1, "num_classes": 3,
    "learning_rate": 0.1, "initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "boundaries": [1],
    "scale": 1.0,
    "values": [1.0, 2.0], "first_decay_steps": 10, "target_class_ids": [0], "sensitivity": 0.5, "specificity": 0.5,
    "precision": 0.5, "recall": 0.5, "equation": "ab,bc->ac", "output_shape": [None, 2], "stddev": 0.1,
}  # fmt: skip


def entry(module: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def source(shape: list[Any]) -> dict[str, Any]:
    made = entry("keras.layers", "InputLayer", {"batch_shape": shape, "name": "i"})
    return {**made, "name": "i", "inbound_nodes": []}


def classes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Configurations of layers in small models, and of everything else."""
    deepkit.layers, deepkit.metrics, deepkit.losses, deepkit.optimizers, deepkit.optimizers.schedules
    seen = set()
    for path, cls in sorted(registry._by_path.items()):
        if not isinstance(cls, type) or cls in seen or not hasattr(cls, "from_config"):
            continue
        seen.add(cls)
        parameters = inspect.signature(cls.__init__).parameters
        base = {k: NEEDED[k] for k, p in parameters.items() if k in NEEDED and p.default is p.empty}
        module, _, name = path.rpartition(".")
        for key in parameters.keys() - {"self", "args", "kwargs", "name", "dtype"}:
            for value in HUGE:
                made = entry(module, name, {**base, key: value})
                if "layers" not in module:
                    yield f"{name}({key}={value})", made
                    continue
                for rank in (1, 2, 3, 4):
                    config = {"name": "s", "layers": [source([None, *[4] * rank]), made]}
                    yield f"{name}({key}={value}), rank {rank}", entry("keras", "Sequential", config)


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Configurations of models that call one op."""
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["i", 0, 0]}}
    for (module, name), operation in sorted(OPERATIONS.items()):
        for key in (None, *operation.config):
            for value in HUGE if key else [None]:
                for args in (
                    [tensor],
                    [tensor, tensor],
                    [tensor, 10**9],
                    [10**9, tensor],
                    [tensor, tensor, 10**9],
                ):
                    made = entry(module, name, {"name": "o", **({key: value} if key else {})})
                    made.update(name="o", inbound_nodes=[{"args": args, "kwargs": {}}])
                    ends = {"input_layers": [["i", 0, 0]], "output_layers": [["o", 0, 0]]}
                    config = {"name": "f", "layers": [source([None, 4, 4, 3]), made], **ends}
                    yield f"{name}({key}={value}) of {len(args)}", entry("keras", "Functional", config)


def main() -> None:
    def late(*_: Any) -> None:
        raise AssertionError("late")

    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, late)
    tried = 0
    for cases in (classes(), operations()):
        for what, config in cases:
            tried += 1
            began = time.process_time()
            signal.alarm(20)
            try:
                with allowance(1000, "file"):
                    registry.deserialize_keras_object(config)
            except (ValueError, TypeError):
                pass
            except BaseException as error:
                print(f"{what}: {type(error).__name__}: {error}", flush=True)
            finally:
                signal.alarm(0)
            if time.process_time() - began > 5:
                print(f"{what}: {time.process_time() - began:.1f} s", flush=True)
    print("tried", tried)


if __name__ == "__main__":
    main()
