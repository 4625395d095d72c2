// One step of a recurrent network behind the product of the state with the recurrent kernel, and its gradient.
//
//     simple:  h = f(a),                                  a = z + p
//     lstm:    i, f, o = r(a), g = f(a);  c = f c' + i g;  h = o f(c)
//     gru:     u, r = r(a);  q = f(z_q + r p_q);  h = u h' + (1 - u) q                        (reset_after)
//     gru_gates, gru_state: the same without reset_after, before and behind the product of r h' with the kernel of q
//     ..._grad: the way back, with the state's gradient from the product of d with the kernel, `past` and g_hs
//
// p is the product, by gate: number k of row b is at p[k * gate + b * row + j]; null is a product of 0. z (batch, steps,
// width) is the input's share, of which step t is read; hs (batch, steps, n) the outputs, of which place s is written. The
// rest is by step, (batch, ...): h, c, what the way back needs. Where valid (batch, steps) is false the state stays. In
// the gradients d is laid out as p and dz as z; past (batch, n), in float for the 16-bit types, has the part of the
// state's gradient that doesn't pass the product, and dc the cell's; both are read and written over. `mask`, laid out as d
// by gate, is the dropout's: it multiplies the gradient that comes out of the product of each gate.
//
// f is tanh and r the sigmoid in the kernels without _any; in those the numbers `act` and `rec` name them: 0 linear,
// 1 relu, 2 sigmoid, 3 tanh, 4 elu, 5 exponential. All is computed in float for the 16-bit types.
//
// Launch: blocks of (32, 8) threads in a grid of (ceil(n / 32), up to ceil(batch / 8)); a thread has a unit.

#include "activations.cuh"
#include "device.cuh"

template <typename S> __device__ S value_of(long long which, S x) {
    switch (which) {
    case 0: return x;
    case 1: return activation::Relu::value(x, S(0));
    case 2: return activation::Sigmoid::value(x, S(0));
    case 3: return activation::Tanh::value(x, S(0));
    case 4: return activation::Elu::value(x, S(1));
    default: return activation::Exponential::value(x, S(0));
    }
}
template <typename S> __device__ S slope_of(long long which, S y) {
    switch (which) {
    case 0: return S(1);
    case 1: return activation::Relu::slope(y, S(0));
    case 2: return activation::Sigmoid::slope(y, S(0));
    case 3: return activation::Tanh::slope(y, S(0));
    case 4: return activation::Elu::slope(y, S(1));
    default: return activation::Exponential::slope(y, S(0));
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

// The sizes of a network, the step, and where the parts of a product are.
struct Step {
    long long batch, steps, n, t, s, gate, row;

    // Calls each(b, j) for the units of this thread.
    template <typename F> __device__ void units(F each) const {
        const long long j = column_place();
        if (j >= n) return;
        for (long long b = (long long)blockIdx.y * PARTS + threadIdx.y; b < batch; b += (long long)gridDim.y * PARTS) {
            each(b, j);
        }
    }
    template <typename T> __device__ sum_type<T> product(const T *p, int k, long long b, long long j) const {
        return p ? to_sum(p[k * gate + b * row + j]) : sum_type<T>(0);
    }
    __device__ long long in(int gates, int k, long long b, long long j) const {
        return (b * steps + t) * gates * n + k * n + j;
    }
    __device__ long long out(long long b, long long j) const { return (b * steps + s) * n + j; }
    __device__ bool held(const bool *valid, long long b) const { return valid && !valid[b * steps + t]; }

    // The gradient of the state behind the step, from all its uses.
    template <typename T>
    __device__ sum_type<T> state_grad(const T *p, const T *mask, int gates, const sum_type<T> *past, const T *g_hs, long long b,
                                      long long j) const {
        sum_type<T> sum = past ? past[b * n + j] : sum_type<T>(0);
        if (g_hs) sum += to_sum(g_hs[out(b, j)]);
        if (!p) return sum;
        if (!mask) return sum + to_sum(p[b * n + j]);
        for (int k = 0; k < gates; ++k) sum += to_sum(p[k * batch * n + b * n + j]) * to_sum(mask[k * batch * n + b * n + j]);
        return sum;
    }
};

template <typename T, bool ANY>
__device__ void simple(Step step, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *before, T *y, T *after,
                       T *hs) {
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const T value = from_sum<T>(acts.f(step.product(p, 0, b, j) + to_sum(z[step.in(1, 0, b, j)])));
        const T h = step.held(valid, b) ? before[at] : value;
        y[at] = value;
        after[at] = h;
        hs[step.out(b, j)] = h;
    });
}

