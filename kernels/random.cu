// Random numbers from NumPy's Philox 4x64-10 stream (Salmon et al., SC 2011), bit by bit those of
// deepkit/backend/cpu/random.py.
//
// A stream is a key and the number of a draw: block i, four 64-bit words, is the cipher of counter (draw << 64) + 1 + i.
//
//     random_words:    out[i] = word i
//     random_uniform:  in [0, 1): float from the upper 24 bits of 32-bit halves, the low half of a word first; double from
//                      the upper 53 bits of words; 16-bit types are rounded from float
//     random_normal:   by Box and Muller (1958) from two uniforms, cosines in the first half, sines in the second
//     random_truncated_normal: normal numbers between -2 and 2, by the inverse of the distribution function, in double
//     random_keep:     whether element i, with 16 bits of its own, is kept: bits >= threshold
//     dropout:         y[i] = kept ? x[i] * scale : 0; its gradient is itself. Nothing is stored: the same stream gives
//                      the same mask. y may be x
//
// n elements, contiguous. Where `state` isn't null it points to two 32-bit numbers on the device, a seed and draws so far:
// the seed is the key then, and `draw` is counted from there, so that a captured step draws anew each time.
//
// Launch: blocks of 256 threads, a thread for a block of words, at most 65,536 blocks; the kernel strides over the grid.

#include "device.cuh"

typedef unsigned long long word;

struct Words {
    word at[4];
};

struct Stream {
    word key, draw;
    __device__ Stream(long long key, long long draw, const unsigned *state)
        : key(state ? state[0] : word(key)), draw(state ? state[1] + word(draw) : word(draw)) {}

    __device__ __forceinline__ Words block(long long i) const {
        word a = word(i) + 1, b = draw, c = 0, d = 0, k = key, l = 0;
#pragma unroll
        for (int round = 0; round < 10; ++round) {
            const word low_a = a * 0xD2E7470EE14C6C93ULL, high_a = __umul64hi(a, 0xD2E7470EE14C6C93ULL);
            const word low_c = c * 0xCA5A826395121157ULL, high_c = __umul64hi(c, 0xCA5A826395121157ULL);
            a = high_c ^ b ^ k;
            b = low_c;
            c = high_a ^ d ^ l;
            d = low_a;
            k += 0x9E3779B97F4A7C15ULL;
            l += 0xBB67AE8584CAA73BULL;
        }
        return {{a, b, c, d}};
    }
};

__device__ __forceinline__ float unit(unsigned half) { return (half >> 8) * 0x1p-24f; }
__device__ __forceinline__ double unit(word w) { return (w >> 11) * 0x1p-53; }

// The uniforms of a block of words: 8 of float, 4 of double.
template <typename S> struct Units;
template <> struct Units<float> {
    static constexpr int COUNT = 8;
    static __device__ __forceinline__ float get(const Words &w, int j) { return unit(unsigned(w.at[j / 2] >> 32 * (j % 2))); }
};
template <> struct Units<double> {
    static constexpr int COUNT = 4;
    static __device__ __forceinline__ double get(const Words &w, int j) { return unit(w.at[j]); }
};

extern "C" __global__ void random_words(word *out, long long n, long long key, long long draw, const unsigned *state) {
    const Stream stream(key, draw, state);
    for (long long i = grid_place(); 4 * i < n; i += grid_size()) {
        const Words w = stream.block(i);
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            if (4 * i + j < n) out[4 * i + j] = w.at[j];
        }
    }
}

template <typename T>
__device__ void random_uniform(T *out, long long n, long long key, long long draw, const unsigned *state) {
    using U = Units<sum_type<T>>;
    const Stream stream(key, draw, state);
    for (long long i = grid_place(); U::COUNT * i < n; i += grid_size()) {
        const Words w = stream.block(i);
#pragma unroll
        for (int j = 0; j < U::COUNT; ++j) {
            const long long at = U::COUNT * i + j;
            if (at < n) out[at] = from_sum<T>(U::get(w, j));
        }
    }
}

// Uniform number i of the stream, where neighbours don't go together.
template <typename S> __device__ __forceinline__ S uniform_at(const Stream &stream, long long i) {
    using U = Units<S>;
    const Words w = stream.block(i / U::COUNT);
    S out = 0;
#pragma unroll
    for (int j = 0; j < U::COUNT; ++j) {
        if (i % U::COUNT == j) out = U::get(w, j);
    }
    return out;
}

