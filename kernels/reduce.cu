// Sums, means, maxima and places of maxima over the rows and the columns of a matrix.
//
//     row_sum:     y[i] = scale * sum over j of x[i, j]       (scale 1 / n for the mean)
//     row_max:     y[i] = max over j of x[i, j]; NaN if there is one
//     row_argmax:  y[i] = the first j with the largest x[i, j], or with a NaN
//     column_sum:  partial[p, j] = sum of x[i, j] over the p-th part of the rows
//     column_max:  the same with the maximum
//     column_sum_last, column_max_last: y[j] = scale * sum, or the maximum, over p of partial[p, j]
//
// x (rows, n) is contiguous; sums are kept in float for the 16-bit types and in the type itself for others, and so are
// partial ones. Nothing is atomic: the same launch gives the same bits.
//
// Launch, over rows: device.cuh. Over columns: blocks of (32, 8) threads in a grid of (ceil(n / 32), parts); _last with
// one part. A column's sums want 32 rows a part or more.

#include "device.cuh"

template <typename T, typename Op>
__device__ void over_rows(const T *x, T *y, long long rows, long long n, double scale, sum_type<T> start, Op op) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *at = x + row * n;
        S total = start;
        for (long long j = threadIdx.x; j < n; j += blockDim.x) total = op(total, to_sum(at[j]));
        total = team_reduce(total, op);
        if (threadIdx.x == 0) y[row] = from_sum<T>(scale == 1.0 ? total : S(total * S(scale)));
    }
}

template <typename S> struct Place {
    S value;
    long long index;
};
template <typename S> __device__ __forceinline__ Place<S> from_lane(Place<S> p, int by) {
    return {__shfl_xor_sync(0xffffffffu, p.value, by), __shfl_xor_sync(0xffffffffu, p.index, by)};
}

// The larger value, NaN above all; of two like ones the first. Index -1 is no place yet.
struct First {
    template <typename S> __device__ __forceinline__ Place<S> operator()(Place<S> a, Place<S> b) const {
        if (a.index < 0) return b;
        if (b.index < 0) return a;
        const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
        if (a_nan != b_nan) return a_nan ? a : b;
        if (!a_nan && a.value != b.value) return a.value > b.value ? a : b;
        return a.index < b.index ? a : b;
    }
};

template <typename T> __device__ void row_argmax(const T *x, long long *y, long long rows, long long n) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < rows; row += team_count()) {
        const T *at = x + row * n;
        Place<S> best = {S(0), -1};
        for (long long j = threadIdx.x; j < n; j += blockDim.x) best = First()(best, Place<S>{to_sum(at[j]), j});
        best = team_reduce(best, First());
        if (threadIdx.x == 0) y[row] = best.index;
    }
}

// In the 16-bit types the partial results are float: In is then T or float, Out float or T.
template <typename In, typename Out, typename Op>
__device__ void over_columns(const In *x, Out *y, long long rows, long long n, double scale, sum_type<In> start, Op op) {
    using S = sum_type<In>;
    const long long column = column_place();
    const long long part = (rows + gridDim.y - 1) / gridDim.y, first = part * blockIdx.y;
    const long long last = first + part < rows ? first + part : rows;
    S total = start;
    if (column < n) {
        for (long long i = first + threadIdx.y; i < last; i += PARTS) total = op(total, to_sum(x[i * n + column]));
    }
    total = column_reduce(total, op);
    if (threadIdx.y == 0 && column < n) {
        y[blockIdx.y * n + column] = from_sum<Out>(scale == 1.0 ? total : S(total * S(scale)));
    }
}

#define REDUCE(T, suffix, LOWEST)                                                                                      \
    extern "C" __global__ void row_sum_##suffix(const T *x, T *y, long long rows, long long n, double scale) {         \
        over_rows(x, y, rows, n, scale, sum_type<T>(0), Add());                                                        \
    }                                                                                                                  \
    extern "C" __global__ void row_max_##suffix(const T *x, T *y, long long rows, long long n) {                       \
        over_rows(x, y, rows, n, 1.0, sum_type<T>(LOWEST), Larger());                                                  \
    }                                                                                                                  \
    extern "C" __global__ void row_argmax_##suffix(const T *x, long long *y, long long rows, long long n) {            \
        row_argmax(x, y, rows, n);                                                                                     \
    }                                                                                                                  \
    extern "C" __global__ void column_sum_##suffix(const T *x, sum_type<T> *partial, long long rows, long long n) {    \
        over_columns(x, partial, rows, n, 1.0, sum_type<T>(0), Add());                                                 \
    }                                                                                                                  \
    extern "C" __global__ void column_max_##suffix(const T *x, sum_type<T> *partial, long long rows, long long n) {    \
        over_columns(x, partial, rows, n, 1.0, sum_type<T>(LOWEST), Larger());                                         \
    }                                                                                                                  \
    extern "C" __global__ void column_sum_last_##suffix(const sum_type<T> *partial, T *y, long long parts,             \
                                                        long long n, double scale) {                                   \
        over_columns(partial, y, parts, n, scale, sum_type<T>(0), Add());                                              \
    }                                                                                                                  \
    extern "C" __global__ void column_max_last_##suffix(const sum_type<T> *partial, T *y, long long parts,             \
                                                        long long n) {                                                 \
        over_columns(partial, y, parts, n, 1.0, sum_type<T>(LOWEST), Larger());                                        \
    }
#define REDUCE_FLOATS(T, suffix) REDUCE(T, suffix, -__int_as_float(0x7f800000))
FOR_FLOATS(REDUCE_FLOATS)
REDUCE(int, i32, -2147483647 - 1)
REDUCE(long long, i64, -9223372036854775807LL - 1)
