// A bias and an activation in one pass, and their gradients in one pass.
//
//     bias_<name>:       y[i, j] = f(x[i, j] + b[j]); y may be x, and b may be null
//     bias_<name>_grad:  gx[i, j] = g[i, j] f'(x[i, j] + b[j]); gx may be g
//                        partial[p, j] = sum of gx[i, j] over the p-th part of the rows
//
// The gradient takes s = y where the derivative can be had from the result, else s = x and b (activations.cuh). The
// bias's gradient is column_sum_last (reduce.cu) of partial (parts, n), which is float for the 16-bit types; partial may
// be null. Matrices are (rows, n), contiguous. Sums come in the same order every time.
//
// Launch: blocks of (32, 8) threads in a grid of (ceil(n / 32), parts), as column_sum.

#include "activations.cuh"
#include "device.cuh"

template <typename F, typename T>
__device__ void forward(const T *x, const T *b, T *y, long long rows, long long n, double parameter) {
    using S = sum_type<T>;
    const S alpha = S(parameter);
    const long long column = column_place();
    if (column >= n) return;
    const S bias = b ? to_sum(b[column]) : S(0);
    for (long long i = (long long)blockIdx.y * PARTS + threadIdx.y; i < rows; i += (long long)gridDim.y * PARTS) {
        y[i * n + column] = from_sum<T>(F::value(S(to_sum(x[i * n + column]) + bias), alpha));
    }
}

template <typename F, typename T>
__device__ void backward(const T *g, const T *s, const T *b, T *gx, sum_type<T> *partial, long long rows, long long n,
                         double parameter) {
    using S = sum_type<T>;
    const S alpha = S(parameter);
    const long long column = column_place();
    S total = 0;
    if (column < n) {
        const S bias = b && !F::FROM_OUTPUT ? to_sum(b[column]) : S(0);
        for (long long i = (long long)blockIdx.y * PARTS + threadIdx.y; i < rows; i += (long long)gridDim.y * PARTS) {
            const long long at = i * n + column;
            const S kept = F::FROM_OUTPUT ? to_sum(s[at]) : to_sum(s[at]) + bias;
            const S d = to_sum(g[at]) * F::slope(kept, alpha);
            gx[at] = from_sum<T>(d);
            total += d;
        }
    }
    if (!partial) return;
    total = column_reduce(total, Add());
    if (threadIdx.y == 0 && column < n) partial[blockIdx.y * n + column] = total;
}

#define BIAS_ACT(F, name, T, suffix)                                                                                   \
    extern "C" __global__ void bias_##name##_##suffix(const T *x, const T *b, T *y, long long rows, long long n,       \
                                                      double alpha) {                                                  \
        forward<F>(x, b, y, rows, n, alpha);                                                                           \
    }                                                                                                                  \
    extern "C" __global__ void bias_##name##_grad_##suffix(const T *g, const T *s, const T *b, T *gx,                  \
                                                           sum_type<T> *partial, long long rows, long long n,          \
                                                           double alpha) {                                             \
        backward<F>(g, s, b, gx, partial, rows, n, alpha);                                                             \
    }
#define BIAS_ACTS(T, suffix) FOR_ACTIVATIONS(BIAS_ACT, T, suffix)
FOR_FLOATS(BIAS_ACTS)
