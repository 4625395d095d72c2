// The Python module of the compiled kernels: checks arrays, lets other threads run, calls the kernel.
#include "arrays.h"

#include <cstring>

#include "module_dense.h"
#include "threads.h"

const Kernels *active = nullptr;

namespace {

// gemm(a, turned_a, b, turned_b, bias or None, relu, add, c); the sizes are those of c and of a's other dimension.
PyObject *gemm(PyObject *, PyObject *const *args, Py_ssize_t count_) {
    Array a, b, bias, c;
    if (!count(count_, 8) || !c.get(args[7], "c", 'f', -1, true)) return nullptr;
    if (c.view.ndim != 2) {
        PyErr_SetString(PyExc_ValueError, "c: expected two dimensions");
        return nullptr;
    }
    const Py_ssize_t m = c.view.shape[0], n = c.view.shape[1];
    if (!a.get(args[0], "a", 'f', -1, false)) return nullptr;
    const Py_ssize_t depth = m ? a.size() / m : 0;
    if (a.size() != m * depth) {
        PyErr_SetString(PyExc_ValueError, "a: its size doesn't fit c");
        return nullptr;
    }
    if (!b.get(args[2], "b", 'f', depth * n, false) || !bias.get(args[4], "bias", 'f', n, false, true)) return nullptr;
    const bool turned_a = args[1] == Py_True, turned_b = args[3] == Py_True, relu = args[5] == Py_True, add = args[6] == Py_True;
    WITHOUT_GIL(active->gemm(int(m), int(n), int(depth), a.data(), turned_a, b.data(), turned_b, bias.data(), relu, add, c.data()))
    Py_RETURN_NONE;
}

// Steps of an array over (batch, heads, queries, keys); `type` is its element's format.
bool steps_of(PyObject *object, const char *name, char type, const AttentionShape &s, Py_buffer &view, std::ptrdiff_t *steps) {
    view.obj = nullptr;
    if (object == Py_None) return true;
    if (PyObject_GetBuffer(object, &view, PyBUF_FORMAT | PyBUF_STRIDES)) return false;
    const Py_ssize_t shape[4] = {s.batch, s.heads, s.queries, s.keys};
    bool fits = view.ndim == 4 && view.format[0] == type && !view.format[1];
    for (int i = 0; fits && i < 4; ++i) {
        fits = view.shape[i] == shape[i] && view.strides[i] % view.itemsize == 0;
        steps[i] = view.strides[i] / view.itemsize;
    }
    if (!fits) {
        PyErr_Format(PyExc_ValueError, "%s: expected '%c' over (%zd, %zd, %zd, %zd)", name, type, shape[0], shape[1], shape[2], shape[3]);
        PyBuffer_Release(&view);
        view.obj = nullptr;
    }
    return fits;
}

// What both ways of attention take first: (batch, heads, queries, keys, size, values), q, k, v, bias, mask, scale, low, causal.
struct Attention {
    AttentionShape s{};
    Array q, k, v;
    Py_buffer bias{}, mask{};

    bool get(PyObject *const *a) {
        int n[6];
        if (!ints(a[0], n, 6)) return false;
        s.batch = n[0], s.heads = n[1], s.queries = n[2], s.keys = n[3], s.size = n[4], s.values = n[5];
        s.scale = number(a[6]), s.low = number(a[7]), s.causal = a[8] == Py_True;
        return !PyErr_Occurred() && q.get(a[1], "q", 'f', queries() * s.size, false) &&
               k.get(a[2], "k", 'f', keys() * s.size, false) && v.get(a[3], "v", 'f', keys() * s.values, false) &&
               steps_of(a[4], "bias", 'f', s, bias, s.bias) && steps_of(a[5], "mask", '?', s, mask, s.mask);
    }
    Py_ssize_t queries() const { return Py_ssize_t(s.batch) * s.heads * s.queries; }
    Py_ssize_t keys() const { return Py_ssize_t(s.batch) * s.heads * s.keys; }
    const float *bias_data() const { return bias.obj ? static_cast<const float *>(bias.buf) : nullptr; }
    const std::uint8_t *mask_data() const { return mask.obj ? static_cast<const std::uint8_t *>(mask.buf) : nullptr; }
    ~Attention() {
        if (bias.obj) PyBuffer_Release(&bias);
        if (mask.obj) PyBuffer_Release(&mask);
    }
};

// attention(..., out, tops, totals)
PyObject *attention(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Attention in;
    Array out, tops, totals;
    if (!count(n, 12) || !in.get(a) || !out.get(a[9], "out", 'f', in.queries() * in.s.values, true) ||
        !tops.get(a[10], "tops", 'f', in.queries(), true) || !totals.get(a[11], "totals", 'f', in.queries(), true))
        return nullptr;
    WITHOUT_GIL(active->attention(in.s, in.q.data(), in.k.data(), in.v.data(), in.bias_data(), in.mask_data(), out.data(),
                                  tops.data(), totals.data()))
    Py_RETURN_NONE;
}

// attention_grad(..., out, tops, totals, g, gq, gk, gv)
PyObject *attention_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Attention in;
    Array out, tops, totals, g, gq, gk, gv;
    if (!count(n, 16) || !in.get(a) || !out.get(a[9], "out", 'f', in.queries() * in.s.values, false) ||
        !tops.get(a[10], "tops", 'f', in.queries(), false) || !totals.get(a[11], "totals", 'f', in.queries(), false) ||
        !g.get(a[12], "g", 'f', in.queries() * in.s.values, false) || !gq.get(a[13], "gq", 'f', in.queries() * in.s.size, true) ||
        !gk.get(a[14], "gk", 'f', in.keys() * in.s.size, true) || !gv.get(a[15], "gv", 'f', in.keys() * in.s.values, true))
        return nullptr;
    WITHOUT_GIL(active->attention_grad(in.s, in.q.data(), in.k.data(), in.v.data(), in.bias_data(), in.mask_data(), out.data(),
                                       tops.data(), totals.data(), g.data(), gq.data(), gk.data(), gv.data()))
    Py_RETURN_NONE;
}

