"""Optimizers, schedules, regularizers and constraints whose values are compared with real Keras."""

from __future__ import annotations

from typing import Any

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"weight_decay": 0.1, "momentum": 0.9}),
    ("SGD", {"global_clipnorm": 0.3}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.5}),
    ("SGD", {"loss_scale_factor": 4.0}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "rho": 0.8}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "epsilon": 1e-3}),
    ("Adam", {"clipnorm": 0.5}),
    ("Adam", {"clipvalue": 0.1}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 3}),
    ("Adam", {"gradient_accumulation_steps": 3}),
    ("Adam", {"weight_decay": 0.01, "gradient_accumulation_steps": 2, "clipnorm": 1.0}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 2}),
    ("AdamW", {}),
    ("Adagrad", {}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Ftrl", {}),
    ("Ftrl", {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02,
              "l2_shrinkage_regularization_strength": 0.03, "beta": 0.1}),
    ("Lion", {}),
]  # fmt: skip

SCHEDULES: list[tuple[str, tuple]] = [
    ("ExponentialDecay", (0.1, 10, 0.5)),
    ("ExponentialDecay", (0.1, 10, 0.5, True)),
    ("InverseTimeDecay", (0.1, 10, 0.5)),
    ("InverseTimeDecay", (0.1, 10, 0.5, True)),
    ("PolynomialDecay", (0.1, 10, 0.01, 2.0)),
    ("PolynomialDecay", (0.1, 10, 0.01, 1.0, True)),
    ("CosineDecay", (0.1, 10, 0.1)),
    ("CosineDecay", (0.0, 10, 0.1, "warm", 0.1, 5)),
    ("CosineDecayRestarts", (0.1, 4, 2.0, 0.5, 0.1)),
    ("CosineDecayRestarts", (0.1, 4, 1.0, 0.5, 0.1)),
    ("PiecewiseConstantDecay", ([3, 7], [0.1, 0.2, 0.3])),
]

REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}), ("L1", {"l1": 0.3}), ("L2", {}), ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.5}), ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]  # fmt: skip

CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {"max_value": 1.0}), ("MaxNorm", {"axis": 1}), ("NonNeg", {}), ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.5}),
]  # fmt: skip

SHAPES = [(3, 4), (4,), (2, 2, 3)]
STEPS = 7


def label(name: str, kwargs: Any) -> str:
    return name + ("-" + "-".join(f"{k}={v}" for k, v in kwargs.items()) if kwargs else "")
