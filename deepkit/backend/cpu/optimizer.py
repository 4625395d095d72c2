"""Optimizer updates over flat arrays, in place.

Every rule takes weights ``w``, gradients ``g``, its slots and two scratch arrays, all flat and of one length, and
Python numbers. Rules only use ``out=`` calls, so nothing is allocated; :func:`blocked` runs them over pieces small
enough that the five or six arrays of a piece stay in the second-level cache.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

import numpy as np
from numpy import ndarray

__all__ = ["OPTIMIZER_BLOCK", "OPTIMIZER_RULES", "blocked", "clip_in_place", "clip_together"]

#: Elements a piece: 6 arrays of 32 Ki float32 are 768 KiB.
OPTIMIZER_BLOCK = 1 << 15


def blocked(
    rule: Callable[..., None], arrays: Sequence[ndarray], scratch: Sequence[ndarray], numbers: Sequence[float]
) -> None:
    """Run ``rule`` over pieces of ``arrays``; ``scratch`` holds at least a piece."""
    n = arrays[0].size
    if n <= OPTIMIZER_BLOCK:
        rule(*arrays, *(s[:n] for s in scratch), *numbers)
        return
    for start in range(0, n, OPTIMIZER_BLOCK):
        stop = min(start + OPTIMIZER_BLOCK, n)
        rule(*[a[start:stop] for a in arrays], *(s[: stop - start] for s in scratch), *numbers)


def clip_together(gradients: Sequence[ndarray], limit: float) -> None:
    """Scale arrays in place so that their Euclidean norm, taken over all of them, is at most ``limit``."""
    flats = [g.reshape(-1) for g in gradients]
    norm = math.sqrt(sum(float(np.dot(flat, flat)) for flat in flats))
    if norm > limit:
        for g in gradients:
            g *= limit / norm


def clip_in_place(g: ndarray, limit: float) -> None:
    """Cut the elements of ``g`` to [-limit, limit], in place."""
    np.clip(g, -limit, limit, out=g)


def _approach(state: ndarray, value: ndarray, rate: float, t: ndarray) -> None:
    """state += rate · (value - state)."""
    np.subtract(value, state, t)
    np.multiply(t, rate, t)
    np.add(state, t, state)


def _raise(a: ndarray, power: float, out: ndarray) -> None:
    """out = a ^ power, by the square root where it is one."""
    if power == 0.5:
        np.sqrt(a, out=out)
    else:
        np.power(a, power, out=out)


def sgd(w: ndarray, g: ndarray, t: ndarray, u: ndarray, lr: float) -> None:
    """w -= lr · g."""
    np.multiply(g, lr, out=t)
    w -= t


def momentum(w: ndarray, g: ndarray, m: ndarray, t: ndarray, u: ndarray, lr: float, mu: float, nesterov: bool) -> None:
    """m ← μ m - lr g; w += m, or with Nesterov's look-ahead w += μ m - lr g (Sutskever et al. 2013)."""
    np.multiply(g, lr, out=t)
    m *= mu
    m -= t
    if nesterov:
        np.multiply(m, mu, out=u)
        u -= t
        w += u
    else:
        w += m


def rmsprop(w: ndarray, g: ndarray, v: ndarray, *rest: Any) -> None:
    """v ← ρ v + (1-ρ) g²; w -= lr g / √(v + ε) (Hinton 2012).

    After ``v`` come the momentum (where μ > 0) and the mean gradient (where centered), two scratch arrays, and
    lr, ρ, μ,
    ε, centered.
    """
    *slots, t, u, lr, rho, mu, epsilon, centered = rest
    np.multiply(g, g, out=t)
    _approach(v, t, 1 - rho, u)
    if centered:
        mean = slots[-1]
        _approach(mean, g, 1 - rho, u)
        np.multiply(mean, mean, out=u)
        np.subtract(v, u, out=t)
        t += epsilon
    else:
        np.add(v, epsilon, out=t)
    np.sqrt(t, out=t)
    np.divide(g, t, out=t)
    t *= lr
    if mu > 0:
        m = slots[0]
        m *= mu
        m += t
        w -= m
    else:
        w -= t


def adam(
    w: ndarray,
    g: ndarray,
    m: ndarray,
    v: ndarray,
    t: ndarray,
    u: ndarray,
    alpha: float,
    b1: float,
    b2: float,
    epsilon: float,
) -> None:
    """m, v ← means of g, g²; w -= α m / (√v + ε), α = lr √(1-β₂ᵗ) / (1-β₁ᵗ) (Kingma & Ba 2015)."""
    _approach(m, g, 1 - b1, t)
    np.multiply(g, g, out=t)
    _approach(v, t, 1 - b2, u)
    np.sqrt(v, out=t)
    t += epsilon
    np.divide(m, t, out=t)
    t *= alpha
    w -= t


def amsgrad(
    w: ndarray, g: ndarray, m: ndarray, v: ndarray, peak: ndarray, t: ndarray, u: ndarray, alpha: float, b1:
        float, b2: float,
    epsilon: float,
) -> None:  # fmt: skip
    """Adam with the largest v so far in the denominator (Reddi et al. 2018)."""
    _approach(m, g, 1 - b1, t)
    np.multiply(g, g, out=t)
    _approach(v, t, 1 - b2, u)
    np.maximum(peak, v, out=peak)
    np.sqrt(peak, out=t)
    t += epsilon
    np.divide(m, t, out=t)
    t *= alpha
    w -= t