bool conv_shape(PyObject *tuple, ConvShape &s) {
    int v[15];
    if (!ints(tuple, v, 15)) return false;
    s = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14]};
    if (!s.stride_h || !s.stride_w || !s.dilation_h || !s.dilation_w) {
        PyErr_SetString(PyExc_ValueError, "strides and dilations must be positive");
        return false;
    }
    return true;
}

// Where the results of s lie: all of y, or what a tuple says.
bool placement(PyObject *object, const ConvShape &s, Placement &p) {
    p = {s.oh, s.ow, 0, 0, 1, 1};
    if (object == Py_None) return true;
    int v[6];
    if (!ints(object, v, 6)) return false;
    p = {v[0], v[1], v[2], v[3], v[4], v[5]};
    if (s.oh < 1 || s.ow < 1 || p.first_h + std::int64_t(s.oh - 1) * p.step_h >= p.h ||
        p.first_w + std::int64_t(s.ow - 1) * p.step_w >= p.w) {
        PyErr_SetString(PyExc_ValueError, "the results lie outside the array");
        return false;
    }
    return true;
}

// conv(shape, x, kernel, bias or None, relu, y, placement or None)
PyObject *conv(PyObject *, PyObject *const *a, Py_ssize_t n) {
    ConvShape s;
    Placement p;
    Array x, kernel, bias, y;
    if (!count(n, 7) || !conv_shape(a[0], s) || !placement(a[6], s, p) || !x.get(a[1], "x", 'f', Py_ssize_t(s.n) * s.h * s.w * s.ci, false) ||
        !kernel.get(a[2], "kernel", 'f', Py_ssize_t(s.kh) * s.kw * s.ci * s.co, false) ||
        !bias.get(a[3], "bias", 'f', s.co, false, true) || !y.get(a[5], "y", 'f', Py_ssize_t(s.n) * p.h * p.w * s.co, true))
        return nullptr;
    const bool relu = a[4] == Py_True;
    WITHOUT_GIL(active->conv(s, p, x.data(), kernel.data(), bias.data(), relu, y.data()))
    Py_RETURN_NONE;
}

// conv_kernel_grad(shape, x, gy, out)
PyObject *conv_kernel_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    ConvShape s;
    Array x, g, out;
    if (!count(n, 4) || !conv_shape(a[0], s) || !x.get(a[1], "x", 'f', Py_ssize_t(s.n) * s.h * s.w * s.ci, false) ||
        !g.get(a[2], "gy", 'f', Py_ssize_t(s.n) * s.oh * s.ow * s.co, false) ||
        !out.get(a[3], "out", 'f', Py_ssize_t(s.kh) * s.kw * s.ci * s.co, true))
        return nullptr;
    WITHOUT_GIL(active->conv_kernel_grad(s, x.data(), g.data(), out.data()))
    Py_RETURN_NONE;
}

// depthwise(shape, x, kernel, y)
PyObject *depthwise(PyObject *, PyObject *const *a, Py_ssize_t n) {
    ConvShape s;
    Array x, kernel, y;
    if (!count(n, 4) || !conv_shape(a[0], s) || !x.get(a[1], "x", 'f', -1, false)) return nullptr;
    const Py_ssize_t pixels = Py_ssize_t(s.n) * s.h * s.w, c = pixels ? x.size() / pixels : 0, all = c * s.co;
    if (x.size() != pixels * c || !kernel.get(a[2], "kernel", 'f', Py_ssize_t(s.kh) * s.kw * all, false) ||
        !y.get(a[3], "y", 'f', Py_ssize_t(s.n) * s.oh * s.ow * all, true))
        return PyErr_Occurred() ? nullptr : PyErr_Format(PyExc_ValueError, "x: its size doesn't fit the shape");
    WITHOUT_GIL(active->depthwise(s, int(c), x.data(), kernel.data(), y.data()))
    Py_RETURN_NONE;
}

