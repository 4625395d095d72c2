"""Hashes of byte strings that TensorFlow's string operations use: FarmHash's Fingerprint64, SipHash-2-4.

Fingerprint64 is that of FarmHash (Geoff Pike, Google, 2014; published under the MIT licence,
https://github.com/google/farmhash), whose value for a given string never changes. SipHash-2-4 is that of Aumasson &
Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.

Strings of one length take the same steps, so both run over all strings of a length at once, each a row of a matrix of
bytes, in arithmetic modulo 2⁶⁴.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

_U = np.uint64
_K0, _K1, _K2 = _U(0xC3A5C85C97CB3127), _U(0xB492B66FBE98F273), _U(0x9AE16A3B2F90404F)
_CAT = _U(0xC6A4A7935BD1E995)
#: Rows hashed at once; bounds the memory of the intermediate results.
_ROWS = 1 << 16


def _rotate(x: Any, n: int) -> Any:
    """The bits moved to the right, those that leave coming back on the left."""
    return (x >> _U(n)) | (x << _U(64 - n))


def _mix(x: Any) -> Any:
    return x ^ (x >> _U(47))


def _word(rows: np.ndarray, at: int) -> np.ndarray:
    """The little-endian 64-bit number at an offset of each row."""
    return np.ascontiguousarray(rows[:, at : at + 8]).view("<u8")[:, 0].astype(_U, copy=False)


def _half_word(rows: np.ndarray, at: int) -> np.ndarray:
    return np.ascontiguousarray(rows[:, at : at + 4]).view("<u4")[:, 0].astype(_U)


def _join(u: Any, v: Any, factor: Any) -> Any:
    """Two 64-bit numbers made into one."""
    return _mix((v ^ _mix((u ^ v) * factor)) * factor) * factor


def _farm_0_to_16(rows: np.ndarray, n: int) -> np.ndarray:
    factor = _K2 + _U(2 * n)
    if n >= 8:
        a, b = _word(rows, 0) + _K2, _word(rows, n - 8)
        return _join(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if n >= 4:
        return _join(_U(n) + (_half_word(rows, 0) << _U(3)), _half_word(rows, n - 4), factor)
    if not n:
        return np.full(len(rows), _K2)
    first, middle, last = (rows[:, i].astype(_U) for i in (0, n >> 1, n - 1))
    return _mix((first + (middle << _U(8))) * _K2 ^ (_U(n) + (last << _U(2))) * _K0) * _K2


def _farm_17_to_32(rows: np.ndarray, n: int) -> np.ndarray:
    factor = _K2 + _U(2 * n)
    a, b = _word(rows, 0) * _K1, _word(rows, 8)
    c, d = _word(rows, n - 8) * factor, _word(rows, n - 16) * _K2
    return _join(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, factor)


def _farm_33_to_64(rows: np.ndarray, n: int) -> np.ndarray:
    factor = _K2 + _U(2 * n)
    a, b = _word(rows, 0) * _K2, _word(rows, 8)
    c, d = _word(rows, n - 8) * factor, _word(rows, n - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _join(y, a + _rotate(b + _K2, 18) + c, factor)
    e, f = _word(rows, 16) * factor, _word(rows, 24)
    g, h = (y + _word(rows, n - 32)) * factor, (z + _word(rows, n - 24)) * factor
    return _join(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _weak(rows: np.ndarray, at: int, a: Any, b: Any) -> tuple[Any, Any]:
    """32 bytes taken into a pair of numbers."""
    w, x, y, z = (_word(rows, at + 8 * i) for i in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    total = a + x + y
    return total + z, b + _rotate(total, 44) + a


def _farm_block(rows: np.ndarray, at: int, state: tuple[Any, ...], factor: Any, nines: bool) -> tuple[Any, ...]:
    """64 bytes taken into the state; the last block weighs some of it by nine."""
    x, y, z, v0, v1, w0, w1 = state
    nine = _U(9 if nines else 1)
    x = _rotate(x + y + v0 + _word(rows, at + 8), 37) * factor
    y = _rotate(y + v1 + _word(rows, at + 48), 42) * factor
    x = x ^ w1 * nine
    y = y + v0 * nine + _word(rows, at + 40)
    z = _rotate(z + w0, 33) * factor
    v0, v1 = _weak(rows, at, v1 * factor, x + w0)
    w0, w1 = _weak(rows, at + 32, z + w1, y + _word(rows, at + 16))
    return z, y, x, v0, v1, w0, w1


def _farm_long(rows: np.ndarray, n: int) -> np.ndarray:
    zero = np.zeros(len(rows), _U)
    seed = zero + _U(81)
    y = seed * _K1 + _U(113)
    state: tuple[Any, ...] = (seed * _K2 + _word(rows, 0), y, _mix(y * _K2 + _U(113)) * _K2, zero, zero, zero, zero)
    for at in range(0, (n - 1) // 64 * 64, 64):
        state = _farm_block(rows, at, state, _K1, False)
    x, y, z, v0, v1, w0, w1 = state
    factor = _K1 + ((z & _U(0xFF)) << _U(1))
    w0 = w0 + _U((n - 1) & 63)
    v0 = v0 + w0
    w0 = w0 + v0
    x, y, z, v0, v1, w0, w1 = _farm_block(rows, n - 64, (x, y, z, v0, v1, w0, w1), factor, True)
    # The blocks swap x and z, which is undone in the names here.
    return _join(_join(v0, w0, factor) + _mix(y) * _K0 + z, _join(v1, w1, factor) + x, factor)


def _farm_rows(rows: np.ndarray, n: int) -> np.ndarray:
    if n <= 16:
        return _farm_0_to_16(rows, n)
    if n <= 32:
        return _farm_17_to_32(rows, n)
    return _farm_33_to_64(rows, n) if n <= 64 else _farm_long(rows, n)


def _by_length(strings: Sequence[bytes], hash_rows: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """Hash strings, those of one length together."""
    out = np.empty(len(strings), _U)
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    order = np.argsort(lengths, kind="stable")
    starts = np.flatnonzero(np.diff(lengths[order], prepend=-1))
    with np.errstate(over="ignore"):
        for group in np.split(order, starts[1:]) if len(order) else []:
            n = int(lengths[group[0]])
            for i in range(0, len(group), _ROWS):
                part = group[i : i + _ROWS]
                rows = np.frombuffer(b"".join([strings[j] for j in part.tolist()]), np.uint8).reshape(len(part), n)
                out[part] = hash_rows(rows, n)
    return out


def fingerprint64(strings: Sequence[bytes]) -> np.ndarray:
    """FarmHash's Fingerprint64 of each string, uint64.

    Args:
        strings: Byte strings.

    Example:
        >>> hex(fingerprint64([b"deepkit"])[0])
        '0xb9dc337f640a2c20'
    """
    return _by_length(strings, _farm_rows)


def siphash64(strings: Sequence[bytes], key: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of each string with a key of two 64-bit numbers, uint64.

    Args:
        strings: Byte strings.
        key: The two halves of the key.

    Example:
        >>> hex(siphash64([bytes(range(15))], [0x0706050403020100, 0x0F0E0D0C0B0A0908])[0])
        '0xa129ca6149be45e5'
    """
    k0, k1 = (_U(int(k) % 2**64) for k in key)
    return _by_length(strings, lambda rows, n: _sip_rows(rows, n, k0, k1))


