// Convolution as a matrix product whose operands are never written down: tiles of them are gathered into shared memory.
//
//     forward:      y (pixels, F)      = windows of x (pixels, taps * C) @ w (taps * C, F), then bias and relu
//     data_grad:    gx (pixels, C)     = windows of gy (pixels, taps * F) @ w turned (taps * F, C)
//     weight_grad:  gw (taps * C, F)   = windows of x turned (taps * C, pixels) @ gy (pixels, F)
//
// x (images, H, W, C), w (KH, KW, C, F), y and gy (images, OH, OW, F), contiguous. A block makes a tile (DIM, DIM) of the
// result, DIM 128 or 64, going along the sum in steps of 16 words; a word is an element, or two neighbours along the sum
// for the 16-bit types, as the tensor cores take them. Both operands' tiles lie in shared memory as [word][place], the
// rows 8 words longer than DIM: then the threads of a warp read, place by place or in the pattern of the tensor cores,
// from different banks. The next step's elements are loaded into registers while this one's are multiplied.
//
// Sums come in the same order every time. A data gradient with strides is made for each phase of the pixels by itself,
// with the taps that reach it (`Windows` describes both directions), so that nothing is multiplied with zeros in between.
//
// Launch: blocks of 256 threads in a grid of (tiles of rows, tiles of columns, parts of the sum).

#pragma once

#include "conv_operands.cuh"

// ------------------------------------------------------------------------------------------------------ multiplication

// With ordinary arithmetic: a thread has (DIM / 16)^2 elements, in groups of 4 neighbours that are 64 apart.
template <typename K, int DIM> struct Plain {
    using S = typename K::Word;
    static constexpr int EACH = DIM / 16, AT_ONCE = 16 / sizeof(S);
    S sums[EACH][EACH] = {};

    static __device__ __forceinline__ int place(int thread, int i) { return i / 4 * 64 + thread * 4 + i % 4; }
    __device__ __forceinline__ void multiply(const S (*a)[DIM + PADDING], const S (*b)[DIM + PADDING]) {
        const int down = threadIdx.x / 16, across = threadIdx.x % 16;
#pragma unroll 4
        for (int k = 0; k < WORDS; ++k) {
            S left[EACH], right[EACH];
#pragma unroll
            for (int i = 0; i < EACH; i += AT_ONCE) {
                const Pack<S, AT_ONCE> l = load_pack<S, AT_ONCE>(&a[k][place(down, i)]);
                const Pack<S, AT_ONCE> r = load_pack<S, AT_ONCE>(&b[k][place(across, i)]);
#pragma unroll
                for (int j = 0; j < AT_ONCE; ++j) left[i + j] = l.at[j], right[i + j] = r.at[j];
            }
#pragma unroll
            for (int i = 0; i < EACH; ++i) {
#pragma unroll
                for (int j = 0; j < EACH; ++j) sums[i][j] += left[i] * right[j];
            }
        }
    }
    template <typename Put> __device__ __forceinline__ void result(Put put) const {
        const int down = threadIdx.x / 16, across = threadIdx.x % 16;
#pragma unroll
        for (int i = 0; i < EACH; ++i) {
#pragma unroll
            for (int j = 0; j < EACH; ++j) put(place(down, i), place(across, j), sums[i][j]);
        }
    }
};

#if defined(DEEPKIT_EMULATOR) || __CUDA_ARCH__ >= 800
// The instruction of a kind, over 8 words of the sum.
template <typename K> struct Instruction;
template <> struct Instruction<Tf32> {
    static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        mma_tf32(d, a, b, d);
    }
};
template <> struct Instruction<Pair<__half>> {
    static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        mma_f16(d, a, b, d);
    }
};
template <> struct Instruction<Pair<__nv_bfloat16>> {
    static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        mma_bf16(d, a, b, d);
    }
};

