// Scaled dot-product attention, one head a task: softmax(scale q k^T + bias) v, and its gradients.
//
// q, out (batch, queries, heads, size or values), k, v (batch, keys, heads, size or values). The scores of a block of
// queries are made, normalized and used while they are in the cache; kept are each query's largest score and the sum of
// its exponentials, with which the way back makes the same weights again (Dao et al. 2022, FlashAttention). Heads are
// read where they lie, rows heads * size apart.

namespace {

constexpr int SCORES = 1 << 15;  // made at once: 128 KiB

struct Scores {
    const AttentionShape &s;
    const float *q, *k, *bias;
    const std::uint8_t *mask;

    // Scores of the queries first ... first + rows - 1 of head h of sequence b.
    void operator()(int b, int h, int first, int rows, float *out) const {
        const std::size_t step = std::size_t(s.heads) * s.size, keys = s.keys;
        const Matrix left{q + (std::size_t(b) * s.queries + first) * step + h * s.size, step, 1};
        const Matrix right{k + std::size_t(b) * s.keys * step + h * s.size, 1, step};
        product(rows, s.keys, s.size, left, right, {out, keys, false, nullptr, false});
        for (int i = 0; i < rows; ++i) {
            float *row = out + i * keys;
            for (int j = 0; j < s.keys; ++j) row[j] *= s.scale;
            if (bias) {
                const float *from = bias + b * s.bias[0] + h * s.bias[1] + (first + i) * s.bias[2];
                for (int j = 0; j < s.keys; ++j) row[j] += from[j * s.bias[3]];
            }
            if (mask) {
                const std::uint8_t *from = mask + b * s.mask[0] + h * s.mask[1] + (first + i) * s.mask[2];
                for (int j = 0; j < s.keys; ++j) row[j] = from[j * s.mask[3]] ? row[j] : s.low;
            }
            if (s.causal)
                for (int j = first + i + 1; j < s.keys; ++j) row[j] = s.low;
        }
    }
};

INLINE float largest(const float *x, int n, float start) {
    vec best = splat(start);
    int i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        const vec v = load(x + i);
        best = pick((v > best) | (v != v), v, best);  // a NaN wins and stays
    }
    float top = start;
    for (int k = 0; k < WIDTH; ++k) top = best[k] > top || best[k] != best[k] ? best[k] : top;
    for (; i < n; ++i) top = x[i] > top || x[i] != x[i] ? x[i] : top;
    return top;
}

// x <- e^(x - top), and the sum.
INLINE float exponentials(float *x, int n, float top) {
    vec sum{};
    int i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        const vec e = exp_of(load(x + i) - top);
        store(x + i, e);
        sum += e;
    }
    float total = 0;
    for (int k = 0; k < WIDTH; ++k) total += sum[k];
    if (i < n) {
        const vec e = exp_of(load_some(x + i, n - i) - top);
        store_some(x + i, e, n - i);
        for (int k = 0; k < n - i; ++k) total += e[k];
    }
    return total;
}

int queries_at_once(const AttentionShape &s) { return std::max(1, std::min(s.queries, SCORES / std::max(1, s.keys))); }

double attention_work(const AttentionShape &s) {
    return double(s.batch) * s.heads * s.queries * s.keys * (2.0 * (s.size + s.values) / 60 + 1);
}

void attention(const AttentionShape &s, const float *q, const float *k, const float *v, const float *bias,
               const std::uint8_t *mask, float *out, float *tops, float *totals) {
    const Scores scores{s, q, k, bias, mask};
    const int at_once = queries_at_once(s);
    const std::size_t step = std::size_t(s.heads) * s.values;
    parallel(s.batch * s.heads, attention_work(s), [&](int part) {
        const int b = part / s.heads, h = part % s.heads;
        std::unique_ptr<float[]> p(new float[std::size_t(at_once) * s.keys]);
        const Matrix right{v + std::size_t(b) * s.keys * step + h * s.values, step, 1};
        for (int first = 0; first < s.queries; first += at_once) {
            const int rows = std::min(at_once, s.queries - first);
            scores(b, h, first, rows, p.get());
            for (int i = 0; i < rows; ++i) {
                const std::size_t place = std::size_t(part) * s.queries + first + i;
                tops[place] = largest(p.get() + std::size_t(i) * s.keys, s.keys, s.low);
                totals[place] = exponentials(p.get() + std::size_t(i) * s.keys, s.keys, tops[place]);
            }
            float *to = out + (std::size_t(b) * s.queries + first) * step + h * s.values;
            product(rows, s.values, s.keys, {p.get(), std::size_t(s.keys), 1}, right, {to, step, false, nullptr, false});
            for (int i = 0; i < rows; ++i) {
                const float share = 1.0f / totals[std::size_t(part) * s.queries + first + i];
                for (int j = 0; j < s.values; ++j) to[i * step + j] *= share;
            }
        }
    });
}

