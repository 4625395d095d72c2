// The operands of convolution as a matrix product: what a word of a tile is, where an element of a window or of the kernel
// lies, and how a block's threads bring tiles into shared memory. conv.cuh has the method and the names.
//
// Included by conv.cuh: blocks of THREADS threads.

#pragma once

#include "device.cuh"
#include "mma.cuh"

constexpr int THREADS = 256, WORDS = 16, PADDING = 8;

// ------------------------------------------------------------------------------------------------ words of each kind

struct Float {
    using Element = float;
    using Word = float;
    static constexpr int PER = 1;
    static __device__ __forceinline__ Word pack(const Element *e) { return e[0]; }
};
struct Double {
    using Element = double;
    using Word = double;
    static constexpr int PER = 1;
    static __device__ __forceinline__ Word pack(const Element *e) { return e[0]; }
};
struct Tf32 {
    using Element = float;
    using Word = unsigned;
    static constexpr int PER = 1;
#if defined(DEEPKIT_EMULATOR) || __CUDA_ARCH__ >= 800
    static __device__ __forceinline__ Word pack(const Element *e) { return to_tf32(e[0]); }
#endif
};
template <typename T> struct Pair {
    using Element = T;
    using Word = unsigned;
    static constexpr int PER = 2;
    static __device__ __forceinline__ Word pack(const Element *e) {
        union {
            T halves[2];
            unsigned word;
        } both;
        both.halves[0] = e[0], both.halves[1] = e[1];
        return both.word;
    }
};

// ------------------------------------------------------------------------------------------------- where elements are

// A place in three nested ranges, the innermost one last.
struct Place {
    int a, b, c;
    __device__ __forceinline__ Place(int at, int b_size, int c_size) {
        c = at % c_size;
        at /= c_size;
        b = at % b_size;
        a = at / b_size;
    }
    __device__ __forceinline__ void advance(int by, int b_size, int c_size) {
        for (c += by; c >= c_size; c -= c_size) {
            if (++b == b_size) b = 0, ++a;
        }
    }
};

// Windows on images: pixel (p, q) and tap (i, j) meet in row p * by_p + from + i * by_i of the source, columns alike.
struct Windows {
    int images, rows, columns, channels;  // the source
    int p_size, q_size;                   // pixels that windows are for
    int i_size, j_size;                   // taps
    int by_p, by_q, from_i, from_j, by_i, by_j;

    __device__ __forceinline__ int pixels() const { return images * p_size * q_size; }
    __device__ __forceinline__ int depth() const { return i_size * j_size * channels; }
    // Offset of the elements of a tap, or -1 where it is outside of the image. Pixel: image, p, q; tap: i, j, channel.
    __device__ __forceinline__ long long offset(const Place &pixel, const Place &tap) const {
        const int row = pixel.b * by_p + from_i + tap.a * by_i, column = pixel.c * by_q + from_j + tap.b * by_j;
        if (row < 0 || row >= rows || column < 0 || column >= columns) return -1;
        return ((long long)(pixel.a * rows + row) * columns + column) * channels + tap.c;
    }
};

// The kernel's taps that a phase of pixels has: i = i_from + index * i_step of the whole kernel, j alike.
struct Taps {
    int channels, filters, width;  // C, F, KW
    int i_from, i_step, j_from, j_step;
    __device__ __forceinline__ long long row(int i, int j, int c) const {
        return ((long long)((i_from + i * i_step) * width + j_from + j * j_step) * channels + c) * filters;
    }
};

// ----------------------------------------------------------------------------------------------------------- operands

template <typename K> constexpr int WIDE = 16 / sizeof(typename K::Element);

template <typename E, int N> __device__ __forceinline__ void read(E (&e)[N], const E *from, long long offset) {
    if (offset < 0) {
#pragma unroll
        for (int i = 0; i < N; ++i) e[i] = E(0);
    } else if (N == 1) {
        e[0] = from[offset];
    } else {
        const Pack<E, N> v = load_pack<E, N>(from + offset);
#pragma unroll
        for (int i = 0; i < N; ++i) e[i] = v.at[i];
    }
}

