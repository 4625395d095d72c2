// What kernels share: several elements in one access, loops over the grid, and reductions over the threads of a row.

#pragma once

#include "types.cuh"

// A launch of another shape than a kernel is written for: an error in the emulator, and nothing on a device.
#ifdef DEEPKIT_EMULATOR
#define LAUNCH_SHAPE(condition) assert(condition)
#else
#define LAUNCH_SHAPE(condition)
#endif

// N elements that one instruction loads or stores; at most 16 bytes.
template <typename T, int N> struct alignas(sizeof(T) * N) Pack {
    T at[N];
};

// Elements that elementwise kernels take at once: 16 bytes of float, 8 of the 16-bit types. One double is enough: cards
// compute them so slowly that loads are not what takes the time.
template <typename T> constexpr int PACK = sizeof(T) == 8 ? 1 : 4;

template <typename T, int N> __device__ __forceinline__ bool aligned(const T *p) {
    return reinterpret_cast<unsigned long long>(p) % (sizeof(T) * N) == 0;
}
template <typename T, int N> __device__ __forceinline__ Pack<T, N> load_pack(const T *p) {
    return *reinterpret_cast<const Pack<T, N> *>(p);
}
template <typename T, int N> __device__ __forceinline__ void store_pack(T *p, const Pack<T, N> &v) {
    *reinterpret_cast<Pack<T, N> *>(p) = v;
}

// This thread's place in the grid, and how many threads there are.
__device__ __forceinline__ long long grid_place() {
    LAUNCH_SHAPE(gridDim.y * gridDim.z * blockDim.y * blockDim.z == 1);
    return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ long long grid_size() { return (long long)gridDim.x * blockDim.x; }

// Rows are shared out to teams of blockDim.x threads, blockDim.y teams a block. Launch shape of every kernel over rows:
// blocks of (32, 8), a warp a row, for rows of up to 1,024 elements, else (256, 1), a block a row; as many blocks as
// there are rows for, at most 65,536. So a team is within a warp, or it is the whole block.
__device__ __forceinline__ long long team_place() {
    LAUNCH_SHAPE(gridDim.y * gridDim.z * blockDim.z == 1);
    return (long long)blockIdx.x * blockDim.y + threadIdx.y;
}
__device__ __forceinline__ long long team_count() { return (long long)gridDim.x * blockDim.y; }

struct Add {
    template <typename S> __device__ __forceinline__ S operator()(S a, S b) const { return a + b; }
};

// The larger one; NaN if there is one.
struct Larger {
    template <typename S> __device__ __forceinline__ S operator()(S a, S b) const { return a > b || a != a ? a : b; }
};

template <typename S> __device__ __forceinline__ S from_lane(S value, int by) {
    return __shfl_xor_sync(0xffffffffu, value, by);
}

// Combine the values of a team; every thread gets the result, with the same bits. `op` doesn't mind the order of its
// two arguments. S is a number, or a type with a from_lane of its own. All threads of the block take part if the team
// is the block.
template <typename S, typename Op> __device__ __forceinline__ S team_reduce(S value, Op op) {
    LAUNCH_SHAPE(blockDim.x == 32 || (blockDim.x % 32 == 0 && blockDim.y == 1));
#pragma unroll
    for (int by = 16; by; by >>= 1) value = op(value, from_lane(value, by));
    if (blockDim.x == 32) return value;
    __shared__ S of_warp[32];
    const int warps = blockDim.x >> 5;
    __syncthreads();  // whoever still reads an earlier result
    if ((threadIdx.x & 31) == 0) of_warp[threadIdx.x >> 5] = value;
    __syncthreads();
    value = of_warp[0];
    for (int i = 1; i < warps; ++i) value = op(value, of_warp[i]);
    return value;
}

// Combine the values of the threads of a column: threadIdx.x is the column, threadIdx.y the part, 32 x 8 threads. The
// result is in the threads with threadIdx.y == 0.
constexpr int COLUMNS = 32, PARTS = 8;

__device__ __forceinline__ long long column_place() {
    LAUNCH_SHAPE(blockDim.x == COLUMNS && blockDim.y == PARTS && blockDim.z * gridDim.z == 1);
    return (long long)blockIdx.x * COLUMNS + threadIdx.x;
}

template <typename S, typename Op> __device__ __forceinline__ S column_reduce(S value, Op op) {
    __shared__ S of_part[PARTS][COLUMNS];
    __syncthreads();
    of_part[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.y == 0) {
        for (int i = 1; i < PARTS; ++i) value = op(value, of_part[i][threadIdx.x]);
    }
    return value;
}