template <typename T>
__device__ void random_normal(T *out, long long n, long long key, long long draw, const unsigned *state) {
    using S = sum_type<T>;
    using U = Units<S>;
    const Stream stream(key, draw, state);
    const long long half = (n + 1) / 2;
    for (long long i = grid_place(); U::COUNT * i < half; i += grid_size()) {
        const Words w = stream.block(i);
#pragma unroll
        for (int j = 0; j < U::COUNT; ++j) {
            const long long at = U::COUNT * i + j;
            if (at >= half) continue;
            const S radius = sqrt(S(-2) * log1p(-U::get(w, j)));
            const S turns = S(2) * uniform_at<S>(stream, half + at);  // in half circles: cospi needs no reduction
            out[at] = from_sum<T>(radius * cospi(turns));
            if (half + at < n) out[half + at] = from_sum<T>(radius * sinpi(turns));
        }
    }
}

template <typename T>
__device__ void random_truncated_normal(T *out, long long n, long long key, long long draw, const unsigned *state) {
    constexpr double LOW = 0.022750131948179195, HIGH = 0.9772498680518208;  // the distribution function at -2 and 2
    const Stream stream(key, draw, state);
    for (long long i = grid_place(); 4 * i < n; i += grid_size()) {
        const Words w = stream.block(i);
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            if (4 * i + j >= n) break;
            const double z = 1.4142135623730951 * erfinv(2.0 * (LOW + unit(w.at[j]) * (HIGH - LOW)) - 1.0);
            out[4 * i + j] = from_sum<T>(sum_type<T>(z < -2.0 ? -2.0 : z > 2.0 ? 2.0 : z));
        }
    }
}

__device__ __forceinline__ bool kept(const Words &w, int j, unsigned threshold) {
    return (unsigned(w.at[j / 4] >> 16 * (j % 4)) & 0xffffu) >= threshold;
}

extern "C" __global__ void random_keep(bool *out, long long n, long long threshold, long long key, long long draw,
                                       const unsigned *state) {
    const Stream stream(key, draw, state);
    for (long long i = grid_place(); 16 * i < n; i += grid_size()) {
        const Words w = stream.block(i);
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            if (16 * i + j < n) out[16 * i + j] = kept(w, j, unsigned(threshold));
        }
    }
}

template <typename T>
__device__ void dropout(const T *x, T *y, long long n, long long threshold, double scale_, long long key, long long draw,
                        const unsigned *state) {
    using S = sum_type<T>;
    constexpr int N = PACK<T>;
    const S scale = S(scale_);
    const Stream stream(key, draw, state);
    const bool packed = aligned<T, N>(x) && aligned<T, N>(y);
    for (long long i = grid_place(); 16 * i < n; i += grid_size()) {
        const Words w = stream.block(i);
        if (packed && 16 * i + 16 <= n) {
#pragma unroll
            for (int j = 0; j < 16; j += N) {
                Pack<T, N> v = load_pack<T, N>(x + 16 * i + j);
#pragma unroll
                for (int k = 0; k < N; ++k) {
                    v.at[k] = from_sum<T>(kept(w, j + k, unsigned(threshold)) ? to_sum(v.at[k]) * scale : S(0));
                }
                store_pack<T, N>(y + 16 * i + j, v);
            }
        } else {
#pragma unroll
            for (int j = 0; j < 16; ++j) {
                const long long at = 16 * i + j;
                if (at < n) y[at] = from_sum<T>(kept(w, j, unsigned(threshold)) ? to_sum(x[at]) * scale : S(0));
            }
        }
    }
}

#define RANDOM(T, suffix)                                                                                              \
    extern "C" __global__ void random_uniform_##suffix(T *out, long long n, long long key, long long draw,             \
                                                       const unsigned *state) {                                        \
        random_uniform(out, n, key, draw, state);                                                                      \
    }                                                                                                                  \
    extern "C" __global__ void random_normal_##suffix(T *out, long long n, long long key, long long draw,              \
                                                      const unsigned *state) {                                         \
        random_normal(out, n, key, draw, state);                                                                       \
    }                                                                                                                  \
    extern "C" __global__ void random_truncated_normal_##suffix(T *out, long long n, long long key, long long draw,    \
                                                                const unsigned *state) {                               \
        random_truncated_normal(out, n, key, draw, state);                                                             \
    }                                                                                                                  \
    extern "C" __global__ void dropout_##suffix(const T *x, T *y, long long n, long long threshold, double scale,      \
                                                long long key, long long draw, const unsigned *state) {                \
        dropout(x, y, n, threshold, scale, key, draw, state);                                                          \
    }
FOR_FLOATS(RANDOM)
