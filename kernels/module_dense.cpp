// The dense layer, one call each way: what Python would do around the kernels of a small layer takes longer than they do.
#include "module_dense.h"

#include <algorithm>
#include <vector>

namespace {

// Who makes arrays: numpy.empty, and for those of at least `smallest` bytes what gives memory that was used before.
struct {
    PyObject *empty = nullptr, *reused = nullptr, *dtype = nullptr;
    Py_ssize_t smallest = 0;
} maker;

// A new float32 array.
PyObject *made(const Py_ssize_t *shape, int rank) {
    PyObject *sizes = PyTuple_New(rank);
    if (!sizes) return nullptr;
    Py_ssize_t bytes = 4;
    for (int i = 0; i < rank; ++i) {
        bytes *= shape[i];
        PyTuple_SET_ITEM(sizes, i, PyLong_FromSsize_t(shape[i]));
    }
    PyObject *args[] = {sizes, maker.dtype};
    PyObject *array = PyObject_Vectorcall(bytes < maker.smallest ? maker.empty : maker.reused, args, 2, nullptr);
    Py_DECREF(sizes);
    return array;
}

// An array that is written to: the one that is given if it suits, or a new one; none where False is given.
struct Target {
    PyObject *object = nullptr;
    Array array;

    bool get(PyObject *need, const Py_ssize_t *shape, int rank) {
        if (need == Py_False) return true;
        Py_ssize_t size = 1;
        for (int i = 0; i < rank; ++i) size *= shape[i];
        if (need != Py_True && array.get(need, "need", 'f', size, true)) {
            Py_INCREF(object = need);
            return true;
        }
        PyErr_Clear();
        array.release();
        object = made(shape, rank);
        return object && array.get(object, "result", 'f', size, true);
    }
    PyObject *give() {
        PyObject *given = object ? object : Py_None;
        if (!object) Py_INCREF(given);
        object = nullptr;
        return given;
    }
    ~Target() { Py_XDECREF(object); }
};

// What doesn't suit is NumPy's, and so are the errors.
PyObject *not_here() {
    PyErr_Clear();
    Py_RETURN_NONE;
}

// Whether x (..., depth) and w (depth, n) can be multiplied, and hold something.
bool together(const Array &x, const Array &w) {
    return w.view.ndim == 2 && x.view.ndim && x.size() && w.size() && x.view.shape[x.view.ndim - 1] == w.view.shape[0];
}

}  // namespace

PyObject *makers(PyObject *, PyObject *const *args, Py_ssize_t n) {
    if (!count(n, 4)) return nullptr;
    for (int i = 0; i < 3; ++i) Py_INCREF(args[i]);
    maker = {args[0], args[1], args[2], PyLong_AsSsize_t(args[3])};  // kept for good
    Py_RETURN_NONE;
}

PyObject *dense(PyObject *, PyObject *const *args, Py_ssize_t given) {
    Array x, w, bias;
    Target y;
    if (!count(given, 4)) return nullptr;
    if (!x.get(args[0], "x", 'f', -1, false) || !w.get(args[1], "w", 'f', -1, false) || !together(x, w)) return not_here();
    const int rank = x.view.ndim;
    const Py_ssize_t depth = w.view.shape[0], n = w.view.shape[1], rows = x.size() / depth;
    if (!bias.get(args[2], "bias", 'f', n, false, true)) return not_here();
    Py_ssize_t shape[PyBUF_MAX_NDIM];
    std::copy_n(x.view.shape, rank, shape);
    shape[rank - 1] = n;
    if (!y.get(Py_True, shape, rank)) return nullptr;
    const bool relu = args[3] == Py_True;
    WITHOUT_GIL(active->gemm(int(rows), int(n), int(depth), x.data(), false, w.data(), false, bias.data(), relu, false, y.array.data()))
    return y.give();
}

PyObject *dense_grad(PyObject *, PyObject *const *args, Py_ssize_t given) {
    Array x, w, y, gy;
    Target g, gx, gw, gb;
    if (!count(given, 7)) return nullptr;
    if (!x.get(args[0], "x", 'f', -1, false) || !w.get(args[1], "w", 'f', -1, false) || !together(x, w)) return not_here();
    const Py_ssize_t depth = w.view.shape[0], n = w.view.shape[1], rows = x.size() / depth;
    if (!gy.get(args[3], "gy", 'f', rows * n, false) || !y.get(args[2], "y", 'f', rows * n, false, true)) return not_here();
    if (!gx.get(args[4], x.view.shape, x.view.ndim) || !gw.get(args[5], w.view.shape, 2) || !gb.get(args[6], &n, 1) ||
        !g.get(y.held ? Py_True : Py_False, gy.view.shape, gy.view.ndim))
        return nullptr;
    Py_BEGIN_ALLOW_THREADS
    const float *before = gy.data();
    if (y.held) {
        std::vector<float> unused(gb.object ? 0 : n);
        active->relu_grad(rows, int(n), before, y.data(), g.array.data(), gb.object ? gb.array.data() : unused.data());
        before = g.array.data();
    } else if (gb.object) {
        active->column_sum(rows, int(n), before, gb.array.data());
    }
    if (gw.object) active->gemm(int(depth), int(n), int(rows), x.data(), true, before, false, nullptr, false, false, gw.array.data());
    if (gx.object) active->gemm(int(rows), int(depth), int(n), before, false, w.data(), true, nullptr, false, false, gx.array.data());
    Py_END_ALLOW_THREADS
    PyObject *found = PyTuple_New(3);
    if (!found) return nullptr;
    PyTuple_SET_ITEM(found, 0, gx.give());
    PyTuple_SET_ITEM(found, 1, gw.give());
    PyTuple_SET_ITEM(found, 2, gb.give());
    return found;
}
