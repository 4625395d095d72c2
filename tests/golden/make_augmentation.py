"""Makes augmentation.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_augmentation.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from augmentation_cases import CASES, CONFIGURATIONS, data

out = {}
for name, (make, settings) in CASES.items():
    keras.utils.set_random_seed(len(name))
    images, masks, boxes = data(settings)
    layer = make(keras.layers)
    drawn = layer.get_random_transformation(images, training=True)
    for key, value in (drawn if isinstance(drawn, dict) else {"": drawn}).items():
        if value is not None:
            out[f"{name}/drawn/{key}"] = np.asarray(value)
    out[f"{name}/images"] = np.asarray(layer.transform_images(keras.ops.array(images), drawn, training=True))
    if settings.get("masks"):
        moved = layer.transform_segmentation_masks(keras.ops.array(masks), drawn, training=True)
        out[f"{name}/masks"] = np.asarray(moved)
    if settings.get("boxes"):
        given = keras.utils.bounding_boxes.convert_format(
            keras.ops.array(boxes), "xyxy", layer.bounding_box_format, height=9, width=12
        )
        moved = layer.transform_bounding_boxes(
            {"boxes": given, "labels": keras.ops.array([[1, 2]] * len(boxes))}, drawn, training=True
        )
        out[f"{name}/given_boxes"] = np.asarray(given)
        out[f"{name}/boxes"], out[f"{name}/labels"] = np.asarray(moved["boxes"]), np.asarray(moved["labels"])
for i in range(6):  # of one image: Keras equalizes whole batches
    keras.utils.set_random_seed(i)
    images = data({"n": 1})[0]
    layer = keras.layers.RandAugment(num_ops=3, factor=0.4, seed=i)
    drawn = layer.get_random_transformation(images, training=True)
    out[f"rand_augment{i}/layers"] = np.asarray(drawn["layer_idxes"])
    for name in {layer._AUGMENT_LAYERS[j] for j in out[f"rand_augment{i}/layers"]}:
        for key, value in (drawn["transforms"][name] or {}).items():
            out[f"rand_augment{i}/drawn/{name}/{key}"] = np.asarray(value)
    out[f"rand_augment{i}/images"] = np.asarray(layer.transform_images(keras.ops.array(images), drawn, training=True))
for name, every in CONFIGURATIONS.items():
    for i, kwargs in enumerate(every):
        config = getattr(keras.layers, name)(**kwargs).get_config()
        config = {k: v for k, v in config.items() if k not in ("name", "dtype")}
        out[f"config/{name}/{i}"] = np.array(json.dumps(config, sort_keys=True))
np.savez_compressed(Path(__file__).with_name("augmentation.npz"), **out)