def adagrad(w: ndarray, g: ndarray, a: ndarray, t: ndarray, u: ndarray, lr: float, epsilon: float) -> None:
    """a += g²; w -= lr g / √(a + ε) (Duchi et al. 2011)."""
    np.multiply(g, g, out=t)
    a += t
    np.add(a, epsilon, out=t)
    np.sqrt(t, out=t)
    np.divide(g, t, out=t)
    t *= lr
    w -= t


def adadelta(
    w: ndarray, g: ndarray, a: ndarray, d: ndarray, t: ndarray, u: ndarray, lr: float, rho: float, epsilon: float
) -> None:
    """a ← mean g²; δ = g √(d + ε) / √(a + ε); d ← mean δ²; w -= lr δ (Zeiler 2012)."""
    np.multiply(g, g, out=t)
    _approach(a, t, 1 - rho, u)
    np.add(d, epsilon, out=t)
    np.add(a, epsilon, out=u)
    np.divide(t, u, out=t)
    np.sqrt(t, out=t)
    t *= g
    np.multiply(t, lr, out=u)
    w -= u
    np.multiply(t, t, out=t)
    _approach(d, t, 1 - rho, u)


def adamax(
    w: ndarray,
    g: ndarray,
    m: ndarray,
    n: ndarray,
    t: ndarray,
    u: ndarray,
    alpha: float,
    b1: float,
    b2: float,
    epsilon: float,
) -> None:
    """m ← mean g; n ← max(β₂ n, |g|); w -= α m / (n + ε), α = lr / (1-β₁ᵗ) (Kingma & Ba 2015, section 7.1)."""
    _approach(m, g, 1 - b1, t)
    np.abs(g, out=t)
    n *= b2
    np.maximum(n, t, out=n)
    np.add(n, epsilon, out=t)
    np.divide(m, t, out=t)
    t *= alpha
    w -= t


def nadam(
    w: ndarray, g: ndarray, m: ndarray, v: ndarray, t: ndarray, u: ndarray, lr: float, b1: float, b2: float,
        epsilon: float,
    from_m: float, from_g: float, v_scale: float,
) -> None:  # fmt: skip
    """Adam with Nesterov's momentum: w -= lr (from_m m + from_g g) / (√(v · v_scale) + ε) (Dozat 2016)."""
    _approach(m, g, 1 - b1, t)
    np.multiply(g, g, out=t)
    _approach(v, t, 1 - b2, u)
    np.multiply(v, v_scale, out=t)
    np.sqrt(t, out=t)
    t += epsilon
    np.divide(m, t, out=u)
    u *= lr * from_m
    w -= u
    np.divide(g, t, out=u)
    u *= lr * from_g
    w -= u


def ftrl(
    w: ndarray, g: ndarray, a: ndarray, z: ndarray, t: ndarray, u: ndarray, lr: float, power: float, l1: float,
        l2: float,
    shrinkage: float,
) -> None:  # fmt: skip
    """Follow the regularized leader, proximal form (McMahan et al. 2013): z the linear term, a = Σ g²."""
    _raise(a, -power, t)
    if shrinkage:
        np.multiply(w, 2 * shrinkage, out=u)
        z += u
    z += g
    np.multiply(g, g, out=u)
    a += u
    _raise(a, -power, u)
    np.subtract(u, t, out=t)
    t /= lr
    t *= w
    z -= t
    u /= lr
    u += 2 * l2
    np.clip(z, -l1, l1, out=t)
    t -= z
    np.divide(t, u, out=w)


def lion(w: ndarray, g: ndarray, m: ndarray, t: ndarray, u: ndarray, lr: float, b1: float, b2: float) -> None:
    """w -= lr sign(β₁ m + (1-β₁) g); m ← β₂ m + (1-β₂) g (Chen et al. 2023)."""
    np.multiply(m, b1, out=t)
    np.multiply(g, 1 - b1, out=u)
    t += u
    # The sign, as t / max(|t|, tiny): np.sign takes several times as long.
    np.abs(t, out=u)
    np.maximum(u, np.finfo(t.dtype).tiny, out=u)
    t /= u
    t *= lr
    w -= t
    _approach(m, g, 1 - b2, t)


def schedule_free(
    w: ndarray, g: ndarray, z: ndarray, v: ndarray, t: ndarray, u: ndarray, lr: float, b1: float, b2: float,
    epsilon: float, correction: float, share: float,
) -> None:  # fmt: skip
    """z -= lr g / (√(v / correction) + ε); w ← (1-β₁) z + β₁ x, x moving by ``share`` to z (Defazio et al. 2024)."""
    np.multiply(z, 1 - b1, out=t)
    w -= t
    w *= 1 - share  # β₁ (1 - share) x
    np.multiply(g, g, out=t)
    _approach(v, t, 1 - b2, u)
    np.divide(v, correction, out=t)
    np.sqrt(t, out=t)
    t += epsilon
    np.divide(g, t, out=t)
    t *= lr
    z -= t
    np.multiply(z, 1 - b1 + b1 * share, out=t)
    w += t


OPTIMIZER_RULES: dict[str, Callable[..., None]] = {
    rule.__name__: rule
    for rule in (sgd, momentum, rmsprop, adam, amsgrad, adagrad, adadelta, adamax, nadam, ftrl, lion, schedule_free)
}