// depthwise_grad(shape, x, kernel, gy, gx or None, g_kernel or None)
PyObject *depthwise_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    ConvShape s;
    Array x, kernel, g, gx, g_kernel;
    if (!count(n, 6) || !conv_shape(a[0], s) || !x.get(a[1], "x", 'f', -1, false)) return nullptr;
    const Py_ssize_t pixels = Py_ssize_t(s.n) * s.h * s.w, c = pixels ? x.size() / pixels : 0, all = c * s.co;
    if (x.size() != pixels * c || !kernel.get(a[2], "kernel", 'f', Py_ssize_t(s.kh) * s.kw * all, false) ||
        !g.get(a[3], "gy", 'f', Py_ssize_t(s.n) * s.oh * s.ow * all, false) ||
        !gx.get(a[4], "gx", 'f', x.size(), true, true) ||
        !g_kernel.get(a[5], "g_kernel", 'f', Py_ssize_t(s.kh) * s.kw * all, true, true))
        return PyErr_Occurred() ? nullptr : PyErr_Format(PyExc_ValueError, "x: its size doesn't fit the shape");
    WITHOUT_GIL(active->depthwise_grad(s, int(c), x.data(), kernel.data(), g.data(), gx.data(), g_kernel.data()))
    Py_RETURN_NONE;
}

bool pool_shape(PyObject *tuple, PoolShape &s) {
    int v[12];
    if (!ints(tuple, v, 12)) return false;
    s = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]};
    return true;
}

// max_pool(shape, x, y)
PyObject *max_pool(PyObject *, PyObject *const *a, Py_ssize_t n) {
    PoolShape s;
    Array x, y;
    if (!count(n, 3) || !pool_shape(a[0], s) || !x.get(a[1], "x", 'f', Py_ssize_t(s.n) * s.h * s.w * s.c, false) ||
        !y.get(a[2], "y", 'f', Py_ssize_t(s.n) * s.oh * s.ow * s.c, true))
        return nullptr;
    WITHOUT_GIL(active->max_pool(s, x.data(), y.data()))
    Py_RETURN_NONE;
}

// max_pool_grad(shape, x, y, gy, gx)
PyObject *max_pool_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    PoolShape s;
    Array x, y, g, gx;
    if (!count(n, 5) || !pool_shape(a[0], s)) return nullptr;
    const Py_ssize_t in = Py_ssize_t(s.n) * s.h * s.w * s.c, out = Py_ssize_t(s.n) * s.oh * s.ow * s.c;
    if (!x.get(a[1], "x", 'f', in, false) || !y.get(a[2], "y", 'f', out, false) || !g.get(a[3], "gy", 'f', out, false) ||
        !gx.get(a[4], "gx", 'f', in, true))
        return nullptr;
    WITHOUT_GIL(active->max_pool_grad(s, x.data(), y.data(), g.data(), gx.data()))
    Py_RETURN_NONE;
}

// avg_pool(shape, x, y), avg_pool_grad(shape, gy, gx)
PyObject *average(PyObject *const *a, Py_ssize_t n, bool back) {
    PoolShape s;
    Array from, to;
    if (!count(n, 3) || !pool_shape(a[0], s)) return nullptr;
    const Py_ssize_t in = Py_ssize_t(s.n) * s.h * s.w * s.c, out = Py_ssize_t(s.n) * s.oh * s.ow * s.c;
    if (!from.get(a[1], back ? "gy" : "x", 'f', back ? out : in, false) || !to.get(a[2], back ? "gx" : "y", 'f', back ? in : out, true))
        return nullptr;
    WITHOUT_GIL((back ? active->avg_pool_grad : active->avg_pool)(s, from.data(), to.data()))
    Py_RETURN_NONE;
}
PyObject *avg_pool(PyObject *, PyObject *const *a, Py_ssize_t n) { return average(a, n, false); }
PyObject *avg_pool_grad(PyObject *, PyObject *const *a, Py_ssize_t n) { return average(a, n, true); }

// batch_norm(x, gamma or None, beta or None, epsilon, y, mean, variance, inverse)
PyObject *batch_norm(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, gamma, beta, y, mean, variance, inverse;
    if (!count(n, 8) || !mean.get(a[5], "mean", 'f', -1, true)) return nullptr;
    const Py_ssize_t c = mean.size();
    if (!x.get(a[0], "x", 'f', -1, false) || !gamma.get(a[1], "gamma", 'f', c, false, true) ||
        !beta.get(a[2], "beta", 'f', c, false, true) || !y.get(a[4], "y", 'f', x.size(), true) ||
        !variance.get(a[6], "variance", 'f', c, true) || !inverse.get(a[7], "inverse", 'f', c, true))
        return nullptr;
    const float epsilon = number(a[3]);
    const Py_ssize_t rows = c ? x.size() / c : 0;
    WITHOUT_GIL(active->batch_norm(rows, int(c), x.data(), gamma.data(), beta.data(), epsilon, y.data(), mean.data(),
                                   variance.data(), inverse.data()))
    Py_RETURN_NONE;
}

