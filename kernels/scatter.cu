// Rows added up at repeated places, in the same order every time.
//
//     out[rows[i]] += values[order[i]]    for all i, where rows (n) is sorted and order (n) says where each came from
//
// values (n, width), out (any, width), both contiguous. One thread an element of values: where a run of equal row
// numbers begins it sums the run's column and adds it to out, elsewhere it has nothing to do. No two threads write the
// same element, so nothing is atomic. Sums of 16-bit numbers are kept in float.
//
// Launch: 256 threads, as many blocks as cover n * width elements, at most 65,536; the kernel strides over the grid.

#include "types.cuh"

template <typename T>
__device__ void add_runs(const T *values, const long long *rows, const long long *order, T *out, long long n,
                         long long width) {
    const long long step = (long long)gridDim.x * blockDim.x;
    for (long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x; at < n * width; at += step) {
        const long long i = at / width, column = at % width, row = rows[i];
        if (i > 0 && rows[i - 1] == row) continue;
        sum_type<T> sum = 0;
        for (long long j = i; j < n && rows[j] == row; ++j) sum += to_sum(values[order[j] * width + column]);
        T &target = out[row * width + column];
        target = from_sum<T>(to_sum(target) + sum);
    }
}

#define ADD_RUNS(T, suffix)                                                                                       \
    extern "C" __global__ void add_runs_##suffix(const T *values, const long long *rows, const long long *order, \
                                                 T *out, long long n, long long width) {                         \
        add_runs(values, rows, order, out, n, width);                                                            \
    }
FOR_FLOATS(ADD_RUNS)
ADD_RUNS(int, i32)
ADD_RUNS(long long, i64)
