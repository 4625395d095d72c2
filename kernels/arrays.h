// NumPy's arrays as the functions of the Python module see them.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernels.h"

// The kernels of the instruction set in use.
extern const Kernels *active;

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
    void release() {
        if (held) PyBuffer_Release(&view);
        held = false;
    }
    ~Array() { release(); }
};

inline bool count(Py_ssize_t given, Py_ssize_t wanted) {
    if (given == wanted) return true;
    PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", wanted, given);
    return false;
}

inline bool ints(PyObject *tuple, int *out, int n) {
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

inline float number(PyObject *object) { return static_cast<float>(PyFloat_AsDouble(object)); }

#define WITHOUT_GIL(call) Py_BEGIN_ALLOW_THREADS call; Py_END_ALLOW_THREADS