void attention_grad(const AttentionShape &s, const float *q, const float *k, const float *v, const float *bias,
                    const std::uint8_t *mask, const float *out, const float *tops, const float *totals, const float *g,
                    float *gq, float *gk, float *gv) {
    const Scores scores{s, q, k, bias, mask};
    const int at_once = queries_at_once(s);
    const std::size_t step = std::size_t(s.heads) * s.size, value_step = std::size_t(s.heads) * s.values, keys = s.keys;
    parallel(s.batch * s.heads, 2.5 * attention_work(s), [&](int part) {
        const int b = part / s.heads, h = part % s.heads;
        std::unique_ptr<float[]> memory(new float[2 * std::size_t(at_once) * keys]);
        float *p = memory.get(), *d = p + std::size_t(at_once) * keys;
        const std::size_t sequence = std::size_t(b) * keys;
        const Matrix ks{k + sequence * step + h * s.size, step, 1};
        const Matrix turned_v{v + sequence * value_step + h * s.values, 1, value_step};
        float *to_k = gk + sequence * step + h * s.size, *to_v = gv + sequence * value_step + h * s.values;
        for (int first = 0; first < s.queries; first += at_once) {
            const int rows = std::min(at_once, s.queries - first);
            const std::size_t query = std::size_t(b) * s.queries + first;
            const Matrix qs{q + query * step + h * s.size, step, 1}, gs{g + query * value_step + h * s.values, value_step, 1};
            const Matrix turned_p{p, 1, keys}, ds{d, keys, 1}, turned_ds{d, 1, keys};
            scores(b, h, first, rows, p);
            product(rows, s.keys, s.values, gs, turned_v, {d, keys, false, nullptr, false});
            for (int i = 0; i < rows; ++i) {
                const std::size_t place = std::size_t(part) * s.queries + first + i;
                const float *y = out + (query + i) * value_step + h * s.values, *gy = gs.data + i * value_step;
                float shared = 0;  // sum of p dp, by the result alone
                for (int j = 0; j < s.values; ++j) shared += y[j] * gy[j];
                const float share = 1.0f / totals[place], top = tops[place];
                // A query without a key has constants for scores, through which no gradient goes.
                const float slope = top > s.low || top != top ? s.scale : 0.0f;
                float *weights = p + i * keys, *slopes = d + i * keys;
                int j = 0;
                for (; j + WIDTH <= s.keys; j += WIDTH) {
                    const vec w = exp_of(load(weights + j) - top) * share;
                    store(weights + j, w);
                    store(slopes + j, (load(slopes + j) - shared) * w * slope);
                }
                if (j < s.keys) {
                    const int left = s.keys - j;
                    const vec w = exp_of(load_some(weights + j, left) - top) * share;
                    store_some(weights + j, w, left);
                    store_some(slopes + j, (load_some(slopes + j, left) - shared) * w * slope, left);
                }
            }
            const bool more = first > 0;
            product(s.keys, s.values, rows, turned_p, gs, {to_v, value_step, more, nullptr, false});
            product(rows, s.size, s.keys, ds, ks, {gq + query * step + h * s.size, step, false, nullptr, false});
            product(s.keys, s.size, rows, turned_ds, qs, {to_k, step, more, nullptr, false});
        }
        if (!s.queries)
            for (std::size_t i = 0; i < keys; ++i) {
                std::fill_n(to_k + i * step, s.size, 0.0f);
                std::fill_n(to_v + i * value_step, s.values, 0.0f);
            }
    });
}

}  // namespace
