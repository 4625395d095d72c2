"""One framework in a process of its own: reads job names from standard input, answers with step times in seconds."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Callable

FRAMEWORK = sys.argv[1]
if FRAMEWORK.startswith("keras-"):
    os.environ["KERAS_BACKEND"] = FRAMEWORK.split("-")[1]

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench.jobs import GROWTH, JOBS, Job

#: Whether a GPU is measured, and the epochs that its steps are timed over.
GPU = os.environ.get("DEEPKIT_BACKEND") == "cupy"
MORE = 1 if os.environ.get("DEEPKIT_BENCH_SIMULATED") else 5


def keras_like(keras: Any, job: Job) -> tuple[Callable[[], float], Callable[[], float]]:
    """Step and single-row prediction through ``fit`` and ``predict``."""
    model = job.keras(keras)
    if isinstance(model, list):
        model = keras.Sequential([keras.Input(job.shape), *model])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if job.classifies else "mean_squared_error"
    model.compile(job.optimizer, loss)
    n = job.batches
    x, y = job.data()
    model.fit(x, y, batch_size=job.batch, epochs=1, verbose=0)

    def fit(epochs: int) -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=job.batch, epochs=epochs, verbose=0)
        return time.perf_counter() - start

    def step() -> float:
        if not GPU:
            return fit(1) / n
        once = fit(1)  # the data is brought to the device, which PyTorch's loop has it on from the start
        return (fit(1 + MORE) - once) / MORE / n

    def predict() -> float:
        start = time.perf_counter()
        for _ in range(10):
            model.predict(x[:1], verbose=0)
        return (time.perf_counter() - start) / 10

    return step, predict


def torch_like(job: Job, device: str = "cpu", graphs: bool = False) -> tuple[Callable[[], float], Callable[[], float]]:
    """A plain eager training loop, shuffled batches and loss summed for the log as ``fit`` does it.

    Args:
        job: What to train.
        device: PyTorch's name of the device that model and data are on.
        graphs: Whether the step is captured as a CUDA graph and replayed.
    """
    import torch

    net = job.torch(torch.nn).to(device)
    x, y = job.data()
    xt = torch.from_numpy(x if len(job.shape) != 3 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))).to(device)
    yt = torch.from_numpy(y.astype("int64") if job.classifies else y).to(device)
    if device != "cpu" and len(job.shape) == 3:
        net, xt = net.to(memory_format=torch.channels_last), xt.contiguous(memory_format=torch.channels_last)
    loss_fn = torch.nn.CrossEntropyLoss() if job.classifies else torch.nn.MSELoss()
    optimizer = torch.optim.Adam(net.parameters(), fused=True, **({"capturable": True} if graphs else {}))

    def train(xb: Any, yb: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        return loss.detach()

    run = _captured(train, xt[: job.batch], yt[: job.batch]) if graphs else train

    def step() -> float:
        net.train()
        start = time.perf_counter()
        order = torch.randperm(len(xt)).to(device)
        total = torch.zeros((), device=device)
        for i in range(job.batches):
            pick = order[i * job.batch : (i + 1) * job.batch]
            total += run(xt[pick], yt[pick])
        total.item()
        return (time.perf_counter() - start) / job.batches

    def predict() -> float:
        net.eval()
        row = xt[:1]
        start = time.perf_counter()
        with torch.inference_mode():
            for _ in range(10):
                net(row).cpu().numpy()
        return (time.perf_counter() - start) / 10

    step()
    return step, predict


def _captured(train: Callable[[Any, Any], Any], x: Any, y: Any) -> Callable[[Any, Any], Any]:
    """``train`` as a CUDA graph over inputs of its own, as PyTorch's documentation shows it."""
    import torch

    x, y = x.clone(), y.clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            train(x, y)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = train(x, y)

    def replay(xb: Any, yb: Any) -> Any:
        x.copy_(xb)
        y.copy_(yb)
        graph.replay()
        return loss

    return replay


def main() -> None:
    made: dict[str, Any] = {}
    device = "cpu" if FRAMEWORK == "torch" else "cuda"
    if os.environ.get("DEEPKIT_BENCH_SIMULATED"):
        from bench.gpu.common import use_simulated

        use_simulated()
    if FRAMEWORK.startswith("torch"):
        import torch

        version = torch.__version__
    elif FRAMEWORK == "deepkit":
        import deepkit as keras

        version = keras.__version__
    else:
        import keras

        version = f"{keras.__version__} on {FRAMEWORK.split('-')[1]}"
    print(json.dumps({"version": version, "numpy": np.__version__}), flush=True)
    for line in sys.stdin:
        job = {**JOBS, **GROWTH}[json.loads(line)]
        if job.name not in made:
            graphs = FRAMEWORK == "torch-graphs"
            made[job.name] = (
                torch_like(job, device, graphs) if FRAMEWORK.startswith("torch") else keras_like(keras, job)
            )
        step, predict = made[job.name]
        print(json.dumps({"step": step(), "predict": predict()}), flush=True)


main()