// batch_norm_grad(x, mean, inverse, gamma or None, gy, gx or None, g_gamma, g_beta)
PyObject *batch_norm_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, mean, inverse, gamma, g, gx, g_gamma, g_beta;
    if (!count(n, 8) || !mean.get(a[1], "mean", 'f', -1, false)) return nullptr;
    const Py_ssize_t c = mean.size();
    if (!x.get(a[0], "x", 'f', -1, false) || !inverse.get(a[2], "inverse", 'f', c, false) ||
        !gamma.get(a[3], "gamma", 'f', c, false, true) || !g.get(a[4], "gy", 'f', x.size(), false) ||
        !gx.get(a[5], "gx", 'f', x.size(), true, true) || !g_gamma.get(a[6], "g_gamma", 'f', c, true) ||
        !g_beta.get(a[7], "g_beta", 'f', c, true))
        return nullptr;
    const Py_ssize_t rows = c ? x.size() / c : 0;
    WITHOUT_GIL(active->batch_norm_grad(rows, int(c), x.data(), mean.data(), inverse.data(), gamma.data(), g.data(), gx.data(),
                                        g_gamma.data(), g_beta.data()))
    Py_RETURN_NONE;
}

// affine(x, scale, shift, y)
PyObject *affine(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, scale, shift, y;
    if (!count(n, 4) || !x.get(a[0], "x", 'f', -1, false) || !scale.get(a[1], "scale", 'f', -1, false) ||
        !shift.get(a[2], "shift", 'f', scale.size(), false) || !y.get(a[3], "y", 'f', x.size(), true))
        return nullptr;
    const Py_ssize_t c = scale.size(), rows = c ? x.size() / c : 0;
    WITHOUT_GIL(active->affine(rows, int(c), x.data(), scale.data(), shift.data(), y.data()))
    Py_RETURN_NONE;
}

// layer_norm(x, gamma or None, beta or None, epsilon, centre, y, mean, inverse)
PyObject *layer_norm(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, gamma, beta, y, mean, inverse;
    if (!count(n, 8) || !x.get(a[0], "x", 'f', -1, false) || !mean.get(a[6], "mean", 'f', -1, true)) return nullptr;
    const Py_ssize_t rows = mean.size(), c = rows ? x.size() / rows : 0;
    if (!gamma.get(a[1], "gamma", 'f', c, false, true) || !beta.get(a[2], "beta", 'f', c, false, true) ||
        !y.get(a[5], "y", 'f', x.size(), true) || !inverse.get(a[7], "inverse", 'f', rows, true))
        return nullptr;
    const float epsilon = number(a[3]);
    const bool centre = a[4] == Py_True;
    WITHOUT_GIL(active->layer_norm(rows, int(c), x.data(), gamma.data(), beta.data(), epsilon, centre, y.data(), mean.data(),
                                   inverse.data()))
    Py_RETURN_NONE;
}

// layer_norm_grad(x, mean, inverse, gamma or None, centre, gy, gx or None, g_gamma or None, g_beta or None)
PyObject *layer_norm_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, mean, inverse, gamma, g, gx, g_gamma, g_beta;
    if (!count(n, 9) || !x.get(a[0], "x", 'f', -1, false) || !mean.get(a[1], "mean", 'f', -1, false)) return nullptr;
    const Py_ssize_t rows = mean.size(), c = rows ? x.size() / rows : 0;
    if (!inverse.get(a[2], "inverse", 'f', rows, false) || !gamma.get(a[3], "gamma", 'f', c, false, true) ||
        !g.get(a[5], "gy", 'f', x.size(), false) || !gx.get(a[6], "gx", 'f', x.size(), true, true) ||
        !g_gamma.get(a[7], "g_gamma", 'f', c, true, true) || !g_beta.get(a[8], "g_beta", 'f', c, true, true))
        return nullptr;
    const bool centre = a[4] == Py_True;
    WITHOUT_GIL(active->layer_norm_grad(rows, int(c), x.data(), mean.data(), inverse.data(), gamma.data(), centre, g.data(),
                                        gx.data(), g_gamma.data(), g_beta.data()))
    Py_RETURN_NONE;
}

// relu_grad(gy, y, g, g_bias)
PyObject *relu_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array g, y, out, bias;
    if (!count(n, 4) || !g.get(a[0], "gy", 'f', -1, false) || !y.get(a[1], "y", 'f', g.size(), false) ||
        !out.get(a[2], "g", 'f', g.size(), true) || !bias.get(a[3], "g_bias", 'f', -1, true))
        return nullptr;
    const Py_ssize_t c = bias.size(), rows = c ? g.size() / c : 0;
    WITHOUT_GIL(active->relu_grad(rows, int(c), g.data(), y.data(), out.data(), bias.data()))
    Py_RETURN_NONE;
}

