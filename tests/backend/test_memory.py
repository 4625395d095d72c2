"""The memory of large arrays is used again, and only when nothing looks at it any more."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from deepkit.backend.cpu import empty_reused, free_memory, memory

LARGE = (memory.SMALLEST,)


def address(a):
    return a.__array_interface__["data"][0]


def setup_function():
    free_memory()


def test_memory_comes_back_when_the_last_view_is_gone():
    a = empty_reused(LARGE, "float32")
    where = address(a)
    view = a.reshape(2, -1)[1:, ::2].T
    del a
    b = empty_reused(LARGE, "float32")
    assert address(b) != where and not np.shares_memory(b, view)
    del view
    assert address(empty_reused(LARGE, "int32")) == where
    del b


@pytest.mark.parametrize(
    "look",
    [
        lambda a: a[1:],
        lambda a: a.T,
        lambda a: a.view("int32"),
        memoryview,
        np.asarray,
        np.from_dlpack,
        lambda a: np.frombuffer(a, "uint8"),
        lambda a: np.broadcast_to(a, (2, *a.shape)),
        lambda a: np.lib.stride_tricks.as_strided(a, (3,), (4,)),
        lambda a: iter(a),
        lambda a: a.flat,
    ],
)
def test_whatever_looks_at_an_array_keeps_its_memory(look):
    a = empty_reused((2, *LARGE), "float32")
    where, view = address(a), look(a)
    del a
    assert address(empty_reused((2, *LARGE), "float32")) != where
    free_memory()
    del view
    assert address(empty_reused((2, *LARGE), "float32")) == where


def test_arrays_are_plain_writeable_and_of_the_shape_asked_for():
    a = empty_reused((4, *LARGE), np.float64)
    assert type(a) is np.ndarray and a.flags.c_contiguous and a.flags.writeable and a.dtype == "float64"
    a[...] = 1
    assert a.sum() == a.size
    assert empty_reused((0, 3), "float32").shape == (0, 3)
    assert empty_reused((), "float32").shape == ()


def test_small_arrays_are_left_to_numpy():
    a = empty_reused((3,), "float32")
    assert a.base is None


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "MOST_WAITING", 5 * memory.SMALLEST)
    arrays = [empty_reused((n * memory.SMALLEST,), "uint8") for n in (1, 2, 3, 4)]
    arrays.reverse()
    while arrays:
        arrays.pop()
    assert list(memory._waiting) == [4 * memory.SMALLEST]
    assert not memory._loans


def test_threads_never_share_memory():
    wrong = []

    def work(value):
        for _ in range(200):
            a = empty_reused(LARGE, "uint8")
            a[...] = value
            b = empty_reused(LARGE, "uint8")
            b[...] = value + 100
            if not ((a == value).all() and (b == value + 100).all()):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    gc.collect()
    assert not wrong and not memory._loans
