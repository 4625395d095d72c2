// CUDA's vector types and its two half-precision types.
#pragma once

typedef decltype(sizeof(0)) size_t;

template <class T> struct dk_same { typedef T type; };

#define DK_VECTORS(T, name, align2, align4)                                                          \
    struct name##1 { T x; };                                                                         \
    struct alignas(align2) name##2 { T x, y; };                                                      \
    struct name##3 { T x, y, z; };                                                                   \
    struct alignas(align4) name##4 { T x, y, z, w; };                                                \
    inline name##1 make_##name##1(T x) { return {x}; }                                               \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                       \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                               \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
DK_VECTORS(signed char, char, 2, 4)
DK_VECTORS(unsigned char, uchar, 2, 4)
DK_VECTORS(short, short, 4, 8)
DK_VECTORS(unsigned short, ushort, 4, 8)
DK_VECTORS(int, int, 8, 16)
DK_VECTORS(unsigned int, uint, 8, 16)
DK_VECTORS(long long, longlong, 16, 16)
DK_VECTORS(unsigned long long, ulonglong, 16, 16)
DK_VECTORS(float, float, 8, 16)
DK_VECTORS(double, double, 16, 16)
#undef DK_VECTORS

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

template <class To, class From> inline To dk_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "sizes differ");
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}

// float32 to and from the bits of float16, rounding to nearest even.
inline unsigned short dk_to_half(float x) {
    const unsigned bits = dk_bits<unsigned>(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<unsigned short>(sign | 0x7fffu);
    if (magnitude >= 0x477ff000u) return static_cast<unsigned short>(sign | 0x7c00u);  // rounds to infinity
    if (magnitude < 0x38800000u) {  // subnormal: the addition rounds to a multiple of 2^-24
        const float shifted = dk_bits<float>(magnitude) + 0.5f;
        return static_cast<unsigned short>(sign | (dk_bits<unsigned>(shifted) - 0x3f000000u));
    }
    const unsigned rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return static_cast<unsigned short>(sign | ((rounded - 0x38000000u) >> 13));
}

inline float dk_from_half(unsigned short h) {
    const unsigned sign = static_cast<unsigned>(h & 0x8000) << 16, magnitude = h & 0x7fffu;
    if (magnitude >= 0x7c00u) return dk_bits<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    if (magnitude < 0x400u) return dk_bits<float>(sign | dk_bits<unsigned>(static_cast<float>(magnitude) * 0x1p-24f));
    return dk_bits<float>(sign | ((magnitude << 13) + 0x38000000u));
}

inline unsigned short dk_to_bfloat16(float x) {
    const unsigned bits = dk_bits<unsigned>(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return static_cast<unsigned short>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float dk_from_bfloat16(unsigned short b) { return dk_bits<float>(static_cast<unsigned>(b) << 16); }

// A double goes through float32 rounded to odd, so that it's rounded once.
inline float dk_to_odd(double x) {
    const float near = static_cast<float>(x);
    if (static_cast<double>(near) == x || near != near || near - near != 0) return near;
    const unsigned bits = dk_bits<unsigned>(near);
    if (bits & 1u) return near;
    const bool outward = (x > 0) == (static_cast<double>(near) < x);
    return dk_bits<float>(outward ? bits + 1 : bits - 1);
}

#define DK_HALF(type, pair, to, from)                                                                                  \
    struct type {                                                                                                      \
        unsigned short bits;                                                                                           \
        type() = default;                                                                                              \
        type(float x) : bits(to(x)) {}                                                                                 \
        type(double x) : bits(to(dk_to_odd(x))) {}                                                                     \
        type(int x) : bits(to(dk_to_odd(x))) {}                                                                        \
        operator float() const { return from(bits); }                                                                  \
        type &operator+=(type o) { return *this = type(from(bits) + from(o.bits)); }                                   \
        type &operator-=(type o) { return *this = type(from(bits) - from(o.bits)); }                                   \
        type &operator*=(type o) { return *this = type(from(bits) * from(o.bits)); }                                   \
        type &operator/=(type o) { return *this = type(from(bits) / from(o.bits)); }                                   \
    };                                                                                                                 \
    struct alignas(4) pair { type x, y; };                                                                             \
    inline type operator+(type a, type b) { return a += b; }                                                           \
    inline type operator-(type a, type b) { return a -= b; }                                                           \
    inline type operator*(type a, type b) { return a *= b; }                                                           \
    inline type operator/(type a, type b) { return a /= b; }                                                           \
    inline type operator-(type a) { a.bits ^= 0x8000; return a; }
DK_HALF(__half, __half2, dk_to_half, dk_from_half)
DK_HALF(__nv_bfloat16, __nv_bfloat162, dk_to_bfloat16, dk_from_bfloat16)
#undef DK_HALF
typedef __half half;
typedef __half2 half2;
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

inline float __half2float(__half h) { return h; }
inline __half __float2half(float x) { return x; }
inline __half __float2half_rn(float x) { return x; }
inline __half __double2half(double x) { return x; }
inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
inline __half2 __float22half2_rn(float2 v) { return {v.x, v.y}; }
inline float2 __half22float2(__half2 v) { return {v.x, v.y}; }
inline float __low2float(__half2 v) { return v.x; }
inline float __high2float(__half2 v) { return v.y; }
inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline unsigned short __half_as_ushort(__half h) { return h.bits; }
inline __half __ushort_as_half(unsigned short b) { return dk_bits<__half>(b); }
inline float __bfloat162float(__nv_bfloat16 h) { return h; }
inline __nv_bfloat16 __float2bfloat16(float x) { return x; }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return x; }
inline __nv_bfloat16 __double2bfloat16(double x) { return x; }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {x, y}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 v) { return {v.x, v.y}; }
inline float2 __bfloat1622float2(__nv_bfloat162 v) { return {v.x, v.y}; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 h) { return h.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short b) { return dk_bits<__nv_bfloat16>(b); }
