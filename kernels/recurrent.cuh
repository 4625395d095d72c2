// One unit of a recurrent network at one step, forward and back; recurrent.cu and recurrent_whole.cu launch them.
//
// z(k) gives the input's share of gate k and p(k) the product of the state with the kernel; put(k, d) takes the gradient of
// that product; `through` is the gradient of the state that comes from the product of the step behind. For the arrays see
// recurrent.cu.

#pragma once

#include "activations.cuh"
#include "device.cuh"

template <typename S> __device__ S value_of(long long which, S x) {
    switch (which) {
    case 0: return x;
    case 1: return activation::Relu::value(x, S(0));
    case 2: return activation::Sigmoid::value(x, S(0));
    case 3: return activation::Tanh::value(x, S(0));
    case 4: return activation::Elu::value(x, S(1));
    case 5: return activation::Exponential::value(x, S(0));
    default: return activation::HardSigmoid::value(x, S(0));
    }
}
template <typename S> __device__ S slope_of(long long which, S y) {
    switch (which) {
    case 0: return S(1);
    case 1: return activation::Relu::slope(y, S(0));
    case 2: return activation::Sigmoid::slope(y, S(0));
    case 3: return activation::Tanh::slope(y, S(0));
    case 4: return activation::Elu::slope(y, S(1));
    case 5: return activation::Exponential::slope(y, S(0));
    default: return activation::HardSigmoid::slope(y, S(0));
    }
}

// The activations of a network: known at compile time, or by number.
template <bool ANY> struct Acts {
    long long act, rec;
    template <typename S> __device__ S f(S x) const { return ANY ? value_of(act, x) : activation::Tanh::value(x, S(0)); }
    template <typename S> __device__ S f_slope(S y) const { return ANY ? slope_of(act, y) : activation::Tanh::slope(y, S(0)); }
    template <typename S> __device__ S r(S x) const { return ANY ? value_of(rec, x) : activation::Sigmoid::value(x, S(0)); }
    template <typename S> __device__ S r_slope(S y) const {
        return ANY ? slope_of(rec, y) : activation::Sigmoid::slope(y, S(0));
    }
};

// The sizes of a network, and a step: place t of the input, s of the outputs.
struct Step {
    long long batch, steps, n, t, s;

    __device__ long long in(int gates, int k, long long b, long long j) const {
        return (b * steps + t) * gates * n + k * n + j;
    }
    __device__ long long out(long long b, long long j) const { return (b * steps + s) * n + j; }
    __device__ bool held(const bool *valid, long long b) const { return valid && !valid[b * steps + t]; }

    // The gradient of the state behind the step from its uses besides the product.
    template <typename T>
    __device__ sum_type<T> other_grads(const sum_type<T> *past, const T *g_hs, long long b, long long j) const {
        return g_hs ? past[b * n + j] + to_sum(g_hs[out(b, j)]) : past[b * n + j];
    }
};

template <typename T, bool ANY, typename P, typename Z>
__device__ __forceinline__ T simple_unit(Step step, Acts<ANY> acts, long long b, long long j, P p, Z z, const bool *valid,
                                         const T *before, T *y, T *after, T *hs) {
    const long long at = b * step.n + j;
    const T value = from_sum<T>(acts.f(p(0) + z(0)));
    const T h = step.held(valid, b) ? before[at] : value;
    y[at] = value;
    after[at] = h;
    hs[step.out(b, j)] = h;
    return h;
}

template <typename T, bool ANY, typename Put>
__device__ __forceinline__ void simple_unit_grad(Step step, Acts<ANY> acts, long long b, long long j, sum_type<T> through,
                                                 sum_type<T> *past, const T *g_hs, const bool *valid, const T *y, Put put,
                                                 T *dz) {
    using S = sum_type<T>;
    const long long at = b * step.n + j;
    const S dh = through + step.other_grads(past, g_hs, b, j);
    const bool held = step.held(valid, b);
    const T value = from_sum<T>(held ? S(0) : dh * acts.f_slope(to_sum(y[at])));
    past[at] = held ? dh : S(0);
    put(0, value);
    dz[step.in(1, 0, b, j)] = value;
}