// An operand whose elements along the sum are neighbours in memory. A thread has one place of the tile, and every so many
// vectors along the sum. Source::offset(place, k) gives where vector k is.
template <typename K, int DIM, bool VECTOR, typename Source> struct AlongSum {
    using E = typename K::Element;
    using Word = typename K::Word;
    static constexpr int N = VECTOR ? WIDE<K> : K::PER;           // elements at once
    static constexpr int SPLIT = THREADS / DIM;                   // threads that share a place
    static constexpr int UNITS = WORDS * K::PER / N / SPLIT;      // vectors a thread loads
    Source source;
    Word held[UNITS][N / K::PER];

    __device__ __forceinline__ AlongSum(const Source &s, int first, int start)
        : source(s) { source.begin(first + threadIdx.x % DIM, start + int(threadIdx.x) / DIM * N); }
    __device__ __forceinline__ void load() {
#pragma unroll
        for (int u = 0; u < UNITS; ++u) {
            E e[N];
            if (VECTOR) {
                read<E, N>(e, source.data, source.offset());
                source.advance(SPLIT * N);
            } else {
#pragma unroll
                for (int i = 0; i < N; ++i) {
                    E one[1];
                    read<E, 1>(one, source.data, source.offset());
                    e[i] = one[0];
                    source.advance(1);
                }
                source.advance((SPLIT - 1) * N);
            }
#pragma unroll
            for (int w = 0; w < N / K::PER; ++w) held[u][w] = K::pack(e + w * K::PER);
        }
    }
    __device__ __forceinline__ void store(Word (*tile)[DIM + PADDING]) const {
        const int place = threadIdx.x % DIM, part = threadIdx.x / DIM;
#pragma unroll
        for (int u = 0; u < UNITS; ++u) {
#pragma unroll
            for (int w = 0; w < N / K::PER; ++w) tile[(u * SPLIT + part) * (N / K::PER) + w][place] = held[u][w];
        }
    }
};

// An operand whose elements across the sum, along the result's rows or columns, are neighbours in memory. A thread has one
// vector of places, and every so many steps of the sum. Source::offset(k) gives where that vector is.
template <typename K, int DIM, bool VECTOR, typename Source> struct AcrossSum {
    using E = typename K::Element;
    using Word = typename K::Word;
    static constexpr int N = VECTOR ? WIDE<K> : 1;
    static constexpr int ACROSS = DIM / N;                        // threads along the places
    static constexpr int SPLIT = THREADS / ACROSS;                // threads that share a vector of places
    static constexpr int UNITS = SPLIT >= WORDS ? 1 : WORDS / SPLIT;
    static constexpr int AT_ONCE = N * sizeof(Word) >= 16 ? 16 / sizeof(Word) : 1;
    Source source;
    Word held[UNITS][N];

    __device__ __forceinline__ AcrossSum(const Source &s, int first, int start) : source(s) {
        source.begin(first + int(threadIdx.x) % ACROSS * N, start + int(threadIdx.x) / ACROSS * K::PER);
    }
    __device__ __forceinline__ bool idle() const { return SPLIT > WORDS && int(threadIdx.x) / ACROSS >= WORDS; }
    __device__ __forceinline__ void load() {
        if (idle()) return;
#pragma unroll
        for (int u = 0; u < UNITS; ++u) {
            E e[K::PER][N];
#pragma unroll
            for (int p = 0; p < K::PER; ++p) {
                read<E, N>(e[p], source.data, source.offset());
                source.advance(1);
            }
            source.advance((UNITS == 1 ? WORDS - 1 : SPLIT - 1) * K::PER);
#pragma unroll
            for (int i = 0; i < N; ++i) {
                E both[K::PER];
#pragma unroll
                for (int p = 0; p < K::PER; ++p) both[p] = e[p][i];
                held[u][i] = K::pack(both);
            }
        }
    }
    __device__ __forceinline__ void store(Word (*tile)[DIM + PADDING]) const {
        if (idle()) return;
        const int place = int(threadIdx.x) % ACROSS * N, part = threadIdx.x / ACROSS;
#pragma unroll
        for (int u = 0; u < UNITS; ++u) {
#pragma unroll
            for (int i = 0; i < N; i += AT_ONCE) {
                Pack<Word, AT_ONCE> v;
#pragma unroll
                for (int j = 0; j < AT_ONCE; ++j) v.at[j] = held[u][i + j];
                store_pack<Word, AT_ONCE>(&tile[u * SPLIT + part][place + i], v);
            }
        }
    }
};

