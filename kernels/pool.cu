// Max and average pooling in two dimensions, and their gradients as gathers.
//
//     max_pool:             y = the largest element of each window, index (may be null) where it is: h * W + w; NaN if
//                           there is one; -inf and -1 for a window in the padding
//     max_pool_grad:        gx: each window's gradient goes to the first element that equals its y
//     max_pool_grad_index:  the same from index, without x and y
//     avg_pool, avg_pool_grad: the mean of the elements of each window; padding isn't counted
//
// x, gx (N, H, W, C), y, gy, index (N, OH, OW, C), contiguous. Window (oh, ow) begins at element (oh * sh - lo_h,
// ow * sw - lo_w) and has kh * kw elements. An element of gx goes through the windows that it is in, in order, so nothing
// is atomic.
//
// Launch: blocks of 256 threads, as many as there are results, at most 65,536; the kernel strides over the grid.

#include "device.cuh"

struct Geometry {
    int h, w, c, oh, ow, kh, kw, sh, sw, lo_h, lo_w;
};

#define GEOMETRY                                                                                              \
    long long h, long long w, long long c, long long oh, long long ow, long long kh, long long kw, long long sh, \
        long long sw, long long lo_h, long long lo_w
#define GEOMETRY_VALUE \
    { int(h), int(w), int(c), int(oh), int(ow), int(kh), int(kw), int(sh), int(sw), int(lo_h), int(lo_w) }

// The elements [begin, end) of a window along one dimension, and the windows [begin, end) that an element is in.
struct Range {
    int begin, end;
};
__device__ __forceinline__ Range elements_of(int window, int k, int s, int lo, int size) {
    const int begin = window * s - lo;
    return {begin < 0 ? 0 : begin, begin + k < size ? begin + k : size};
}
__device__ __forceinline__ Range windows_of(int element, int k, int s, int lo, int windows) {
    const int last = (element + lo) / s, over = element + lo - k;
    return {over < 0 ? 0 : over / s + 1, last + 1 < windows ? last + 1 : windows};
}

// The indices of element i of an array (n, rows, columns, c). I is int where that is enough: it divides faster.
template <typename I> struct Where {
    I image;
    int row, column, channel;
    __device__ __forceinline__ Where(I i, int rows, int columns, int c) {
        channel = int(i % c), i /= c;
        column = int(i % columns), i /= columns;
        row = int(i % rows), image = i / rows;
    }
};

template <typename I, typename F> __device__ __forceinline__ void over(long long n, int rows, int columns, int c, F body) {
    for (long long i = grid_place(); i < n; i += grid_size()) body(I(i), Where<I>(I(i), rows, columns, c));
}

// Both index types; the branch is the same for all threads.
template <typename F> __device__ __forceinline__ void over_elements(long long n, int rows, int columns, int c, F body) {
    if (n <= 0x7fffffff) over<int>(n, rows, columns, c, body);
    else over<long long>(n, rows, columns, c, body);
}

template <typename T> __device__ void max_pool(const T *x, T *y, int *index, long long n, Geometry s) {
    using S = sum_type<T>;
    over_elements(n * s.oh * s.ow * s.c, s.oh, s.ow, s.c, [=](long long i, auto at) {
        const Range down = elements_of(at.row, s.kh, s.sh, s.lo_h, s.h);
        const Range across = elements_of(at.column, s.kw, s.sw, s.lo_w, s.w);
        const T *image = x + (long long)at.image * s.h * s.w * s.c + at.channel;
        S best = -S(__int_as_float(0x7f800000));
        int place = -1;
        for (int row = down.begin; row < down.end; ++row) {
            for (int column = across.begin; column < across.end; ++column) {
                const S value = to_sum(image[((long long)row * s.w + column) * s.c]);
                if (place < 0 || value > best || (value != value && best == best)) {
                    best = value;
                    place = row * s.w + column;
                }
            }
        }
        y[i] = from_sum<T>(best);
        if (index) index[i] = place;
    });
}

template <typename T> __device__ void max_pool_grad_index(const T *gy, const int *index, T *gx, long long n, Geometry s) {
    using S = sum_type<T>;
    over_elements(n * s.h * s.w * s.c, s.h, s.w, s.c, [=](long long i, auto at) {
        const Range down = windows_of(at.row, s.kh, s.sh, s.lo_h, s.oh);
        const Range across = windows_of(at.column, s.kw, s.sw, s.lo_w, s.ow);
        const long long first = (long long)at.image * s.oh * s.ow * s.c + at.channel;
        S total = 0;
        for (int oh = down.begin; oh < down.end; ++oh) {
            for (int ow = across.begin; ow < across.end; ++ow) {
                const long long o = first + ((long long)oh * s.ow + ow) * s.c;
                if (index[o] == at.row * s.w + at.column) total += to_sum(gy[o]);
            }
        }
        gx[i] = from_sum<T>(total);
    });
}

