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
// f and r are named by the numbers `act` and `rec`: 0 linear, 1 relu, 2 sigmoid, 3 tanh, 4 elu, 5 exponential, 6
// hard_sigmoid. lstm and gru come in two kinds, for tanh and the sigmoid and, _any, for others. All is computed in float for
// the 16-bit types.
//
// Launch: blocks of (32, 8) threads in a grid of (ceil(n / 32), up to ceil(batch / 8)); a thread has a unit.

#include "recurrent.cuh"

// A step of all units, with the place of the parts of a product.
struct Launch {
    Step step;
    long long gate, row;

    // Calls each(b, j) for the units of this thread.
    template <typename F> __device__ void units(F each) const {
        const long long j = column_place();
        if (j >= step.n) return;
        for (long long b = (long long)blockIdx.y * PARTS + threadIdx.y; b < step.batch; b += (long long)gridDim.y * PARTS) {
            each(b, j);
        }
    }
    // The product's part for each gate, of one unit.
    template <typename T> __device__ auto product(const T *p, long long b, long long j) const {
        return [=](int k) { return p ? to_sum(p[k * gate + b * row + j]) : sum_type<T>(0); };
    }
    // The input's share.
    template <int GATES, typename T> __device__ auto input(const T *z, long long b, long long j) const {
        return [=](int k) { return to_sum(z[step.in(GATES, k, b, j)]); };
    }
    template <typename T> __device__ auto put(T *d, long long b, long long j) const {
        return [=](int k, T value) { d[k * gate + b * row + j] = value; };
    }
    // The gradient of the state from the product of d with the kernel: by gate where each had a mask.
    template <typename T>
    __device__ sum_type<T> through(const T *p, const T *mask, int gates, long long b, long long j) const {
        const long long at = b * step.n + j, size = step.batch * step.n;
        if (!p) return 0;
        if (!mask) return to_sum(p[at]);
        sum_type<T> sum = 0;
        for (int k = 0; k < gates; ++k) sum += to_sum(p[k * size + at]) * to_sum(mask[k * size + at]);
        return sum;
    }
};

template <typename T, bool ANY>
__device__ void simple(Launch l, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *before, T *y, T *after,
                       T *hs) {
    l.units([&](long long b, long long j) {
        simple_unit(l.step, acts, b, j, l.product(p, b, j), l.input<1>(z, b, j), valid, before, y, after, hs);
    });
}

template <typename T, bool ANY>
__device__ void simple_grad(Launch l, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                            const bool *valid, const T *y, T *d, T *dz) {
    l.units([&](long long b, long long j) {
        simple_unit_grad(l.step, acts, b, j, l.through(p, mask, 1, b, j), past, g_hs, valid, y, l.put(d, b, j), dz);
    });
}

template <typename T, bool ANY>
__device__ void lstm(Launch l, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *h_before,
                     const T *c_before, T *gates, T *h_after, T *c_after, T *hs) {
    l.units([&](long long b, long long j) {
        lstm_unit(l.step, acts, b, j, l.product(p, b, j), l.input<4>(z, b, j), valid, h_before, c_before, gates, h_after,
                  c_after, hs);
    });
}

template <typename T, bool ANY>
__device__ void lstm_grad(Launch l, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, sum_type<T> *dc,
                          const T *g_hs, const bool *valid, const T *gates, const T *c_before, const T *c_after, T *d,
                          T *dz) {
    l.units([&](long long b, long long j) {
        lstm_unit_grad(l.step, acts, b, j, l.through(p, mask, 4, b, j), past, dc, g_hs, valid, gates, c_before, c_after,
                       l.put(d, b, j), dz);
    });
}

template <typename T, bool ANY>
__device__ void gru(Launch l, Acts<ANY> acts, const T *p, const T *bias, const T *z, const bool *valid, const T *before,
                    T *gates, T *inner, T *after, T *hs) {
    l.units([&](long long b, long long j) {
        gru_unit(l.step, acts, b, j, l.product(p, b, j), l.input<3>(z, b, j), bias, valid, before, gates, inner, after,
                 hs);
    });
}

template <typename T, bool ANY>
__device__ void gru_grad(Launch l, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                         const bool *valid, const T *gates, const T *inner, const T *before, T *d, T *dz) {
    l.units([&](long long b, long long j) {
        gru_unit_grad(l.step, acts, b, j, l.through(p, mask, 3, b, j), past, g_hs, valid, gates, inner, before,
                      l.put(d, b, j), dz);
    });
}

// Before the product: u and r, and r h', with the dropout of q's product in `mask` (batch, n), which may be null.
template <typename T, bool ANY>
__device__ void gru_gates(Launch l, Acts<ANY> acts, const T *p, const T *mask, const T *z, const T *before, T *gates,
                          T *inner, T *reset) {
    using S = sum_type<T>;
    const Step step = l.step;
    l.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S u = acts.r(l.product(p, b, j)(0) + to_sum(z[step.in(3, 0, b, j)]));
        const S r = acts.r(l.product(p, b, j)(1) + to_sum(z[step.in(3, 1, b, j)]));
        const S h = to_sum(before[at]) * (mask ? to_sum(mask[at]) : S(1));
        gates[b * 3 * step.n + j] = from_sum<T>(u);
        gates[b * 3 * step.n + step.n + j] = from_sum<T>(r);
        inner[at] = from_sum<T>(h);
        reset[at] = from_sum<T>(r * h);
    });
}