template <typename T, bool ANY>
__device__ void simple_grad(Step step, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                            const bool *valid, const T *y, T *d, T *dz) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S dh = step.state_grad(p, mask, 1, past, g_hs, b, j);
        const bool held = step.held(valid, b);
        const T value = from_sum<T>(held ? S(0) : dh * acts.f_slope(to_sum(y[at])));
        if (past) past[at] = held ? dh : S(0);
        d[at] = value;
        dz[step.in(1, 0, b, j)] = value;
    });
}

template <typename T, bool ANY>
__device__ void lstm(Step step, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *h_before,
                     const T *c_before, T *gates, T *h_after, T *c_after, T *hs) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const auto a = [&](int k) { return step.product(p, k, b, j) + to_sum(z[step.in(4, k, b, j)]); };
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
    });
}

template <typename T, bool ANY>
__device__ void lstm_grad(Step step, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, sum_type<T> *dc,
                          const T *g_hs, const bool *valid, const T *gates, const T *c_before, const T *c_after, T *d,
                          T *dz) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S dh = step.state_grad(p, mask, 4, past, g_hs, b, j);
        const bool held = step.held(valid, b);
        if (past) past[at] = held ? dh : S(0);
        const auto put = [&](int k, S value) {
            const T rounded = from_sum<T>(held ? S(0) : value);
            d[k * step.gate + b * step.row + j] = rounded;
            dz[step.in(4, k, b, j)] = rounded;
        };
        const T *kept = gates + b * 4 * step.n + j;
        const S i = to_sum(kept[0]), f = to_sum(kept[step.n]), g = to_sum(kept[2 * step.n]), o = to_sum(kept[3 * step.n]);
        const S y = acts.f(to_sum(c_after[at])), inner = dc[at] + dh * o * acts.f_slope(y);
        put(0, inner * g * acts.r_slope(i));
        put(1, inner * to_sum(c_before[at]) * acts.r_slope(f));
        put(2, inner * i * acts.f_slope(g));
        put(3, dh * y * acts.r_slope(o));
        if (!held) dc[at] = inner * f;
    });
}

// `gates` (batch, 3 n) keeps u, r and q; `inner` (batch, n) what r multiplies: p_q + b_q, or h'.
template <typename T, bool ANY>
__device__ void gru(Step step, Acts<ANY> acts, const T *p, const T *bias, const T *z, const bool *valid, const T *before,
                    T *gates, T *inner, T *after, T *hs) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const auto own = [&](int k) {
            return step.product(p, k, b, j) + (bias ? to_sum(bias[k * step.n + j]) : S(0));
        };
        const auto of = [&](int k) { return to_sum(z[step.in(3, k, b, j)]); };
        const S u = acts.r(own(0) + of(0)), r = acts.r(own(1) + of(1)), multiplied = own(2);
        const S q = acts.f(of(2) + r * multiplied), old = to_sum(before[at]);
        T *kept = gates + b * 3 * step.n + j;
        kept[0] = from_sum<T>(u);
        kept[step.n] = from_sum<T>(r);
        kept[2 * step.n] = from_sum<T>(q);
        inner[at] = from_sum<T>(multiplied);
        const T h = step.held(valid, b) ? before[at] : from_sum<T>(q + u * (old - q));
        after[at] = h;
        hs[step.out(b, j)] = h;
    });
}

