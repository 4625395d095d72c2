// The Python module of the compiled kernels: checks arrays, lets other threads run, calls the kernel.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstring>

#include "kernels.h"
#include "threads.h"

namespace {

const Kernels *active = nullptr;

// A contiguous array of one element type; None where `optional`.
struct Array {
    Py_buffer view{};
    bool held = false;

    bool get(PyObject *object, const char *name, char type, Py_ssize_t size, bool writable, bool optional = false) {
        if (optional && object == Py_None) return true;
        if (PyObject_GetBuffer(object, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0))) return false;
        held = true;
        if (view.format[0] != type || view.format[1]) {
            PyErr_Format(PyExc_TypeError, "%s: expected an array of %s, got format '%s'", name, type == 'f' ? "float32" : "int32",
                         view.format);
            return false;
        }
        if (size >= 0 && view.len != size * 4) {
            PyErr_Format(PyExc_ValueError, "%s: expected %zd elements, got %zd", name, size, view.len / 4);
            return false;
        }
        return true;
    }
    float *data() const { return held ? static_cast<float *>(view.buf) : nullptr; }
    const std::int32_t *labels() const { return static_cast<const std::int32_t *>(view.buf); }
    Py_ssize_t size() const { return view.len / 4; }
    ~Array() {
        if (held) PyBuffer_Release(&view);
    }
};

// Like Array, of two dimensions whose rows may lie apart.
struct Rows {
    Py_buffer view{};
    bool held = false;

    bool get(PyObject *object, const char *name, Py_ssize_t rows, Py_ssize_t columns, bool writable, bool optional = false) {
        if (optional && object == Py_None) return true;
        if (PyObject_GetBuffer(object, &view, PyBUF_FORMAT | PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0))) return false;
        held = true;
        if (view.ndim != 2 || view.shape[0] != rows || view.shape[1] != columns || view.format[0] != 'f' || view.format[1] ||
            (columns > 1 && view.strides[1] != 4) || view.strides[0] % 4 || view.strides[0] < 0) {
            PyErr_Format(PyExc_ValueError, "%s: expected float32 rows of (%zd, %zd)", name, rows, columns);
            return false;
        }
        return true;
    }
    float *data() const { return held ? static_cast<float *>(view.buf) : nullptr; }
    std::size_t step() const { return held ? view.strides[0] / 4 : 0; }
    ~Rows() {
        if (held) PyBuffer_Release(&view);
    }
};

bool count(Py_ssize_t given, Py_ssize_t wanted) {
    if (given == wanted) return true;
    PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", wanted, given);
    return false;
}

bool ints(PyObject *tuple, int *out, int n) {
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != n) {
        PyErr_Format(PyExc_TypeError, "expected a tuple of %d integers", n);
        return false;
    }
    for (int i = 0; i < n; ++i) {
        const long v = PyLong_AsLong(PyTuple_GET_ITEM(tuple, i));
        if (v == -1 && PyErr_Occurred()) return false;
        if (v < 0 || v > 0x7fffffff) {
            PyErr_SetString(PyExc_ValueError, "a size is negative or too large");
            return false;
        }
        out[i] = static_cast<int>(v);
    }
    return true;
}

float number(PyObject *object) { return static_cast<float>(PyFloat_AsDouble(object)); }

#define WITHOUT_GIL(call) Py_BEGIN_ALLOW_THREADS call; Py_END_ALLOW_THREADS

bool conv_shape(PyObject *tuple, ConvShape &s) {
    int v[17];
    if (!ints(tuple, v, 17)) return false;
    s = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15], v[16]};
    if (!s.stride_h || !s.stride_w || !s.dilation_h || !s.dilation_w || !s.up_h || !s.up_w) {
        PyErr_SetString(PyExc_ValueError, "strides and dilations must be positive");
        return false;
    }
    return true;
}

