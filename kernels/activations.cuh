// The activation functions and their derivatives, each written once, for CUDA and for a C++ compiler.
//
// A is float or double. value(x, alpha) is the function; slope(s, alpha) its derivative, from the result s = y where
// FROM_OUTPUT is true, so that the input need not be kept, and else from the input s = x. alpha is the parameter of
// leaky_relu (its negative slope, not below 0) and elu; the others don't look at it. NaN gives NaN.
//
// FOR_ACTIVATIONS(KERNEL, T, suffix) makes KERNEL(Type, name, T, suffix) for each.

#pragma once

#if defined(__CUDACC__) || defined(DEEPKIT_EMULATOR)
#define ANYWHERE static __host__ __device__ __forceinline__
#else
#include <cmath>
#define ANYWHERE static inline
using std::erf, std::exp, std::expm1, std::fabs, std::log1p, std::tanh;
#endif

namespace activation {

template <typename A> ANYWHERE A logistic(A x) { return A(1) / (A(1) + exp(-x)); }

// log(1 + e^x), which overflows nowhere.
template <typename A> ANYWHERE A log_one_plus_exp(A x) { return (x < A(0) ? A(0) : x) + log1p(exp(-fabs(x))); }

struct Linear {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return x; }
    template <typename A> ANYWHERE A slope(A, A) { return A(1); }
};

struct Relu {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return x < A(0) ? A(0) : x; }
    template <typename A> ANYWHERE A slope(A y, A) { return y > A(0) ? A(1) : A(0); }
};

struct Relu6 {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return x < A(0) ? A(0) : x > A(6) ? A(6) : x; }
    template <typename A> ANYWHERE A slope(A y, A) { return y > A(0) && y < A(6) ? A(1) : A(0); }
};

struct LeakyRelu {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A alpha) { return x > A(0) ? x : x * alpha; }
    template <typename A> ANYWHERE A slope(A y, A alpha) { return y > A(0) ? A(1) : alpha; }
};

// alpha (e^x - 1) below 0.
struct Elu {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A alpha) { return x > A(0) ? x : alpha * expm1(x); }
    template <typename A> ANYWHERE A slope(A y, A alpha) { return y > A(0) ? A(1) : y + alpha; }
};

// Klambauer et al. 2017: elu with constants that keep mean and variance.
struct Selu {
    static constexpr bool FROM_OUTPUT = true;
    static constexpr double SCALE = 1.0507009873554805, BELOW = 1.7580993408473766;  // SCALE * 1.6732632423543772
    template <typename A> ANYWHERE A value(A x, A) { return x > A(0) ? A(SCALE) * x : A(BELOW) * expm1(x); }
    template <typename A> ANYWHERE A slope(A y, A) { return y > A(0) ? A(SCALE) : y + A(BELOW); }
};

struct Sigmoid {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return logistic(x); }
    template <typename A> ANYWHERE A slope(A y, A) { return y * (A(1) - y); }
};

struct Tanh {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return tanh(x); }
    template <typename A> ANYWHERE A slope(A y, A) { return A(1) - y * y; }
};

struct Exponential {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return exp(x); }
    template <typename A> ANYWHERE A slope(A y, A) { return y; }
};

struct Softplus {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return log_one_plus_exp(x); }
    template <typename A> ANYWHERE A slope(A y, A) { return -expm1(-y); }
};

struct Softsign {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return x / (A(1) + fabs(x)); }
    template <typename A> ANYWHERE A slope(A y, A) { return (A(1) - fabs(y)) * (A(1) - fabs(y)); }
};

// relu6(x + 3) / 6
struct HardSigmoid {
    static constexpr bool FROM_OUTPUT = true;
    template <typename A> ANYWHERE A value(A x, A) { return Relu6::value(x + A(3), A(0)) / A(6); }
    template <typename A> ANYWHERE A slope(A y, A) { return y > A(0) && y < A(1) ? A(1) / A(6) : A(0); }
};