// relu(x, y), sigmoid(x, y), tanh(x, y); y may be x
PyObject *one_to_one(PyObject *const *a, Py_ssize_t n, void (*f)(std::size_t, const float *, float *)) {
    Array x, y;
    if (!count(n, 2) || !x.get(a[0], "x", 'f', -1, false) || !y.get(a[1], "y", 'f', x.size(), true)) return nullptr;
    WITHOUT_GIL(f(x.size(), x.data(), y.data()))
    Py_RETURN_NONE;
}
PyObject *relu(PyObject *, PyObject *const *a, Py_ssize_t n) { return one_to_one(a, n, active->relu); }
PyObject *sigmoid(PyObject *, PyObject *const *a, Py_ssize_t n) { return one_to_one(a, n, active->sigmoid); }
PyObject *tanh(PyObject *, PyObject *const *a, Py_ssize_t n) { return one_to_one(a, n, active->tanh); }

// relu_pass(gy, y, g), sigmoid_pass(gy, y, g), tanh_pass(gy, y, g), add(a, b, y)
PyObject *two_to_one(PyObject *const *args, Py_ssize_t n, void (*f)(std::size_t, const float *, const float *, float *)) {
    Array a, b, y;
    if (!count(n, 3) || !a.get(args[0], "first", 'f', -1, false) || !b.get(args[1], "second", 'f', a.size(), false) ||
        !y.get(args[2], "result", 'f', a.size(), true))
        return nullptr;
    WITHOUT_GIL(f(a.size(), a.data(), b.data(), y.data()))
    Py_RETURN_NONE;
}
PyObject *relu_pass(PyObject *, PyObject *const *a, Py_ssize_t n) { return two_to_one(a, n, active->relu_pass); }
PyObject *sigmoid_pass(PyObject *, PyObject *const *a, Py_ssize_t n) { return two_to_one(a, n, active->sigmoid_pass); }
PyObject *tanh_pass(PyObject *, PyObject *const *a, Py_ssize_t n) { return two_to_one(a, n, active->tanh_pass); }
PyObject *add(PyObject *, PyObject *const *a, Py_ssize_t n) { return two_to_one(a, n, active->add); }

// adam(w, g, m, v, rate, b1, b2, epsilon)
PyObject *adam(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array w, g, m, v;
    if (!count(n, 8) || !w.get(a[0], "w", 'f', -1, true) || !g.get(a[1], "g", 'f', w.size(), false) ||
        !m.get(a[2], "m", 'f', w.size(), true) || !v.get(a[3], "v", 'f', w.size(), true))
        return nullptr;
    const float rate = number(a[4]), b1 = number(a[5]), b2 = number(a[6]), epsilon = number(a[7]);
    if (PyErr_Occurred()) return nullptr;
    WITHOUT_GIL(active->adam(w.size(), w.data(), g.data(), m.data(), v.data(), rate, b1, b2, epsilon))
    Py_RETURN_NONE;
}

// sgd(w, g, rate)
PyObject *sgd(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array w, g;
    if (!count(n, 3) || !w.get(a[0], "w", 'f', -1, true) || !g.get(a[1], "g", 'f', w.size(), false)) return nullptr;
    const float rate = number(a[2]);
    if (PyErr_Occurred()) return nullptr;
    WITHOUT_GIL(active->sgd(w.size(), w.data(), g.data(), rate))
    Py_RETURN_NONE;
}

// momentum(w, g, m, rate, mu, nesterov)
PyObject *momentum(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array w, g, m;
    if (!count(n, 6) || !w.get(a[0], "w", 'f', -1, true) || !g.get(a[1], "g", 'f', w.size(), false) ||
        !m.get(a[2], "m", 'f', w.size(), true))
        return nullptr;
    const float rate = number(a[3]), mu = number(a[4]);
    const int nesterov = PyObject_IsTrue(a[5]);
    if (PyErr_Occurred()) return nullptr;
    WITHOUT_GIL(active->momentum(w.size(), w.data(), g.data(), m.data(), rate, mu, nesterov))
    Py_RETURN_NONE;
}

// rmsprop(w, g, v, m or None, rate, rho, mu, epsilon)
PyObject *rmsprop(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array w, g, v, m;
    if (!count(n, 8) || !w.get(a[0], "w", 'f', -1, true) || !g.get(a[1], "g", 'f', w.size(), false) ||
        !v.get(a[2], "v", 'f', w.size(), true) || !m.get(a[3], "m", 'f', w.size(), true, true))
        return nullptr;
    const float rate = number(a[4]), rho = number(a[5]), mu = number(a[6]), epsilon = number(a[7]);
    if (PyErr_Occurred()) return nullptr;
    WITHOUT_GIL(active->rmsprop(w.size(), w.data(), g.data(), v.data(), m.data(), rate, rho, mu, epsilon))
    Py_RETURN_NONE;
}