// Windows, a pixel for each place, taps and channels along the sum.
template <typename E> struct PixelSource {
    const E *data;
    Windows windows;
    Place pixel = Place(0, 1, 1), tap = Place(0, 1, 1);
    bool inside = false;
    __device__ PixelSource(const E *d, const Windows &w) : data(d), windows(w) {}
    __device__ __forceinline__ void begin(int place, int k) {
        inside = place < windows.pixels();
        pixel = Place(place, windows.p_size, windows.q_size);
        tap = Place(k, windows.j_size, windows.channels);
    }
    __device__ __forceinline__ void advance(int by) { tap.advance(by, windows.j_size, windows.channels); }
    __device__ __forceinline__ long long offset() const {
        return inside && tap.a < windows.i_size ? windows.offset(pixel, tap) : -1;
    }
};

// Windows, a tap and channel for each place, pixels along the sum up to `end`.
template <typename E> struct TapSource {
    const E *data;
    Windows windows;
    int at = 0, end;
    Place pixel = Place(0, 1, 1), tap = Place(0, 1, 1);
    __device__ TapSource(const E *d, const Windows &w, int e) : data(d), windows(w), end(e) {}
    __device__ __forceinline__ void begin(int place, int k) {
        at = k;
        pixel = Place(k, windows.p_size, windows.q_size);
        tap = Place(place, windows.j_size, windows.channels);
    }
    __device__ __forceinline__ void advance(int by) {
        at += by;
        pixel.advance(by, windows.p_size, windows.q_size);
    }
    __device__ __forceinline__ long long offset() const {
        return at < end && tap.a < windows.i_size ? windows.offset(pixel, tap) : -1;
    }
};

// The kernel, a filter for each place, taps and channels along the sum.
template <typename E> struct FilterSource {
    const E *data;
    Taps taps;
    int i_size, j_size, place = 0;
    Place tap = Place(0, 1, 1);
    __device__ FilterSource(const E *d, const Taps &t, int i, int j) : data(d), taps(t), i_size(i), j_size(j) {}
    __device__ __forceinline__ void begin(int p, int k) {
        place = p;
        tap = Place(k, j_size, taps.channels);
    }
    __device__ __forceinline__ void advance(int by) { tap.advance(by, j_size, taps.channels); }
    __device__ __forceinline__ long long offset() const {
        return place < taps.filters && tap.a < i_size ? taps.row(tap.a, tap.b, tap.c) + place : -1;
    }
};

// The kernel turned, a channel for each place, taps and filters along the sum.
template <typename E> struct ChannelSource {
    const E *data;
    Taps taps;
    int i_size, j_size, place = 0;
    Place tap = Place(0, 1, 1);
    __device__ ChannelSource(const E *d, const Taps &t, int i, int j) : data(d), taps(t), i_size(i), j_size(j) {}
    __device__ __forceinline__ void begin(int p, int k) {
        place = p;
        tap = Place(k, j_size, taps.filters);
    }
    __device__ __forceinline__ void advance(int by) { tap.advance(by, j_size, taps.filters); }
    __device__ __forceinline__ long long offset() const {
        return place < taps.channels && tap.a < i_size ? taps.row(tap.a, tap.b, place) + tap.c : -1;
    }
};

// A matrix (any, columns), a column for each place, rows along the sum up to `end`.
template <typename E> struct RowSource {
    const E *data;
    int columns, end, place = 0, at = 0;
    __device__ RowSource(const E *d, int c, int e) : data(d), columns(c), end(e) {}
    __device__ __forceinline__ void begin(int p, int k) { place = p, at = k; }
    __device__ __forceinline__ void advance(int by) { at += by; }
    __device__ __forceinline__ long long offset() const {
        return place < columns && at < end ? (long long)at * columns + place : -1;
    }
};
