// The floating-point types that kernels come in, and the types they sum in.
//
// FOR_FLOATS(KERNEL) makes a kernel for each: KERNEL(float, f32) KERNEL(double, f64) KERNEL(__half, f16)
// KERNEL(__nv_bfloat16, bf16). sum_type<T> is what values are added up in: float for the 16-bit types.

#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

template <typename T> struct Sum { using type = T; };
template <> struct Sum<__half> { using type = float; };
template <> struct Sum<__nv_bfloat16> { using type = float; };
template <typename T> using sum_type = typename Sum<T>::type;

template <typename T> __device__ __forceinline__ sum_type<T> to_sum(T x) { return x; }
template <> __device__ __forceinline__ float to_sum(__half x) { return __half2float(x); }
template <> __device__ __forceinline__ float to_sum(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T> __device__ __forceinline__ T from_sum(sum_type<T> x) { return x; }
template <> __device__ __forceinline__ __half from_sum<__half>(float x) { return __float2half(x); }
template <> __device__ __forceinline__ __nv_bfloat16 from_sum<__nv_bfloat16>(float x) { return __float2bfloat16(x); }

#define FOR_FLOATS(KERNEL) \
    KERNEL(float, f32)     \
    KERNEL(double, f64)    \
    KERNEL(__half, f16)    \
    KERNEL(__nv_bfloat16, bf16)
