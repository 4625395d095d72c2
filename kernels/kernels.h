// What the compiled CPU kernels offer: one table of functions for each instruction set.
//
// All arrays are contiguous float32, channels last. A kernel never allocates what it returns, never throws, and gives the
// same bits for the same number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

struct ConvShape {
    // x (n, h, w, ci), kernel (kh, kw, ci, co), y (n, oh, ow, co); `lo` zeros lie before x in each dimension.
    // Between the elements of x lie up - 1 further zeros, which makes a gradient of a strided convolution one of these.
    int n, h, w, ci, kh, kw, co, oh, ow;
    int stride_h, stride_w, dilation_h, dilation_w, lo_h, lo_w, up_h, up_w;
};

struct PoolShape {
    int n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, lo_h, lo_w;
};

struct Kernels {
    const char *name;
    void (*conv)(const ConvShape &, const float *x, const float *kernel, const float *bias, bool relu, float *y);
    void (*conv_kernel_grad)(const ConvShape &, const float *x, const float *gy, float *g_kernel);
    void (*max_pool)(const PoolShape &, const float *x, float *y);
    void (*max_pool_grad)(const PoolShape &, const float *x, const float *y, const float *gy, float *gx);
    void (*batch_norm)(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon,
                       float *y, float *mean, float *variance, float *inverse);
    void (*batch_norm_grad)(std::size_t rows, int c, const float *x, const float *mean, const float *inverse,
                            const float *gamma, const float *gy, float *gx, float *g_gamma, float *g_beta);
    void (*relu_grad)(std::size_t rows, int c, const float *gy, const float *y, float *g, float *g_bias);
    void (*adam)(std::size_t n, float *w, const float *g, float *m, float *v, float rate, float b1, float b2,
                 float epsilon);
    void (*lstm_step)(int batch, int units, float *gates, const float *z, std::size_t z_step, const float *c, float *c_new,
                      float *squashed, float *h, std::size_t h_step);
    void (*lstm_step_grad)(int batch, int units, const float *gates, const float *c, const float *squashed,
                           const float *g_h, std::size_t g_step, const float *dh_in, float *dc, float *d, float *dz,
                           std::size_t dz_step);
    void (*softmax_cross_entropy)(std::size_t rows, int c, const float *logits, const std::int32_t *labels, float *loss,
                                  float *probabilities);
};

const Kernels *kernels_baseline();
#if defined(__x86_64__)
const Kernels *kernels_avx2();
const Kernels *kernels_avx512();
#endif
