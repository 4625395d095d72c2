// CUDA's mathematical functions. The fast ones (__expf ...) are as exact here as the others: tests compare with
// tolerances, and on a GPU both differ in the last place anyway.
#pragma once

#define DK_ONE(name)                                                 \
    inline double name(double x) { return __builtin_##name(x); }     \
    inline float name(float x) { return __builtin_##name##f(x); }    \
    inline float name##f(float x) { return __builtin_##name##f(x); }
#define DK_TWO(name)                                                                     \
    inline double name(double x, double y) { return __builtin_##name(x, y); }            \
    inline float name(float x, float y) { return __builtin_##name##f(x, y); }            \
    inline float name##f(float x, float y) { return __builtin_##name##f(x, y); }
namespace dk_functions {
DK_ONE(exp) DK_ONE(exp2) DK_ONE(expm1) DK_ONE(log) DK_ONE(log2) DK_ONE(log10) DK_ONE(log1p) DK_ONE(sqrt) DK_ONE(cbrt)
DK_ONE(sin) DK_ONE(cos) DK_ONE(tan) DK_ONE(asin) DK_ONE(acos) DK_ONE(atan) DK_ONE(sinh) DK_ONE(cosh) DK_ONE(tanh)
DK_ONE(asinh) DK_ONE(acosh) DK_ONE(atanh) DK_ONE(erf) DK_ONE(erfc) DK_ONE(lgamma) DK_ONE(tgamma) DK_ONE(floor)
DK_ONE(ceil) DK_ONE(trunc) DK_ONE(rint) DK_ONE(round) DK_ONE(fabs)
DK_TWO(pow) DK_TWO(atan2) DK_TWO(fmod) DK_TWO(fmin) DK_TWO(fmax) DK_TWO(copysign) DK_TWO(hypot) DK_TWO(nextafter)
DK_TWO(remainder)
inline float ldexp(float x, int n) { return __builtin_ldexpf(x, n); }
inline double ldexp(double x, int n) { return __builtin_ldexp(x, n); }
inline float ldexpf(float x, int n) { return __builtin_ldexpf(x, n); }
inline float fmaf(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
inline float rsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }
inline void sincosf(float x, float *s, float *c) { *s = __builtin_sinf(x), *c = __builtin_cosf(x); }
inline void sincos(double x, double *s, double *c) { *s = __builtin_sin(x), *c = __builtin_cos(x); }
inline double cospi(double x) { return __builtin_cos(3.14159265358979324 * __builtin_fmod(x, 2.0)); }
inline double sinpi(double x) { return __builtin_sin(3.14159265358979324 * __builtin_fmod(x, 2.0)); }
inline float cospi(float x) { return static_cast<float>(cospi(static_cast<double>(x))); }
inline float sinpi(float x) { return static_cast<float>(sinpi(static_cast<double>(x))); }
inline float cospif(float x) { return cospi(x); }
inline float sinpif(float x) { return sinpi(x); }
// Giles (2010), then two steps of Newton's method.
inline double erfinv(double x) {
    const double w = -__builtin_log((1 - x) * (1 + x)), far = __builtin_sqrt(w) - 3;
    const bool central = w < 5;
    constexpr double NEAR[] = {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                               -0.00125372503, -0.00417768164, 0.246640727, 1.50140941};
    constexpr double FAR[] = {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                              -0.0076224613, 0.00943887047, 1.00167406, 2.83297682};
    double p = 0;
    for (int i = 0; i < 9; ++i) p = central ? NEAR[i] + p * (w - 2.5) : FAR[i] + p * far;
    double y = p * x;
    for (int i = 0; i < 2 && __builtin_isfinite(y); ++i)
        y -= (__builtin_erf(y) - x) * 0.88622692545275801 * __builtin_exp(y * y);
    return y;
}
inline float erfinvf(float x) { return static_cast<float>(erfinv(static_cast<double>(x))); }
inline float erfinv(float x) { return erfinvf(x); }
inline float normcdff(float x) { return 0.5f * __builtin_erfcf(x * -0.70710678118654752f); }
inline double normcdf(double x) { return 0.5 * __builtin_erfc(x * -0.70710678118654752); }
inline bool isnan(float x) { return x != x; }
inline bool isnan(double x) { return x != x; }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }
inline bool signbit(float x) { return __builtin_signbit(x); }
inline bool signbit(double x) { return __builtin_signbit(x); }
inline int abs(int x) { return x < 0 ? -x : x; }
inline long long abs(long long x) { return x < 0 ? -x : x; }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }

// A NaN loses against a number, as in IEEE 754's minNum and maxNum.
#define DK_EXTREMES(T, lower, upper)              \
    inline T min(T a, T b) { return lower; }      \
    inline T max(T a, T b) { return upper; }
DK_EXTREMES(int, a < b ? a : b, a < b ? b : a)
DK_EXTREMES(unsigned, a < b ? a : b, a < b ? b : a)
DK_EXTREMES(long long, a < b ? a : b, a < b ? b : a)
DK_EXTREMES(unsigned long long, a < b ? a : b, a < b ? b : a)
DK_EXTREMES(float, __builtin_fminf(a, b), __builtin_fmaxf(a, b))
DK_EXTREMES(double, __builtin_fmin(a, b), __builtin_fmax(a, b))
#undef DK_EXTREMES
}  // namespace dk_functions
using namespace dk_functions;
#undef DK_ONE
#undef DK_TWO

inline float __expf(float x) { return __builtin_expf(x); }
inline float __exp10f(float x) { return __builtin_exp10f(x); }
inline float __logf(float x) { return __builtin_logf(x); }
inline float __log2f(float x) { return __builtin_log2f(x); }
inline float __powf(float x, float y) { return __builtin_powf(x, y); }
inline float __sinf(float x) { return __builtin_sinf(x); }
inline float __cosf(float x) { return __builtin_cosf(x); }
inline void __sincosf(float x, float *s, float *c) { sincosf(x, s, c); }
inline float __tanhf(float x) { return __builtin_tanhf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
inline float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __frsqrt_rn(float x) { return 1.0f / __builtin_sqrtf(x); }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __fma_rn(double x, double y, double z) { return __builtin_fma(x, y, z); }

inline int __float2int_rn(float x) { return static_cast<int>(__builtin_rintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }
inline int __float_as_int(float x) { return dk_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return dk_bits<unsigned>(x); }
inline float __int_as_float(int x) { return dk_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return dk_bits<float>(x); }
inline long long __double_as_longlong(double x) { return dk_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return dk_bits<double>(x); }

inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned long long>(a) * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __brev(unsigned x) {
    unsigned out = 0;
    for (int i = 0; i < 32; ++i) out |= (x >> i & 1u) << (31 - i);
    return out;
}
