// Convolution on the tensor cores of Ampere and later: float rounded to tf32, and the 16-bit types, summed in float;
// conv.cuh has the method, the names and the launch shape, conv.cu says what suffixes mean.

#include "conv.cuh"

#if defined(DEEPKIT_EMULATOR) || __CUDA_ARCH__ >= 800
using Half = Pair<__half>;
using Bfloat = Pair<__nv_bfloat16>;
CONV_KERNELS(Tf32, Tensor, 128, true, tf32_128v)
CONV_KERNELS(Tf32, Tensor, 64, true, tf32_64v)
CONV_KERNELS(Tf32, Tensor, 64, false, tf32_64)
CONV_KERNELS(Half, Tensor, 128, true, f16_128v)
CONV_KERNELS(Half, Tensor, 64, true, f16_64v)
CONV_KERNELS(Half, Tensor, 64, false, f16_64)
CONV_KERNELS(Bfloat, Tensor, 128, true, bf16_128v)
CONV_KERNELS(Bfloat, Tensor, 64, true, bf16_64v)
CONV_KERNELS(Bfloat, Tensor, 64, false, bf16_64)
#endif
