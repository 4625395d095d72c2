// Weights summed up over the elements above each of some thresholds, as metrics count.
//
//     above:  partial[part, k, c] = sum of weights[i, c] over the i of the part with p[i] > thresholds[k]
//
// p (n) and thresholds (count) double, weights (n, m), partial (parts, count, m) double; column_sum_last (reduce.cu) adds
// up the parts. NaN is above nothing. Every threshold looks at every element, which for the few hundred thresholds of a
// metric is less work than sorting them in, takes one launch, and sums in the same order every time.
//
// Launch: blocks of 256 threads in a grid of (count, parts, m), each at most 65,535.

#include "device.cuh"

template <typename T>
__device__ void above(const double *p, const double *thresholds, const T *weights, double *partial, long long n, long long m) {
    LAUNCH_SHAPE(blockDim.x % 32 == 0 && blockDim.y * blockDim.z == 1 && gridDim.z == m);
    const double threshold = thresholds[blockIdx.x];
    const long long part = (n + gridDim.y - 1) / gridDim.y, first = part * blockIdx.y;
    const long long last = first + part < n ? first + part : n;
    double sum = 0;
    for (long long i = first + threadIdx.x; i < last; i += blockDim.x) {
        if (p[i] > threshold) sum += double(to_sum(weights[i * m + blockIdx.z]));
    }
    sum = team_reduce(sum, Add());
    if (threadIdx.x == 0) partial[((long long)blockIdx.y * gridDim.x + blockIdx.x) * m + blockIdx.z] = sum;
}

#define ABOVE(T, suffix)                                                                                               \
    extern "C" __global__ void above_##suffix(const double *p, const double *thresholds, const T *weights,             \
                                              double *partial, long long n, long long m) {                             \
        above(p, thresholds, weights, partial, n, m);                                                                  \
    }
FOR_FLOATS(ABOVE)