template <typename T>
__device__ void max_pool_grad(const T *x, const T *y, const T *gy, T *gx, long long n, Geometry s) {
    using S = sum_type<T>;
    over_elements(n * s.h * s.w * s.c, s.h, s.w, s.c, [=](long long i, auto at) {
        const Range down = windows_of(at.row, s.kh, s.sh, s.lo_h, s.oh);
        const Range across = windows_of(at.column, s.kw, s.sw, s.lo_w, s.ow);
        const T *image = x + (long long)at.image * s.h * s.w * s.c + at.channel;
        const long long first = (long long)at.image * s.oh * s.ow * s.c + at.channel;
        const S here = to_sum(x[i]);
        // Whether an element of window (oh, ow) before this one has the same value.
        const auto claimed = [=](int oh, int ow) {
            const Range rows = elements_of(oh, s.kh, s.sh, s.lo_h, s.h);
            const Range columns = elements_of(ow, s.kw, s.sw, s.lo_w, s.w);
            for (int row = rows.begin; row <= at.row; ++row) {
                const int end = row == at.row ? at.column : columns.end;
                for (int column = columns.begin; column < end; ++column) {
                    if (to_sum(image[((long long)row * s.w + column) * s.c]) == here) return true;
                }
            }
            return false;
        };
        S total = 0;
        for (int oh = down.begin; oh < down.end; ++oh) {
            for (int ow = across.begin; ow < across.end; ++ow) {
                const long long o = first + ((long long)oh * s.ow + ow) * s.c;
                if (to_sum(y[o]) == here && !claimed(oh, ow)) total += to_sum(gy[o]);
            }
        }
        gx[i] = from_sum<T>(total);
    });
}

template <typename T> __device__ void avg_pool(const T *x, T *y, long long n, Geometry s) {
    using S = sum_type<T>;
    over_elements(n * s.oh * s.ow * s.c, s.oh, s.ow, s.c, [=](long long i, auto at) {
        const Range down = elements_of(at.row, s.kh, s.sh, s.lo_h, s.h);
        const Range across = elements_of(at.column, s.kw, s.sw, s.lo_w, s.w);
        const T *image = x + (long long)at.image * s.h * s.w * s.c + at.channel;
        S total = 0;
        for (int row = down.begin; row < down.end; ++row) {
            for (int column = across.begin; column < across.end; ++column) {
                total += to_sum(image[((long long)row * s.w + column) * s.c]);
            }
        }
        y[i] = from_sum<T>(total / S((down.end - down.begin) * (across.end - across.begin)));
    });
}

template <typename T> __device__ void avg_pool_grad(const T *gy, T *gx, long long n, Geometry s) {
    using S = sum_type<T>;
    over_elements(n * s.h * s.w * s.c, s.h, s.w, s.c, [=](long long i, auto at) {
        const Range down = windows_of(at.row, s.kh, s.sh, s.lo_h, s.oh);
        const Range across = windows_of(at.column, s.kw, s.sw, s.lo_w, s.ow);
        const long long first = (long long)at.image * s.oh * s.ow * s.c + at.channel;
        S total = 0;
        for (int oh = down.begin; oh < down.end; ++oh) {
            const Range rows = elements_of(oh, s.kh, s.sh, s.lo_h, s.h);
            for (int ow = across.begin; ow < across.end; ++ow) {
                const Range columns = elements_of(ow, s.kw, s.sw, s.lo_w, s.w);
                const int count = (rows.end - rows.begin) * (columns.end - columns.begin);
                total += to_sum(gy[first + ((long long)oh * s.ow + ow) * s.c]) / S(count);
            }
        }
        gx[i] = from_sum<T>(total);
    });
}

#define POOL(T, suffix)                                                                                                \
    extern "C" __global__ void max_pool_##suffix(const T *x, T *y, int *index, long long n, GEOMETRY) {                \
        max_pool(x, y, index, n, GEOMETRY_VALUE);                                                                      \
    }                                                                                                                  \
    extern "C" __global__ void max_pool_grad_index_##suffix(const T *gy, const int *index, T *gx, long long n,         \
                                                            GEOMETRY) {                                                \
        max_pool_grad_index(gy, index, gx, n, GEOMETRY_VALUE);                                                         \
    }                                                                                                                  \
    extern "C" __global__ void max_pool_grad_##suffix(const T *x, const T *y, const T *gy, T *gx, long long n,         \
                                                      GEOMETRY) {                                                      \
        max_pool_grad(x, y, gy, gx, n, GEOMETRY_VALUE);                                                                \
    }                                                                                                                  \
    extern "C" __global__ void avg_pool_##suffix(const T *x, T *y, long long n, GEOMETRY) {                            \
        avg_pool(x, y, n, GEOMETRY_VALUE);                                                                             \
    }                                                                                                                  \
    extern "C" __global__ void avg_pool_grad_##suffix(const T *gy, T *gx, long long n, GEOMETRY) {                     \
        avg_pool_grad(gy, gx, n, GEOMETRY_VALUE);                                                                      \
    }
FOR_FLOATS(POOL)
