"""Loaders: every kind of data gives the right batches, and bad data a clear error."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest

import deepkit
from deepkit.training.data import make_loader, split_validation, unpack_x_y_sample_weight
from deepkit.training.data_arrays import class_weights
from deepkit.utils import PyDataset

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def batches(loader, epoch=0):
    return [batch for _, batch in loader.epoch(epoch)]


def test_partial_last_batch_and_views():
    loader = make_loader(X, Y, batch_size=4)
    out = batches(loader)
    assert loader.num_batches == 3 and [len(x) for x, _, _ in out] == [4, 4, 2]
    assert np.shares_memory(out[0][0], X)
    assert out[0][2] is None
    assert len(batches(loader)) == 3


def test_default_batch_size_and_steps():
    assert make_loader(X).batch_size == 32
    loader = make_loader(X, steps=3)
    assert loader.batch_size == 4 and loader.num_batches == 3


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffling_is_a_permutation_that_the_seed_repeats(shuffle):
    def run():
        deepkit.utils.set_random_seed(5)
        loader = make_loader(X, Y, batch_size=4, shuffle=shuffle)
        return [np.concatenate([y for _, y, _ in batches(loader, e)]) for e in range(2)]

    a, b = run(), run()
    for first, second in zip(a, b):
        np.testing.assert_array_equal(first, second)
        assert sorted(first) == list(range(10))
    assert (a[0] != a[1]).any() and (a[0] != Y).any()
    if shuffle == "batch":
        assert sorted(a[0][:4]) == [0, 1, 2, 3]


def test_rows_stay_together():
    for x, y, _ in batches(make_loader(X, Y, batch_size=3, shuffle=True)):
        np.testing.assert_array_equal(x[:, 0], 2 * y)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("taken", [0, 1, 2, 3, 5])
def test_state_goes_on_to_the_batch(shuffle, taken):
    """Interrupted after any batch, a new loader continues with the very next."""

    def epochs(loader, first):
        for e in range(first, 2):
            for _, (_, y, _) in loader.epoch(e):
                yield e, y

    deepkit.utils.set_random_seed(1)
    loader = make_loader(X, Y, batch_size=4, shuffle=shuffle)
    out = list(epochs(loader, 0))
    deepkit.utils.set_random_seed(1)
    interrupted = make_loader(X, Y, batch_size=4, shuffle=shuffle)
    run = epochs(interrupted, 0)
    got = [next(run) for _ in range(taken)]
    state = interrupted.state()
    epoch = (got[-1][0] if got else 0) + state.pop("epoch_done")
    resumed = make_loader(X, Y, batch_size=4, shuffle=shuffle)
    resumed.set_state(state)
    got += list(epochs(resumed, epoch))
    assert [e for e, _ in got] == [e for e, _ in out]
    for (_, a), (_, b) in zip(got, out):
        np.testing.assert_array_equal(a, b)


def test_steps_beyond_the_data_warn_and_steps_below_go_on():
    with pytest.warns(UserWarning, match="ran out"):
        assert len(batches(make_loader(X, Y, batch_size=5, steps=4))) == 2
    loader = make_loader(X, Y, batch_size=2, steps=3)
    assert [b[1][0] for b in batches(loader)] == [0, 2, 4]
    with pytest.warns(UserWarning, match="ran out"):
        assert [b[1][0] for b in batches(loader, 1)] == [6, 8]
    assert [b[1][0] for b in batches(loader, 2)] == [0, 2, 4]


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (X.astype("float64"), "float32"),
        (X.astype("float16"), "float32"),
        (X.astype("uint8"), "uint8"),
        (X.astype("int64"), "int64"),
        (X > 0, "bool"),
        (X.tolist(), "float32"),
        (deepkit.ops.convert_to_tensor(X), "float32"),
        (np.asfortranarray(X), "float32"),
        (X[::-1, ::-1][::-1, ::-1], "float32"),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_kinds_of_arrays(given, dtype, shuffle):
    loader = make_loader(given, Y, batch_size=4, shuffle=shuffle)
    for x, y, _ in batches(loader):
        assert x.dtype == dtype
        np.testing.assert_array_equal(x, X.astype("float32").astype(dtype)[y])


def test_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]})
    x = make_loader(frame, frame["a"]).peek()
    assert x[0].dtype == "float32" and x[0].shape == (3, 3) and x[1].shape == (3,)
    np.testing.assert_array_equal(x[0][:, 2], [1, 0, 1])
    nullable = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})
    np.testing.assert_array_equal(make_loader(nullable).peek()[0], [[1], [2]])
    with pytest.raises(ValueError, match="'name'"):
        make_loader(pd.DataFrame({"a": [1.0], "name": ["x"]}))
    assert make_loader({"word": pd.Series(["a", "b"], dtype=object)}).peek()[0]["word"].dtype == object


def test_nests():
    x = [X, {"a": X[:, 0], "b": X[:, 1].tolist()}]
    loader = make_loader(x, (Y, Y), batch_size=4, shuffle=True)
    (first, second), y, _ = batches(loader)[0]
    assert isinstance(y, tuple) and set(second) == {"a", "b"}
    np.testing.assert_array_equal(first[:, 1], second["b"])
    np.testing.assert_array_equal(first, X[y[0]])


def test_strings_stay_objects():
    x = make_loader(["a", "b", "c"]).peek()[0]
    assert x.dtype == object and x.tolist() == ["a", "b", "c"]


def test_sparse():
    sparse = pytest.importorskip("scipy.sparse")
    x = batches(make_loader(sparse.csr_matrix(X), Y, batch_size=4, shuffle=True))
    np.testing.assert_array_equal(x[0][0], X[x[0][1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": None}, "`x` is None"),
        ({"x": X[:0]}, "0 samples"),
        ({"x": []}, "0 samples"),
        ({"x": X, "y": Y[:7]}, "x has 10, y has 7"),
        ({"x": [X, X[:3]]}, r"x\[0\] has 10, x\[1\] has 3"),
        ({"x": [[1, 2], [3]]}, "differ in length"),
        ({"x": np.array([[1], [2, 3]], dtype=object)}, "ragged"),
        ({"x": np.array([1, 2], dtype=object)}, "object"),
        ({"x": np.array(["2020-01-01"], dtype="M8[D]")}, "datetime64"),
        ({"x": 3.0}, "float"),
        ({"x": np.float32(3.0)}, "single value"),
        ({"x": X, "batch_size": 0}, "batch_size"),
        ({"x": X, "steps": -1}, "steps_per_epoch"),
        ({"x": np.where(X == 7, np.nan, X)}, r"1 of 20 values, the first at x\[3, 1\]"),
        ({"x": {"age": np.array([np.nan])}}, r"x\['age'\]"),
        ({"x": X, "y": Y, "sample_weight": Y, "class_weight": {0: 1.0}}, "not both"),
        ({"x": X, "y": [Y, Y], "class_weight": {0: 1.0}}, "single output"),
        ({"x": X, "class_weight": {0: 1.0}}, "needs targets"),
        ({"x": iter([X]), "y": Y}, "can't be passed beside"),
        ({"x": "data.csv"}, "str"),
        ({"x": iter([])}, "no batches"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_loader(**arguments).peek()


def test_infinities_and_overflowing_sums_are_no_nan():
    make_loader(np.array([[np.inf, -np.inf]], "float32"))
    make_loader(np.full((4, 1), 3e38, "float32"))


def test_class_weights():
    y = np.array([0, 2, 1])
    expected = np.array([1.0, 3.0, 2.0], "float32")
    weights = {1: 2.0, 2: 3.0}
    for labels in (y, y[:, None], np.eye(3)[y], y.astype("float32")):
        out = class_weights(labels, weights)
        np.testing.assert_array_equal(out, expected)
        assert out.dtype == "float32"
    np.testing.assert_array_equal(make_loader(X[:3], y, class_weight=weights).peek()[2], expected)


def test_validation_split():
    (x, y, _), (vx, vy, _) = split_validation((X, Y, None), 0.3)
    assert len(x) == len(y) == 7 and vy.tolist() == [7, 8, 9]
    np.testing.assert_array_equal(vx, X[7:])
    for bad, message in ((1.5, "between"), (0.01, None), (0.99, "too few")):
        if message:
            with pytest.raises(ValueError, match=message):
                split_validation((X, Y, None), bad)
    with pytest.raises(ValueError, match="validation_data"):
        split_validation((iter([X]), None, None), 0.2)


def test_unpack():
    assert unpack_x_y_sample_weight((1,)) == (1, None, None)
    assert unpack_x_y_sample_weight([1, 2, 3]) == (1, 2, 3)
    assert unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)
    with pytest.raises(ValueError, match="4"):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_generator_is_taken_in_portions():
    loader = make_loader(((X + i, Y) for i in range(5)), steps=2)
    assert loader.peek()[0][0, 0] == 0 and loader.num_batches == 2
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for e in range(4):
            if loader.ready():
                seen.append([float(b[0][0, 0]) for b in batches(loader, e)])
    assert seen == [[0, 1], [2, 3], [4]]


def test_generator_without_steps_runs_once():
    loader = make_loader((X, Y) for _ in range(3))
    assert loader.num_batches is None and len(batches(loader)) == 3 and loader.num_batches == 3
    with pytest.warns(UserWarning, match="ran out"):
        assert not loader.ready()


class TorchLike:
    """Lists of things with ``numpy()``-like conversion, iterated anew each epoch."""

    class Tensor:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return self.values

    def __len__(self):
        return 2

    def __iter__(self):
        for i in range(2):
            yield [self.Tensor(X.astype("float64") + i), self.Tensor(Y)]


def test_torch_style_loader():
    loader = make_loader(TorchLike())
    assert loader.num_batches == 2
    loader.peek()
    for epoch in range(3):
        out = batches(loader, epoch)
        assert [float(x[0, 0]) for x, _, _ in out] == [0, 1] and out[0][0].dtype == "float32"


class Numbers(PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls, self.threads = [], set()

    def __len__(self):
        return 6

    def __getitem__(self, i):
        self.threads.add(threading.get_ident())
        return np.full((2, 1), i, "float32"), np.full((2,), i)

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_py_dataset(workers, shuffle):
    dataset = Numbers(workers=workers, max_queue_size=2)
    loader = make_loader(dataset, shuffle=shuffle)
    loader.on_epoch_begin(0)
    got = [int(y[0]) for _, y, _ in batches(loader)]
    loader.on_epoch_end(0)
    assert sorted(got) == list(range(6)) and dataset.calls == ["begin", "end"]
    assert (got == list(range(6))) != shuffle
    state = loader.state()
    again = make_loader(Numbers(workers=workers), shuffle=shuffle)
    again.set_state(state)
    assert [int(y[0]) for _, y, _ in batches(again, 1)] == [int(y[0]) for _, y, _ in batches(loader, 1)]


def test_worker_threads_end_with_an_abandoned_epoch():
    before = threading.active_count()
    for _ in make_loader(Numbers(workers=3)).epoch(0):
        break
    assert threading.active_count() == before


def test_errors_of_a_data_set_come_through():
    class Broken(Numbers):
        def __getitem__(self, i):
            if i == 2:
                raise KeyError("broken")
            return super().__getitem__(i)

    for workers in (1, 2):
        with pytest.raises(KeyError, match="broken"):
            batches(make_loader(Broken(workers=workers)))


def test_endless_data_set_needs_steps():
    class Endless(Numbers):
        num_batches = None

    with pytest.raises(ValueError, match="steps_per_epoch"):
        make_loader(Endless())
    loader = make_loader(Endless(), steps=4)
    assert [int(y[0]) for _, y, _ in batches(loader)] == [0, 1, 2, 3]
    assert [int(y[0]) for _, y, _ in batches(loader, 1)] == [4, 5, 6, 7]


def test_class_weights_of_iterables():
    _, _, weights = make_loader(Numbers(), class_weight={0: 5.0}).peek()
    assert weights.tolist() == [5.0, 5.0]


@pytest.mark.parametrize("shuffle", [True, False])
def test_targets_that_are_the_inputs_are_gathered_once(shuffle: bool) -> None:
    x = np.arange(20, dtype="float32").reshape(10, 2)
    for _, (inputs, targets, _) in make_loader(x, x, batch_size=4, shuffle=shuffle).epoch(0):
        assert targets is inputs
    for _, (inputs, targets, _) in make_loader(x, x.copy(), batch_size=4, shuffle=shuffle).epoch(0):
        assert targets is not inputs
        np.testing.assert_array_equal(targets, inputs)