// adagrad(w, g, a, rate, epsilon)
PyObject *adagrad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array w, g, sum;
    if (!count(n, 5) || !w.get(a[0], "w", 'f', -1, true) || !g.get(a[1], "g", 'f', w.size(), false) ||
        !sum.get(a[2], "a", 'f', w.size(), true))
        return nullptr;
    const float rate = number(a[3]), epsilon = number(a[4]);
    if (PyErr_Occurred()) return nullptr;
    WITHOUT_GIL(active->adagrad(w.size(), w.data(), g.data(), sum.data(), rate, epsilon))
    Py_RETURN_NONE;
}

// The shape (batch, steps, units, reverse) of a sequence.
bool sequence_shape(PyObject *tuple, SequenceShape &s) {
    int v[4];
    if (!ints(tuple, v, 4)) return false;
    s = {v[0], v[1], v[2], v[3] != 0};
    return true;
}

// lstm(shape, z, u, h0, hs, gates, cells, squashed)
PyObject *lstm(PyObject *, PyObject *const *a, Py_ssize_t n) {
    SequenceShape s;
    Array z, u, h0, hs, gates, cells, squashed;
    if (!count(n, 8) || !sequence_shape(a[0], s)) return nullptr;
    const Py_ssize_t state = Py_ssize_t(s.batch) * s.units, all = state * s.steps;
    if (!z.get(a[1], "z", 'f', 4 * all, false) || !u.get(a[2], "u", 'f', 4 * Py_ssize_t(s.units) * s.units, false) ||
        !h0.get(a[3], "h0", 'f', state, false) || !hs.get(a[4], "hs", 'f', all, true) ||
        !gates.get(a[5], "gates", 'f', 4 * all, true) || !cells.get(a[6], "cells", 'f', all + state, true) ||
        !squashed.get(a[7], "squashed", 'f', all, true))
        return nullptr;
    WITHOUT_GIL(active->lstm(s, z.data(), u.data(), h0.data(), hs.data(), gates.data(), cells.data(), squashed.data()))
    Py_RETURN_NONE;
}

// lstm_grad(shape, turned_u, gates, cells, squashed, g_hs or None, dh, dc, dz)
PyObject *lstm_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    SequenceShape s;
    Array u, gates, cells, squashed, g, dh, dc, dz;
    if (!count(n, 9) || !sequence_shape(a[0], s)) return nullptr;
    const Py_ssize_t state = Py_ssize_t(s.batch) * s.units, all = state * s.steps;
    if (!u.get(a[1], "turned_u", 'f', 4 * Py_ssize_t(s.units) * s.units, false) || !gates.get(a[2], "gates", 'f', 4 * all, false) ||
        !cells.get(a[3], "cells", 'f', all + state, false) || !squashed.get(a[4], "squashed", 'f', all, false) ||
        !g.get(a[5], "g_hs", 'f', all, false, true) || !dh.get(a[6], "dh", 'f', state, true) ||
        !dc.get(a[7], "dc", 'f', state, true) || !dz.get(a[8], "dz", 'f', 4 * all, true))
        return nullptr;
    WITHOUT_GIL(active->lstm_grad(s, u.data(), gates.data(), cells.data(), squashed.data(), g.data(), dh.data(), dc.data(), dz.data()))
    Py_RETURN_NONE;
}

// gru(shape, z, u, bias or None, h0, hs, gates, candidates, inners)
PyObject *gru(PyObject *, PyObject *const *a, Py_ssize_t n) {
    SequenceShape s;
    Array z, u, bias, h0, hs, gates, candidates, inners;
    if (!count(n, 9) || !sequence_shape(a[0], s)) return nullptr;
    const Py_ssize_t state = Py_ssize_t(s.batch) * s.units, all = state * s.steps;
    if (!z.get(a[1], "z", 'f', 3 * all, false) || !u.get(a[2], "u", 'f', 3 * Py_ssize_t(s.units) * s.units, false) ||
        !bias.get(a[3], "bias", 'f', 3 * Py_ssize_t(s.units), false, true) || !h0.get(a[4], "h0", 'f', state, false) ||
        !hs.get(a[5], "hs", 'f', all, true) || !gates.get(a[6], "gates", 'f', 2 * all, true) ||
        !candidates.get(a[7], "candidates", 'f', all, true) || !inners.get(a[8], "inners", 'f', all, true))
        return nullptr;
    WITHOUT_GIL(active->gru(s, z.data(), u.data(), bias.data(), h0.data(), hs.data(), gates.data(), candidates.data(), inners.data()))
    Py_RETURN_NONE;
}

