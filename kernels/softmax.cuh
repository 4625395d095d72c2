// The maximum of a row and the sum of its exponentials in one pass (Milakov & Gimelshein 2018, arXiv:1805.02867).

#pragma once

#include "device.cuh"

// The largest element so far, and the sum of e^(x - largest).
template <typename S> struct Norm {
    S largest, total;
};
template <typename S> __device__ __forceinline__ Norm<S> from_lane(Norm<S> v, int by) {
    return {__shfl_xor_sync(0xffffffffu, v.largest, by), __shfl_xor_sync(0xffffffffu, v.total, by)};
}
struct Join {
    template <typename S> __device__ __forceinline__ Norm<S> operator()(Norm<S> a, Norm<S> b) const {
        const S largest = Larger()(a.largest, b.largest);
        // e^(-inf - -inf) would be NaN: a part that has seen nothing, or -inf only, sums to 0 unless all are so.
        const S from_a = a.largest == largest ? a.total : a.total * exp(a.largest - largest);
        const S from_b = b.largest == largest ? b.total : b.total * exp(b.largest - largest);
        return {largest, from_a + from_b};
    }
};
