// Losses over rows, and elementwise; the cross-entropy of logits is in softmax.cu.
//
//     squared_error:           loss = mean of (p - t)^2 over a row, and d = p - t
//     squared_error_grad:      gx = 2 / n d g
//     cross_entropy_probability_sparse: loss = -log clip(q[label]) with q = p / total, total = sum p of the row; NaN for a
//                              label out of range
//     cross_entropy_probability_dense:  loss = -sum t log clip(q)
//     ..._grad:                gx = (d - sum d q) g / total with d = -t / q where q isn't clipped, else 0; sparse has
//                              t = [j == label]
//     binary_cross_entropy_logit:       y = max(x, 0) - x t + log(1 + e^-|x|)
//     binary_cross_entropy_probability: y = -t log q - (1 - t) log(1 - q) with q = clip(x)
//     ..._grad:                gx = (sigmoid(x) - t) g, or (q - t) / (q (1 - q)) g where x isn't clipped, else 0
//
// clip is to [epsilon, 1 - epsilon]. p, t, d, gx (rows, n), contiguous; label, loss, its gradient g and total (rows), total
// in float for the 16-bit types. The binary ones are elementwise over n elements, and so is their g. gx may be g or d.
//
// Launch: over rows, device.cuh; binary ones in blocks of 256 threads, as many as there are elements, at most 65,536.

#include "activations.cuh"
#include "device.cuh"

template <typename T> __device__ void squared_error(const T *t, const T *p, T *loss, T *d, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        S total = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S difference = to_sum(p[row * n + j]) - to_sum(t[row * n + j]);
            d[row * n + j] = from_sum<T>(difference);
            total += difference * difference;
        }
        total = team_reduce(total, Add());
        if (threadIdx.x == 0) loss[row] = from_sum<T>(n ? total / S(n) : total);
    }
}

template <typename T> __device__ void squared_error_grad(const T *d, const T *g, T *gx, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S scale = to_sum(g[row]) * (S(2) / S(n));
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[row * n + j] = from_sum<T>(to_sum(d[row * n + j]) * scale);
        }
    }
}

template <typename S> __device__ __forceinline__ S clipped(S q, S epsilon) {
    const S top = S(1) - epsilon;
    return q < epsilon ? epsilon : q > top ? top : q;
}

template <typename T> __device__ sum_type<T> total_of(const T *p, long long n) {
    sum_type<T> total = 0;
    for (long long j = threadIdx.x; j < n; j += blockDim.x) total += to_sum(p[j]);
    return team_reduce(total, Add());
}

template <typename T>
__device__ void sparse(const T *p, const int *labels, T *loss, sum_type<T> *totals, long long rows, long long n,
                       double epsilon) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S total = total_of(p + row * n, n);
        if (threadIdx.x != 0) continue;
        const long long label = labels[row];
        const bool there = label >= 0 && label < n;
        totals[row] = total;
        loss[row] = from_sum<T>(there ? -log(clipped(S(to_sum(p[row * n + label]) / total), S(epsilon)))
                                      : S(__int_as_float(0x7fc00000)));
    }
}

template <typename T>
__device__ void sparse_grad(const T *p, const int *labels, const sum_type<T> *totals, const T *g, T *gx, long long rows,
                            long long n, double epsilon) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S total = totals[row], scale = to_sum(g[row]) / total;
        const long long label = labels[row];
        const bool there = label >= 0 && label < n;
        const S q = there ? to_sum(p[row * n + label]) / total : S(0);
        const bool inside = there && q == clipped(q, S(epsilon));
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S d = inside ? S(1) - (j == label ? S(1) / q : S(0)) : S(0);
            gx[row * n + j] = from_sum<T>(d * scale);
        }
    }
}

template <typename T>
__device__ void dense(const T *p, const T *t, T *loss, sum_type<T> *totals, long long rows, long long n, double epsilon) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S total = total_of(p + row * n, n);
        S sum = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            sum -= to_sum(t[row * n + j]) * log(clipped(S(to_sum(p[row * n + j]) / total), S(epsilon)));
        }
        sum = team_reduce(sum, Add());
        if (threadIdx.x != 0) continue;
        totals[row] = total;
        loss[row] = from_sum<T>(sum);
    }
}

