// Optimizer steps over flat arrays, in place; deepkit/backend/cpu/optimizer.py has the same rules for NumPy.
//
//     sgd:       w -= lr g
//     momentum:  m = mu m - lr g; w += m, or with nesterov w += mu m - lr g
//     rmsprop:   v += (1 - rho) (g^2 - v); w -= lr g / sqrt(v + epsilon); _centered subtracts the square of the mean
//                gradient from v below the root, _momentum passes the step through m = mu m + step
//     adagrad:   a += g^2; w -= lr g / sqrt(a + epsilon)
//     adam:      m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v); w -= alpha m / (sqrt(v) + epsilon) with
//                alpha = lr sqrt(1 - b2^t) / (1 - b1^t); _amsgrad takes the largest v so far
//
// All arrays have n elements of one type, contiguous; 16-bit ones are computed in float. The learning rate and the number
// t - 1 of steps before this one are read from the device, so that a captured step can go on using them. decay is
// decoupled weight decay: first of all w -= decay lr w.
//
// Launch: blocks of 256 threads, as many as there are elements, at most 65,536; the kernel strides over the grid.

#include "optimizer.cuh"

template <typename T>
__device__ void sgd(T *w, const T *g, long long n, const sum_type<T> *rate, double decay) {
    using S = sum_type<T>;
    const S lr = *rate, keep = S(1) - S(decay) * lr;
    for (long long i = grid_place(); i < n; i += grid_size()) w[i] = from_sum<T>(to_sum(w[i]) * keep - lr * to_sum(g[i]));
}

template <typename T>
__device__ void momentum(T *w, const T *g, T *m, long long n, const sum_type<T> *rate, double mu_, bool nesterov,
                         double decay) {
    using S = sum_type<T>;
    const S lr = *rate, mu = S(mu_), keep = S(1) - S(decay) * lr;
    update<1>(w, g, {{m}}, n, [=](S &weight, S gradient, S(&slot)[1]) {
        const S step = lr * gradient;
        slot[0] = mu * slot[0] - step;
        weight = weight * keep + (nesterov ? mu * slot[0] - step : slot[0]);
    });
}

// Slots: v, then m with MOMENTUM, then the mean gradient if CENTERED.
template <bool CENTERED, bool MOMENTUM, typename T>
__device__ void rmsprop(T *w, const T *g, Slots<T, 1 + MOMENTUM + CENTERED> slots, long long n, const sum_type<T> *rate,
                        double rho_, double mu_, double epsilon_, double decay) {
    using S = sum_type<T>;
    const S lr = *rate, forget = S(1.0 - rho_), mu = S(mu_), epsilon = S(epsilon_), keep = S(1) - S(decay) * lr;
    constexpr int SLOTS = 1 + MOMENTUM + CENTERED;
    update<SLOTS>(w, g, slots, n, [=](S &weight, S gradient, S(&slot)[SLOTS]) {
        slot[0] += forget * (gradient * gradient - slot[0]);
        S below = slot[0];
        if (CENTERED) {
            S &mean = slot[SLOTS - 1];
            mean += forget * (gradient - mean);
            below -= mean * mean;
        }
        S step = lr * (gradient / sqrt(below + epsilon));
        if (MOMENTUM) {
            S &m = slot[MOMENTUM];
            m = mu * m + step;
            step = m;
        }
        weight = weight * keep - step;
    });
}

template <typename T>
__device__ void adagrad(T *w, const T *g, T *a, long long n, const sum_type<T> *rate, double epsilon_, double decay) {
    using S = sum_type<T>;
    const S lr = *rate, epsilon = S(epsilon_), keep = S(1) - S(decay) * lr;
    update<1>(w, g, {{a}}, n, [=](S &weight, S gradient, S(&slot)[1]) {
        slot[0] += gradient * gradient;
        weight = weight * keep - lr * gradient / sqrt(slot[0] + epsilon);
    });
}

