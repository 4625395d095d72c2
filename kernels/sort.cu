// Row numbers brought into order with where each came from: a stable radix sort, 8 bits a pass from the lowest.
//
//     sort_rows_i32, _i64:  rows[i] = index[i], counted from the end where it is negative; `count` where there is no such row
//     sort_count:           counts[d * blocks + b] = numbers of the b-th block's with the digit d
//     sort_offsets:         counts[i] = the sum of counts[j] over j < i, in place
//     sort_place:           the pass: rows and order to where the offsets say; order null is 0, 1, 2, ...
//
// rows, order (n), counts (256, blocks), all 64-bit. A block has a tile of 2,048 numbers, each warp 256 of them, one after
// the other; lanes with the same digit find each other by votes, so that equal numbers keep their order, and nothing is
// atomic. Only shapes decide how many launches there are, so that a CUDA graph can hold them.
//
// Launch: sort_rows in blocks of 256 threads, as many as cover n, at most 65,536; sort_count and sort_place with
// ceil(n / 2,048) blocks of 256 threads; sort_offsets with one block of 1,024.

#include "device.cuh"

constexpr int DIGITS = 256, WARPS = 8, ROUNDS = 8;
constexpr unsigned ALL = 0xffffffffu;

template <typename I> __device__ void sort_rows(const I *index, long long *rows, long long n, long long count) {
    for (long long i = grid_place(); i < n; i += grid_size()) {
        const long long at = index[i];
        rows[i] = at >= 0 && at < count ? at : at < 0 && at >= -count ? at + count : count;
    }
}
extern "C" __global__ void sort_rows_i32(const int *index, long long *rows, long long n, long long count) {
    sort_rows(index, rows, n, count);
}
extern "C" __global__ void sort_rows_i64(const long long *index, long long *rows, long long n, long long count) {
    sort_rows(index, rows, n, count);
}

// Where this lane's warp begins in the tile.
__device__ __forceinline__ long long warp_begin() {
    return (long long)blockIdx.x * (DIGITS * ROUNDS) + (threadIdx.x >> 5) * (32 * ROUNDS) + (threadIdx.x & 31);
}

// The lanes of the warp that hold the same digit; none for a lane that is past the end.
__device__ __forceinline__ unsigned same_digit(int digit, bool there) {
    unsigned same = __ballot_sync(ALL, there);
#pragma unroll
    for (int bit = 0; bit < 8; ++bit) {
        const unsigned vote = __ballot_sync(ALL, (digit >> bit) & 1);
        same &= (digit >> bit) & 1 ? vote : ~vote;
    }
    return there ? same : 0;
}

// How many numbers of each digit every warp of the block has.
__device__ __forceinline__ void count_digits(const long long *rows, long long n, int shift, long long (*counted)[DIGITS]) {
    LAUNCH_SHAPE(blockDim.x == DIGITS && blockDim.y * blockDim.z * gridDim.y * gridDim.z == 1);
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    for (int w = 0; w < WARPS; ++w) counted[w][threadIdx.x] = 0;
    __syncthreads();
    for (int round = 0; round < ROUNDS; ++round) {
        const long long i = warp_begin() + 32 * round;
        const int digit = i < n ? (rows[i] >> shift) & (DIGITS - 1) : 0;
        const unsigned same = same_digit(digit, i < n);
        if (same && lane == __ffs(same) - 1) counted[warp][digit] += __popc(same);
        __syncwarp();
    }
    __syncthreads();
}

extern "C" __global__ void sort_count(const long long *rows, long long *counts, long long n, long long shift) {
    __shared__ long long counted[WARPS][DIGITS];
    count_digits(rows, n, shift, counted);
    long long total = 0;
    for (int w = 0; w < WARPS; ++w) total += counted[w][threadIdx.x];
    counts[(long long)threadIdx.x * gridDim.x + blockIdx.x] = total;
}

extern "C" __global__ void sort_offsets(long long *counts, long long n) {
    LAUNCH_SHAPE(blockDim.x % 32 == 0 && gridDim.x * gridDim.y * gridDim.z * blockDim.y * blockDim.z == 1);
    __shared__ long long of_warp[32];
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, warps = blockDim.x >> 5;
    long long before = 0;  // of all numbers so far
    for (long long start = 0; start < n; start += blockDim.x) {
        const long long i = start + threadIdx.x, own = i < n ? counts[i] : 0;
        long long sum = own;
#pragma unroll
        for (int by = 1; by < 32; by <<= 1) {
            const long long left = __shfl_up_sync(ALL, sum, by);
            if (lane >= by) sum += left;
        }
        if (lane == 31) of_warp[warp] = sum;
        __syncthreads();
        long long here = before;
        for (int w = 0; w < warps; ++w) {
            if (w < warp) here += of_warp[w];
            before += of_warp[w];
        }
        if (i < n) counts[i] = here + sum - own;
        __syncthreads();
    }
}

extern "C" __global__ void sort_place(const long long *rows, const long long *order, const long long *offsets,
                                      long long *sorted_rows, long long *sorted_order, long long n, long long shift) {
    __shared__ long long place[WARPS][DIGITS];
    count_digits(rows, n, shift, place);
    long long next = offsets[(long long)threadIdx.x * gridDim.x + blockIdx.x];
    for (int w = 0; w < WARPS; ++w) {
        const long long count = place[w][threadIdx.x];
        place[w][threadIdx.x] = next;
        next += count;
    }
    __syncthreads();
    const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    for (int round = 0; round < ROUNDS; ++round) {
        const long long i = warp_begin() + 32 * round, row = i < n ? rows[i] : 0;
        const int digit = (row >> shift) & (DIGITS - 1);
        const unsigned same = same_digit(digit, i < n);
        const long long at = place[warp][digit] + __popc(same & ((1u << lane) - 1));
        if (same) {
            sorted_rows[at] = row;
            sorted_order[at] = order ? order[i] : i;
        }
        __syncwarp();
        if (same && lane == __ffs(same) - 1) place[warp][digit] += __popc(same);
        __syncwarp();
    }
}