template <typename T, bool ANY>
__device__ void gru_state(Launch l, Acts<ANY> acts, const T *p, const T *z, const bool *valid, const T *before, T *gates,
                          T *after, T *hs) {
    using S = sum_type<T>;
    const Step step = l.step;
    l.units([&](long long b, long long j) {
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
__device__ void gru_state_grad(Launch l, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *g_hs,
                               const bool *valid, const T *gates, const T *before, T *d, T *d_q, T *dz) {
    using S = sum_type<T>;
    const Step step = l.step;
    l.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S dh = l.through(p, mask, 2, b, j) + step.other_grads(past, g_hs, b, j);
        const bool held = step.held(valid, b);
        const S u = to_sum(gates[b * 3 * step.n + j]), q = to_sum(gates[b * 3 * step.n + 2 * step.n + j]);
        const T dq = from_sum<T>(held ? S(0) : dh * (S(1) - u) * acts.f_slope(q));
        const T du = from_sum<T>(held ? S(0) : dh * (to_sum(before[at]) - q) * acts.r_slope(u));
        past[at] = held ? dh : dh * u;
        d[b * l.row + j] = du;
        d_q[at] = dq;
        dz[step.in(3, 0, b, j)] = du;
        dz[step.in(3, 2, b, j)] = dq;
    });
}

template <typename T, bool ANY>
__device__ void gru_gates_grad(Launch l, Acts<ANY> acts, const T *p, const T *mask, sum_type<T> *past, const T *gates,
                               const T *inner, T *d, T *dz) {
    using S = sum_type<T>;
    const Step step = l.step;
    l.units([&](long long b, long long j) {
        const long long at = b * step.n + j;
        const S d_reset = to_sum(p[at]), r = to_sum(gates[b * 3 * step.n + step.n + j]);
        const T dr = from_sum<T>(d_reset * to_sum(inner[at]) * acts.r_slope(r));
        past[at] += d_reset * r * (mask ? to_sum(mask[at]) : S(1));
        d[l.gate + b * l.row + j] = dr;
        dz[step.in(3, 1, b, j)] = dr;
    });
}

#define UNPACK(...) __VA_ARGS__
#define NAMED(name, PARAMETERS)                                                                                        \
    extern "C" __global__ void name(long long batch, long long steps, long long n, long long t, long long s,           \
                                    long long gate, long long row, long long act, long long rec, UNPACK PARAMETERS)
#define ONE(name, suffix, PARAMETERS, ARGUMENTS)                                                                       \
    NAMED(name##_##suffix, PARAMETERS) {                                                                               \
        name(Launch{{batch, steps, n, t, s}, gate, row}, Acts<true>{act, rec}, UNPACK ARGUMENTS);                      \
    }
#define BOTH(name, suffix, PARAMETERS, ARGUMENTS)                                                                      \
    NAMED(name##_##suffix, PARAMETERS) {                                                                               \
        name(Launch{{batch, steps, n, t, s}, gate, row}, Acts<false>{act, rec}, UNPACK ARGUMENTS);                     \
    }                                                                                                                  \
    NAMED(name##_any_##suffix, PARAMETERS) {                                                                           \
        name(Launch{{batch, steps, n, t, s}, gate, row}, Acts<true>{act, rec}, UNPACK ARGUMENTS);                      \
    }
#define RECURRENT(T, suffix)                                                                                           \
    ONE(simple, suffix, (const T *p, const T *z, const bool *valid, const T *before, T *y, T *after, T *hs),           \
        (p, z, valid, before, y, after, hs))                                                                           \
    ONE(simple_grad, suffix,                                                                                           \
        (const T *p, const T *mask, sum_type<T> *past, const T *g_hs, const bool *valid, const T *y, T *d, T *dz),     \
        (p, mask, past, g_hs, valid, y, d, dz))                                                                        \
    BOTH(lstm, suffix,                                                                                                 \
        (const T *p, const T *z, const bool *valid, const T *h_before, const T *c_before, T *gates, T *h_after,        \
         T *c_after, T *hs),                                                                                           \
        (p, z, valid, h_before, c_before, gates, h_after, c_after, hs))                                                \
    BOTH(lstm_grad, suffix,                                                                                            \
        (const T *p, const T *mask, sum_type<T> *past, sum_type<T> *dc, const T *g_hs, const bool *valid,              \
         const T *gates, const T *c_before, const T *c_after, T *d, T *dz),                                            \
        (p, mask, past, dc, g_hs, valid, gates, c_before, c_after, d, dz))                                             \
    BOTH(gru, suffix,                                                                                                  \
        (const T *p, const T *bias, const T *z, const bool *valid, const T *before, T *gates, T *inner, T *after,      \
         T *hs),                                                                                                       \
        (p, bias, z, valid, before, gates, inner, after, hs))                                                          \
    BOTH(gru_grad, suffix,                                                                                             \
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
