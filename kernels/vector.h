// Vectors of floats in the compiler's own notation (GCC, Clang); the width is that of the instruction set being compiled.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "kernels.h"
#include "threads.h"

#define INLINE inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * DK_WIDTH), aligned(4), may_alias));
typedef std::int32_t ivec __attribute__((vector_size(4 * DK_WIDTH), aligned(4), may_alias));

// Four floats, as all instruction sets have them, and a choice of four from two of them.
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__clang__)
#define DK_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef std::int32_t places __attribute__((vector_size(16)));
#define DK_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, places{i, j, k, l})
#endif

constexpr int WIDTH = DK_WIDTH;

static INLINE vec load(const float *p) { return *reinterpret_cast<const vec *>(p); }
static INLINE void store(float *p, vec v) { *reinterpret_cast<vec *>(p) = v; }
static INLINE vec splat(float s) { return s - vec{}; }
static INLINE vec pick(ivec mask, vec a, vec b) { return (vec)(((ivec)a & mask) | ((ivec)b & ~mask)); }
static INLINE vec relu_of(vec x) { return pick(x <= 0.0f, vec{}, x); }  // a NaN stays one

// The first `count` elements; the others are 0.
static INLINE vec load_some(const float *p, int count) {
    float t[WIDTH] = {};
    for (int i = 0; i < count; ++i) t[i] = p[i];
    return load(t);
}
static INLINE void store_some(float *p, vec v, int count) {
    float t[WIDTH];
    store(t, v);
    for (int i = 0; i < count; ++i) p[i] = t[i];
}

// e^x: x = k log 2 + r, and a polynomial of degree 6 in r (Cephes expf); within 2 units in the last place.
static INLINE vec exp_of(vec x) {
    x = pick(x > 88.3762626647949f, splat(88.3762626647949f), x);
    x = pick(x < -87.3365447504019f, splat(-87.3365447504019f), x);
    const vec shifted = x * 1.44269504088896341f + 12582912.0f;  // rounds to the nearest whole number
    const vec k = shifted - 12582912.0f;
    vec r = x - k * 0.693359375f;
    r = r + k * 2.12194440e-4f;
    vec y = splat(1.9875691500e-4f);
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * r * r + r + 1.0f;
    const ivec power = (__builtin_convertvector(k, ivec) + 127) << 23;
    return y * (vec)power;
}

static INLINE vec sigmoid_of(vec x) { return 1.0f / (1.0f + exp_of(-x)); }

// tanh by e^2x, and by its own series where the difference would cancel.
static INLINE vec tanh_of(vec x) {
    const vec magnitude = pick(x < 0.0f, -x, x);
    const vec big = 1.0f - 2.0f / (exp_of(magnitude + magnitude) + 1.0f);
    const vec s = x * x;
    vec p = splat(-5.70498872745e-3f);  // Cephes tanhf, |x| < 0.625
    p = p * s + 2.06390887954e-2f;
    p = p * s + -5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s + -3.33332819422e-1f;
    const vec small = magnitude + magnitude * s * p;
    const vec y = pick(magnitude < 0.625f, small, big);
    return pick(x < 0.0f, -y, y);
}
