"""Course programs on real data, the same code on deepkit and on real Keras, to compare what they reach.

    python -m bench.programs --data DIR [--programs airline ...] [--seeds 1 2 3] [--peer-python PATH] [--out FILE]

Each run is a process of its own. DIR holds the data sets named in each program. A program is reached by deepkit if its
mean over the seeds is no worse than Keras's by more than the spread (largest minus smallest) of either one's seeds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import lzma
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


def airline(keras: Any, data: Path) -> float:
    """LSTM(32) on windows of 12 months of passengers; error in thousands on the last third (lower is better)."""
    lines = (data / "timeseries/airline-passengers.csv").read_text().split()[1:]
    series = np.array([float(line.split(",")[-1]) for line in lines], "float32")
    cut = len(series) * 2 // 3
    low, high = series[:cut].min(), series[:cut].max()
    scaled = (series - low) / (high - low)
    x = np.stack([scaled[i : i + 12] for i in range(len(series) - 12)])[..., None]
    y = scaled[12:, None]
    model = keras.Sequential([keras.Input((12, 1)), keras.layers.LSTM(32), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    model.fit(x[: cut - 12], y[: cut - 12], epochs=120, batch_size=16, verbose=0)
    error = (model.predict(x[cut - 12 :], verbose=0) - y[cut - 12 :]) * (high - low)
    return float(np.sqrt(np.mean(error**2)))


def shakespeare(keras: Any, data: Path) -> float:
    """Characters by LSTM(128), many to many; cross-entropy in nats on text not seen (lower is better)."""
    text = lzma.open(data / "text/tinyshakespeare.txt.xz", "rt", encoding="utf-8").read()
    letters = sorted(set(text))
    ids = np.array([letters.index(c) for c in text[:240_000]], "int32")
    length = 60
    pieces = ids[: len(ids) // (length + 1) * (length + 1)].reshape(-1, length + 1)
    cut = len(pieces) * 9 // 10
    model = keras.Sequential([
        keras.Input((length,)), keras.layers.Embedding(len(letters), 32),
        keras.layers.LSTM(128, return_sequences=True), keras.layers.Dense(len(letters)),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.005), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pieces[:cut, :-1], pieces[:cut, 1:], epochs=6, batch_size=64, verbose=0)
    return float(model.evaluate(pieces[cut:, :-1], pieces[cut:, 1:], batch_size=256, verbose=0))


def _imdb(data: Path, length: int, words: int) -> tuple[Arrays, Arrays]:
    with np.load(data / "text/imdb_keras_layout.npz", allow_pickle=True) as f:
        arrays = {name: f[name] for name in f.files}

    def padded(name: str) -> Arrays:
        out = np.zeros((len(arrays[f"x_{name}"]), length), "int32")
        for row, review in zip(out, arrays[f"x_{name}"]):
            kept = [i + 2 if i + 2 < words else 1 for i in review][:length]
            row[: len(kept)] = kept
        return out, np.asarray(arrays[f"y_{name}"], "float32")[:, None]

    return padded("train"), padded("test")


def imdb_bidirectional(keras: Any, data: Path) -> float:
    """Masked bidirectional LSTM on film reviews; accuracy on those not seen (higher is better)."""
    (x, y), (x_test, y_test) = _imdb(data, 120, 8000)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((120,), dtype="int32"), layers.Embedding(8000, 32, mask_zero=True),
        layers.Bidirectional(layers.LSTM(32)), layers.Dropout(0.3), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, batch_size=64, verbose=0)
    return float(model.evaluate(x_test, y_test, batch_size=256, verbose=0)[1])


def imdb_transformer(keras: Any, data: Path) -> float:
    """One Transformer block on film reviews; accuracy on those not seen (higher is better)."""
    (x, y), (x_test, y_test) = _imdb(data, 120, 8000)
    layers = keras.layers
    ids = keras.Input((120,), dtype="int32")
    places = keras.ops.arange(120)
    h = layers.Embedding(8000, 32)(ids) + layers.Embedding(120, 32)(places)
    h = layers.LayerNormalization(epsilon=1e-6)(h + layers.MultiHeadAttention(2, 32, dropout=0.1)(h, h))
    inner = layers.Dense(32)(layers.Dense(64, activation="relu")(h))
    h = layers.LayerNormalization(epsilon=1e-6)(h + layers.Dropout(0.1)(inner))
    h = layers.Dropout(0.2)(layers.GlobalAveragePooling1D()(h))
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid")(h))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=6, batch_size=64, verbose=0)
    return float(model.evaluate(x_test, y_test, batch_size=256, verbose=0)[1])


def translation(keras: Any, data: Path) -> float:
    """LSTM encoder and decoder by characters, short English to French; accuracy a character (higher is better)."""
    lines = lzma.open(data / "text/fra_40k.txt.xz", "rt", encoding="utf-8").read().split("\n")[:2500]
    pairs = [line.split("\t")[:2] for line in lines if "\t" in line]
    rng = np.random.default_rng(0)
    pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    sources, targets = [p[0] for p in pairs], ["\t" + p[1] + "\n" for p in pairs]

    def encoded(texts: list[str]) -> tuple[np.ndarray, int]:
        letters = sorted(set("".join(texts)))
        out = np.zeros((len(texts), max(map(len, texts))), "int32")
        for row, text in zip(out, texts):
            row[: len(text)] = [letters.index(c) + 1 for c in text]
        return out, len(letters) + 1

    (source, n_source), (target, n_target) = encoded(sources), encoded(targets)
    layers = keras.layers
    a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    _, h, c = layers.LSTM(128, return_state=True)(layers.Embedding(n_source, 32, mask_zero=True)(a))
    states = layers.LSTM(128, return_sequences=True)(layers.Embedding(n_target, 32)(b), initial_state=[h, c])
    model = keras.Model([a, b], layers.Dense(n_target)(states))
    model.compile(
        keras.optimizers.Adam(0.005),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
    )
    cut = len(pairs) * 9 // 10
    model.fit([source[:cut], target[:cut, :-1]], target[:cut, 1:], epochs=10, batch_size=64, verbose=0)
    guess = model.predict([source[cut:], target[cut:, :-1]], batch_size=256, verbose=0).argmax(-1)
    wanted = target[cut:, 1:]
    return float((guess == wanted)[wanted > 0].mean())


def addition(keras: Any, data: Path) -> float:
    """Sums of two numbers of two digits by an LSTM encoder and decoder; accuracy a digit (higher is better)."""
    symbols, rng = "0123456789+ ", np.random.default_rng(0)
    a, b = rng.integers(0, 100, (2, 12_000))
    one_hot = np.eye(len(symbols), dtype="float32")

    def encoded(texts: list[str], width: int) -> np.ndarray:
        return one_hot[[[symbols.index(c) for c in t.ljust(width)] for t in texts]]

    x = encoded([f"{i}+{j}" for i, j in zip(a, b)], 5)[:, ::-1]
    y = encoded([str(i + j) for i, j in zip(a, b)], 3)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((5, len(symbols))), layers.LSTM(96), layers.RepeatVector(3), layers.LSTM(96, return_sequences=True),
        layers.TimeDistributed(layers.Dense(len(symbols), activation="softmax")),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.005), "categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:10_000], y[:10_000], epochs=12, batch_size=64, verbose=0)
    return float(model.evaluate(x[10_000:], y[10_000:], batch_size=500, verbose=0)[1])


#: The program, and whether more is better.
PROGRAMS: dict[str, tuple[Callable[[Any, Path], float], bool]] = {
    "airline": (airline, False),
    "shakespeare": (shakespeare, False),
    "imdb_bidirectional": (imdb_bidirectional, True),
    "imdb_transformer": (imdb_transformer, True),
    "translation": (translation, True),
    "addition": (addition, True),
}


def _run_one(framework: str, program: str, seed: int, data: Path) -> None:
    if framework != "deepkit":
        os.environ["KERAS_BACKEND"] = framework.split("-")[1]
    keras = importlib.import_module("deepkit" if framework == "deepkit" else "keras")
    keras.utils.set_random_seed(seed)
    start = time.perf_counter()
    figure = PROGRAMS[program][0](keras, data)
    print(json.dumps({"figure": figure, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--frameworks", nargs="+", default=["deepkit", "keras-jax"])
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has Keras")
    parser.add_argument("--out", type=Path, help="write the figures as JSON here, beside those already in it")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        _run_one(args.one[0], args.one[1], int(args.one[2]), args.data)
        return
    results: dict[str, Any] = json.loads(args.out.read_text()) if args.out and args.out.exists() else {}
    for program in args.programs:
        found: dict[str, list[dict[str, float]]] = {f: [] for f in args.frameworks}
        for seed in args.seeds:
            for framework in args.frameworks:
                python = sys.executable if framework == "deepkit" else args.peer_python
                command = [
                    python,
                    str(Path(__file__)),
                    "--data",
                    str(args.data),
                    "--one",
                    framework,
                    program,
                    str(seed),
                ]
                env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
                done = subprocess.run(command, env=env, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stderr)
                found[framework].append(json.loads(done.stdout.strip().splitlines()[-1]))
        results[program] = found
        parts = []
        for framework, runs in found.items():
            figures = [run["figure"] for run in runs]
            seconds = statistics.mean(run["seconds"] for run in runs)
            spread = f"{min(figures):.4f} to {max(figures):.4f}"
            parts.append(f"{framework} {statistics.mean(figures):.4f} ({spread}, {seconds:.0f} s)")
        print(f"{program}: " + "; ".join(parts), flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
