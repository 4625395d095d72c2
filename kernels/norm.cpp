// Batch normalization over rows (rows, c): statistics by column, and the gradient (Ioffe & Szegedy 2015); layer
// normalization: statistics by row (Ba et al. 2016).
//
// Columns are summed in parts of the rows, one part a task, and the parts in order. The variance is summed from the
// differences to the mean, a second pass, as the difference of squares would cancel.

namespace {

constexpr int NORM_PARTS = 16;

// sums[k] (c) of f(row) over all rows, for `count` sums at once; f adds a row's terms for a vector of columns.
template <int COUNT, class F>
void column_sums(std::size_t rows, int c, float *const *sums, F f) {
    const int parts = static_cast<int>(std::min<std::size_t>(NORM_PARTS, std::max<std::size_t>(1, rows / 32)));
    std::vector<float> partial(std::size_t(parts) * COUNT * c);
    parallel(parts, double(rows) * c / 4, [&](int part) {
        float *mine = partial.data() + std::size_t(part) * COUNT * c;
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            int i = 0;
            for (; i + WIDTH <= c; i += WIDTH) {
                vec terms[COUNT];
                f(r, i, WIDTH, terms);
#pragma GCC unroll 4
                for (int k = 0; k < COUNT; ++k) store(mine + k * c + i, load(mine + k * c + i) + terms[k]);
            }
            if (i < c) {
                vec terms[COUNT];
                f(r, i, c - i, terms);
                for (int k = 0; k < COUNT; ++k) store_some(mine + k * c + i, load_some(mine + k * c + i, c - i) + terms[k], c - i);
            }
        }
    });
    for (int k = 0; k < COUNT; ++k)
        for (int i = 0; i < c; ++i) {
            float total = 0;
            for (int part = 0; part < parts; ++part) total += partial[(std::size_t(part) * COUNT + k) * c + i];
            sums[k][i] = total;
        }
}

INLINE vec part_of(const float *p, int count) { return count == WIDTH ? load(p) : load_some(p, count); }
INLINE void keep(float *p, vec v, int count) { count == WIDTH ? store(p, v) : store_some(p, v, count); }

template <class F>
void over_rows(std::size_t rows, int c, F f) {
    const int parts = static_cast<int>(std::min<std::size_t>(NORM_PARTS, std::max<std::size_t>(1, rows / 32)));
    parallel(parts, double(rows) * c / 4, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            int i = 0;
            for (; i + WIDTH <= c; i += WIDTH) f(r * c + i, i, WIDTH);
            if (i < c) f(r * c + i, i, c - i);
        }
    });
}

void batch_norm(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon, float *y,
                float *mean, float *variance, float *inverse) {
    const float n = rows ? static_cast<float>(rows) : 1.0f;
    column_sums<1>(rows, c, &mean, [&](std::size_t r, int i, int count, vec *t) { t[0] = part_of(x + r * c + i, count); });
    for (int i = 0; i < c; ++i) mean[i] /= n;
    column_sums<1>(rows, c, &variance, [&](std::size_t r, int i, int count, vec *t) {
        const vec d = part_of(x + r * c + i, count) - part_of(mean + i, count);
        t[0] = d * d;
    });
    std::vector<float> scale(c), shift(c);
    for (int i = 0; i < c; ++i) {
        variance[i] /= n;
        inverse[i] = 1.0f / std::sqrt(variance[i] + epsilon);
        scale[i] = gamma ? inverse[i] * gamma[i] : inverse[i];
        shift[i] = beta ? beta[i] : 0.0f;
    }
    over_rows(rows, c, [&](std::size_t at, int i, int count) {
        const vec d = part_of(x + at, count) - part_of(mean + i, count);
        keep(y + at, d * part_of(scale.data() + i, count) + part_of(shift.data() + i, count), count);
    });
}

void batch_norm_grad(std::size_t rows, int c, const float *x, const float *mean, const float *inverse, const float *gamma,
                     const float *gy, float *gx, float *g_gamma, float *g_beta) {
    const float n = rows ? static_cast<float>(rows) : 1.0f;
    float *sums[2] = {g_beta, g_gamma};
    column_sums<2>(rows, c, sums, [&](std::size_t r, int i, int count, vec *t) {
        const vec g = part_of(gy + r * c + i, count);
        t[0] = g;
        t[1] = g * (part_of(x + r * c + i, count) - part_of(mean + i, count));
    });
    std::vector<float> scale(c), slope(c), level(c);
    for (int i = 0; i < c; ++i) {
        g_gamma[i] *= inverse[i];
        scale[i] = gamma ? inverse[i] * gamma[i] : inverse[i];
        slope[i] = g_gamma[i] * inverse[i] / n;
        level[i] = g_beta[i] / n;
    }
    if (!gx) return;
    over_rows(rows, c, [&](std::size_t at, int i, int count) {
        const vec d = part_of(x + at, count) - part_of(mean + i, count);
        const vec inner = part_of(gy + at, count) - part_of(level.data() + i, count) - d * part_of(slope.data() + i, count);
        keep(gx + at, inner * part_of(scale.data() + i, count), count);
    });
}