template <typename T, bool ANY>
__device__ void gru_grad(Step step, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                         const bool *valid, const T *gates, const T *inner, const T *before, T *d, T *dz) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S dh = step.state_grad(p, mask, 3, past, g_hs, b, j);
        const bool held = step.held(valid, b);
        const T *kept = gates + b * 3 * step.n + j;
        const S u = to_sum(kept[0]), r = to_sum(kept[step.n]), q = to_sum(kept[2 * step.n]);
        const S dq = held ? S(0) : dh * (S(1) - u) * acts.f_slope(q);
        const T du = from_sum<T>(held ? S(0) : dh * (to_sum(before[at]) - q) * acts.r_slope(u));
        const T dr = from_sum<T>(dq * to_sum(inner[at]) * acts.r_slope(r));
        past[at] = held ? dh : dh * u;
        T *to = d + b * step.row + j;
        to[0] = du;
        to[step.gate] = dr;
        to[2 * step.gate] = from_sum<T>(dq * r);
        dz[step.in(3, 0, b, j)] = du;
        dz[step.in(3, 1, b, j)] = dr;
        dz[step.in(3, 2, b, j)] = from_sum<T>(dq);
    });
}

// Before the product: u and r, and r h', with the dropout of q's product in `mask` (batch, n), which may be null.
template <typename T, bool ANY>
__device__ void gru_gates(Step step, Acts<ANY> acts, const T *p, const T *mask, const T *z, const T *before, T *gates,
                          T *inner, T *reset) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S u = acts.r(step.product(p, 0, b, j) + to_sum(z[step.in(3, 0, b, j)]));
        const S r = acts.r(step.product(p, 1, b, j) + to_sum(z[step.in(3, 1, b, j)]));
        const S h = to_sum(before[at]) * (mask ? to_sum(mask[at]) : S(1));
        gates[b * 3 * step.n + j] = from_sum<T>(u);
        gates[b * 3 * step.n + step.n + j] = from_sum<T>(r);
        inner[at] = from_sum<T>(h);
        reset[at] = from_sum<T>(r * h);
    });
}

template <typename T, bool ANY>
__device__ void gru_state(Step step, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *before, T *gates,
                          T *after, T *hs) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S q = acts.f(to_sum(p[at]) + to_sum(z[step.in(3, 2, b, j)])), u = to_sum(gates[b * 3 * step.n + j]);
        gates[b * 3 * step.n + 2 * step.n + j] = from_sum<T>(q);
        const T h = step.held(valid, b) ? before[at] : from_sum<T>(q + u * (to_sum(before[at]) - q));
        after[at] = h;
        hs[step.out(b, j)] = h;
    });
}

// d and dz of u and q; the product of that of q with its kernel gives p of the next.
template <typename T, bool ANY>
__device__ void gru_state_grad(Step step, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                               const bool *valid, const T *gates, const T *before, T *d, T *d_q, T *dz) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S dh = step.state_grad(p, mask, 2, past, g_hs, b, j);
        const bool held = step.held(valid, b);
        const S u = to_sum(gates[b * 3 * step.n + j]), q = to_sum(gates[b * 3 * step.n + 2 * step.n + j]);
        const T dq = from_sum<T>(held ? S(0) : dh * (S(1) - u) * acts.f_slope(q));
        const T du = from_sum<T>(held ? S(0) : dh * (to_sum(before[at]) - q) * acts.r_slope(u));
        past[at] = held ? dh : dh * u;
        d[b * step.row + j] = du;
        d_q[at] = dq;
        dz[step.in(3, 0, b, j)] = du;
        dz[step.in(3, 2, b, j)] = dq;
    });
}

template <typename T, bool ANY>
__device__ void gru_gates_grad(Step step, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *gates,
                               const T *inner, T *d, T *dz) {
    using S = sum_type<T>;
    step.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S d_reset = to_sum(p[at]), r = to_sum(gates[b * 3 * step.n + step.n + j]);
        const T dr = from_sum<T>(d_reset * to_sum(inner[at]) * acts.r_slope(r));
        past[at] += d_reset * r * (mask ? to_sum(mask[at]) : S(1));
        d[step.gate + b * step.row + j] = dr;
        dz[step.in(3, 1, b, j)] = dr;
    });
}