// conv(shape, x, kernel, bias or None, relu, y)
PyObject *conv(PyObject *, PyObject *const *a, Py_ssize_t n) {
    ConvShape s;
    Array x, kernel, bias, y;
    if (!count(n, 6) || !conv_shape(a[0], s) || !x.get(a[1], "x", 'f', Py_ssize_t(s.n) * s.h * s.w * s.ci, false) ||
        !kernel.get(a[2], "kernel", 'f', Py_ssize_t(s.kh) * s.kw * s.ci * s.co, false) ||
        !bias.get(a[3], "bias", 'f', s.co, false, true) || !y.get(a[5], "y", 'f', Py_ssize_t(s.n) * s.oh * s.ow * s.co, true))
        return nullptr;
    const bool relu = a[4] == Py_True;
    WITHOUT_GIL(active->conv(s, x.data(), kernel.data(), bias.data(), relu, y.data()))
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

// lstm_step(gates, z, c, c_new, squashed, h)
PyObject *lstm_step(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array gates, c, c_new, squashed;
    Rows z, h;
    if (!count(n, 6) || !gates.get(a[0], "gates", 'f', -1, true)) return nullptr;
    const Py_ssize_t batch = gates.view.shape[0], units = gates.view.ndim == 2 ? gates.view.shape[1] / 4 : 0;
    if (!z.get(a[1], "z", batch, 4 * units, false) || !c.get(a[2], "c", 'f', batch * units, false) ||
        !c_new.get(a[3], "c_new", 'f', batch * units, true) || !squashed.get(a[4], "squashed", 'f', batch * units, true) ||
        !h.get(a[5], "h", batch, units, true))
        return nullptr;
    WITHOUT_GIL(active->lstm_step(int(batch), int(units), gates.data(), z.data(), z.step(), c.data(), c_new.data(),
                                  squashed.data(), h.data(), h.step()))
    Py_RETURN_NONE;
}

// lstm_step_grad(gates, c, squashed, g_h or None, dh, dc, d, dz)
PyObject *lstm_step_grad(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array gates, c, squashed, dh, dc, d;
    Rows g, dz;
    if (!count(n, 8) || !gates.get(a[0], "gates", 'f', -1, false)) return nullptr;
    const Py_ssize_t batch = gates.view.shape[0], units = gates.view.ndim == 2 ? gates.view.shape[1] / 4 : 0;
    if (!c.get(a[1], "c", 'f', batch * units, false) || !squashed.get(a[2], "squashed", 'f', batch * units, false) ||
        !g.get(a[3], "g_h", batch, units, false, true) || !dh.get(a[4], "dh", 'f', batch * units, false) ||
        !dc.get(a[5], "dc", 'f', batch * units, true) || !d.get(a[6], "d", 'f', batch * units * 4, true) ||
        !dz.get(a[7], "dz", batch, 4 * units, true))
        return nullptr;
    WITHOUT_GIL(active->lstm_step_grad(int(batch), int(units), gates.data(), c.data(), squashed.data(), g.data(), g.step(),
                                       dh.data(), dc.data(), d.data(), dz.data(), dz.step()))
    Py_RETURN_NONE;
}

// softmax_cross_entropy(logits, labels, loss, probabilities)
PyObject *softmax_cross_entropy(PyObject *, PyObject *const *a, Py_ssize_t n) {
    Array logits, labels, loss, probabilities;
    if (!count(n, 4) || !loss.get(a[2], "loss", 'f', -1, true) || !labels.get(a[1], "labels", 'i', loss.size(), false) ||
        !logits.get(a[0], "logits", 'f', -1, false) || !probabilities.get(a[3], "probabilities", 'f', logits.size(), true))
        return nullptr;
    const Py_ssize_t rows = loss.size(), c = rows ? logits.size() / rows : 0;
    for (Py_ssize_t i = 0; i < rows; ++i)
        if (labels.labels()[i] < 0 || labels.labels()[i] >= c) {
            PyErr_Format(PyExc_IndexError, "label %d is out of range for %zd classes", int(labels.labels()[i]), c);
            return nullptr;
        }
    WITHOUT_GIL(active->softmax_cross_entropy(rows, int(c), logits.data(), labels.labels(), loss.data(), probabilities.data()))
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
    FAST(conv), FAST(conv_kernel_grad), FAST(max_pool), FAST(max_pool_grad), FAST(batch_norm), FAST(batch_norm_grad),
    FAST(relu_grad), FAST(adam), FAST(lstm_step), FAST(lstm_step_grad), FAST(softmax_cross_entropy),
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
