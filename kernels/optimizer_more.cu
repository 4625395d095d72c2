// The less usual optimizers, and the clipping of gradients; optimizer.cu has what goes for all of them.
//
//     adadelta:   a += (1 - rho) (g^2 - a); d = g sqrt(b + epsilon) / sqrt(a + epsilon); w -= lr d; b += (1 - rho) (d^2 - b)
//     adamax:     m += (1 - b1) (g - m); u = max(b2 u, |g|); w -= alpha m / (u + epsilon)
//     nadam:      m, v as in Adam; w -= lr (from_m m + from_g g) / (sqrt(scale v) + epsilon)
//     lion:       w -= lr sign(b1 m + (1 - b1) g); m += (1 - b2) (g - m)
//     ftrl:       z += g + 2 shrinkage w - (a'^-power - a^-power) w / lr with a' = a + g^2;
//                 w = (clip(z, -l1, l1) - z) / (a'^-power / lr + 2 l2)
//     schedule_free: v as in Adam; z -= lr g / (sqrt(v / correction) + epsilon); w = (1 - b1) z + b1 x, x going the share
//                 of the way to z (Defazio et al. 2024)
//
//     squared_norm: partial[block] = sum of g^2 over the block's elements; row_sum (reduce.cu) makes one number of them
//     clip_by_norm: g *= limit / norm where the norm, the root of *squared, is above the limit
//     clip:         g cut to [-limit, limit]
//
// Launch: blocks of 256 threads, as many as there are elements, at most 65,536 (squared_norm: 1,024); the kernel strides
// over the grid.

#include "optimizer.cuh"

template <typename T> __device__ void adadelta(T *w, const T *g, T *a, T *b, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), forget = S(1.0 - numbers[1]), epsilon = S(numbers[2]);
    update<2>(w, g, {{a, b}}, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += forget * (gradient * gradient - slot[0]);
        const S d = gradient * sqrt(slot[1] + epsilon) / sqrt(slot[0] + epsilon);
        weight -= lr * d;
        slot[1] += forget * (d * d - slot[1]);
    });
}

template <typename T> __device__ void adamax(T *w, const T *g, T *m, T *u, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S alpha = S(numbers[0]), from_g = S(1.0 - numbers[1]), b2 = S(numbers[2]), epsilon = S(numbers[3]);
    update<2>(w, g, {{m, u}}, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += from_g * (gradient - slot[0]);
        slot[1] = Larger()(b2 * slot[1], S(fabs(gradient)));
        weight -= alpha * (slot[0] / (slot[1] + epsilon));
    });
}

template <typename T> __device__ void nadam(T *w, const T *g, T *m, T *v, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S from_g = S(1.0 - numbers[1]), from_square = S(1.0 - numbers[2]), epsilon = S(numbers[3]);
    const S by_m = S(numbers[0] * numbers[4]), by_g = S(numbers[0] * numbers[5]), scale = S(numbers[6]);
    update<2>(w, g, {{m, v}}, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += from_g * (gradient - slot[0]);
        slot[1] += from_square * (gradient * gradient - slot[1]);
        weight -= (by_m * slot[0] + by_g * gradient) / (sqrt(slot[1] * scale) + epsilon);
    });
}

template <typename T> __device__ void lion(T *w, const T *g, T *m, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), b1 = S(numbers[1]), now = S(1.0 - numbers[1]), from_g = S(1.0 - numbers[2]);
    update<1>(w, g, {{m}}, n, [=](S &weight, S gradient, S *slot) {
        const S way = b1 * slot[0] + now * gradient;
        weight -= way > S(0) ? lr : way < S(0) ? -lr : way * lr;
        slot[0] += from_g * (gradient - slot[0]);
    });
}

template <typename T> __device__ void ftrl(T *w, const T *g, T *a, T *z, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), by = S(-numbers[1]), l1 = S(numbers[2]), twice = S(2.0 * numbers[3]);
    const S shrinkage = S(2.0 * numbers[4]);
    update<2>(w, g, {{a, z}}, n, [=](S &weight, S gradient, S *slot) {
        const S old = weight, before = pow(slot[0], by);
        slot[0] += gradient * gradient;
        const S after = pow(slot[0], by);
        slot[1] += gradient + shrinkage * old - (after - before) / lr * old;
        const S cut = slot[1] > l1 ? l1 : slot[1] < -l1 ? -l1 : slot[1];
        weight = (cut - slot[1]) / (after / lr + twice);
    });
}