#define UNPACK(...) __VA_ARGS__
#define NAMED(name, PARAMETERS)                                                                        \
    extern "C" __global__ void name(long long batch, long long steps, long long n, long long t, long long s,           \
                                    long long gate, long long row, long long act, long long rec, UNPACK PARAMETERS)
#define ONE(name, suffix, PARAMETERS, ARGUMENTS)                                                                       \
    NAMED(name##_##suffix, PARAMETERS) {                                                             \
        name(Step{batch, steps, n, t, s, gate, row}, Acts<false>{act, rec}, UNPACK ARGUMENTS);                         \
    }                                                                                                                  \
    NAMED(name##_any_##suffix, PARAMETERS) {                                                          \
        name(Step{batch, steps, n, t, s, gate, row}, Acts<true>{act, rec}, UNPACK ARGUMENTS);                          \
    }
#define RECURRENT(T, suffix)                                                                                           \
    ONE(simple, suffix, (const T *p, const T *z, const bool *valid, const T *before, T *y, T *after, T *hs),           \
        (p, z, valid, before, y, after, hs))                                                                           \
    ONE(simple_grad, suffix,                                                                                           \
        (const T *p, const T *mask, sum_type<T> *past, const T *g_hs, const bool *valid, const T *y, T *d, T *dz),     \
        (p, mask, past, g_hs, valid, y, d, dz))                                                                        \
    ONE(lstm, suffix,                                                                                                  \
        (const T *p, const T *z, const bool *valid, const T *h_before, const T *c_before, T *gates, T *h_after,        \
         T *c_after, T *hs),                                                                                           \
        (p, z, valid, h_before, c_before, gates, h_after, c_after, hs))                                                \
    ONE(lstm_grad, suffix,                                                                                             \
        (const T *p, const T *mask, sum_type<T> *past, sum_type<T> *dc, const T *g_hs, const bool *valid,              \
         const T *gates, const T *c_before, const T *c_after, T *d, T *dz),                                            \
        (p, mask, past, dc, g_hs, valid, gates, c_before, c_after, d, dz))                                             \
    ONE(gru, suffix,                                                                                                   \
        (const T *p, const T *bias, const T *z, const bool *valid, const T *before, T *gates, T *inner, T *after,      \
         T *hs),                                                                                                       \
        (p, bias, z, valid, before, gates, inner, after, hs))                                                          \
    ONE(gru_grad, suffix,                                                                                              \
        (const T *p, const T *mask, sum_type<T> *past, const T *g_hs, const bool *valid, const T *gates,               \
         const T *inner, const T *before, T *d, T *dz),                                                                \
        (p, mask, past, g_hs, valid, gates, inner, before, d, dz))                                                     \
    ONE(gru_gates, suffix,                                                                                             \
        (const T *p, const T *mask, const T *z, const T *before, T *gates, T *inner, T *reset),                        \
        (p, mask, z, before, gates, inner, reset))                                                                     \
    ONE(gru_state, suffix, (const T *p, const T *z, const bool *valid, const T *before, T *gates, T *after, T *hs),    \
        (p, z, valid, before, gates, after, hs))                                                                       \
    ONE(gru_state_grad, suffix,                                                                                        \
        (const T *p, const T *mask, sum_type<T> *past, const T *g_hs, const bool *valid, const T *gates,               \
         const T *before, T *d, T *d_q, T *dz),                                                                        \
        (p, mask, past, g_hs, valid, gates, before, d, d_q, dz))                                                       \
    ONE(gru_gates_grad, suffix,                                                                                        \
        (const T *p, const T *mask, sum_type<T> *past, const T *gates, const T *inner, T *d, T *dz),                   \
        (p, mask, past, gates, inner, d, dz))
FOR_FLOATS(RECURRENT)
