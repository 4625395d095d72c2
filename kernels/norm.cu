// Layer and batch normalization with an activation behind, and their gradients.
//
// Matrices are (rows, n), contiguous; hat = (x - mean) * inverse with inverse = 1 / sqrt(variance + epsilon). A layer
// norm has mean and inverse (rows), a batch norm (n); both, and partial results, are float for the 16-bit types. gamma
// and beta (n) may be null. f is linear or relu (activations.cuh): its derivative comes from y, so that it costs nothing.
//
//     layer_norm_<f>:        y = f(gamma hat + beta), mean and inverse; without centre the mean is taken as 0 (RMS)
//     layer_norm_<f>_grad:   gx = (d - hat mean(d hat) - mean(d)) inverse with d = g f'(y) gamma; no mean(d) without centre
//     layer_norm_<f>_sums:   partial sums over rows, part by part: g_gamma of g f'(y) hat, g_beta of g f'(y)
//     batch_norm_moments:    partial means and sums of squared deviations over each part of the rows
//     batch_norm_moments_last: mean, variance and inverse from them (Chan et al. 1979)
//     batch_norm_<f>:        y = f(gamma hat + beta)
//     batch_norm_<f>_sums:   as for a layer norm
//     batch_norm_<f>_grad:   gx = gamma inverse (d - g_beta / rows - hat g_gamma / rows) with d = g f'(y)
//
// Partial results are (parts, n); column_sum_last (reduce.cu) makes sums of them. gx may be g. Nothing is atomic.
//
// Launch: layer_norm_<f> and its _grad over rows (device.cuh); moments_last with a thread a column in blocks of 256; the
// others with blocks of (32, 8) threads in a grid of (ceil(n / 32), parts).

#include "activations.cuh"
#include "device.cuh"

template <typename F, typename T>
__device__ void layer_norm(const T *x, const T *gamma, const T *beta, T *y, sum_type<T> *means, sum_type<T> *inverses,
                           long long rows, long long n, double epsilon, bool centre) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *from = x + row * n;
        S mean = 0, squares = 0;
        if (centre) {
            for (long long j = threadIdx.x; j < n; j += blockDim.x) mean += to_sum(from[j]);
            mean = team_reduce(mean, Add()) / S(n);
        }
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S d = to_sum(from[j]) - mean;
            squares += d * d;
        }
        const S inverse = S(1) / sqrt(team_reduce(squares, Add()) / S(n) + S(epsilon));
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            S v = (to_sum(from[j]) - mean) * inverse;
            if (gamma) v *= to_sum(gamma[j]);
            if (beta) v += to_sum(beta[j]);
            y[row * n + j] = from_sum<T>(F::value(v, S(1)));
        }
        if (threadIdx.x == 0) {
            means[row] = mean;
            inverses[row] = inverse;
        }
    }
}

template <typename F, typename T>
__device__ void layer_norm_grad(const T *g, const T *y, const T *x, const sum_type<T> *means, const sum_type<T> *inverses,
                                const T *gamma, T *gx, long long rows, long long n, bool centre) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const S mean = means[row], inverse = inverses[row];
        const auto inner = [&](long long j) {
            const S d = to_sum(g[row * n + j]) * F::slope(to_sum(y[row * n + j]), S(1));
            return gamma ? d * to_sum(gamma[j]) : d;
        };
        const auto hat = [&](long long j) { return (to_sum(x[row * n + j]) - mean) * inverse; };
        S total = 0, product = 0;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            const S d = inner(j);
            total += d;
            product += d * hat(j);
        }
        total = centre ? team_reduce(total, Add()) / S(n) : S(0);
        product = team_reduce(product, Add()) / S(n);
        for (long long j = threadIdx.x; j < n; j += blockDim.x) {
            gx[row * n + j] = from_sum<T>((inner(j) - hat(j) * product - total) * inverse);
        }
    }
}