template <typename T, bool ANY, typename P, typename Z>
__device__ __forceinline__ T lstm_unit(Step step, Acts<ANY> acts, long long b, long long j, P p, Z z, const bool *valid,
                                       const T *h_before, const T *c_before, T *gates, T *h_after, T *c_after, T *hs) {
    using S = sum_type<T>;
    const long long at = b * step.n + j;
    const auto a = [&](int k) { return p(k) + z(k); };
    const S i = acts.r(a(0)), f = acts.r(a(1)), g = acts.f(a(2)), o = acts.r(a(3));
    T *kept = gates + b * 4 * step.n + j;
    kept[0] = from_sum<T>(i);
    kept[step.n] = from_sum<T>(f);
    kept[2 * step.n] = from_sum<T>(g);
    kept[3 * step.n] = from_sum<T>(o);
    const bool held = step.held(valid, b);
    const T c = held ? c_before[at] : from_sum<T>(f * to_sum(c_before[at]) + i * g);
    const T h = held ? h_before[at] : from_sum<T>(o * acts.f(to_sum(c)));
    c_after[at] = c;
    h_after[at] = h;
    hs[step.out(b, j)] = h;
    return h;
}

template <typename T, bool ANY, typename Put>
__device__ __forceinline__ void lstm_unit_grad(Step step, Acts<ANY> acts, long long b, long long j, sum_type<T> through,
                                               sum_type<T> *past, sum_type<T> *dc, const T *g_hs, const bool *valid,
                                               const T *gates, const T *c_before, const T *c_after, Put put, T *dz) {
    using S = sum_type<T>;
    const long long at = b * step.n + j;
    const S dh = through + step.other_grads(past, g_hs, b, j);
    const bool held = step.held(valid, b);
    past[at] = held ? dh : S(0);
    const auto both = [&](int k, S value) {
        const T rounded = from_sum<T>(held ? S(0) : value);
        put(k, rounded);
        dz[step.in(4, k, b, j)] = rounded;
    };
    const T *kept = gates + b * 4 * step.n + j;
    const S i = to_sum(kept[0]), f = to_sum(kept[step.n]), g = to_sum(kept[2 * step.n]), o = to_sum(kept[3 * step.n]);
    const S y = acts.f(to_sum(c_after[at])), inner = dc[at] + dh * o * acts.f_slope(y);
    both(0, inner * g * acts.r_slope(i));
    both(1, inner * to_sum(c_before[at]) * acts.r_slope(f));
    both(2, inner * i * acts.f_slope(g));
    both(3, dh * y * acts.r_slope(o));
    if (!held) dc[at] = inner * f;
}

// `gates` (batch, 3 n) keeps u, r and q; `inner` (batch, n) what r multiplies: p_q + b_q, or h'.
template <typename T, bool ANY, typename P, typename Z>
__device__ __forceinline__ T gru_unit(Step step, Acts<ANY> acts, long long b, long long j, P p, Z z, const T *bias,
                                      const bool *valid, const T *before, T *gates, T *inner, T *after, T *hs) {
    using S = sum_type<T>;
    const long long at = b * step.n + j;
    const auto own = [&](int k) { return p(k) + (bias ? to_sum(bias[k * step.n + j]) : S(0)); };
    const S u = acts.r(own(0) + z(0)), r = acts.r(own(1) + z(1)), multiplied = own(2);
    const S q = acts.f(z(2) + r * multiplied), old = to_sum(before[at]);
    T *kept = gates + b * 3 * step.n + j;
    kept[0] = from_sum<T>(u);
    kept[step.n] = from_sum<T>(r);
    kept[2 * step.n] = from_sum<T>(q);
    inner[at] = from_sum<T>(multiplied);
    const T h = step.held(valid, b) ? before[at] : from_sum<T>(q + u * (old - q));
    after[at] = h;
    hs[step.out(b, j)] = h;
    return h;
}

template <typename T, bool ANY, typename Put>
__device__ __forceinline__ void gru_unit_grad(Step step, Acts<ANY> acts, long long b, long long j, sum_type<T> through,
                                              sum_type<T> *past, const T *g_hs, const bool *valid, const T *gates,
                                              const T *inner, const T *before, Put put, T *dz) {
    using S = sum_type<T>;
    const long long at = b * step.n + j;
    const S dh = through + step.other_grads(past, g_hs, b, j);
    const bool held = step.held(valid, b);
    const T *kept = gates + b * 3 * step.n + j;
    const S u = to_sum(kept[0]), r = to_sum(kept[step.n]), q = to_sum(kept[2 * step.n]);
    const S dq = held ? S(0) : dh * (S(1) - u) * acts.f_slope(q);
    const T du = from_sum<T>(held ? S(0) : dh * (to_sum(before[at]) - q) * acts.r_slope(u));
    const T dr = from_sum<T>(dq * to_sum(inner[at]) * acts.r_slope(r));
    past[at] = held ? dh : dh * u;
    put(0, du);
    put(1, dr);
    put(2, from_sum<T>(dq * r));
    dz[step.in(3, 0, b, j)] = du;
    dz[step.in(3, 1, b, j)] = dr;
    dz[step.in(3, 2, b, j)] = from_sum<T>(dq);
}