// gru_grad(shape, turned_u, h0, hs, gates, candidates, inners, g_hs or None, dh, dz, d_inner)
PyObject *gru_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    SequenceShape s;
    Array u, h0, hs, gates, candidates, inners, g, dh, dz, d_inner;
    if (!count(n, 11) || !sequence_shape(a[0], s)) return nullptr;
    const Py_ssize_t state = Py_ssize_t(s.batch) * s.units, all = state * s.steps;
    if (!u.get(a[1], "turned_u", 'f', 3 * Py_ssize_t(s.units) * s.units, false) || !h0.get(a[2], "h0", 'f', state, false) ||
        !hs.get(a[3], "hs", 'f', all, false) || !gates.get(a[4], "gates", 'f', 2 * all, false) ||
        !candidates.get(a[5], "candidates", 'f', all, false) || !inners.get(a[6], "inners", 'f', all, false) ||
        !g.get(a[7], "g_hs", 'f', all, false, true) || !dh.get(a[8], "dh", 'f', state, true) ||
        !dz.get(a[9], "dz", 'f', 3 * all, true) || !d_inner.get(a[10], "d_inner", 'f', 3 * all, true))
        return nullptr;
    WITHOUT_GIL(active->gru_grad(s, u.data(), h0.data(), hs.data(), gates.data(), candidates.data(), inners.data(), g.data(),
                                 dh.data(), dz.data(), d_inner.data()))
    Py_RETURN_NONE;
}

// random_words(key, draw, out), out of uint64
PyObject *random_words(PyObject *, PyObject *const *a, Py_ssize_t n) {
    if (!count(n, 3)) return nullptr;
    const unsigned long long key = PyLong_AsUnsignedLongLong(a[0]), draw = PyLong_AsUnsignedLongLong(a[1]);
    Py_buffer out;
    if (PyErr_Occurred() || PyObject_GetBuffer(a[2], &out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)) return nullptr;
    if (out.itemsize != 8) {
        PyErr_SetString(PyExc_TypeError, "out: expected an array of uint64");
    } else {
        WITHOUT_GIL(active->random_words(key, draw, out.len / 8, static_cast<std::uint64_t *>(out.buf)))
    }
    PyBuffer_Release(&out);
    if (PyErr_Occurred()) return nullptr;
    Py_RETURN_NONE;
}

// dropout(key, draw, threshold, scale, x, y)
PyObject *dropout(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, y;
    if (!count(n, 6)) return nullptr;
    const unsigned long long key = PyLong_AsUnsignedLongLong(a[0]), draw = PyLong_AsUnsignedLongLong(a[1]);
    const unsigned threshold = static_cast<unsigned>(PyLong_AsLong(a[2]));
    const float scale = number(a[3]);
    if (PyErr_Occurred() || !x.get(a[4], "x", 'f', -1, false) || !y.get(a[5], "y", 'f', x.size(), true)) return nullptr;
    WITHOUT_GIL(active->dropout(key, draw, x.size(), threshold, scale, x.data(), y.data()))
    Py_RETURN_NONE;
}

// add_rows_at(indices, values, out), out (rows, columns)
PyObject *add_rows_at(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array indices, values, out;
    if (!count(n, 3) || !indices.get(a[0], "indices", 'i', -1, false) || !out.get(a[2], "out", 'f', -1, true)) return nullptr;
    const Py_ssize_t rows = out.view.shape[0], c = rows ? out.size() / rows : 0, all = indices.size();
    if (!values.get(a[1], "values", 'f', all * c, false)) return nullptr;
    for (Py_ssize_t i = 0; i < all; ++i)
        if (indices.labels()[i] < 0 || indices.labels()[i] >= rows) {
            PyErr_Format(PyExc_IndexError, "index %d is out of range for %zd rows", int(indices.labels()[i]), rows);
            return nullptr;
        }
    WITHOUT_GIL(active->add_rows_at(all, int(c), indices.labels(), values.data(), out.data()))
    Py_RETURN_NONE;
}

bool in_range(const Array &labels, Py_ssize_t classes) {
    for (Py_ssize_t i = 0; i < labels.size(); ++i)
        if (labels.labels()[i] < 0 || labels.labels()[i] >= classes) {
            PyErr_Format(PyExc_IndexError, "label %d is out of range for %zd classes", int(labels.labels()[i]), classes);
            return false;
        }
    return true;
}

// softmax_cross_entropy(logits, labels, loss, probabilities)
PyObject *softmax_cross_entropy(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array logits, labels, loss, probabilities;
    if (!count(n, 4) || !loss.get(a[2], "loss", 'f', -1, true) || !labels.get(a[1], "labels", 'i', loss.size(), false) ||
        !logits.get(a[0], "logits", 'f', -1, false) || !probabilities.get(a[3], "probabilities", 'f', logits.size(), true))
        return nullptr;
    const Py_ssize_t rows = loss.size(), c = rows ? logits.size() / rows : 0;
    if (!in_range(labels, c)) return nullptr;
    WITHOUT_GIL(active->softmax_cross_entropy(rows, int(c), logits.data(), labels.labels(), loss.data(), probabilities.data()))
    Py_RETURN_NONE;
}

