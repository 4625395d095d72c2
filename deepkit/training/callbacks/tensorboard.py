"""``TensorBoard``: the course of a training, in files that TensorBoard shows."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import numpy as np

from ...utils.event_file import EventFile
from .callback import Callback, lazy_logs, resolve


class TensorBoard(Callback):
    """Writes losses, metrics and weights to event files, which ``tensorboard --logdir logs`` shows.

    Training goes to ``log_dir/train``, validation to ``log_dir/validation``. The files need neither TensorFlow nor
    TensorBoard to be written.

    Args:
        log_dir: The directory.
        histogram_freq: Write histograms of the weights each so many epochs; 0 for never.
        write_graph: Accepted for compatibility; the graph is not written, :func:`deepkit.utils.plot_model` draws it.
        write_images: Write the weights as pictures too, with the histograms.
        write_steps_per_second: Write the number of steps a second.
        update_freq: ``"epoch"``, ``"batch"``, or a number of steps after which losses and metrics are written.
        profile_batch: 0; there is no profiler.
        embeddings_freq: Write the tables of embeddings each so many epochs, for TensorBoard's projector.
        embeddings_metadata: File with the labels of a table's rows, or a dictionary of them by layer name.

    Raises:
        ValueError: for a ``profile_batch``, another ``update_freq``, or metadata of an unknown layer.

    Example:
        >>> callback = TensorBoard(log_dir="logs/run_1", histogram_freq=1)
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        super().__init__()
        if profile_batch:
            raise ValueError(f"TensorBoard: there is no profiler. Received: profile_batch={profile_batch!r}, not 0.")
        update_freq = 1 if update_freq == "batch" else update_freq
        if update_freq != "epoch" and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(f"TensorBoard: `update_freq` should be 'epoch', 'batch' or a positive integer. Received: "
                             f"update_freq={update_freq!r}")  # fmt: skip
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._files: dict[str, EventFile] = {}
        self._batches = 0
        self._epoch_start = self._batch_start = 0.0
        self._first_iteration = 0

    def _events(self, part: str) -> EventFile:
        # Made when there is something to write.
        if part not in self._files:
            self._files[part] = EventFile(os.path.join(self.log_dir, part))
        return self._files[part]

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        names = {layer.name for layer in self._embeddings()} if self.embeddings_freq else set()
        if self.embeddings_freq and isinstance(self.embeddings_metadata, dict):
            unknown = set(self.embeddings_metadata) - names
            if unknown:
                raise ValueError(f"TensorBoard: `embeddings_metadata` names {sorted(unknown)}, which are no Embedding "
                                 f"layers of the model; those are {sorted(names)}.")  # fmt: skip

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_start = time.perf_counter()
        self._first_iteration = self._iterations()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        self._batch_start = time.perf_counter()

    @lazy_logs
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.update_freq == "epoch" or self._batches % self.update_freq:
            return
        events = self._events("train")
        if self.write_steps_per_second:
            duration = max(time.perf_counter() - self._batch_start, 1e-9)
            events.scalar("batch_steps_per_second", 1.0 / duration, self._batches)
        for name, value in resolve(logs).items():
            events.scalar(f"batch_{name}", value, self._batches)

    def on_test_end(self, logs: Any = None) -> None:
        step = self._iterations()
        for name, value in resolve(logs).items():
            self._events("validation").scalar(f"evaluation_{name}_vs_iterations", value, step)
        if "validation" in self._files:
            self._files["validation"].flush()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = resolve(logs)
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None:
            logs["learning_rate"] = float(rate)
        if self.write_steps_per_second:
            duration = max(time.perf_counter() - self._epoch_start, 1e-9)
            logs["steps_per_second"] = (self._iterations() - self._first_iteration) / duration
        for name, value in logs.items():
            part, name = ("validation", name[4:]) if name.startswith("val_") else ("train", name)
            self._events(part).scalar(f"epoch_{name}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)
        for events in self._files.values():
            events.flush()

    def _iterations(self) -> int:
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        return 0 if iterations is None else int(iterations)

    def _write_weights(self, epoch: int) -> None:
        events = self._events("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                values = weight.numpy()
                events.histogram(f"{weight.path}/histogram", values, epoch)
                pictures = _pictures(values) if self.write_images else []
                for i, pixels in enumerate(pictures):
                    suffix = f"/{i}" if len(pictures) > 1 else ""
                    events.image(f"{weight.path}/image{suffix}", pixels, epoch)

    def _embeddings(self) -> list[Any]:
        from ...layers import Embedding

        return [layer for layer in self.model._flatten_layers() if isinstance(layer, Embedding)]

    def _write_embeddings(self, epoch: int) -> None:
        """Tables as tab-separated text, and the file that tells the projector about them."""
        folder = os.path.join(self.log_dir, "train")
        os.makedirs(folder, exist_ok=True)
        text = ""
        for layer in self._embeddings():
            name = re.sub(r"[^\w.-]", "_", f"{layer.name}_{epoch}.tsv")  # a layer's name may be from a file
            np.savetxt(os.path.join(folder, name), layer.embeddings.numpy(), delimiter="\t", fmt="%.6g")
            metadata = self.embeddings_metadata
            path = metadata.get(layer.name) if isinstance(metadata, dict) else metadata
            extra = f"  metadata_path: {_quoted(path)}\n" if path else ""
            text += f'embeddings {{\n  tensor_name: {_quoted(layer.name)}\n  tensor_path: "{name}"\n{extra}}}\n'
        with open(os.path.join(folder, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.write(text)

    def _close(self) -> None:
        for events in self._files.values():
            events.close()
        self._files = {}


def _quoted(text: Any) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _pictures(values: np.ndarray, most: int = 3) -> list[np.ndarray]:
    """A weight as at most three grey pictures, its least value black and its greatest white."""
    values = np.squeeze(values).astype(np.float64)
    if values.ndim not in (1, 2, 3) or not values.size or not np.isfinite(values).all():
        return []
    if values.ndim == 1:
        values = values[:, None]
    elif values.ndim == 2 and values.shape[0] > values.shape[1]:
        values = values.T
    span = np.ptp(values) or 1.0
    grey = ((values - values.min()) / span * 255).round().astype(np.uint8)
    kernels = [grey] if grey.ndim == 2 else [grey[..., i] for i in range(min(grey.shape[-1], most))]
    return [kernel[..., None] for kernel in kernels]


__all__ = ["TensorBoard"]
