// What the compiled CPU kernels offer: one table of functions for each instruction set.
//
// All arrays are contiguous float32, channels last. A kernel never allocates what it returns, never throws, and gives the
// same bits for the same number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

struct ConvShape {
    // x (n, h, w, ci), kernel (kh, kw, ci, co), y (n, oh, ow, co); `lo` zeros lie before x in each dimension.
    int n, h, w, ci, kh, kw, co, oh, ow;
    int stride_h, stride_w, dilation_h, dilation_w, lo_h, lo_w;
};

struct Placement {
    // The results lie in an array (n, h, w, co): output (i, j) at (first_h + i step_h, first_w + j step_w).
    int h, w, first_h, first_w, step_h, step_w;
};

struct PoolShape {
    int n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, lo_h, lo_w;
};

struct AttentionShape {
    // q (batch, queries, heads, size), k (batch, keys, heads, size), v (batch, keys, heads, values). bias and mask lie
    // over (batch, heads, queries, keys) with these steps, 0 where they are broadcast. `low` is a hidden key's score.
    int batch, heads, queries, keys, size, values;
    std::ptrdiff_t bias[4], mask[4];
    float scale, low;
    bool causal;
};

struct SequenceShape {
    int batch, steps, units;
    bool reverse;
};

struct Kernels {
    const char *name;
    // c (m, n) = act(a b + bias), or c + a b: a (m, depth), b (depth, n), each stored turned where its flag says so.
    void (*gemm)(int m, int n, int depth, const float *a, bool turned_a, const float *b, bool turned_b, const float *bias,
                 bool relu, bool add, float *c);
    void (*attention)(const AttentionShape &, const float *q, const float *k, const float *v, const float *bias,
                      const std::uint8_t *mask, float *out, float *tops, float *totals);
    void (*attention_grad)(const AttentionShape &, const float *q, const float *k, const float *v, const float *bias,
                           const std::uint8_t *mask, const float *out, const float *tops, const float *totals,
                           const float *g, float *gq, float *gk, float *gv);
    void (*conv)(const ConvShape &, const Placement &, const float *x, const float *kernel, const float *bias, bool relu,
                 float *y);
    void (*conv_kernel_grad)(const ConvShape &, const float *x, const float *gy, float *g_kernel);
    void (*depthwise)(const ConvShape &, int channels, const float *x, const float *kernel, float *y);
    void (*depthwise_grad)(const ConvShape &, int channels, const float *x, const float *kernel, const float *gy, float *gx,
                           float *g_kernel);
    void (*max_pool)(const PoolShape &, const float *x, float *y);
    void (*max_pool_grad)(const PoolShape &, const float *x, const float *y, const float *gy, float *gx);
    void (*avg_pool)(const PoolShape &, const float *x, float *y);
    void (*avg_pool_grad)(const PoolShape &, const float *gy, float *gx);
    void (*batch_norm)(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon,
                       float *y, float *mean, float *variance, float *inverse);
    void (*batch_norm_grad)(std::size_t rows, int c, const float *x, const float *mean, const float *inverse,
                            const float *gamma, const float *gy, float *gx, float *g_gamma, float *g_beta);
    void (*affine)(std::size_t rows, int c, const float *x, const float *scale, const float *shift, float *y);
    void (*layer_norm)(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon,
                       bool centre, float *y, float *mean, float *inverse);
    void (*layer_norm_grad)(std::size_t rows, int c, const float *x, const float *mean, const float *inverse,
                            const float *gamma, bool centre, const float *gy, float *gx, float *g_gamma, float *g_beta);
    void (*relu_grad)(std::size_t rows, int c, const float *gy, const float *y, float *g, float *g_bias);
    void (*column_sum)(std::size_t rows, int c, const float *x, float *sums);
    void (*adam)(std::size_t n, float *w, const float *g, float *m, float *v, float rate, float b1, float b2,
                 float epsilon);
    void (*sgd)(std::size_t n, float *w, const float *g, float rate);
    void (*momentum)(std::size_t n, float *w, const float *g, float *m, float rate, float mu, bool nesterov);
    void (*rmsprop)(std::size_t n, float *w, const float *g, float *v, float *m, float rate, float rho, float mu,
                    float epsilon);
    void (*adagrad)(std::size_t n, float *w, const float *g, float *a, float rate, float epsilon);
    void (*lstm)(const SequenceShape &, const float *z, const float *u, const float *h0, float *hs, float *gates,
                 float *cells, float *squashed);
    void (*lstm_grad)(const SequenceShape &, const float *turned_u, const float *gates, const float *cells,
                      const float *squashed, const float *g_hs, float *dh, float *dc, float *dz);
    void (*gru)(const SequenceShape &, const float *z, const float *u, const float *bias, const float *h0, float *hs,
                float *gates, float *candidates, float *inners);
    void (*gru_grad)(const SequenceShape &, const float *turned_u, const float *h0, const float *hs, const float *gates,
                     const float *candidates, const float *inners, const float *g_hs, float *dh, float *dz, float *d_inner);
    void (*random_words)(std::uint64_t key, std::uint64_t draw, std::size_t n, std::uint64_t *out);
    void (*dropout)(std::uint64_t key, std::uint64_t draw, std::size_t n, unsigned threshold, float scale, const float *x,
                    float *y);
    void (*add_rows_at)(std::size_t n, int c, const std::int32_t *indices, const float *values, float *out);
    void (*softmax_cross_entropy)(std::size_t rows, int c, const float *logits, const std::int32_t *labels, float *loss,
                                  float *probabilities);
    void (*cross_entropy_grad)(std::size_t rows, int c, const float *probabilities, const std::int32_t *labels,
                               const float *factors, float *g);
    void (*relu)(std::size_t n, const float *x, float *y);
    void (*relu_pass)(std::size_t n, const float *gy, const float *y, float *g);
    void (*add)(std::size_t n, const float *a, const float *b, float *y);
    void (*sigmoid)(std::size_t n, const float *x, float *y);
    void (*tanh)(std::size_t n, const float *x, float *y);
    void (*sigmoid_pass)(std::size_t n, const float *gy, const float *y, float *g);
    void (*tanh_pass)(std::size_t n, const float *gy, const float *y, float *g);
    void (*squared_error)(std::size_t rows, int c, const float *t, const float *p, float *d, float *loss);
    void (*scale_rows)(std::size_t rows, int c, const float *x, const float *factors, float *y);
};

const Kernels *kernels_baseline();
#if defined(__x86_64__)
const Kernels *kernels_avx2();
const Kernels *kernels_avx512();
#endif
