"""One step of the recurrent kernels, forward and back, against deepkit's networks for the CPU in float64."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend.cpu import recurrent

from .launching import blank, close, columns, needs_emulator, run

pytestmark = needs_emulator

NUMBER = {None: 0, "relu": 1, "sigmoid": 2, "tanh": 3, "elu": 4, "exponential": 5, "hard_sigmoid": 6}
ACTS = [("tanh", "sigmoid"), ("relu", "elu"), ("tanh", "hard_sigmoid"), ("exponential", "tanh"), ("sigmoid", None)]
BATCH, STEPS, N = 11, 3, 35
PLACES = [(2, 0), (1, 1)]  # the step of the input that is read, and of the output that is written


@pytest.fixture(params=ACTS, ids=str)
def acts(request):
    return request.param


@pytest.fixture(params=["plain", "masked", "by gate"])
def how(request):
    return request.param


class Case:
    """Arrays for one step of a network with so many gates, and what the CPU makes of them."""

    def __init__(self, gates, dtype, acts, how, order, place):
        self.gates, self.dtype, self.acts, self.order = gates, dtype, acts, order
        self.rng = np.random.default_rng(0)
        self.sums = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        self.t, self.s = place
        self.by_gate = how == "by gate"
        self.z = self.some(BATCH, STEPS, gates * N)
        self.product = self.some(gates, BATCH, N)  # by gate
        self.valid = self.rng.random((BATCH, STEPS)) < 0.6 if how != "plain" else None
        self.h, self.c = self.some(BATCH, N), self.some(BATCH, N)
        self.mask = self.some(gates, BATCH, N) + dtype.type(1) if self.by_gate else None
        self.g_hs = self.some(BATCH, STEPS, N)
        self.past = self.some(BATCH, N).astype(self.sums)

    def some(self, *shape):
        return (self.rng.standard_normal(shape) * 0.3).astype(self.dtype)

    def blank(self, *shape):
        return blank(shape, self.dtype)

    def laid_out(self, by_gate):
        """An array (gates, batch, n) as kernels take a product."""
        if self.by_gate:
            return np.ascontiguousarray(by_gate)
        return np.ascontiguousarray(by_gate.transpose(1, 0, 2).reshape(BATCH, -1))

    def by_gates(self, d, gates):
        """The other way round, as (batch, gates · n)."""
        return d.transpose(1, 0, 2).reshape(BATCH, -1) if self.by_gate else d.reshape(BATCH, gates * N)

    def run(self, name, gates, *args):
        usual = self.acts == ("tanh", "sigmoid") or name.removesuffix("_grad") not in ("lstm", "gru")
        gate, row = (BATCH * N, N) if self.by_gate else (N, gates * N)
        run("recurrent", name if usual else f"{name}_any", columns(N, 2), BATCH, STEPS, N, self.t, self.s, gate, row,
            *(NUMBER[a] for a in self.acts), *args, order=self.order, dtype=self.dtype)  # fmt: skip

    def input(self):
        """What the CPU gets: the step's input with the product added, whose kernel is 0 then."""
        z = self.z[:, self.t].astype(np.float64) + self.product.transpose(1, 0, 2).reshape(BATCH, -1)
        valid = None if self.valid is None else self.valid[:, self.t, None]
        return z[:, None], np.zeros((N, self.gates * N)), valid

    def state_grad(self, product, mask):
        """The gradient of the state from all its uses, and the product as the kernel takes it."""
        total = self.past + self.g_hs[:, self.s].astype(np.float64)
        if not self.by_gate:
            return total + product[0], np.ascontiguousarray(product[0])
        return total + (product.astype(np.float64) * mask).sum(axis=0), product

    def check_output(self, hs, expected):
        close(hs[:, self.s], expected, 4)
        others = np.delete(hs, self.s, axis=1)
        np.testing.assert_array_equal(others.view(np.uint8), np.uint8(0xDB))

    def check_input_grad(self, dz, expected):
        close(dz[:, self.t], expected, 8)
        others = np.delete(dz, self.t, axis=1)
        np.testing.assert_array_equal(others.view(np.uint8), np.uint8(0xDB))