def _sip_rows(rows: np.ndarray, n: int, k0: Any, k1: Any) -> np.ndarray:
    padded = np.zeros((len(rows), n // 8 * 8 + 8), np.uint8)  # the last word ends in the length, modulo 256
    padded[:, :n] = rows
    padded[:, -1] = n & 0xFF
    words = padded.view("<u8").astype(_U, copy=False)
    zero = np.zeros(len(rows), _U)
    state = [zero + (k ^ _U(c)) for k, c in ((k0, 0x736F6D6570736575), (k1, 0x646F72616E646F6D),
                                             (k0, 0x6C7967656E657261), (k1, 0x7465646279746573))]  # fmt: skip
    for i in range(words.shape[1]):
        state[3] = state[3] ^ words[:, i]
        _sip_rounds(state, 2)
        state[0] = state[0] ^ words[:, i]
    state[2] = state[2] ^ _U(0xFF)
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(state: list[Any], count: int) -> None:
    a, b, c, d = state
    left = lambda x, n: _rotate(x, 64 - n)
    for _ in range(count):
        a, c = a + b, c + d
        b, d = left(b, 13) ^ a, left(d, 16) ^ c
        a = left(a, 32)
        a, c = a + d, c + b
        d, b = left(d, 21) ^ a, left(b, 17) ^ c
        c = left(c, 32)
    state[:] = a, b, c, d


def fingerprint_cat(a: Any, b: Any) -> Any:
    """TensorFlow's combination of two fingerprints, as in its crossing of features."""
    with np.errstate(over="ignore"):
        a, b = np.asarray(a, _U), np.asarray(b, _U)
        return _mix(_mix((a ^ _CAT ^ _mix(b * _CAT) * _CAT) * _CAT) * _CAT)


def buckets(strings: Sequence[bytes], count: int, key: Sequence[int] | None = None) -> np.ndarray:
    """The number of the bucket, of ``count``, that each string falls into: its hash modulo ``count``.

    Args:
        strings: Byte strings.
        count: Number of buckets.
        key: Key of SipHash-2-4; Fingerprint64 without one.

    Example:
        >>> buckets([b"a", b"b"], 10).tolist()
        [9, 2]
    """
    hashes = fingerprint64(strings) if key is None else siphash64(strings, key)
    return (hashes % _U(count)).astype(np.int64)
