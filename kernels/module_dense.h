// The dense layer for Python; None is given where arrays aren't contiguous float32, or there is an error to be found.
#pragma once

#include "arrays.h"

// makers(empty, reused, dtype, smallest): what makes float32 arrays, below and from so many bytes on.
PyObject *makers(PyObject *, PyObject *const *args, Py_ssize_t n);

// dense(x, w, bias or None, relu) gives act(x w + bias).
PyObject *dense(PyObject *, PyObject *const *args, Py_ssize_t n);

// dense_grad(x, w, y or None, gy, need_x, need_w, need_b) gives (gx, gw, gb); y is the result where it is a relu's. A need is
// False, True, or the array that the gradient is to go to.
PyObject *dense_grad(PyObject *, PyObject *const *args, Py_ssize_t n);
