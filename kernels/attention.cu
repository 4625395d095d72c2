// What attention does between its matrix products: scores to weights, and gradients of weights to those of scores.
//
//     s = scale x + bias, or `low` where the mask doesn't hold or, if causal, where the key is behind the query
//     attention_weights:      p = e^(s - top) / total, with top = max s and total = sum e^(s - top) of each row
//     attention_weights_grad: p again, and ds = p (dp - sum p dp) scale, 0 where s is `low`; also ds / scale if wanted
//
// x and dp (count heads, queries of the piece, n keys) are products, in what sums are kept in; p and ds are of the same
// shape, for the next products. A piece has the queries `first` to `first + count` of each of its heads, from head
// `start` on. top and total (all heads, all queries). bias and mask, or null, are read at b, h, t, j times the steps of
// theirs, which are 0 for an axis along which they are the same; head number i is head i % heads of item i / heads. ds of
// the bias (all heads, all queries, n). p may be x, ds may be dp: a thread reads an element before it writes it.
//
// Launch, over rows: device.cuh.

#include "softmax.cuh"

// Which rows these are, and where bias and mask are.
struct Piece {
    long long rows, n, heads, queries, start, first, count;
    long long bias_item, bias_head, bias_query, bias_key, mask_item, mask_head, mask_query, mask_key;
    double scale;
    int causal;
};

#define PIECE_ARGUMENTS                                                                                                \
    long long rows, long long n, long long heads, long long queries, long long start, long long first,                 \
        long long count, long long bias_item, long long bias_head, long long bias_query, long long bias_key,           \
        long long mask_item, long long mask_head, long long mask_query, long long mask_key, double scale,              \
        long long causal
#define PIECE                                                                                                          \
    Piece {                                                                                                            \
        rows, n, heads, queries, start, first, count, bias_item, bias_head, bias_query, bias_key, mask_item,           \
            mask_head, mask_query, mask_key, scale, int(causal)                                                        \
    }

template <typename S> __device__ __forceinline__ S lowest();
template <> __device__ __forceinline__ float lowest<float>() { return -0.7f * 3.402823466e38f; }
template <> __device__ __forceinline__ double lowest<double>() { return -0.7 * 1.7976931348623157e308; }

// The scores of one query.
template <typename T> struct Scores {
    using S = sum_type<T>;
    const S *x;
    const T *bias;
    const bool *mask;
    long long bias_key, mask_key, seen, place;  // place: of the query among all heads' queries
    S scale;

    __device__ __forceinline__ Scores(const Piece &piece, long long row, const S *x, const T *bias, const bool *mask) {
        const long long head = piece.start + row / piece.count, query = piece.first + row % piece.count;
        const long long item = head / piece.heads, h = head % piece.heads;
        this->x = x + row * piece.n;
        this->bias = bias ? bias + item * piece.bias_item + h * piece.bias_head + query * piece.bias_query : nullptr;
        this->mask = mask ? mask + item * piece.mask_item + h * piece.mask_head + query * piece.mask_query : nullptr;
        bias_key = piece.bias_key, mask_key = piece.mask_key, scale = S(piece.scale);
        seen = piece.causal && query + 1 < piece.n ? query + 1 : piece.n;
        place = head * piece.queries + query;
    }
    __device__ __forceinline__ bool hidden(long long j) const { return j >= seen || (mask && !mask[j * mask_key]); }
    __device__ __forceinline__ S operator()(long long j) const {
        if (hidden(j)) return lowest<S>();
        return bias ? x[j] * scale + to_sum(bias[j * bias_key]) : x[j] * scale;
    }
};

template <typename T>
__device__ void attention_weights(const sum_type<T> *x, const T *bias, const bool *mask, T *p, sum_type<T> *top,
                                  sum_type<T> *total, const Piece &piece) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < piece.rows; row += team_count()) {
        const Scores<T> scores(piece, row, x, bias, mask);
        Norm<S> v = {-S(__int_as_float(0x7f800000)), S(0)};
        for (long long j = threadIdx.x; j < piece.n; j += blockDim.x) v = Join()(v, Norm<S>{scores(j), S(1)});
        v = team_reduce(v, Join());
        if (threadIdx.x == 0) top[scores.place] = v.largest, total[scores.place] = v.total;
        T *to = p + row * piece.n;
        for (long long j = threadIdx.x; j < piece.n; j += blockDim.x) {
            to[j] = from_sum<T>(exp(scores(j) - v.largest) / v.total);
        }
    }
}

template <typename T>
__device__ void attention_weights_grad(const sum_type<T> *x, const sum_type<T> *dp, const T *bias, const bool *mask,
                                       const sum_type<T> *top, const sum_type<T> *total, T *p, T *ds,
                                       sum_type<T> *ds_bias, const Piece &piece) {
    using S = sum_type<T>;
    for (long long row = team_place(); row < piece.rows; row += team_count()) {
        const Scores<T> scores(piece, row, x, bias, mask);
        const S largest = top[scores.place], norm = total[scores.place];
        const long long at = row * piece.n;
        S shared = 0;
        for (long long j = threadIdx.x; j < piece.n; j += blockDim.x) {
            shared += exp(scores(j) - largest) / norm * dp[at + j];
        }
        shared = team_reduce(shared, Add());
        for (long long j = threadIdx.x; j < piece.n; j += blockDim.x) {
            const S weight = exp(scores(j) - largest) / norm;
            const S slope = scores.hidden(j) ? S(0) : weight * (dp[at + j] - shared);
            p[at + j] = from_sum<T>(weight);
            ds[at + j] = from_sum<T>(slope * scores.scale);
            if (ds_bias) ds_bias[scores.place * piece.n + j] = slope;
        }
    }
}

#define ATTENTION(T, suffix)                                                                                           \
    extern "C" __global__ void attention_weights_##suffix(const sum_type<T> *x, const T *bias, const bool *mask, T *p, \
                                                          sum_type<T> *top, sum_type<T> *total, PIECE_ARGUMENTS) {     \
        attention_weights<T>(x, bias, mask, p, top, total, PIECE);                                                     \
    }                                                                                                                  \
    extern "C" __global__ void attention_weights_grad_##suffix(                                                        \
        const sum_type<T> *x, const sum_type<T> *dp, const T *bias, const bool *mask, const sum_type<T> *top,          \
        const sum_type<T> *total, T *p, T *ds, sum_type<T> *ds_bias, PIECE_ARGUMENTS) {                                \
        attention_weights_grad<T>(x, dp, bias, mask, top, total, p, ds, ds_bias, PIECE);                               \
    }
FOR_FLOATS(ATTENTION)
