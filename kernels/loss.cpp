// Softmax and cross-entropy with integer labels, row by row: loss = log(sum e^x) - x[label], and the probabilities, from
// which the gradient follows. Rows with a label out of range are the caller's to refuse. And the squared error.

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

// The gradient (p - [label]) times each row's factor.
void cross_entropy_grad(std::size_t rows, int c, const float *probabilities, const std::int32_t *labels, const float *factors,
                        float *g) {
    const int parts = parts_of(double(rows) * c / 2);
    parallel(parts, double(rows) * c / 2, [=](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float factor = factors[r];
            for (int i = 0; i < c; ++i) g[r * c + i] = probabilities[r * c + i] * factor;
            g[r * c + labels[r]] -= factor;
        }
    });
}

// d = p - t, and the mean of its squares in each row.
void squared_error(std::size_t rows, int c, const float *t, const float *p, float *d, float *loss) {
    const int parts = parts_of(double(rows) * c / 2);
    parallel(parts, double(rows) * c / 2, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float *target = t + r * c, *found = p + r * c;
            float *to = d + r * c;
            vec sums[2] = {};
            const auto take = [&](int i, int count, vec &sum) {
                const vec difference = part_of(found + i, count) - part_of(target + i, count);
                keep(to + i, difference, count);
                sum += difference * difference;
            };
            int i = 0;
            for (; i + 2 * WIDTH <= c; i += 2 * WIDTH) take(i, WIDTH, sums[0]), take(i + WIDTH, WIDTH, sums[1]);
            for (; i < c; i += WIDTH) take(i, std::min(WIDTH, c - i), sums[0]);
            const vec sum = sums[0] + sums[1];
            float total = 0;
            for (int k = 0; k < WIDTH; ++k) total += sum[k];
            loss[r] = total / float(c);
        }
    });
}

// Row r of y is factors[r] times that of x.
void scale_rows(std::size_t rows, int c, const float *x, const float *factors, float *y) {
    const int parts = parts_of(double(rows) * c / 2);
    parallel(parts, double(rows) * c / 2, [=](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float factor = factors[r];
            for (int i = 0; i < c; ++i) y[r * c + i] = factor * x[r * c + i];
        }
    });
}

}  // namespace