def wide(*arrays):
    return [a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("place", PLACES)
def test_simple(dtype, acts, how, place, order):
    case = Case(1, dtype, (acts[0], acts[0]), how, order, place)
    y, after, hs = case.blank(BATCH, N), case.blank(BATCH, N), case.blank(BATCH, STEPS, N)
    case.run("simple", 1, case.laid_out(case.product), case.z, case.valid, case.h, y, after, hs)
    z, u, valid = case.input()
    expected, last, saved = recurrent.simple_rnn(z, u, *wide(case.h), valid, None, acts[0], False)
    close(after, last, 4)
    case.check_output(hs, expected[:, 0])

    total, p = case.state_grad(case.some(1, BATCH, N), case.mask)
    d, dz = case.laid_out(case.blank(1, BATCH, N)), case.blank(BATCH, STEPS, N)
    case.run("simple_grad", 1, p, case.mask, case.past, case.g_hs, case.valid, y, d, dz)
    expected, _, past = recurrent.simple_rnn_grad(saved, None, total, (True, False))
    case.check_input_grad(dz, expected[:, 0])
    close(case.past, past, 8 * (1 if dtype.itemsize > 2 else 100))
    np.testing.assert_array_equal(case.by_gates(d, 1), dz[:, case.t])


@pytest.mark.parametrize("place", PLACES)
def test_lstm(dtype, acts, how, place, order):
    case = Case(4, dtype, acts, how, order, place)
    gates, h, c = case.blank(BATCH, 4 * N), case.blank(BATCH, N), case.blank(BATCH, N)
    hs = case.blank(BATCH, STEPS, N)
    case.run("lstm", 4, case.laid_out(case.product), case.z, case.valid, case.h, case.c, gates, h, c, hs)
    z, u, valid = case.input()
    expected, last_h, last_c, saved = recurrent.lstm(z, u, *wide(case.h, case.c), valid, None, *acts, False)
    close(h, last_h, 8)
    close(c, last_c, 8)
    case.check_output(hs, expected[:, 0])

    total, p = case.state_grad(case.some(4, BATCH, N), case.mask)
    dc = case.some(BATCH, N).astype(case.sums)
    d, dz = case.laid_out(case.blank(4, BATCH, N)), case.blank(BATCH, STEPS, 4 * N)
    g_c = dc.astype(np.float64)
    case.run("lstm_grad", 4, p, case.mask, case.past, dc, case.g_hs, case.valid, gates, case.c, c, d, dz)
    expected, _, past, expected_dc = recurrent.lstm_grad(saved, None, total, g_c, (True, False))
    case.check_input_grad(dz, expected[:, 0])
    loose = 20 * (1 if dtype.itemsize > 2 else 500)
    close(dc, expected_dc, loose)
    close(case.past, past, loose)
    np.testing.assert_array_equal(case.by_gates(d, 4), dz[:, case.t])


@pytest.mark.parametrize("biased", [True, False])
def test_gru(biased, dtype, acts, how, order):
    case = Case(3, dtype, acts, how, order, PLACES[0])
    bias = case.some(3 * N) if biased else None
    gates, inner, after = case.blank(BATCH, 3 * N), case.blank(BATCH, N), case.blank(BATCH, N)
    hs = case.blank(BATCH, STEPS, N)
    case.run("gru", 3, case.laid_out(case.product), bias, case.z, case.valid, case.h, gates, inner, after, hs)
    # The candidate's product is under the reset gate, so it goes to the CPU by a kernel that picks rows of the state.
    z, _, valid = case.input()
    z[..., 2 * N :] -= case.product[2][:, None]
    multiplied = case.product[2].astype(np.float64)
    expected, saved = one_gru(z, multiplied, bias, case, valid)
    close(after, expected, 8)
    case.check_output(hs, expected)

    total, p = case.state_grad(case.some(3, BATCH, N), case.mask)
    d, dz = case.laid_out(case.blank(3, BATCH, N)), case.blank(BATCH, STEPS, 3 * N)
    case.run("gru_grad", 3, p, case.mask, case.past, case.g_hs, case.valid, gates, inner, case.h, d, dz)
    dz_, d_, past = one_gru_grad(saved, total, case)
    case.check_input_grad(dz, dz_)
    close(case.by_gates(d, 3), d_, 8)
    close(case.past, past, 8 * (1 if dtype.itemsize > 2 else 300))


def one_gru(z, multiplied, bias, case, valid):
    """A step of the formula."""
    own = np.zeros(3 * N) if bias is None else bias.astype(np.float64)
    f, r = (lambda x, a=a: recurrent.activate(x.copy(), a) for a in case.acts)
    u, reset = r(z[:, 0, :N] + own[:N]), r(z[:, 0, N : 2 * N] + own[N : 2 * N])
    multiplied = multiplied + own[2 * N :]
    q, (h,) = f(z[:, 0, 2 * N :] + reset * multiplied), wide(case.h)
    new = u * h + (1 - u) * q
    return (new if valid is None else np.where(valid, new, h)), (u, reset, q, multiplied, h, valid)


def one_gru_grad(saved, dh, case):
    """Its gradient: of z, of the product, and of the state past the product."""
    u, r, q, multiplied, h, valid = saved
    count = 1.0 if valid is None else valid
    dq = recurrent.activate_grad(dh * (1 - u) * count, q, case.acts[0])
    du = recurrent.activate_grad(dh * (h - q) * count, u, case.acts[1])
    dr = recurrent.activate_grad(dq * multiplied, r, case.acts[1])
    past = dh * u if valid is None else np.where(valid, dh * u, dh)
    return np.concatenate([du, dr, dq], axis=1), np.concatenate([du, dr, dq * r], axis=1), past


@pytest.mark.parametrize("masked_state", [True, False])
def test_gru_with_the_reset_before(masked_state, dtype, acts, how, order):
    case = Case(3, dtype, acts, how, order, PLACES[1])
    mask = case.some(BATCH, N) if masked_state else None
    gates, inner, reset = case.blank(BATCH, 3 * N), case.blank(BATCH, N), case.blank(BATCH, N)
    case.run("gru_gates", 2, case.laid_out(case.product[:2]), mask, case.z, case.h, gates, inner, reset)
    after, hs = case.blank(BATCH, N), case.blank(BATCH, STEPS, N)
    case.run("gru_state", 1, case.product[2], case.z, case.valid, case.h, gates, after, hs)
    z, _, valid = case.input()
    z[..., 2 * N :] -= case.product[2][:, None]
    # With a reset of 1 in front of it the product is what is added to z.
    r = recurrent.activate(z[:, 0, N : 2 * N].copy(), acts[1])
    multiplied = wide(case.h)[0] * (1 if mask is None else mask.astype(np.float64))
    close(reset, r * multiplied, 8)
    close(inner, multiplied, 2)
    shifted = z.copy()
    shifted[..., 2 * N :] += case.product[2][:, None]
    expected, (u, _, q, _, h, _) = one_gru(shifted, 0 * multiplied, None, case, valid)
    close(after, expected, 8)
    case.check_output(hs, expected)

    total, p = case.state_grad(case.some(2, BATCH, N), None if case.mask is None else case.mask[:2])
    masks = None if case.mask is None else np.ascontiguousarray(case.mask[:2])
    d = case.laid_out(case.blank(2, BATCH, N))
    d_q, dz = case.blank(BATCH, N), case.blank(BATCH, STEPS, 3 * N)
    case.run("gru_state_grad", 2, p, masks, case.past, case.g_hs, case.valid, gates, case.h, d, d_q, dz)
    d_reset = case.some(BATCH, N)
    case.run("gru_gates_grad", 2, d_reset, mask, case.past, gates, inner, d, dz)
    count = 1.0 if valid is None else valid
    dq = recurrent.activate_grad(total * (1 - u) * count, q, acts[0])
    du = recurrent.activate_grad(total * (h - q) * count, u, acts[1])
    wide_reset = d_reset.astype(np.float64)
    dr = recurrent.activate_grad(wide_reset * multiplied, r, acts[1])
    past = total * u if valid is None else np.where(valid, total * u, total)
    past = past + wide_reset * r * (1 if mask is None else mask.astype(np.float64))
    case.check_input_grad(dz, np.concatenate([du, dr, dq], axis=1))
    np.testing.assert_array_equal(d_q, dz[:, case.t, 2 * N :])
    np.testing.assert_array_equal(case.by_gates(d, 2), dz[:, case.t, : 2 * N])
    close(case.past, past, 8 * (1 if dtype.itemsize > 2 else 300))


def test_no_state_in_front(order):
    case = Case(4, np.dtype(np.float32), ("tanh", "sigmoid"), "plain", order, PLACES[0])
    case.product[...] = 0
    results = []
    for p in (None, case.laid_out(case.product)):
        out = [case.blank(BATCH, 4 * N), case.blank(BATCH, N), case.blank(BATCH, N), case.blank(BATCH, STEPS, N)]
        case.run("lstm", 4, p, case.z, None, case.h, case.c, *out)
        results.append(out)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)
