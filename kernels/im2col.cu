// The elements under each place of a convolution's kernel as the rows of a matrix, and the sum back.
//
//     im2col:  columns[(n, oh, ow), (i, j, c)] = x[n, oh * sh + i * dh - lo_h, ow * sw + j * dw - lo_w, c], 0 outside
//     col2im:  gx[n, h, w, c] = the sum of the elements of columns that came from there
//
// x, gx (N, H, W, C), columns (N * OH * OW, KH * KW * C), contiguous, so that a convolution is columns @ kernel with the
// kernel (KH, KW, C, F) as a matrix. im2col copies 16 bytes at once (8 of 16-bit types) where C and the addresses allow
// it. col2im gathers: an element of gx goes through the places of the kernel in order, nothing is atomic.
//
// Launch: blocks of 256 threads, as many as there are results, at most 65,536; the kernel strides over the grid.

#include "device.cuh"

struct Geometry {
    int h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, lo_h, lo_w;
};

#define GEOMETRY                                                                                              \
    long long h, long long w, long long c, long long oh, long long ow, long long kh, long long kw, long long sh, \
        long long sw, long long dh, long long dw, long long lo_h, long long lo_w
#define GEOMETRY_VALUE                                                                                                \
    {                                                                                                                 \
        int(h), int(w), int(c), int(oh), int(ow), int(kh), int(kw), int(sh), int(sw), int(dh), int(dw), int(lo_h), \
            int(lo_w)                                                                                                 \
    }

// Units of N elements; I is int where that is enough for an index: it divides faster.
template <typename I, int N, typename T> __device__ void copy(const T *x, T *columns, long long n, Geometry s) {
    const int units = s.c / N;
    const long long count = n * s.oh * s.ow * s.kh * s.kw * units;
    for (long long place = grid_place(); place < count; place += grid_size()) {
        I i = I(place);
        const int unit = int(i % units);
        i /= units;
        const int kw = int(i % s.kw);
        i /= s.kw;
        const int kh = int(i % s.kh);
        i /= s.kh;
        const int ow = int(i % s.ow);
        i /= s.ow;
        const int oh = int(i % s.oh);
        const long long image = i / s.oh;
        const int row = oh * s.sh + kh * s.dh - s.lo_h, column = ow * s.sw + kw * s.dw - s.lo_w;
        Pack<T, N> v = {};
        if (row >= 0 && row < s.h && column >= 0 && column < s.w) {
            v = load_pack<T, N>(x + ((image * s.h + row) * s.w + column) * s.c + unit * N);
        }
        store_pack<T, N>(columns + place * N, v);
    }
}

template <typename T> __device__ void im2col(const T *x, T *columns, long long n, Geometry s) {
    constexpr int N = PACK<T>;
    const bool small = n * s.oh * s.ow * s.kh * s.kw * s.c <= 0x7fffffff;
    if (N > 1 && s.c % N == 0 && aligned<T, N>(x) && aligned<T, N>(columns)) {
        if (small) copy<int, N>(x, columns, n, s);
        else copy<long long, N>(x, columns, n, s);
    } else {
        if (small) copy<int, 1>(x, columns, n, s);
        else copy<long long, 1>(x, columns, n, s);
    }
}

// The place of the window that has `element` at offset `reach`, or -1.
__device__ __forceinline__ int window_at(int element, int reach, int s, int lo, int windows) {
    const int start = element + lo - reach;
    return start < 0 || start % s || start / s >= windows ? -1 : start / s;
}

template <typename I, typename T> __device__ void gather(const T *columns, T *gx, long long n, Geometry s) {
    using S = sum_type<T>;
    const long long count = n * s.h * s.w * s.c, width = (long long)s.kh * s.kw * s.c;
    for (long long place = grid_place(); place < count; place += grid_size()) {
        I i = I(place);
        const int channel = int(i % s.c);
        i /= s.c;
        const int column = int(i % s.w);
        i /= s.w;
        const int row = int(i % s.h);
        const long long image = i / s.h;
        S total = 0;
        for (int kh = 0; kh < s.kh; ++kh) {
            const int oh = window_at(row, kh * s.dh, s.sh, s.lo_h, s.oh);
            if (oh < 0) continue;
            for (int kw = 0; kw < s.kw; ++kw) {
                const int ow = window_at(column, kw * s.dw, s.sw, s.lo_w, s.ow);
                if (ow < 0) continue;
                const long long line = (image * s.oh + oh) * s.ow + ow;
                total += to_sum(columns[line * width + (kh * s.kw + kw) * s.c + channel]);
            }
        }
        gx[place] = from_sum<T>(total);
    }
}

template <typename T> __device__ void col2im(const T *columns, T *gx, long long n, Geometry s) {
    if (n * s.h * s.w * s.c <= 0x7fffffff) gather<int>(columns, gx, n, s);
    else gather<long long>(columns, gx, n, s);
}

#define IM2COL(T, suffix)                                                                                    \
    extern "C" __global__ void im2col_##suffix(const T *x, T *columns, long long n, GEOMETRY) {              \
        im2col(x, columns, n, GEOMETRY_VALUE);                                                               \
    }                                                                                                        \
    extern "C" __global__ void col2im_##suffix(const T *columns, T *gx, long long n, GEOMETRY) {             \
        col2im(columns, gx, n, GEOMETRY_VALUE);                                                              \
    }
FOR_FLOATS(IM2COL)