// cross_entropy_grad(probabilities, labels, factors, g)
PyObject *cross_entropy_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array probabilities, labels, factors, g;
    if (!count(n, 4) || !factors.get(a[2], "factors", 'f', -1, false) ||
        !labels.get(a[1], "labels", 'i', factors.size(), false) || !g.get(a[3], "g", 'f', -1, true) ||
        !probabilities.get(a[0], "probabilities", 'f', g.size(), false))
        return nullptr;
    const Py_ssize_t rows = factors.size(), c = rows ? g.size() / rows : 0;
    if (!in_range(labels, c)) return nullptr;
    WITHOUT_GIL(active->cross_entropy_grad(rows, int(c), probabilities.data(), labels.labels(), factors.data(), g.data()))
    Py_RETURN_NONE;
}

// squared_error(t, p, d, loss)
PyObject *squared_error(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array t, p, d, loss;
    if (!count(n, 4) || !t.get(a[0], "t", 'f', -1, false) || !p.get(a[1], "p", 'f', t.size(), false) ||
        !d.get(a[2], "d", 'f', t.size(), true) || !loss.get(a[3], "loss", 'f', -1, true))
        return nullptr;
    const Py_ssize_t rows = loss.size(), c = rows ? t.size() / rows : 0;
    WITHOUT_GIL(active->squared_error(rows, int(c), t.data(), p.data(), d.data(), loss.data()))
    Py_RETURN_NONE;
}

// scale_rows(x, factors, y)
PyObject *scale_rows(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array x, factors, y;
    if (!count(n, 3) || !x.get(a[0], "x", 'f', -1, false) || !factors.get(a[1], "factors", 'f', -1, false) ||
        !y.get(a[2], "y", 'f', x.size(), true))
        return nullptr;
    const Py_ssize_t rows = factors.size(), c = rows ? x.size() / rows : 0;
    WITHOUT_GIL(active->scale_rows(rows, int(c), x.data(), factors.data(), y.data()))
    Py_RETURN_NONE;
}

// use(name): the instruction set, "" for the best; gives its name.
PyObject *use(PyObject *, PyObject *name) {
    const char *wanted = PyUnicode_AsUTF8(name);
    if (!wanted) return nullptr;
    const Kernels *found = nullptr;
    auto offer = [&](const Kernels *table) {
        if (!*wanted || !std::strcmp(wanted, table->name)) found = table;
    };
    offer(kernels_baseline());
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) offer(kernels_avx2());
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        offer(kernels_avx512());
#endif
    if (!found) {
        PyErr_Format(PyExc_ValueError, "instruction set '%s' isn't there", wanted);
        return nullptr;
    }
    active = found;
    return PyUnicode_FromString(found->name);
}

PyObject *threads(PyObject *, PyObject *n) {
    const long wanted = PyLong_AsLong(n);
    if (wanted == -1 && PyErr_Occurred()) return nullptr;
    if (wanted > 0) set_thread_count(int(wanted > 1024 ? 1024 : wanted));
    return PyLong_FromLong(thread_count());
}

PyObject *worth_sharing(PyObject *, PyObject *work) {
    const double wanted = PyFloat_AsDouble(work);
    if (PyErr_Occurred()) return nullptr;
    set_worth_sharing(wanted);
    Py_RETURN_NONE;
}

#define FAST(name) {#name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(name)), METH_FASTCALL, nullptr}

PyMethodDef methods[] = {
    FAST(dense), FAST(dense_grad), FAST(makers), FAST(gemm), FAST(attention), FAST(attention_grad), FAST(layer_norm), FAST(layer_norm_grad), FAST(conv), FAST(conv_kernel_grad),
    FAST(depthwise), FAST(depthwise_grad), FAST(avg_pool), FAST(avg_pool_grad), FAST(random_words), FAST(dropout), FAST(add_rows_at), FAST(max_pool), FAST(max_pool_grad), FAST(batch_norm), FAST(batch_norm_grad),
    FAST(relu_grad), FAST(adam), FAST(sgd), FAST(momentum), FAST(rmsprop), FAST(adagrad), FAST(lstm), FAST(lstm_grad),
    FAST(gru), FAST(gru_grad), FAST(softmax_cross_entropy), FAST(cross_entropy_grad), FAST(relu), FAST(relu_pass), FAST(affine), FAST(add),
    FAST(sigmoid), FAST(tanh), FAST(sigmoid_pass), FAST(tanh_pass), FAST(squared_error), FAST(scale_rows),
    {"use", use, METH_O, "Choose the instruction set by name, the best one for ''; gives its name."},
    {"threads", threads, METH_O, "Set the number of threads if it is positive; gives the number."},
    {"worth_sharing", worth_sharing, METH_O, "Set the work in nanoseconds below which a call stays on its thread."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_compiled", "Compiled CPU kernels of deepkit.", -1, methods,
                          nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__compiled() {
    active = kernels_baseline();
    return PyModule_Create(&definition);
}
