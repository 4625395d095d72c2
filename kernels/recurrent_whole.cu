// A whole sequence in one launch, for networks of up to 64 units: the recurrent kernel stays in registers.
//
//     <network>_<N>:       all steps of recurrent.cu's simple, lstm or gru with tanh and sigmoid, and no dropout
//     <network>_grad_<N>:  the way back, and first (batch, n), the gradient of the state in front
//
// A block has one sequence at a time and a thread for each gate and unit, N = 32 or 64 units with those past n idle. A
// thread keeps its column of the kernel (n, gates * n) in registers, on the way back its row's part of one gate; the state
// and what comes out of the products pass through shared memory. Sequences don't meet, so blocks don't either.
//
// Arrays are those of recurrent.cu with all steps: h and c (steps + 1, batch, n) with the first state in front, gates,
// inner, y and d (steps, batch, ...). Sums are in float, and products aren't rounded. There are no kernels for double: it is
// rare in training, and they would double the time that the compiler takes.
//
// Launch: blocks of gates * N threads, as many as there are sequences, at most 65,535.

#include "recurrent.cuh"

// The product of the state with one column of the kernel, or of a gate's gradient with one row, in registers.
template <int N, typename S> struct Weights {
    S at[N];

    // u[i * by] for i below n.
    template <typename T> __device__ __forceinline__ void load(const T *u, long long n, long long by, bool there) {
#pragma unroll
        for (int i = 0; i < N; ++i) at[i] = there && i < n ? to_sum(u[i * by]) : S(0);
    }
    __device__ __forceinline__ S times(const S *x) const {
        S sum[4] = {0, 0, 0, 0};
#pragma unroll
        for (int i = 0; i < N; ++i) sum[i % 4] += x[i] * at[i];
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
};

// Runs unit(step, b, j, p, z) -> h for all steps of the block's sequences.
template <int N, int GATES, typename T, typename F>
__device__ __forceinline__ void forward(Step step, bool reverse, const T *u, const T *z, const T *first, F unit) {
    LAUNCH_SHAPE(blockDim.x == N * GATES && blockDim.y * blockDim.z * gridDim.y * gridDim.z == 1);
    using S = sum_type<T>;
    __shared__ S h[N], products[GATES][N], inputs[GATES][N];
    const int k = threadIdx.x / N, j = threadIdx.x % N;
    const bool there = j < step.n, mine = k == 0 && there;
    Weights<N, S> column;
    column.load(u + k * step.n + j, step.n, GATES * step.n, there);
    for (long long b = blockIdx.x; b < step.batch; b += gridDim.x) {
        const auto input = [&](long long s) {
            step.t = reverse ? step.steps - 1 - s : s;
            return there && s < step.steps ? to_sum(z[step.in(GATES, k, b, j)]) : S(0);
        };
        S next = input(0);
        if (k == 0) h[j] = there ? to_sum(first[b * step.n + j]) : S(0);
        __syncthreads();
        for (step.s = 0; step.s < step.steps; ++step.s) {
            inputs[k][j] = next;
            next = input(step.s + 1);  // on its way while the product is computed
            step.t = reverse ? step.steps - 1 - step.s : step.s;
            products[k][j] = column.times(h);
            __syncthreads();
            if (mine) {
                h[j] = to_sum(unit(step, b, j, [&](int gate) { return products[gate][j]; },
                                   [&](int gate) { return inputs[gate][j]; }));
            }
            __syncthreads();
        }
    }
}

// Runs unit(step, b, j, through, put) for all steps from the last to the first.
template <int N, int GATES, typename T, typename F>
__device__ __forceinline__ void backward(Step step, bool reverse, const T *u, const sum_type<T> *past, T *d, T *first, F unit) {
    LAUNCH_SHAPE(blockDim.x == N * GATES && blockDim.y * blockDim.z * gridDim.y * gridDim.z == 1);
    using S = sum_type<T>;
    __shared__ S grads[GATES][N], products[GATES][N];
    const int k = threadIdx.x / N, j = threadIdx.x % N;
    const bool mine = k == 0 && j < step.n;
    Weights<N, S> row;
    row.load(u + j * GATES * step.n + k * step.n, step.n, 1, j < step.n);
    for (long long b = blockIdx.x; b < step.batch; b += gridDim.x) {
        grads[k][j] = products[k][j] = S(0);
        __syncthreads();
        const auto through = [&]() {
            S sum = products[0][j];
#pragma unroll
            for (int gate = 1; gate < GATES; ++gate) sum += products[gate][j];
            return sum;
        };
        for (step.s = step.steps - 1; step.s >= 0; --step.s) {
            step.t = reverse ? step.steps - 1 - step.s : step.s;
            if (mine) {
                T *to = d + (step.s * step.batch + b) * GATES * step.n + j;
                unit(step, b, j, through(), [&](int gate, T value) {
                    grads[gate][j] = to_sum(value);
                    to[gate * step.n] = value;
                });
            }
            __syncthreads();
            products[k][j] = row.times(grads[k]);
            __syncthreads();
        }
        if (mine) first[b * step.n + j] = from_sum<T>(through() + past[b * step.n + j]);
        __syncthreads();
    }
}

constexpr Acts<false> USUAL = {0, 0};

// Where the arrays of a step begin.
#define AT(array, width) (array + step.s * batch * (width))
#define NEXT(array) (array + (step.s + 1) * batch * n)

#define WHOLE(T, suffix, N)                                                                                            \
    extern "C" __global__ void __launch_bounds__(N, 1)                                                                 \
        simple_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u, const T *z,     \
                              const bool *valid, T *h, T *y, T *hs) {                                                  \
        forward<N, 1>(Step{batch, steps, n, 0, 0}, reverse, u, z, h, [&](Step step, long long b, int j, auto p, auto of) {\
            return simple_unit(step, USUAL, b, j, p, of, valid, AT(h, n), AT(y, n), NEXT(h), hs);                      \
        });                                                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(N, 1)                                                                 \
        simple_grad_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u,            \
                                   sum_type<T> *past, const T *g_hs, const bool *valid, const T *y, T *d, T *dz,       \
                                   T *first) {                                                                         \
        backward<N, 1>(Step{batch, steps, n, 0, 0}, reverse, u, past, d, first,                                        \
                       [&](Step step, long long b, int j, sum_type<T> through, auto put) {                             \
                           simple_unit_grad(step, USUAL, b, j, through, past, g_hs, valid, AT(y, n), put, dz);         \
                       });                                                                                             \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(4 * N, 1)                                                             \
        lstm_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u, const T *z,       \
                            const bool *valid, T *h, T *c, T *gates, T *hs) {                                          \
        forward<N, 4>(Step{batch, steps, n, 0, 0}, reverse, u, z, h, [&](Step step, long long b, int j, auto p, auto of) {\
            return lstm_unit(step, USUAL, b, j, p, of, valid, AT(h, n), AT(c, n), AT(gates, 4 * n), NEXT(h), NEXT(c),  \
                             hs);                                                                                      \
        });                                                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(4 * N, 1)                                                             \
        lstm_grad_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u,              \
                                 sum_type<T> *past, sum_type<T> *dc, const T *g_hs, const bool *valid, const T *gates, \
                                 const T *c, T *d, T *dz, T *first) {                                                  \
        backward<N, 4>(Step{batch, steps, n, 0, 0}, reverse, u, past, d, first,                                        \
                       [&](Step step, long long b, int j, sum_type<T> through, auto put) {                             \
                           lstm_unit_grad(step, USUAL, b, j, through, past, dc, g_hs, valid, AT(gates, 4 * n),         \
                                          AT(c, n), NEXT(c), put, dz);                                                 \
                       });                                                                                             \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(3 * N, 1)                                                             \
        gru_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u, const T *bias,     \
                           const T *z, const bool *valid, T *h, T *gates, T *inner, T *hs) {                           \
        forward<N, 3>(Step{batch, steps, n, 0, 0}, reverse, u, z, h, [&](Step step, long long b, int j, auto p, auto of) {\
            return gru_unit(step, USUAL, b, j, p, of, bias, valid, AT(h, n), AT(gates, 3 * n), AT(inner, n), NEXT(h),  \
                            hs);                                                                                       \
        });                                                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(3 * N, 1)                                                             \
        gru_grad_##N##_##suffix(long long batch, long long steps, long long n, bool reverse, const T *u,               \
                                sum_type<T> *past, const T *g_hs, const bool *valid, const T *gates, const T *inner,   \
                                const T *h, T *d, T *dz, T *first) {                                                   \
        backward<N, 3>(Step{batch, steps, n, 0, 0}, reverse, u, past, d, first,                                        \
                       [&](Step step, long long b, int j, sum_type<T> through, auto put) {                             \
                           gru_unit_grad(step, USUAL, b, j, through, past, g_hs, valid, AT(gates, 3 * n),              \
                                         AT(inner, n), AT(h, n), put, dz);                                             \
                       });                                                                                             \
    }
#define WHOLES(T, suffix) WHOLE(T, suffix, 32) WHOLE(T, suffix, 64)
WHOLES(float, f32)
WHOLES(__half, f16)
WHOLES(__nv_bfloat16, bf16)
