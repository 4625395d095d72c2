// Softmax and cross-entropy with integer labels, row by row: loss = log(sum e^x) - x[label], and the probabilities, from
// which the gradient follows. Rows with a label out of range are the caller's to refuse.

namespace {

void softmax_cross_entropy(std::size_t rows, int c, const float *logits, const std::int32_t *labels, float *loss,
                           float *probabilities) {
    const int parts = static_cast<int>(std::min<std::size_t>(thread_count(), std::max<std::size_t>(1, rows * c / 4096)));
    parallel(parts, 2.0 * rows * c, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float *x = logits + r * c;
            float *p = probabilities + r * c;
            float top = x[0];
            for (int i = 1; i < c; ++i) top = x[i] > top || x[i] != x[i] ? x[i] : top;
            float total = 0;
            int i = 0;
            for (; i + WIDTH <= c; i += WIDTH) {
                const vec e = exp_of(load(x + i) - top);
                store(p + i, e);
                for (int k = 0; k < WIDTH; ++k) total += e[k];
            }
            if (i < c) {
                const vec e = exp_of(load_some(x + i, c - i) - top);
                store_some(p + i, e, c - i);
                for (int k = 0; k < c - i; ++k) total += e[k];
            }
            const float share = 1.0f / total;
            for (i = 0; i < c; ++i) p[i] *= share;
            loss[r] = std::log(total) - (x[labels[r]] - top);
        }
    });
}

}  // namespace
