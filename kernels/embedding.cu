// Rows of a table: looked up, and summed up at repeated places in the same order every time.
//
//     take_<bytes>_i32, _i64:  out[o, i, :] = x[o, index[i], :]; a negative index counts from the end, and where there is no
//                              such row `fill` is repeated, 8 bytes long
//     sum_runs:                out[rows[i], :] += values[order[i], :] for all i, rows sorted
//     join_runs:               the rest of that, for runs of one row that are in several pieces
//
// x (outer, count, width), index (n), out (outer, n, width) for take, in units of 1, 2, 4, 8 or 16 bytes. For the sums
// values (any, width), rows (n) and order (n) of sort.cu, out (count, width); rows of number `count` or above are left out.
// The sorted rows are cut into pieces of 64. A thread sums one column of a piece, run by run: a run within the piece goes
// to out; the part of one that began before goes to partial[piece, 0], of one that goes on behind to partial[piece, 1],
// partial (pieces, 2, width) in float for the 16-bit types. join_runs then adds up the parts of each such run. So a row
// that half of the indices name costs no more than others, no two threads write one element, and nothing is atomic.
//
// Launch: take and sum_runs in blocks of 256 threads, as many as cover the elements of out, or pieces * width, at most
// 65,536; join_runs in blocks of (32, 8) threads in a grid of (ceil(width / 32), up to 65,535 for the pieces).

#include "device.cuh"

constexpr int PIECE = 64;

template <typename U> __device__ __forceinline__ U filled(long long fill) { return U(fill); }
template <> __device__ __forceinline__ Pack<long long, 2> filled(long long fill) { return {fill, fill}; }

// N is what places are computed in: 32 bits wherever they suffice, as 64-bit divisions are slow.
template <typename N, typename U, typename I>
__device__ __forceinline__ void take_in(const U *x, const I *index, U *out, N total, N n, long long count, N width,
                                        long long fill) {
    for (long long at = grid_place(); at < (long long)total; at += grid_size()) {
        const N row = N(at) / width, column = N(at) - row * width, outer = row / n;
        long long from = index[row - outer * n];
        if (from < 0) from += count;
        out[at] = from >= 0 && from < count ? x[(outer * count + from) * width + column] : filled<U>(fill);
    }
}

template <typename U, typename I>
__device__ void take(const U *x, const I *index, U *out, long long outer, long long n, long long count, long long width,
                     long long fill) {
    const long long total = outer * n * width;
    if (total <= 0xffffffffll) {
        take_in<unsigned>(x, index, out, unsigned(total), unsigned(n), count, unsigned(width), fill);
    } else {
        take_in<unsigned long long>(x, index, out, total, n, count, width, fill);
    }
}

#define TAKE_BY(U, bytes, I, suffix)                                                                                   \
    extern "C" __global__ void take_##bytes##_##suffix(const void *x, const I *index, void *out, long long outer,      \
                                                       long long n, long long count, long long width, long long fill) { \
        take(static_cast<const U *>(x), index, static_cast<U *>(out), outer, n, count, width, fill);                   \
    }
#define TAKE(U, bytes) TAKE_BY(U, bytes, int, i32) TAKE_BY(U, bytes, long long, i64)
using Wide = Pack<long long, 2>;
TAKE(unsigned char, 1)
TAKE(unsigned short, 2)
TAKE(unsigned, 4)
TAKE(long long, 8)
TAKE(Wide, 16)

template <typename T>
__device__ void sum_runs(const T *values, const long long *rows, const long long *order, T *out, sum_type<T> *partial,
                         long long n, long long count, long long width) {
    using S = sum_type<T>;
    const long long pieces = (n + PIECE - 1) / PIECE;
    for (long long at = grid_place(); at < pieces * width; at += grid_size()) {
        const long long piece = at / width, column = at - piece * width;
        const long long first = piece * PIECE, last = first + PIECE < n ? first + PIECE : n;
        long long row = rows[first];
        bool began_before = first > 0 && rows[first - 1] == row;
        S sum = 0;
        for (long long i = first; i < last && row < count; ++i) {
            sum += to_sum(values[order[i] * width + column]);
            const long long next = i + 1 < n ? rows[i + 1] : count;
            if (next == row && i + 1 < last) continue;
            if (began_before || next == row) {
                partial[(piece * 2 + !began_before) * width + column] = sum;
            } else {
                T &target = out[row * width + column];
                target = from_sum<T>(to_sum(target) + sum);
            }
            began_before = false;
            row = next;
            sum = 0;
        }
    }
}

template <typename T>
__device__ void join_runs(const sum_type<T> *partial, const long long *rows, T *out, long long n, long long count,
                          long long width) {
    using S = sum_type<T>;
    const long long column = column_place(), pieces = (n + PIECE - 1) / PIECE;
    for (long long piece = blockIdx.y; piece + 1 < pieces; piece += gridDim.y) {
        const long long first = piece * PIECE, behind = first + PIECE, row = rows[behind - 1];
        // A run that begins in this piece and goes on behind it.
        if (row >= count || rows[behind] != row || (first > 0 && rows[first - 1] == row)) continue;
        long long low = behind, high = n;  // the run ends in between
        while (low < high) {
            const long long middle = low + (high - low) / 2;
            if (rows[middle] == row) low = middle + 1;
            else high = middle;
        }
        const long long after = (low + PIECE - 1) / PIECE;
        S sum = 0;
        if (column < width) {
            for (long long k = piece + threadIdx.y; k < after; k += PARTS) {
                sum += partial[(k * 2 + (k == piece)) * width + column];
            }
        }
        sum = column_reduce(sum, Add());
        if (threadIdx.y == 0 && column < width) {
            T &target = out[row * width + column];
            target = from_sum<T>(to_sum(target) + sum);
        }
    }
}

#define RUNS(T, suffix)                                                                                                \
    extern "C" __global__ void sum_runs_##suffix(const T *values, const long long *rows, const long long *order, T *out, \
                                                 sum_type<T> *partial, long long n, long long count, long long width) { \
        sum_runs(values, rows, order, out, partial, n, count, width);                                                  \
    }                                                                                                                  \
    extern "C" __global__ void join_runs_##suffix(const sum_type<T> *partial, const long long *rows, T *out,           \
                                                  long long n, long long count, long long width) {                     \
        join_runs(partial, rows, out, n, count, width);                                                                \
    }
FOR_FLOATS(RUNS)
RUNS(int, i32)
RUNS(long long, i64)