template <typename T> __device__ void schedule_free(T *w, const T *g, T *z, T *v, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), b1 = S(numbers[1]), from_square = S(1.0 - numbers[2]), epsilon = S(numbers[3]);
    const S correction = S(numbers[4]), share = S(numbers[5]);
    update<2>(w, g, {{z, v}}, n, [=](S &weight, S gradient, S *slot) {
        const S x = (weight - (S(1) - b1) * slot[0]) * (S(1) - share);  // b1 times what of x stays
        slot[1] += from_square * (gradient * gradient - slot[1]);
        slot[0] -= lr * gradient / (sqrt(slot[1] / correction) + epsilon);
        weight = x + (S(1) - b1 + b1 * share) * slot[0];
    });
}

template <typename T> __device__ void squared_norm(const T *g, sum_type<T> *partial, long long n) {
    using S = sum_type<T>;
    S total = 0;
    for (long long i = grid_place(); i < n; i += grid_size()) total += to_sum(g[i]) * to_sum(g[i]);
    total = team_reduce(total, Add());
    if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

template <typename T> __device__ void clip_by_norm(T *g, long long n, const sum_type<T> *squared, double limit_) {
    using S = sum_type<T>;
    const S norm = sqrt(*squared), limit = S(limit_);
    if (!(norm > limit)) return;
    const S scale = limit / norm;
    for (long long i = grid_place(); i < n; i += grid_size()) g[i] = from_sum<T>(to_sum(g[i]) * scale);
}

template <typename T> __device__ void clip(T *g, long long n, double limit_) {
    using S = sum_type<T>;
    const S limit = S(limit_);
    for (long long i = grid_place(); i < n; i += grid_size()) {
        const S v = to_sum(g[i]);
        g[i] = from_sum<T>(v > limit ? limit : v < -limit ? -limit : v);
    }
}

#define OPTIMIZER(T, suffix)                                                                                           \
    extern "C" __global__ void adadelta_##suffix(T *w, const T *g, T *a, T *b, long long n, const double *numbers) {   \
        adadelta(w, g, a, b, n, numbers);                                                                              \
    }                                                                                                                  \
    extern "C" __global__ void adamax_##suffix(T *w, const T *g, T *m, T *u, long long n, const double *numbers) {     \
        adamax(w, g, m, u, n, numbers);                                                                                \
    }                                                                                                                  \
    extern "C" __global__ void nadam_##suffix(T *w, const T *g, T *m, T *v, long long n, const double *numbers) {      \
        nadam(w, g, m, v, n, numbers);                                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void lion_##suffix(T *w, const T *g, T *m, long long n, const double *numbers) {             \
        lion(w, g, m, n, numbers);                                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void ftrl_##suffix(T *w, const T *g, T *a, T *z, long long n, const double *numbers) {       \
        ftrl(w, g, a, z, n, numbers);                                                                                  \
    }                                                                                                                  \
    extern "C" __global__ void schedule_free_##suffix(T *w, const T *g, T *z, T *v, long long n,                       \
                                                      const double *numbers) {                                         \
        schedule_free(w, g, z, v, n, numbers);                                                                         \
    }                                                                                                                  \
    extern "C" __global__ void squared_norm_##suffix(const T *g, sum_type<T> *partial, long long n) {                  \
        squared_norm(g, partial, n);                                                                                   \
    }                                                                                                                  \
    extern "C" __global__ void clip_by_norm_##suffix(T *g, long long n, const sum_type<T> *squared, double limit) {    \
        clip_by_norm(g, n, squared, limit);                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void clip_##suffix(T *g, long long n, double limit) {                                        \
        clip(g, n, limit);                                                                                             \
    }
FOR_FLOATS(OPTIMIZER)
