// The loop that every optimizer's step is.

#pragma once

#include "device.cuh"

template <typename T, int SLOTS> struct Slots {
    T *at[SLOTS];
};
template <typename T> struct Slots<T, 0> {
    T *at[1];
};

// rule(w, g, slots) changes one weight and its slots. 16 bytes an access where all arrays are aligned for it.
template <int SLOTS, typename T, typename Rule>
__device__ __forceinline__ void update(T *w, const T *g, Slots<T, SLOTS> slots, long long n, Rule rule) {
    using S = sum_type<T>;
    constexpr int N = PACK<T>;
    bool packed = aligned<T, N>(w) && aligned<T, N>(g);
#pragma unroll
    for (int k = 0; k < SLOTS; ++k) packed = packed && aligned<T, N>(slots.at[k]);
    const long long whole = packed ? n / N : 0;
    for (long long i = grid_place(); i < whole; i += grid_size()) {
        Pack<T, N> weights = load_pack<T, N>(w + i * N), held[SLOTS ? SLOTS : 1];
        const Pack<T, N> gradients = load_pack<T, N>(g + i * N);
#pragma unroll
        for (int k = 0; k < SLOTS; ++k) held[k] = load_pack<T, N>(slots.at[k] + i * N);
#pragma unroll
        for (int j = 0; j < N; ++j) {
            S weight = to_sum(weights.at[j]), slot[SLOTS ? SLOTS : 1];
#pragma unroll
            for (int k = 0; k < SLOTS; ++k) slot[k] = to_sum(held[k].at[j]);
            rule(weight, to_sum(gradients.at[j]), slot);
            weights.at[j] = from_sum<T>(weight);
#pragma unroll
            for (int k = 0; k < SLOTS; ++k) held[k].at[j] = from_sum<T>(slot[k]);
        }
        store_pack<T, N>(w + i * N, weights);
#pragma unroll
        for (int k = 0; k < SLOTS; ++k) store_pack<T, N>(slots.at[k] + i * N, held[k]);
    }
    for (long long i = whole * N + grid_place(); i < n; i += grid_size()) {
        S weight = to_sum(w[i]), slot[SLOTS ? SLOTS : 1];
#pragma unroll
        for (int k = 0; k < SLOTS; ++k) slot[k] = to_sum(slots.at[k][i]);
        rule(weight, to_sum(g[i]), slot);
        w[i] = from_sum<T>(weight);
#pragma unroll
        for (int k = 0; k < SLOTS; ++k) slots.at[k][i] = from_sum<T>(slot[k]);
    }
}