struct HardSilu {
    static constexpr bool FROM_OUTPUT = false;
    template <typename A> ANYWHERE A value(A x, A alpha) { return x * HardSigmoid::value(x, alpha); }
    template <typename A> ANYWHERE A slope(A x, A) {
        return x <= A(-3) ? A(0) : x >= A(3) ? A(1) : (A(2) * x + A(3)) / A(6);
    }
};

struct Silu {
    static constexpr bool FROM_OUTPUT = false;
    template <typename A> ANYWHERE A value(A x, A) { return x * logistic(x); }
    template <typename A> ANYWHERE A slope(A x, A) {
        const A s = logistic(x);
        return s * (A(1) + x * (A(1) - s));
    }
};

// x times the normal distribution function (Hendrycks & Gimpel 2016).
struct Gelu {
    static constexpr bool FROM_OUTPUT = false;
    template <typename A> ANYWHERE A value(A x, A) { return A(0.5) * x * (A(1) + erf(x * A(0.70710678118654752))); }
    template <typename A> ANYWHERE A slope(A x, A) {
        const A below = A(0.5) * (A(1) + erf(x * A(0.70710678118654752)));
        return below + x * A(0.39894228040143268) * exp(A(-0.5) * x * x);
    }
};

// The same with tanh(√(2/π) (x + 0.044715 x³)) for the error function.
struct GeluTanh {
    static constexpr bool FROM_OUTPUT = false;
    static constexpr double ROOT = 0.79788456080286536, CUBE = 0.044715;
    template <typename A> ANYWHERE A value(A x, A) {
        return A(0.5) * x * (A(1) + tanh(A(ROOT) * (x + A(CUBE) * x * x * x)));
    }
    template <typename A> ANYWHERE A slope(A x, A) {
        const A t = tanh(A(ROOT) * (x + A(CUBE) * x * x * x));
        return A(0.5) * (A(1) + t) + A(0.5) * x * (A(1) - t * t) * A(ROOT) * (A(1) + A(3) * A(CUBE) * x * x);
    }
};

// x tanh(softplus(x)) (Misra 2019)
struct Mish {
    static constexpr bool FROM_OUTPUT = false;
    template <typename A> ANYWHERE A value(A x, A) { return x * tanh(log_one_plus_exp(x)); }
    template <typename A> ANYWHERE A slope(A x, A) {
        const A t = tanh(log_one_plus_exp(x));
        return t + x * (A(1) - t * t) * logistic(x);
    }
};

}  // namespace activation

#define FOR_ACTIVATIONS(KERNEL, T, suffix)                    \
    KERNEL(activation::Linear, linear, T, suffix)             \
    KERNEL(activation::Relu, relu, T, suffix)                 \
    KERNEL(activation::Relu6, relu6, T, suffix)               \
    KERNEL(activation::LeakyRelu, leaky_relu, T, suffix)      \
    KERNEL(activation::Elu, elu, T, suffix)                   \
    KERNEL(activation::Selu, selu, T, suffix)                 \
    KERNEL(activation::Sigmoid, sigmoid, T, suffix)           \
    KERNEL(activation::Tanh, tanh, T, suffix)                 \
    KERNEL(activation::Exponential, exponential, T, suffix)   \
    KERNEL(activation::Softplus, softplus, T, suffix)         \
    KERNEL(activation::Softsign, softsign, T, suffix)         \
    KERNEL(activation::HardSigmoid, hard_sigmoid, T, suffix)  \
    KERNEL(activation::HardSilu, hard_silu, T, suffix)        \
    KERNEL(activation::Silu, silu, T, suffix)                 \
    KERNEL(activation::Gelu, gelu, T, suffix)                 \
    KERNEL(activation::GeluTanh, gelu_tanh, T, suffix)        \
    KERNEL(activation::Mish, mish, T, suffix)