// Sums over rows of d = g f'(y) and of d hat; the statistics are a row's or, with BY_COLUMN, a column's.
template <typename F, bool BY_COLUMN, typename T>
__device__ void sums(const T *g, const T *y, const T *x, const sum_type<T> *means, const sum_type<T> *inverses,
                     sum_type<T> *g_gamma, sum_type<T> *g_beta, long long rows, long long n) {
    using S = sum_type<T>;
    const long long column = column_place();
    S product = 0, total = 0;
    if (column < n) {
        for (long long i = (long long)blockIdx.y * PARTS + threadIdx.y; i < rows; i += (long long)gridDim.y * PARTS) {
            const long long at = i * n + column, of = BY_COLUMN ? column : i;
            const S d = to_sum(g[at]) * F::slope(to_sum(y[at]), S(1));
            total += d;
            product += d * ((to_sum(x[at]) - means[of]) * inverses[of]);
        }
    }
    total = column_reduce(total, Add());
    product = column_reduce(product, Add());
    if (threadIdx.y == 0 && column < n) {
        g_beta[blockIdx.y * n + column] = total;
        g_gamma[blockIdx.y * n + column] = product;
    }
}

// Mean and sum of squared deviations of `count` numbers.
template <typename S> struct Moments {
    S count, mean, squares;
};
struct Merge {
    template <typename S> __device__ __forceinline__ Moments<S> operator()(Moments<S> a, Moments<S> b) const {
        const S count = a.count + b.count;
        if (count == S(0)) return a;
        const S d = b.mean - a.mean, share = b.count / count;
        return {count, a.mean + d * share, a.squares + b.squares + d * d * (a.count * share)};
    }
};

// How many rows part p of the grid has.
__device__ __forceinline__ long long rows_of_part(long long rows, long long parts, long long p) {
    const long long size = (rows + parts - 1) / parts, left = rows - p * size;
    return left < 0 ? 0 : left < size ? left : size;
}

template <typename T>
__device__ void batch_norm_moments(const T *x, sum_type<T> *means, sum_type<T> *squares, long long rows, long long n) {
    using S = sum_type<T>;
    const long long column = column_place();
    const long long first = (rows + gridDim.y - 1) / gridDim.y * blockIdx.y;
    const long long last = first + rows_of_part(rows, gridDim.y, blockIdx.y);
    Moments<S> v = {S(0), S(0), S(0)};
    if (column < n) {
        for (long long i = first + threadIdx.y; i < last; i += PARTS) {  // Welford 1962
            const S value = to_sum(x[i * n + column]), d = value - v.mean;
            v.count += S(1);
            v.mean += d / v.count;
            v.squares += d * (value - v.mean);
        }
    }
    v = column_reduce(v, Merge());
    if (threadIdx.y == 0 && column < n) {
        means[blockIdx.y * n + column] = v.mean;
        squares[blockIdx.y * n + column] = v.squares;
    }
}

template <typename S>
__device__ void batch_norm_moments_last(const S *means, const S *squares, S *mean, S *variance, S *inverse, long long rows,
                                        long long n, long long parts, double epsilon) {
    for (long long column = grid_place(); column < n; column += grid_size()) {
        Moments<S> v = {S(0), S(0), S(0)};
        for (long long p = 0; p < parts; ++p) {
            const S count = S(rows_of_part(rows, parts, p));
            v = Merge()(v, Moments<S>{count, means[p * n + column], squares[p * n + column]});
        }
        const S found = v.squares / (rows ? S(rows) : S(1));
        mean[column] = v.mean;
        variance[column] = found;
        inverse[column] = S(1) / sqrt(found + S(epsilon));
    }
}

template <typename F, typename T>
__device__ void batch_norm(const T *x, const sum_type<T> *mean, const sum_type<T> *inverse, const T *gamma, const T *beta,
                           T *y, long long rows, long long n) {
    using S = sum_type<T>;
    const long long column = column_place();
    if (column >= n) return;
    const S centre = mean[column], scale = gamma ? inverse[column] * to_sum(gamma[column]) : inverse[column];
    const S shift = beta ? to_sum(beta[column]) : S(0);
    for (long long i = (long long)blockIdx.y * PARTS + threadIdx.y; i < rows; i += (long long)gridDim.y * PARTS) {
        const S v = (to_sum(x[i * n + column]) - centre) * scale + shift;
        y[i * n + column] = from_sum<T>(F::value(v, S(1)));
    }
}

