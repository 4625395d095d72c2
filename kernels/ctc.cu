// Connectionist temporal classification (Graves et al. 2006): the forward-backward algorithm in logarithms.
//
//     ctc_normalizers: normalizer[i, t] = log sum_c exp(x[i, t, c])
//     ctc_alpha:       alpha[i, t, s] = log of the probability of all ways to state s at step t; total[i], and loss[i] =
//                      -total, or 1e5 where no way leads to the end
//     ctc_posterior:   alpha becomes the probability of state s at step t, given the labels; beta (n, 2, states) is scratch
//     ctc_grad:        gx = (softmax(x) - sum of the posteriors of the states of each class) g; 0 beyond the length of x
//
// x, gx (n, steps, classes), labels (n, length), their lengths (n) int; loss, g (n); normalizer (n, steps), alpha (n, steps,
// states) with states = 2 length + 1, and total (n) double: sums over long signals in float would leave few digits. State 2 i
// is a blank, 2 i + 1 label i; labels past the length of a row are blanks. A label that is no class gives NaN.
//
// Launch: ctc_normalizers over rows (device.cuh); ctc_alpha and ctc_posterior with a block of up to 1,024 threads a
// sequence; ctc_grad in blocks of (32, 8) threads, a warp a step of a sequence, at most 65,536 blocks.

#include "device.cuh"

constexpr double LOW = -1e30;  // the logarithm of 0, finite so that differences of two stay numbers

__device__ __forceinline__ double log_sum(double a, double b, double c) {
    const double top = fmax(fmax(a, b), c);
    return top + log(exp(a - top) + exp(b - top) + exp(c - top));
}

template <typename T> __device__ void normalizers(const T *x, double *normalizer, long long rows, long long classes) {
    for (long long row = team_place(); row < rows; row += team_count()) {
        double top = LOW, sum = 0;
        for (long long c = threadIdx.x; c < classes; c += blockDim.x) top = Larger()(top, double(x[row * classes + c]));
        top = team_reduce(top, Larger());
        for (long long c = threadIdx.x; c < classes; c += blockDim.x) sum += exp(double(x[row * classes + c]) - top);
        sum = team_reduce(sum, Add());
        if (threadIdx.x == 0) normalizer[row] = top + log(sum);
    }
}

// One sequence: its labels, its part of x, and how long both are.
template <typename T> struct Sequence {
    const int *labels;
    const T *x;
    const double *normalizer;
    long long count, steps, classes, blank;

    __device__ Sequence(const int *labels, const int *label_lengths, const int *lengths, const T *x, const double *normalizer,
                        long long i, long long steps, long long length, long long classes, long long blank)
        : labels(labels + i * length), x(x + i * steps * classes), normalizer(normalizer + i * steps),
          count(label_lengths[i] < length ? label_lengths[i] : length), steps(lengths[i] < steps ? lengths[i] : steps),
          classes(classes), blank(blank) {}

    __device__ long long state(long long s) const { return s % 2 && s / 2 < count ? labels[s / 2] : blank; }
    // The logarithm of the softmax of a state's class.
    __device__ double emitted(long long t, long long s) const {
        const long long c = state(s);
        return c >= 0 && c < classes ? double(x[t * classes + c]) - normalizer[t] : double(__int_as_float(0x7fc00000));
    }
    // Whether one may come to state s from s - 2.
    __device__ bool skips(long long s) const { return s % 2 && s > 1 && state(s) != state(s - 2); }
};

template <typename T>
__device__ void alpha_of(Sequence<T> own, double *alpha, T *loss, double *total, long long states) {
    LAUNCH_SHAPE(blockDim.y * blockDim.z * gridDim.y * gridDim.z == 1);
    for (long long s = threadIdx.x; s < states; s += blockDim.x) alpha[s] = s < 2 ? own.emitted(0, s) : LOW;
    __syncthreads();
    const long long steps = own.steps < 1 ? 1 : own.steps;
    for (long long t = 1; t < steps; ++t) {
        const double *before = alpha + (t - 1) * states;
        for (long long s = threadIdx.x; s < states; s += blockDim.x) {
            const double one = s > 0 ? before[s - 1] : LOW, two = own.skips(s) ? before[s - 2] : LOW;
            alpha[t * states + s] = log_sum(before[s], one, two) + own.emitted(t, s);
        }
        __syncthreads();
    }
    if (threadIdx.x != 0) return;
    const double *end = alpha + (steps - 1) * states + 2 * own.count;
    const double all = log_sum(end[0], own.count > 0 ? end[-1] : LOW, LOW);
    *total = all;
    *loss = T(all > LOW / 2 || all != all ? -all : 1e5);
}