// With the tensor cores: 4 by 2 warps, each with (DIM / 4, DIM / 2) elements in pieces of (16, 8).
template <typename K, int DIM> struct Tensor {
    static constexpr int DOWN = DIM / 64, ACROSS = DIM / 16;  // pieces of a warp
    float sums[DOWN][ACROSS][4] = {};

    static __device__ __forceinline__ int first_row() { return int(threadIdx.x) / 32 / 2 * (DIM / 4); }
    static __device__ __forceinline__ int first_column() { return int(threadIdx.x) / 32 % 2 * (DIM / 2); }
    __device__ __forceinline__ void multiply(const unsigned (*a)[DIM + PADDING], const unsigned (*b)[DIM + PADDING]) {
        const int group = threadIdx.x % 32 / 4, lane = threadIdx.x % 4;
        const int row = first_row() + group, column = first_column() + group;
#pragma unroll
        for (int k = 0; k < WORDS; k += 8) {
            unsigned left[DOWN][4];
#pragma unroll
            for (int i = 0; i < DOWN; ++i) {
#pragma unroll
                for (int r = 0; r < 4; ++r) left[i][r] = a[k + lane + r / 2 * 4][row + i * 16 + r % 2 * 8];
            }
#pragma unroll
            for (int j = 0; j < ACROSS; ++j) {
                const unsigned right[2] = {b[k + lane][column + j * 8], b[k + lane + 4][column + j * 8]};
#pragma unroll
                for (int i = 0; i < DOWN; ++i) Instruction<K>::run(sums[i][j], left[i], right);
            }
        }
    }
    template <typename Put> __device__ __forceinline__ void result(Put put) const {
        const int group = threadIdx.x % 32 / 4, lane = threadIdx.x % 4;
#pragma unroll
        for (int i = 0; i < DOWN; ++i) {
#pragma unroll
            for (int j = 0; j < ACROSS; ++j) {
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    put(first_row() + i * 16 + group + e / 2 * 8, first_column() + j * 8 + lane * 2 + e % 2, sums[i][j][e]);
                }
            }
        }
    }
};
#endif

// The tile's product over `steps` steps of the sum.
template <typename K, int DIM, typename A, typename B, typename Product>
__device__ __forceinline__ void multiply(A &a, B &b, Product &product, int steps) {
    __shared__ alignas(16) typename K::Word left[2][WORDS][DIM + PADDING], right[2][WORDS][DIM + PADDING];
    if (steps > 0) {
        a.load();
        b.load();
        a.store(left[0]);
        b.store(right[0]);
    }
    __syncthreads();
    for (int step = 0; step < steps; ++step) {
        const bool more = step + 1 < steps;
        const int now = step & 1;
        if (more) {
            a.load();
            b.load();
        }
        product.multiply(left[now], right[now]);
        if (more) {
            a.store(left[now ^ 1]);
            b.store(right[now ^ 1]);
        }
        __syncthreads();
    }
}

// ------------------------------------------------------------------------------------------------------------ kernels

// windows @ kernel: the forward pass, and a phase of the data gradient. Pixel (p, q) of the windows is pixel
// (p * out_p + out_i, q * out_q + out_j) of the images (out_rows, out_columns) in y.
template <typename K, int DIM, bool VECTOR, bool TURNED, template <typename, int> class Product>
__device__ __forceinline__ void gather(const typename K::Element *x, const typename K::Element *w,
                                       const typename K::Element *bias, typename K::Element *y, const Windows &windows,
                                       const Taps &taps, int out_rows, int out_columns, int out_p, int out_q, int out_i,
                                       int out_j, bool relu) {
    using E = typename K::Element;
    using S = sum_type<E>;
    LAUNCH_SHAPE(blockDim.x == THREADS && blockDim.y * blockDim.z * gridDim.z == 1);
    const int row = blockIdx.x * DIM, column = blockIdx.y * DIM;
    AlongSum<K, DIM, VECTOR, PixelSource<E>> a(PixelSource<E>(x, windows), row, 0);
    Product<K, DIM> product;
    const int steps = (windows.depth() + WORDS * K::PER - 1) / (WORDS * K::PER);
    if constexpr (TURNED) {
        using Turned = AlongSum<K, DIM, VECTOR, ChannelSource<E>>;
        Turned b(ChannelSource<E>(w, taps, windows.i_size, windows.j_size), column, 0);
        multiply<K, DIM>(a, b, product, steps);
    } else {
        using Straight = AcrossSum<K, DIM, VECTOR, FilterSource<E>>;
        Straight b(FilterSource<E>(w, taps, windows.i_size, windows.j_size), column, 0);
        multiply<K, DIM>(a, b, product, steps);
    }
    const int pixels = windows.pixels(), width = TURNED ? taps.channels : taps.filters;
    product.result([=](int i, int j, S sum) {
        const int at = row + i, place = column + j;
        if (at >= pixels || place >= width) return;
        const Place pixel(at, windows.p_size, windows.q_size);
        const long long out = ((long long)pixel.a * out_rows + pixel.b * out_p + out_i) * out_columns + pixel.c * out_q + out_j;
        if (bias) sum += to_sum(bias[place]);
        if (relu && sum < S(0)) sum = S(0);
        y[out * width + place] = from_sum<E>(sum);
    });
}

