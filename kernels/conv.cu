// Convolution with ordinary arithmetic, float and double; conv.cuh has the method, the names and the launch shape.
//
// A suffix says the type, the size of the tiles, and with v that rows of channels and filters are read 16 bytes at once,
// for which both numbers have to be multiples and all addresses aligned.

#include "conv.cuh"

CONV_KERNELS(Float, Plain, 128, true, f32_128v)
CONV_KERNELS(Float, Plain, 64, true, f32_64v)
CONV_KERNELS(Float, Plain, 64, false, f32_64)
CONV_KERNELS(Double, Plain, 64, true, f64_64v)
CONV_KERNELS(Double, Plain, 64, false, f64_64)
