// Softmax over rows, its logarithm, and the cross-entropy of logits.
//
//     softmax:                 y = e^(x - max) / sum e^(x - max)
//     softmax_grad:            gx = y (g - sum g y)
//     log_softmax:             y = x - max - log sum e^(x - max)
//     log_softmax_grad:        gx = g - e^y sum g
//     cross_entropy_sparse:    loss = -log softmax(x)[label], and p = softmax(x); NaN for a label out of range
//     cross_entropy_sparse_grad: gx = (p - [j == label]) g
//     cross_entropy_dense:     loss = -sum t log softmax(x), and p = softmax(x)
//     cross_entropy_dense_grad:  gx = (p sum t - t) g
//
// x, y, p, t, gx (rows, n) contiguous; label, loss and the loss's g (rows). The maximum and the sum come from one pass
// (Milakov & Gimelshein 2018, arXiv:1805.02867), the results from a second one, which finds a row of usual length in the
// cache. y may be x, gx may be g or p.
//
// Launch, over rows: device.cuh.

#include "softmax.cuh"

template <typename T> __device__ Norm<sum_type<T>> norm_of_row(const T *x, long long n) {
    using S = sum_type<T>;
    Norm<S> v = {-S(__int_as_float(0x7f800000)), S(0)};
    for (long long j = threadIdx.x; j < n; j += blockDim.x) v = Join()(v, Norm<S>{to_sum(x[j]), S(1)});
    return team_reduce(v, Join());
}

template <typename T> __device__ void softmax(const T *x, T *y, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *from = x + row * n;
        T *to = y + row * n;
        const Norm<S> v = norm_of_row(from, n);
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            to[j] = from_sum<T>(exp(to_sum(from[j]) - v.largest) / v.total);
        }
    }
}

template <typename T> __device__ void softmax_grad(const T *g, const T *y, T *gx, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const long long at = row * n;
        S total = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) total += to_sum(g[at + j]) * to_sum(y[at + j]);
        total = team_reduce(total, Add());
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[at + j] = from_sum<T>(to_sum(y[at + j]) * (to_sum(g[at + j]) - total));
        }
    }
}

template <typename T> __device__ void log_softmax(const T *x, T *y, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *from = x + row * n;
        T *to = y + row * n;
        const Norm<S> v = norm_of_row(from, n);
        const S logarithm = log(v.total);
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            to[j] = from_sum<T>(to_sum(from[j]) - v.largest - logarithm);
        }
    }
}

template <typename T> __device__ void log_softmax_grad(const T *g, const T *y, T *gx, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const long long at = row * n;
        S total = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) total += to_sum(g[at + j]);
        total = team_reduce(total, Add());
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[at + j] = from_sum<T>(to_sum(g[at + j]) - exp(to_sum(y[at + j])) * total);
        }
    }
}

template <typename T>
__device__ void cross_entropy_sparse(const T *x, const int *labels, T *loss, T *p, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *from = x + row * n;
        const Norm<S> v = norm_of_row(from, n);
        const long long label = labels[row];
        if (threadIdx.x == 0) {
            const bool there = label >= 0 && label < n;
            loss[row] = from_sum<T>(there ? log(v.total) - (to_sum(from[label]) - v.largest) : S(__int_as_float(0x7fc00000)));
        }
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            p[row * n + j] = from_sum<T>(exp(to_sum(from[j]) - v.largest) / v.total);
        }
    }
}

template <typename T>
__device__ void cross_entropy_sparse_grad(const T *p, const int *labels, const T *g, T *gx, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S scale = to_sum(g[row]);
        const long long label = labels[row];
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[row * n + j] = from_sum<T>((to_sum(p[row * n + j]) - (j == label ? S(1) : S(0))) * scale);
        }
    }
}

template <typename T>
__device__ void cross_entropy_dense(const T *x, const T *t, T *loss, T *p, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const long long at = row * n;
        const Norm<S> v = norm_of_row(x + at, n);
        const S logarithm = log(v.total);
        S total = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S shifted = to_sum(x[at + j]) - v.largest;
            total += to_sum(t[at + j]) * (logarithm - shifted);
            p[at + j] = from_sum<T>(exp(shifted) / v.total);
        }
        total = team_reduce(total, Add());
        if (threadIdx.x == 0) loss[row] = from_sum<T>(total);
    }
}

template <typename T>
__device__ void cross_entropy_dense_grad(const T *p, const T *t, const T *g, T *gx, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const long long at = row * n;
        S total = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) total += to_sum(t[at + j]);
        total = team_reduce(total, Add());
        const S scale = to_sum(g[row]);
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[at + j] = from_sum<T>((to_sum(p[at + j]) * total - to_sum(t[at + j])) * scale);
        }
    }
}

#define SOFTMAX(T, suffix)                                                                                             \
    extern "C" __global__ void softmax_##suffix(const T *x, T *y, long long rows, long long n) {                       \
        softmax(x, y, rows, n);                                                                                        \
    }                                                                                                                  \
    extern "C" __global__ void softmax_grad_##suffix(const T *g, const T *y, T *gx, long long rows, long long n) {     \
        softmax_grad(g, y, gx, rows, n);                                                                               \
    }                                                                                                                  \
    extern "C" __global__ void log_softmax_##suffix(const T *x, T *y, long long rows, long long n) {                   \
        log_softmax(x, y, rows, n);                                                                                    \
    }                                                                                                                  \
    extern "C" __global__ void log_softmax_grad_##suffix(const T *g, const T *y, T *gx, long long rows, long long n) { \
        log_softmax_grad(g, y, gx, rows, n);                                                                           \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_sparse_##suffix(const T *x, const int *labels, T *loss, T *p,             \
                                                             long long rows, long long n) {                            \
        cross_entropy_sparse(x, labels, loss, p, rows, n);                                                             \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_sparse_grad_##suffix(const T *p, const int *labels, const T *g, T *gx,    \
                                                                  long long rows, long long n) {                       \
        cross_entropy_sparse_grad(p, labels, g, gx, rows, n);                                                          \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_dense_##suffix(const T *x, const T *t, T *loss, T *p, long long rows,     \
                                                            long long n) {                                             \
        cross_entropy_dense(x, t, loss, p, rows, n);                                                                   \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_dense_grad_##suffix(const T *p, const T *t, const T *g, T *gx,            \
                                                                 long long rows, long long n) {                        \
        cross_entropy_dense_grad(p, t, g, gx, rows, n);                                                                \
    }
FOR_FLOATS(SOFTMAX)
