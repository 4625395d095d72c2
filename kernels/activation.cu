// Activation functions and their gradients, elementwise.
//
//     <name>:       y[i] = f(x[i])
//     <name>_grad:  gx[i] = g[i] f'(x[i]), where s is y if f' can be had from it, else x (activations.cuh)
//
// Arrays are contiguous, n elements each; y may be x, and gx may be g. 16 bytes an access where all arrays are aligned
// for it. Launch: blocks of 256 threads, as many as there are elements, at most 65,536; the kernel strides over the grid.

#include "activations.cuh"
#include "device.cuh"

template <typename F, typename T>
__device__ void forward(const T *x, T *y, long long n, double parameter) {
    using S = sum_type<T>;
    const S alpha = S(parameter);
    constexpr int N = PACK<T>;
    const bool packed = aligned<T, N>(x) && aligned<T, N>(y);
    const long long whole = packed ? n / N : 0;
    for (long long i = grid_place(); i < whole; i += grid_size()) {
        Pack<T, N> v = load_pack<T, N>(x + i * N);
#pragma unroll
        for (int j = 0; j < N; ++j) v.at[j] = from_sum<T>(F::value(to_sum(v.at[j]), alpha));
        store_pack<T, N>(y + i * N, v);
    }
    for (long long i = whole * N + grid_place(); i < n; i += grid_size()) {
        y[i] = from_sum<T>(F::value(to_sum(x[i]), alpha));
    }
}

template <typename F, typename T>
__device__ void backward(const T *g, const T *s, T *gx, long long n, double parameter) {
    using S = sum_type<T>;
    const S alpha = S(parameter);
    constexpr int N = PACK<T>;
    const bool packed = aligned<T, N>(g) && aligned<T, N>(s) && aligned<T, N>(gx);
    const long long whole = packed ? n / N : 0;
    for (long long i = grid_place(); i < whole; i += grid_size()) {
        Pack<T, N> v = load_pack<T, N>(g + i * N);
        const Pack<T, N> kept = load_pack<T, N>(s + i * N);
#pragma unroll
        for (int j = 0; j < N; ++j) v.at[j] = from_sum<T>(to_sum(v.at[j]) * F::slope(to_sum(kept.at[j]), alpha));
        store_pack<T, N>(gx + i * N, v);
    }
    for (long long i = whole * N + grid_place(); i < n; i += grid_size()) {
        gx[i] = from_sum<T>(to_sum(g[i]) * F::slope(to_sum(s[i]), alpha));
    }
}

#define ACTIVATION(F, name, T, suffix)                                                                                \
    extern "C" __global__ void name##_##suffix(const T *x, T *y, long long n, double alpha) {                         \
        forward<F>(x, y, n, alpha);                                                                                   \
    }                                                                                                                 \
    extern "C" __global__ void name##_grad_##suffix(const T *g, const T *s, T *gx, long long n, double alpha) {       \
        backward<F>(g, s, gx, n, alpha);                                                                              \
    }
#define ACTIVATIONS(T, suffix) FOR_ACTIVATIONS(ACTIVATION, T, suffix)
FOR_FLOATS(ACTIVATIONS)
