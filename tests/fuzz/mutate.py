"""A simple mutator: the same inputs for the same seed, wherever it runs."""

from __future__ import annotations

import random
from typing import Iterator, Sequence

#: Pieces that formats are made of, and numbers at the edges.
PIECES = [
    b"\0", b"\xff", b"\xff" * 4, b"\0" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80",
    b"\xff" * 8, b"-1", b"null",
    b"1e999", b"NaN", b"{}", b"[]", b"[[[[", b'"', b",", b":", b"true", b"9" * 20, b"../", b"/etc/passwd",
    b'"class_name":"Dense"',
    b'"config":{}', b"PK\x03\x04", b"PK\x01\x02", b"\x89HDF", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"F32",
    b"BF16", b"\x93NUMPY",
    b"'descr': '|O'", b"cos\nsystem\n", b"R", b"b", b"ustar",
]  # fmt: skip


def mutations(seeds: Sequence[bytes], count: int, seed: int = 0, largest: int = 1 << 20) -> Iterator[bytes]:
    """The seeds, and then what one to eight changes make of them and of what came before.

    Args:
        seeds: Valid inputs.
        count: How many to make.
        seed: Of the random numbers.
        largest: Longer inputs are cut.
    """
    random_ = random.Random(seed)
    pool = list(seeds) or [b""]
    for i in range(count):
        if i < len(seeds):
            yield seeds[i]
            continue
        data = bytearray(random_.choice(pool))
        for _ in range(random_.randint(1, 8)):
            _change(data, random_, pool)
        made = bytes(data[:largest])
        if random_.random() < 0.05 and len(pool) < 200:
            pool.append(made)
        yield made


def _change(data: bytearray, random_: random.Random, pool: list[bytes]) -> None:
    at = random_.randint(0, len(data))
    size = min(random_.choice((1, 1, 2, 4, 8, 64, 512)), len(data) - at)
    kind = random_.randrange(7)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << random_.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = random_.randrange(256)
    elif kind == 2:
        data[at:at] = random_.choice(PIECES)
    elif kind == 3:
        piece = random_.choice(PIECES)
        data[at : at + len(piece)] = piece
    elif kind == 4:
        del data[at : at + size]
    elif kind == 5:
        data[at:at] = data[at : at + size] * random_.randint(1, 4)
    else:
        other = random_.choice(pool)
        begin = random_.randint(0, len(other))
        data[at : at + size] = other[begin : begin + max(size, random_.randrange(64))]
