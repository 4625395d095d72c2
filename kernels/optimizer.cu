// Optimizer steps over flat arrays, in place; deepkit/backend/cpu/optimizer.py has the same rules for NumPy.
//
//     sgd:       w -= lr g
//     momentum:  m = mu m - lr g; w += m, or with nesterov w += mu m - lr g
//     rmsprop:   v += (1 - rho) (g^2 - v); w -= lr g / sqrt(v + epsilon); _centered subtracts the square of the mean
//                gradient from v below the root, _momentum passes the step through m = mu m + step
//     adagrad:   a += g^2; w -= lr g / sqrt(a + epsilon)
//     adam:      m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v); w -= alpha m / (sqrt(v) + epsilon);
//     amsgrad:   the same with the largest v so far below the root
//
// All arrays have n elements of one type, contiguous; 16-bit ones are computed in float. `numbers` are the rule's own, in
// its order, as doubles on the device, so that a captured step can go on with new ones.
//
// Launch: blocks of 256 threads, as many as there are elements, at most 65,536; the kernel strides over the grid.

#include "optimizer.cuh"

template <typename T> __device__ void sgd(T *w, const T *g, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]);
    update<0>(w, g, Slots<T, 0>(), n, [=](S &weight, S gradient, S *) { weight -= lr * gradient; });
}

template <typename T> __device__ void momentum(T *w, const T *g, T *m, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), mu = S(numbers[1]);
    const bool nesterov = numbers[2] != 0;
    update<1>(w, g, {{m}}, n, [=](S &weight, S gradient, S *slot) {
        const S step = lr * gradient;
        slot[0] = mu * slot[0] - step;
        weight += nesterov ? mu * slot[0] - step : slot[0];
    });
}

// Slots: v, then m with MOMENTUM, then the mean gradient if CENTERED.
template <bool CENTERED, bool MOMENTUM, typename T>
__device__ void rmsprop(T *w, const T *g, Slots<T, 1 + MOMENTUM + CENTERED> slots, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), forget = S(1.0 - numbers[1]), mu = S(numbers[2]), epsilon = S(numbers[3]);
    update<1 + MOMENTUM + CENTERED>(w, g, slots, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += forget * (gradient * gradient - slot[0]);
        S below = slot[0];
        if (CENTERED) {
            S &mean = slot[MOMENTUM + CENTERED];
            mean += forget * (gradient - mean);
            below -= mean * mean;
        }
        S step = lr * (gradient / sqrt(below + epsilon));
        if (MOMENTUM) {
            S &m = slot[MOMENTUM];
            m = mu * m + step;
            step = m;
        }
        weight -= step;
    });
}

template <typename T> __device__ void adagrad(T *w, const T *g, T *a, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S lr = S(numbers[0]), epsilon = S(numbers[1]);
    update<1>(w, g, {{a}}, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += gradient * gradient;
        weight -= lr * gradient / sqrt(slot[0] + epsilon);
    });
}

// Slots: m, v, and with AMSGRAD the largest v.
template <bool AMSGRAD, typename T>
__device__ void adam(T *w, const T *g, Slots<T, 2 + AMSGRAD> slots, long long n, const double *numbers) {
    using S = sum_type<T>;
    const S alpha = S(numbers[0]), from_g = S(1.0 - numbers[1]), from_square = S(1.0 - numbers[2]), epsilon = S(numbers[3]);
    update<2 + AMSGRAD>(w, g, slots, n, [=](S &weight, S gradient, S *slot) {
        slot[0] += from_g * (gradient - slot[0]);
        slot[1] += from_square * (gradient * gradient - slot[1]);
        if (AMSGRAD) slot[1 + AMSGRAD] = slot[1 + AMSGRAD] > slot[1] ? slot[1 + AMSGRAD] : slot[1];
        weight -= alpha * (slot[0] / (sqrt(slot[1 + AMSGRAD]) + epsilon));
    });
}

#define OPTIMIZER(T, suffix)                                                                                           \
    extern "C" __global__ void sgd_##suffix(T *w, const T *g, long long n, const double *numbers) {                    \
        sgd(w, g, n, numbers);                                                                                         \
    }                                                                                                                  \
    extern "C" __global__ void momentum_##suffix(T *w, const T *g, T *m, long long n, const double *numbers) {         \
        momentum(w, g, m, n, numbers);                                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_##suffix(T *w, const T *g, T *v, long long n, const double *numbers) {          \
        rmsprop<false, false, T>(w, g, {{v}}, n, numbers);                                                             \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_momentum_##suffix(T *w, const T *g, T *v, T *m, long long n,                    \
                                                         const double *numbers) {                                      \
        rmsprop<false, true, T>(w, g, {{v, m}}, n, numbers);                                                           \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_centered_##suffix(T *w, const T *g, T *v, T *mean, long long n,                 \
                                                         const double *numbers) {                                      \
        rmsprop<true, false, T>(w, g, {{v, mean}}, n, numbers);                                                        \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_centered_momentum_##suffix(T *w, const T *g, T *v, T *m, T *mean,               \
                                                                  long long n, const double *numbers) {                \
        rmsprop<true, true, T>(w, g, {{v, m, mean}}, n, numbers);                                                      \
    }                                                                                                                  \
    extern "C" __global__ void adagrad_##suffix(T *w, const T *g, T *a, long long n, const double *numbers) {          \
        adagrad(w, g, a, n, numbers);                                                                                  \
    }                                                                                                                  \
    extern "C" __global__ void adam_##suffix(T *w, const T *g, T *m, T *v, long long n, const double *numbers) {       \
        adam<false, T>(w, g, {{m, v}}, n, numbers);                                                                    \
    }                                                                                                                  \
    extern "C" __global__ void amsgrad_##suffix(T *w, const T *g, T *m, T *v, T *peak, long long n,                    \
                                                const double *numbers) {                                               \
        adam<true, T>(w, g, {{m, v, peak}}, n, numbers);                                                               \
    }
FOR_FLOATS(OPTIMIZER)