// Slots: m, v, and with AMSGRAD the largest v.
template <bool AMSGRAD, typename T>
__device__ void adam(T *w, const T *g, Slots<T, 2 + AMSGRAD> slots, long long n, const sum_type<T> *rate,
                     const long long *steps, double b1, double b2, double epsilon_, double decay) {
    using S = sum_type<T>;
    __shared__ S shared_alpha;
    if (threadIdx.x == 0) {  // in double, as 1 - b2^t loses most of its digits; once a block, as that is slow
        const double t = double(*steps + 1);
        shared_alpha = S(double(*rate) * sqrt(1.0 - pow(b2, t)) / (1.0 - pow(b1, t)));
    }
    __syncthreads();
    const S alpha = shared_alpha, keep = S(1) - S(decay) * *rate, from_g = S(1.0 - b1), from_square = S(1.0 - b2);
    const S epsilon = S(epsilon_);
    constexpr int SLOTS = 2 + AMSGRAD;
    update<SLOTS>(w, g, slots, n, [=](S &weight, S gradient, S(&slot)[SLOTS]) {
        slot[0] += from_g * (gradient - slot[0]);
        slot[1] += from_square * (gradient * gradient - slot[1]);
        if (AMSGRAD) slot[SLOTS - 1] = slot[SLOTS - 1] > slot[1] ? slot[SLOTS - 1] : slot[1];
        weight = weight * keep - alpha * (slot[0] / (sqrt(slot[SLOTS - 1]) + epsilon));
    });
}

#define OPTIMIZER(T, suffix)                                                                                           \
    extern "C" __global__ void sgd_##suffix(T *w, const T *g, long long n, const sum_type<T> *rate, double decay) {    \
        sgd(w, g, n, rate, decay);                                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void momentum_##suffix(T *w, const T *g, T *m, long long n, const sum_type<T> *rate,         \
                                                 double mu, long long nesterov, double decay) {                        \
        momentum(w, g, m, n, rate, mu, nesterov != 0, decay);                                                          \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_##suffix(T *w, const T *g, T *v, long long n, const sum_type<T> *rate,          \
                                                double rho, double epsilon, double decay) {                            \
        rmsprop<false, false, T>(w, g, {{v}}, n, rate, rho, 0.0, epsilon, decay);                                      \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_momentum_##suffix(T *w, const T *g, T *v, T *m, long long n,                    \
                                                         const sum_type<T> *rate, double rho, double mu,               \
                                                         double epsilon, double decay) {                               \
        rmsprop<false, true, T>(w, g, {{v, m}}, n, rate, rho, mu, epsilon, decay);                                     \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_centered_##suffix(T *w, const T *g, T *v, T *mean, long long n,                 \
                                                         const sum_type<T> *rate, double rho, double epsilon,          \
                                                         double decay) {                                               \
        rmsprop<true, false, T>(w, g, {{v, mean}}, n, rate, rho, 0.0, epsilon, decay);                                 \
    }                                                                                                                  \
    extern "C" __global__ void rmsprop_centered_momentum_##suffix(T *w, const T *g, T *v, T *m, T *mean, long long n,  \
                                                                  const sum_type<T> *rate, double rho, double mu,      \
                                                                  double epsilon, double decay) {                      \
        rmsprop<true, true, T>(w, g, {{v, m, mean}}, n, rate, rho, mu, epsilon, decay);                                \
    }                                                                                                                  \
    extern "C" __global__ void adagrad_##suffix(T *w, const T *g, T *a, long long n, const sum_type<T> *rate,          \
                                                double epsilon, double decay) {                                        \
        adagrad(w, g, a, n, rate, epsilon, decay);                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void adam_##suffix(T *w, const T *g, T *m, T *v, long long n, const sum_type<T> *rate,       \
                                             const long long *steps, double b1, double b2, double epsilon,             \
                                             double decay) {                                                           \
        adam<false, T>(w, g, {{m, v}}, n, rate, steps, b1, b2, epsilon, decay);                                        \
    }                                                                                                                  \
    extern "C" __global__ void adam_amsgrad_##suffix(T *w, const T *g, T *m, T *v, T *peak, long long n,               \
                                                     const sum_type<T> *rate, const long long *steps, double b1,       \
                                                     double b2, double epsilon, double decay) {                        \
        adam<true, T>(w, g, {{m, v, peak}}, n, rate, steps, b1, b2, epsilon, decay);                                   \
    }
FOR_FLOATS(OPTIMIZER)
