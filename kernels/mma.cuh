// The tensor cores: d = a b + c for small matrices spread over the registers of a warp, accumulated in float.
//
// Lane l has group l / 4 and place l % 4. c and d (16, 8): elements 0, 1 of a lane are row `group`, columns 2 place and
// 2 place + 1; elements 2, 3 the same of row group + 8. a (16, K) and b (K, 8), each register one tf32 number or two
// neighbours along K of 16 bits, the lower one in the low half; K = 8 numbers of tf32, or 8 or 16 of 16 bits:
//
//     a: register 0 is row `group`, element(s) `place` along K; register 1 row group + 8; with 4 registers 2 and 3 are
//        the same in the second half of K
//     b: register 0 is column `group`, element(s) `place` along K; register 1 the same in the second half of K
//
// All 32 lanes take part. tf32, bf16 and K = 16 need sm_80; below that mma_f16_k8 is what there is. The emulator has
// functions of its own (tests/cuda/emulator/include/cuda_mma.h), so that kernels are the same there.

#pragma once

#ifdef DEEPKIT_EMULATOR
#define mma_tf32 dk_mma_m16n8k8_tf32
#define mma_f16_k8 dk_mma_m16n8k8_f16
#define mma_f16 dk_mma_m16n8k16_f16
#define mma_bf16 dk_mma_m16n8k16_bf16

// The bits of a float rounded to the 10 digits of tf32, to nearest and ties away from zero.
__device__ __forceinline__ unsigned to_tf32(float x) {
    const unsigned bits = __float_as_uint(x);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
}
#else

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ unsigned to_tf32(float x) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
}
__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                         const float (&c)[4]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%10, %11, %12, %13};"
        : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
__device__ __forceinline__ void mma_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                        const float (&c)[4]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%10, %11, %12, %13};"
        : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                         const float (&c)[4]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%10, %11, %12, %13};"
        : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
#endif

__device__ __forceinline__ void mma_f16_k8(float (&d)[4], const unsigned (&a)[2], const unsigned (&b)[1],
                                           const float (&c)[4]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, %9, %10};"
        : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
#endif