template <typename T>
__device__ void dense_grad(const T *p, const T *t, const sum_type<T> *totals, const T *g, T *gx, long long rows, long long n,
                           double epsilon) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S total = totals[row], scale = to_sum(g[row]) / total;
        // -t where q isn't clipped: d q.
        const auto along = [&](long long j) {
            const S q = to_sum(p[row * n + j]) / total;
            return q == clipped(q, S(epsilon)) ? -to_sum(t[row * n + j]) : S(0);
        };
        S sum = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) sum += along(j);
        sum = team_reduce(sum, Add());
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S a = along(j), d = a == S(0) ? a : a / (to_sum(p[row * n + j]) / total);
            gx[row * n + j] = from_sum<T>((d - sum) * scale);
        }
    }
}

template <bool LOGIT, typename T>
__device__ void binary(const T *t, const T *x, T *y, long long n, double epsilon) {
    using S = sum_type<T>;
    for (long long i = grid_place(); i < n; i += grid_size()) {
        const S value = to_sum(x[i]), target = to_sum(t[i]);
        S loss;
        if (LOGIT) {
            loss = activation::log_one_plus_exp(value) - value * target;
        } else {
            const S q = clipped(value, S(epsilon));
            loss = -(target * log(q) + (S(1) - target) * log1p(-q));
        }
        y[i] = from_sum<T>(loss);
    }
}

template <bool LOGIT, typename T>
__device__ void binary_grad(const T *t, const T *x, const T *g, T *gx, long long n, double epsilon) {
    using S = sum_type<T>;
    for (long long i = grid_place(); i < n; i += grid_size()) {
        const S value = to_sum(x[i]), target = to_sum(t[i]);
        S slope;
        if (LOGIT) {
            slope = activation::logistic(value) - target;
        } else {
            slope = value == clipped(value, S(epsilon)) ? (value - target) / (value * (S(1) - value)) : S(0);
        }
        gx[i] = from_sum<T>(slope * to_sum(g[i]));
    }
}

#define LOSS(T, suffix)                                                                                                \
    extern "C" __global__ void squared_error_##suffix(const T *t, const T *p, T *loss, T *d, long long rows,           \
                                                      long long n) {                                                   \
        squared_error(t, p, loss, d, rows, n);                                                                         \
    }                                                                                                                  \
    extern "C" __global__ void squared_error_grad_##suffix(const T *d, const T *g, T *gx, long long rows,              \
                                                           long long n) {                                              \
        squared_error_grad(d, g, gx, rows, n);                                                                         \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_probability_sparse_##suffix(                                              \
        const T *p, const int *labels, T *loss, sum_type<T> *total, long long rows, long long n, double epsilon) {     \
        sparse(p, labels, loss, total, rows, n, epsilon);                                                              \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_probability_sparse_grad_##suffix(                                         \
        const T *p, const int *labels, const sum_type<T> *total, const T *g, T *gx, long long rows, long long n,       \
        double epsilon) {                                                                                              \
        sparse_grad(p, labels, total, g, gx, rows, n, epsilon);                                                        \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_probability_dense_##suffix(                                               \
        const T *p, const T *t, T *loss, sum_type<T> *total, long long rows, long long n, double epsilon) {            \
        dense(p, t, loss, total, rows, n, epsilon);                                                                    \
    }                                                                                                                  \
    extern "C" __global__ void cross_entropy_probability_dense_grad_##suffix(                                          \
        const T *p, const T *t, const sum_type<T> *total, const T *g, T *gx, long long rows, long long n,              \
        double epsilon) {                                                                                              \
        dense_grad(p, t, total, g, gx, rows, n, epsilon);                                                              \
    }                                                                                                                  \
    extern "C" __global__ void binary_cross_entropy_logit_##suffix(const T *t, const T *x, T *y, long long n) {        \
        binary<true>(t, x, y, n, 0.0);                                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void binary_cross_entropy_logit_grad_##suffix(const T *t, const T *x, const T *g, T *gx,     \
                                                                        long long n) {                                 \
        binary_grad<true>(t, x, g, gx, n, 0.0);                                                                        \
    }                                                                                                                  \
    extern "C" __global__ void binary_cross_entropy_probability_##suffix(const T *t, const T *x, T *y, long long n,    \
                                                                         double epsilon) {                             \
        binary<false>(t, x, y, n, epsilon);                                                                            \
    }                                                                                                                  \
    extern "C" __global__ void binary_cross_entropy_probability_grad_##suffix(                                         \
        const T *t, const T *x, const T *g, T *gx, long long n, double epsilon) {                                      \
        binary_grad<false>(t, x, g, gx, n, epsilon);                                                                   \
    }
FOR_FLOATS(LOSS)