// windows turned @ gy: part z of the weight gradient, of the pixels from z * share on.
template <typename K, int DIM, bool VECTOR, template <typename, int> class Product>
__device__ __forceinline__ void correlate(const typename K::Element *x, const typename K::Element *gy,
                                          sum_type<typename K::Element> *parts, const Windows &windows, int filters,
                                          int share) {
    using E = typename K::Element;
    using S = sum_type<E>;
    LAUNCH_SHAPE(blockDim.x == THREADS && blockDim.y * blockDim.z == 1);
    const int row = blockIdx.x * DIM, column = blockIdx.y * DIM, start = blockIdx.z * share;
    const int pixels = windows.pixels(), end = start + share < pixels ? start + share : pixels;
    AcrossSum<K, DIM, VECTOR, TapSource<E>> a(TapSource<E>(x, windows, end), row, start);
    AcrossSum<K, DIM, VECTOR, RowSource<E>> b(RowSource<E>(gy, filters, end), column, start);
    Product<K, DIM> product;
    multiply<K, DIM>(a, b, product, (end - start + WORDS * K::PER - 1) / (WORDS * K::PER));
    const int depth = windows.depth();
    S *out = parts + (long long)blockIdx.z * depth * filters;
    product.result([=](int i, int j, S sum) {
        const int at = row + i, place = column + j;
        if (at < depth && place < filters) out[(long long)at * filters + place] = sum;
    });
}

#define WINDOWS                                                                                                        \
    long long images, long long rows, long long columns, long long channels, long long p_size, long long q_size,       \
        long long i_size, long long j_size, long long by_p, long long by_q, long long from_i, long long from_j,        \
        long long by_i, long long by_j
#define WINDOWS_VALUE                                                                                                  \
    Windows{int(images), int(rows), int(columns), int(channels), int(p_size), int(q_size), int(i_size), int(j_size),   \
            int(by_p),   int(by_q), int(from_i),  int(from_j),   int(by_i),   int(by_j)}

#define CONV_KERNELS(K, PRODUCT, DIM, VECTOR, suffix)                                                                  \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        conv_##suffix(const K::Element *x, const K::Element *w, const K::Element *bias, K::Element *y, WINDOWS,        \
                      long long filters, long long relu) {                                                             \
        gather<K, DIM, VECTOR, false, PRODUCT>(x, w, bias, y, WINDOWS_VALUE,                                           \
                                               Taps{int(channels), int(filters), int(j_size), 0, 1, 0, 1},             \
                                               int(p_size), int(q_size), 1, 1, 0, 0, relu != 0);                       \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        conv_data_grad_##suffix(const K::Element *g, const K::Element *w, K::Element *gx, WINDOWS, long long inner,    \
                                long long width, long long i_from, long long i_step, long long j_from,                 \
                                long long j_step, long long out_rows, long long out_columns, long long out_p,          \
                                long long out_q, long long out_i, long long out_j) {                                   \
        gather<K, DIM, VECTOR, true, PRODUCT>(                                                                         \
            g, w, nullptr, gx, WINDOWS_VALUE,                                                                          \
            Taps{int(inner), int(channels), int(width), int(i_from), int(i_step), int(j_from), int(j_step)},           \
            int(out_rows), int(out_columns), int(out_p), int(out_q), int(out_i), int(out_j), false);                   \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        conv_weight_grad_##suffix(const K::Element *x, const K::Element *g, sum_type<K::Element> *parts, WINDOWS,      \
                                  long long filters, long long share) {                                                \
        correlate<K, DIM, VECTOR, PRODUCT>(x, g, parts, WINDOWS_VALUE, int(filters), int(share));                      \
    }