template <typename T>
__device__ void posterior_of(Sequence<T> own, double *alpha, double *beta, double total, long long states) {
    LAUNCH_SHAPE(blockDim.y * blockDim.z * gridDim.y * gridDim.z == 1);
    for (long long t = own.steps - 1; t >= 0; --t) {
        // Of the step behind, with its emission.
        const double *ahead = beta + (t + 1) % 2 * states;
        double *here = beta + t % 2 * states;
        for (long long s = threadIdx.x; s < states; s += blockDim.x) {
            double value;
            if (t == own.steps - 1) {
                value = s == 2 * own.count || s == 2 * own.count - 1 ? 0.0 : LOW;
            } else {
                value = log_sum(ahead[s], s + 1 < states ? ahead[s + 1] : LOW,
                                s + 2 < states && own.skips(s + 2) ? ahead[s + 2] : LOW);
            }
            double &at = alpha[t * states + s];
            const double log_posterior = at + value - total;
            at = exp(log_posterior > 0 ? 0.0 : log_posterior);
            here[s] = value + own.emitted(t, s);
        }
        __syncthreads();
    }
}

template <typename T>
__device__ void grad_of(Sequence<T> own, const double *posterior, double g, T *gx, long long t, bool possible) {
    const long long lane = threadIdx.x;
    if (t >= own.steps || !possible) {
        for (long long c = lane; c < own.classes; c += 32) gx[c] = T(0);
        return;
    }
    const auto softmax = [&](long long c) { return exp(double(own.x[t * own.classes + c]) - own.normalizer[t]); };
    double blanks = 0;
    for (long long c = lane; c < own.classes; c += 32) gx[c] = T(softmax(c) * g);
    for (long long s = lane; s < 2 * own.count + 1; s += 32) blanks += own.state(s) == own.blank ? posterior[s] : 0.0;
#pragma unroll
    for (int by = 16; by; by >>= 1) blanks += from_lane(blanks, by);
    __syncwarp();
    if (lane == 0 && own.blank >= 0 && own.blank < own.classes) gx[own.blank] = T((softmax(own.blank) - blanks) * g);
    for (long long i = lane; i < own.count; i += 32) {
        const long long c = own.labels[i];
        if (c == own.blank || c < 0 || c >= own.classes) continue;
        double sum = 0;
        bool first = true;
        for (long long j = 0; j < own.count && first; ++j) {
            if (own.labels[j] != c) continue;
            first = j >= i;
            sum += posterior[2 * j + 1];
        }
        if (first) gx[c] = T((softmax(c) - sum) * g);
    }
}

#define SEQUENCE(T)                                                                                                    \
    const T *x, const double *normalizer, const int *labels, const int *label_lengths, const int *lengths,             \
        long long n, long long steps, long long length, long long classes, long long blank
#define OWN(T, i) Sequence<T>(labels, label_lengths, lengths, x, normalizer, i, steps, length, classes, blank)
#define CTC(T, suffix)                                                                                                 \
    extern "C" __global__ void ctc_normalizers_##suffix(const T *x, double *normalizer, long long rows,                \
                                                        long long classes) {                                           \
        normalizers(x, normalizer, rows, classes);                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void ctc_alpha_##suffix(SEQUENCE(T), double *alpha, T *loss, double *total) {                \
        const long long states = 2 * length + 1;                                                                       \
        for (long long i = blockIdx.x; i < n; i += gridDim.x) {                                                        \
            alpha_of(OWN(T, i), alpha + i * steps * states, loss + i, total + i, states);                              \
        }                                                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void ctc_posterior_##suffix(SEQUENCE(T), double *alpha, double *beta, const double *total) { \
        const long long states = 2 * length + 1;                                                                       \
        for (long long i = blockIdx.x; i < n; i += gridDim.x) {                                                        \
            posterior_of(OWN(T, i), alpha + i * steps * states, beta + i * 2 * states, total[i], states);              \
        }                                                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void ctc_grad_##suffix(SEQUENCE(T), const double *posterior, const double *total,            \
                                                 const T *g, T *gx) {                                                  \
        for (long long row = team_place(); row < n * steps; row += team_count()) {                                     \
            const long long i = row / steps;                                                                           \
            grad_of(OWN(T, i), posterior + row * (2 * length + 1), double(g[i]), gx + row * classes, row - i * steps,  \
                    !(total[i] <= LOW / 2));                                                                           \
        }                                                                                                              \
    }
CTC(float, f32)
CTC(double, f64)
