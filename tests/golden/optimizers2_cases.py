"""Optimizers for real Keras (make_optimizers2.py) and the tests: label, and how to make one from keras.optimizers."""

from __future__ import annotations

from typing import Any

#: Shape and name of the variables.
VARIABLES = [((3, 4), "kernel"), ((4,), "bias"), ((2, 2, 3), "stack"), ((5, 2), "tall"), ((3, 2), "embeddings")]
STEPS = 6

CASES: list[tuple[str, Any]] = [
    (f"{name}-{i}", lambda o, name=name, kwargs=kwargs: getattr(o, name)(**kwargs))
    for i, (name, kwargs) in enumerate(
        [
            ("Lamb", {}),
            ("Lamb", {"weight_decay": 0.1, "clipnorm": 1.0, "use_ema": True}),
            ("Lamb", {"gradient_accumulation_steps": 2}),
            ("Adafactor", {}),
            ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.5, "clip_threshold": 0.5}),
            ("Adafactor", {"relative_step": False, "epsilon_1": 1e-3, "gradient_accumulation_steps": 3}),
            ("Muon", {}),
            ("Muon", {"learning_rate": 0.01, "nesterov": False, "rms_rate": None, "ns_steps": 3}),
            ("Muon", {"exclude_layers": ["tall"], "exclude_embeddings": False, "adam_lr_ratio": 0.5}),
            ("Muon", {"adam_weight_decay": None, "weight_decay": 0.2}),
            ("Muon", {"adam_weight_decay": 0.2, "weight_decay": None}),
            ("ScheduleFreeAdamW", {}),
            ("ScheduleFreeAdamW", {"warmup_steps": 4, "weight_decay": 0.1, "beta_1": 0.8}),
            ("ScheduleFreeAdamW", {"gradient_accumulation_steps": 2, "learning_rate": 0.1}),
        ]
    )
]
CASES += [
    ("LossScale", lambda o: o.LossScaleOptimizer(o.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=3)),
    ("LossScale-default", lambda o: o.LossScaleOptimizer(o.SGD(0.1, momentum=0.9))),
    ("Multi", lambda o: o.MultiOptimizer(o.OptimizerMap(o.Adam(0.1), {"bias": o.SGD(0.2), "t.*": o.Lamb(0.01)}))),
    ("Multi-scaled", lambda o: o.MultiOptimizer(o.OptimizerMap(o.RMSprop(), {"kernel": o.SGD(0.2)}), 4.0)),
]
#: Step whose gradients hold an infinite element, for the loss-scaling cases.
OVERFLOW = 4