template <typename F, typename T>
__device__ void batch_norm_grad(const T *g, const T *y, const T *x, const sum_type<T> *mean, const sum_type<T> *inverse,
                                const T *gamma, const sum_type<T> *g_gamma, const sum_type<T> *g_beta, T *gx,
                                long long rows, long long n) {
    using S = sum_type<T>;
    const long long column = column_place();
    if (column >= n) return;
    const S centre = mean[column], scale = gamma ? inverse[column] * to_sum(gamma[column]) : inverse[column];
    const S less = g_beta[column] / S(rows), along = g_gamma[column] * inverse[column] / S(rows);
    for (long long i = (long long)blockIdx.y * PARTS + threadIdx.y; i < rows; i += (long long)gridDim.y * PARTS) {
        const long long at = i * n + column;
        const S d = to_sum(g[at]) * F::slope(to_sum(y[at]), S(1));
        gx[at] = from_sum<T>((d - less - (to_sum(x[at]) - centre) * along) * scale);
    }
}

#define NORM_ACT(F, name, T, suffix)                                                                                   \
    extern "C" __global__ void layer_norm_##name##_##suffix(const T *x, const T *gamma, const T *beta, T *y,           \
                                                            sum_type<T> *mean, sum_type<T> *inverse, long long rows,   \
                                                            long long n, double epsilon, long long centre) {           \
        layer_norm<F>(x, gamma, beta, y, mean, inverse, rows, n, epsilon, centre != 0);                                \
    }                                                                                                                  \
    extern "C" __global__ void layer_norm_##name##_grad_##suffix(                                                      \
        const T *g, const T *y, const T *x, const sum_type<T> *mean, const sum_type<T> *inverse, const T *gamma,       \
        T *gx, long long rows, long long n, long long centre) {                                                        \
        layer_norm_grad<F>(g, y, x, mean, inverse, gamma, gx, rows, n, centre != 0);                                   \
    }                                                                                                                  \
    extern "C" __global__ void layer_norm_##name##_sums_##suffix(                                                      \
        const T *g, const T *y, const T *x, const sum_type<T> *mean, const sum_type<T> *inverse,                       \
        sum_type<T> *g_gamma, sum_type<T> *g_beta, long long rows, long long n) {                                      \
        sums<F, false>(g, y, x, mean, inverse, g_gamma, g_beta, rows, n);                                              \
    }                                                                                                                  \
    extern "C" __global__ void batch_norm_##name##_##suffix(const T *x, const sum_type<T> *mean,                       \
                                                            const sum_type<T> *inverse, const T *gamma,                \
                                                            const T *beta, T *y, long long rows, long long n) {        \
        batch_norm<F>(x, mean, inverse, gamma, beta, y, rows, n);                                                      \
    }                                                                                                                  \
    extern "C" __global__ void batch_norm_##name##_sums_##suffix(                                                      \
        const T *g, const T *y, const T *x, const sum_type<T> *mean, const sum_type<T> *inverse,                       \
        sum_type<T> *g_gamma, sum_type<T> *g_beta, long long rows, long long n) {                                      \
        sums<F, true>(g, y, x, mean, inverse, g_gamma, g_beta, rows, n);                                               \
    }                                                                                                                  \
    extern "C" __global__ void batch_norm_##name##_grad_##suffix(                                                      \
        const T *g, const T *y, const T *x, const sum_type<T> *mean, const sum_type<T> *inverse, const T *gamma,       \
        const sum_type<T> *g_gamma, const sum_type<T> *g_beta, T *gx, long long rows, long long n) {                   \
        batch_norm_grad<F>(g, y, x, mean, inverse, gamma, g_gamma, g_beta, gx, rows, n);                               \
    }
#define NORM(T, suffix)                                                                                                \
    NORM_ACT(activation::Linear, linear, T, suffix)                                                                    \
    NORM_ACT(activation::Relu, relu, T, suffix)                                                                        \
    extern "C" __global__ void batch_norm_moments_##suffix(const T *x, sum_type<T> *means, sum_type<T> *squares,       \
                                                           long long rows, long long n) {                              \
        batch_norm_moments(x, means, squares, rows, n);                                                                \
    }                                                                                                                  \
    extern "C" __global__ void batch_norm_moments_last_##suffix(                                                       \
        const sum_type<T> *means, const sum_type<T> *squares, sum_type<T> *mean, sum_type<T> *variance,                \
        sum_type<T> *inverse, long long rows, long long n, long long parts, double epsilon) {                          \
        batch_norm_moments_last(means, squares, mean, variance, inverse, rows, n, parts, epsilon);                     \
    }
FOR_FLOATS(NORM)