// f(at, count) for the elements of a row in vectors.
template <class F>
INLINE void over_row(int c, F f) {
    int i = 0;
    for (; i + WIDTH <= c; i += WIDTH) f(i, WIDTH);
    if (i < c) f(i, c - i);
}

INLINE float sum_of(vec v) {
    float total = 0;
    for (int k = 0; k < WIDTH; ++k) total += v[k];
    return total;
}

// The mask of the first `count` elements of a vector.
INLINE vec inside(vec v, int count) {
    if (count == WIDTH) return v;
    for (int k = count; k < WIDTH; ++k) v[k] = 0;
    return v;
}

void layer_norm(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon, bool centre,
                float *y, float *mean, float *inverse) {
    const int parts = static_cast<int>(std::min<std::size_t>(NORM_PARTS, std::max<std::size_t>(1, rows / 8)));
    parallel(parts, double(rows) * c / 2, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float *from = x + r * c;
            float *to = y + r * c;
            float middle = 0;
            vec sum{};
            if (centre) {
                over_row(c, [&](int i, int count) { sum += part_of(from + i, count); });
                middle = sum_of(sum) / c;
            }
            sum = vec{};
            over_row(c, [&](int i, int count) {
                const vec d = inside(part_of(from + i, count) - middle, count);
                sum += d * d;
            });
            const float scale = 1.0f / std::sqrt(sum_of(sum) / c + epsilon);
            mean[r] = middle;
            inverse[r] = scale;
            over_row(c, [&](int i, int count) {
                vec out = (part_of(from + i, count) - middle) * scale;
                if (gamma) out *= part_of(gamma + i, count);
                if (beta) out += part_of(beta + i, count);
                keep(to + i, out, count);
            });
        }
    });
}

void layer_norm_grad(std::size_t rows, int c, const float *x, const float *mean, const float *inverse, const float *gamma,
                     bool centre, const float *gy, float *gx, float *g_gamma, float *g_beta) {
    if (g_gamma || g_beta) {
        std::vector<float> unused(g_gamma && g_beta ? 0 : c);
        float *sums[2] = {g_beta ? g_beta : unused.data(), g_gamma ? g_gamma : unused.data()};
        column_sums<2>(rows, c, sums, [&](std::size_t r, int i, int count, vec *t) {
            t[0] = part_of(gy + r * c + i, count);
            t[1] = t[0] * (part_of(x + r * c + i, count) - mean[r]) * inverse[r];
        });
    }
    if (!gx) return;
    const int parts = static_cast<int>(std::min<std::size_t>(NORM_PARTS, std::max<std::size_t>(1, rows / 8)));
    parallel(parts, double(rows) * c / 2, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            const float *from = x + r * c, *g = gy + r * c;
            const float middle = mean[r], scale = inverse[r];
            vec level{}, slope{};
            over_row(c, [&](int i, int count) {
                vec inner = part_of(g + i, count);
                if (gamma) inner *= part_of(gamma + i, count);
                level += inner;
                slope += inner * inside((part_of(from + i, count) - middle) * scale, count);
            });
            const float a = centre ? sum_of(level) / c : 0.0f, b = sum_of(slope) / c;
            over_row(c, [&](int i, int count) {
                vec inner = part_of(g + i, count);
                if (gamma) inner *= part_of(gamma + i, count);
                keep(gx + r * c + i, (inner - (part_of(from + i, count) - middle) * scale * b - a) * scale, count);
            });
        }
    });
}

// The gradient before a relu with result y, and its column sums, those of the bias, in one pass.
void relu_grad(std::size_t rows, int c, const float *gy, const float *y, float *g, float *g_bias) {
    column_sums<1>(rows, c, &g_bias, [&](std::size_t r, int i, int count, vec *t) {
        const std::size_t at = r * c + i;
        const vec v = part_of(y + at, count);
        t[0] = pick(v > 0.0f, part_of(gy + at, count), vec{});
        keep(g + at, t[0], count);
    });
}

}  // namespace
