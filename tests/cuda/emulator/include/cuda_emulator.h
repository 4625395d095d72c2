// The part of CUDA C++ that deepkit's kernels use, for an ordinary C++17 compiler: each CUDA thread is a fiber, and the
// functions that wait for other threads hand over to the scheduler in runtime.cpp. emulator.py puts this header in
// front of every kernel file.
#pragma once

#define DEEPKIT_EMULATOR 1
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(n) alignas(n)
#define __grid_constant__
#define CUDART_VERSION 13000

#include "cuda_types.h"

extern "C" {
// Fixed for as long as a fiber runs, so that the compiler may keep them in registers; the scheduler exchanges them.
extern const uint3 threadIdx, blockIdx;
extern const dim3 blockDim, gridDim;

// Storage of a __shared__ variable in this block, named by the address of a key; all ones to begin with, which is NaN
// in every floating-point type.
void *dk_shared(const void *key, unsigned long size, unsigned long align);
void *dk_dynamic_shared();

void dk_barrier(const char *file, int line);
// Wait for the lanes of `mask`, then copy `size` bytes: from lane `source` (0..31) its `in`, or with source -1 those of
// all 32 lanes one after the other (absent ones stay as they are). `exact`: every lane of the mask has to take part.
void dk_warp(unsigned mask, const void *in, void *out, int size, int source, bool exact, const char *what, const char *file,
             int line);
unsigned dk_live_lanes();
void dk_fence();
[[noreturn]] void dk_fail(const char *text, const char *file, int line);
}

constexpr int warpSize = 32;

#define __syncthreads() dk_barrier(__FILE__, __LINE__)
#define __threadfence() dk_fence()
#define __threadfence_block() dk_fence()
#define __trap() dk_fail("__trap()", __FILE__, __LINE__)
#define assert(condition) ((condition) ? (void)0 : dk_fail("assertion failed: " #condition, __FILE__, __LINE__))
#define __activemask() dk_live_lanes()

// __syncwarp() in a block that doesn't fill its last warp waits for the lanes there are.
inline void dk_syncwarp(const char *file, int line, unsigned mask = 0xffffffffu) {
    dk_warp(mask, nullptr, nullptr, 0, -1, false, "__syncwarp", file, line);
}
#define __syncwarp(...) dk_syncwarp(__FILE__, __LINE__, ##__VA_ARGS__)

inline int dk_lane() {
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) & 31;
}

enum class dk_way { index, up, down, exclusive };

template <class T>
T dk_shuffle(const char *what, const char *file, int line, dk_way way, unsigned mask, T value, int by, int width = 32) {
    if (width < 1 || width > 32 || (width & (width - 1))) dk_fail("the width of a shuffle is a power of 2", file, line);
    const int lane = dk_lane(), first = lane & ~(width - 1);
    int source = lane;
    if (way == dk_way::index) source = first + (by & (width - 1));
    if (way == dk_way::up && lane - by >= first) source = lane - by;
    if (way == dk_way::down && lane + by < first + width) source = lane + by;
    if (way == dk_way::exclusive && (lane ^ by) < first + width) source = lane ^ by;
    T out = value;
    dk_warp(mask, &value, &out, sizeof(T), source, true, what, file, line);
    return out;
}
#define __shfl_sync(...) dk_shuffle("__shfl_sync", __FILE__, __LINE__, dk_way::index, __VA_ARGS__)
#define __shfl_up_sync(...) dk_shuffle("__shfl_up_sync", __FILE__, __LINE__, dk_way::up, __VA_ARGS__)
#define __shfl_down_sync(...) dk_shuffle("__shfl_down_sync", __FILE__, __LINE__, dk_way::down, __VA_ARGS__)
#define __shfl_xor_sync(...) dk_shuffle("__shfl_xor_sync", __FILE__, __LINE__, dk_way::exclusive, __VA_ARGS__)

inline unsigned dk_ballot(const char *what, const char *file, int line, unsigned mask, int predicate) {
    int votes[32] = {};
    const int vote = predicate != 0;
    dk_warp(mask, &vote, votes, sizeof vote, -1, true, what, file, line);
    unsigned out = 0;
    for (int i = 0; i < 32; ++i)
        if (mask >> i & 1) out |= static_cast<unsigned>(votes[i]) << i;
    return out;
}
#define __ballot_sync(mask, p) dk_ballot("__ballot_sync", __FILE__, __LINE__, mask, p)
#define __any_sync(mask, p) (dk_ballot("__any_sync", __FILE__, __LINE__, mask, p) != 0)
#define __all_sync(mask, p) (dk_ballot("__all_sync", __FILE__, __LINE__, mask, p) == (mask))

// Votes of the whole block.
inline int dk_block_count(const char *file, int line, int predicate) {
    static char key;
    int *count = static_cast<int *>(dk_shared(&key, sizeof(int), alignof(int)));
    dk_barrier(file, line);
    __atomic_store_n(count, 0, __ATOMIC_RELAXED);
    dk_barrier(file, line);
    if (predicate) __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
    dk_barrier(file, line);
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}
#define __syncthreads_count(p) dk_block_count(__FILE__, __LINE__, p)
#define __syncthreads_or(p) (dk_block_count(__FILE__, __LINE__, p) != 0)
#define __syncthreads_and(p) (dk_block_count(__FILE__, __LINE__, !(p)) == 0)

// Atomics are real ones, so that ThreadSanitizer tells them from ordinary accesses.
template <class T, class F> T dk_update(T *p, F change) {
    T old, next;
    __atomic_load(p, &old, __ATOMIC_RELAXED);
    do next = change(old);
    while (!__atomic_compare_exchange(p, &old, &next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
}
template <class T> T atomicAdd(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return T(x + v); }); }
template <class T> T atomicSub(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return T(x - v); }); }
template <class T> T atomicMax(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return x < v ? v : x; }); }
template <class T> T atomicMin(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return v < x ? v : x; }); }
template <class T> T atomicOr(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return T(x | v); }); }
template <class T> T atomicAnd(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return T(x & v); }); }
template <class T> T atomicXor(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T x) { return T(x ^ v); }); }
template <class T> T atomicExch(T *p, typename dk_same<T>::type v) { return dk_update(p, [=](T) { return v; }); }
template <class T> T atomicCAS(T *p, typename dk_same<T>::type expected, typename dk_same<T>::type v) {
    return dk_update(p, [=](T x) { return x == expected ? v : x; });
}

// Loads and stores with cache hints.
template <class T> T __ldg(const T *p) { return *p; }
template <class T> T __ldcs(const T *p) { return *p; }
template <class T> T __ldcg(const T *p) { return *p; }
template <class T> T __ldca(const T *p) { return *p; }
template <class T> void __stcs(T *p, T v) { *p = v; }
template <class T> void __stcg(T *p, T v) { *p = v; }

inline unsigned long __cvta_generic_to_shared(const void *p) { return reinterpret_cast<unsigned long>(p); }

#include "cuda_math.h"
#include "cuda_mma.h"
#include "cuda_launch.h"
