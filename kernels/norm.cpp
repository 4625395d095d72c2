// Batch normalization over rows (rows, c): statistics by column, and the gradient (Ioffe & Szegedy 2015); layer
// normalization: statistics by row (Ba et al. 2016).
//
// Columns are summed in parts of the rows, one part a task, and the parts in order; within a part by pieces that the
// first-level cache holds, a vector of columns after the other in registers. The variance is summed from the differences
// to the mean of a piece, as the difference of squares would cancel, and the pieces are merged (Chan et al. 1979).

namespace {

constexpr int NORM_PARTS = 16;

INLINE vec part_of(const float *p, int count) { return count == WIDTH ? load(p) : load_some(p, count); }
INLINE void keep(float *p, vec v, int count) { count == WIDTH ? store(p, v) : store_some(p, v, count); }

int norm_parts(std::size_t rows) { return static_cast<int>(std::min<std::size_t>(NORM_PARTS, std::max<std::size_t>(1, rows / 32))); }

// Rows that the first-level cache holds.
std::size_t some_rows(int c) { return std::max(8, 4096 / std::max(1, c)); }

// f(vectors, first row, last row, column, columns, how many of them are new) for pieces of a part of the rows, at most
// `most` of them. Columns go by four vectors, as memory wants to be read in long runs, and by one; the last go with enough
// before them to be a vector, where there are any.
template <class F>
INLINE void over_pieces(std::size_t rows, int c, int part, int parts, std::size_t most, F f) {
    constexpr std::integral_constant<int, 4> four;
    constexpr std::integral_constant<int, 1> one;
    const std::size_t end = rows * (part + 1) / parts;
    for (std::size_t first = rows * part / parts, last; first < end; first = last) {
        last = std::min(end, first + most);
        int i = 0;
        for (; i + 4 * WIDTH <= c; i += 4 * WIDTH) f(four, first, last, i, WIDTH, WIDTH);
        for (; i + WIDTH <= c; i += WIDTH) f(one, first, last, i, WIDTH, WIDTH);
        if (i < c && c >= WIDTH) f(one, first, last, c - WIDTH, WIDTH, c - i);
        else if (i < c) f(one, first, last, i, c - i, c - i);
    }
}

// The last `fresh` of a vector of columns.
INLINE void keep_new(float *p, vec v, int count, int fresh) {
    if (fresh == count) return keep(p, v, count);
    for (int j = count - fresh; j < count; ++j) p[j] = v[j];
}

// sums[k] (c) of f(row) over all rows, for COUNT sums at once; f gives a row's terms for a vector of columns. A piece has
// at most `most` rows.
template <int COUNT, class F>
void column_sums(std::size_t rows, int c, float *const *sums, std::size_t most, F f) {
    const int parts = norm_parts(rows);
    std::vector<float> partial(std::size_t(parts) * COUNT * c);
    parallel(parts, double(rows) * c / 4, [&](int part) {
        float *mine = partial.data() + std::size_t(part) * COUNT * c;
        over_pieces(rows, c, part, parts, most, [&](auto vectors, std::size_t first, std::size_t last, int i, int count,
                                                    int fresh) {
            constexpr int V = vectors.value;
            vec totals[V][COUNT] = {};
            for (std::size_t r = first; r < last; ++r)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) {
                    vec terms[COUNT];
                    f(r, i + v * WIDTH, count, terms);
#pragma GCC unroll 4
                    for (int k = 0; k < COUNT; ++k) totals[v][k] += terms[k];
                }
            for (int v = 0; v < V; ++v)
                for (int k = 0; k < COUNT; ++k) {
                    float *to = mine + k * c + i + v * WIDTH;
                    keep_new(to, part_of(to, count) + totals[v][k], count, fresh);
                }
        });
    });
    for (int k = 0; k < COUNT; ++k)
        for (int i = 0; i < c; ++i) {
            float total = 0;
            for (int part = 0; part < parts; ++part) total += partial[(std::size_t(part) * COUNT + k) * c + i];
            sums[k][i] = total;
        }
}

// Mean and variance of each column. m rows more than n change a mean by `share` = m / (n + m) of the difference d of the
// means, and the sum of squares around it by theirs and n share d^2.
void column_moments(std::size_t rows, int c, const float *x, float *mean, float *variance) {
    const int parts = norm_parts(rows);
    std::vector<float> partial(std::size_t(parts) * 2 * c);
    parallel(parts, double(rows) * c / 4, [&](int part) {
        float *means = partial.data() + std::size_t(part) * 2 * c, *squares = means + c;
        const std::size_t start = rows * part / parts;
        over_pieces(rows, c, part, parts, some_rows(c), [&](auto vectors, std::size_t first, std::size_t last, int i,
                                                            int count, int fresh) {
            constexpr int V = vectors.value;
            const float n = static_cast<float>(first - start), m = static_cast<float>(last - first), share = m / (n + m);
            vec sum[V] = {}, square[V] = {};
            for (std::size_t r = first; r < last; ++r)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) sum[v] += part_of(x + r * c + i + v * WIDTH, count);
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) sum[v] /= m;
            for (std::size_t r = first; r < last; ++r)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) {
                    const vec d = part_of(x + r * c + i + v * WIDTH, count) - sum[v];
                    square[v] += d * d;
                }
            for (int v = 0; v < V; ++v) {
                float *mean_to = means + i + v * WIDTH, *square_to = squares + i + v * WIDTH;
                const vec before = part_of(mean_to, count), d = sum[v] - before;
                keep_new(mean_to, before + d * share, count, fresh);
                keep_new(square_to, part_of(square_to, count) + square[v] + d * d * (n * share), count, fresh);
            }
        });
    });
    for (int i = 0; i < c; ++i) {
        mean[i] = variance[i] = 0;
        for (int part = 0; part < parts && rows; ++part) {
            const float n = static_cast<float>(rows * part / parts), share = 1.0f - n / static_cast<float>(rows * (part + 1) / parts);
            const float *found = partial.data() + std::size_t(part) * 2 * c + i, d = found[0] - mean[i];
            mean[i] += d * share;
            variance[i] += found[c] + d * d * (n * share);
        }
        variance[i] /= static_cast<float>(std::max<std::size_t>(rows, 1));
    }
}

// f(element, column, columns) for all vectors of an array.
template <class F>
void over_rows(std::size_t rows, int c, F f) {
    const int parts = norm_parts(rows);
    parallel(parts, double(rows) * c / 4, [&](int part) {
        for (std::size_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
            int i = 0;
            for (; i + WIDTH <= c; i += WIDTH) f(r * c + i, i, WIDTH);
            if (i < c && c >= WIDTH) f(r * c + c - WIDTH, c - WIDTH, WIDTH);  // some a second time
            else if (i < c) f(r * c + i, i, c - i);
        }
    });
}

void batch_norm(std::size_t rows, int c, const float *x, const float *gamma, const float *beta, float epsilon, float *y,
                float *mean, float *variance, float *inverse) {
    column_moments(rows, c, x, mean, variance);
    std::vector<float> scale(c), shift(c);
    for (int i = 0; i < c; ++i) {
        inverse[i] = 1.0f / std::sqrt(variance[i] + epsilon);
        scale[i] = gamma ? inverse[i] * gamma[i] : inverse[i];
        shift[i] = beta ? beta[i] : 0.0f;
    }
    over_rows(rows, c, [&](std::size_t at, int i, int count) {
        const vec d = part_of(x + at, count) - part_of(mean + i, count);
        keep(y + at, d * part_of(scale.data() + i, count) + part_of(shift.data() + i, count), count);
    });
}

// y = scale x + shift by column.
void affine(std::size_t rows, int c, const float *x, const float *scale, const float *shift, float *y) {
    over_rows(rows, c, [&](std::size_t at, int i, int count) {
        keep(y + at, part_of(x + at, count) * part_of(scale + i, count) + part_of(shift + i, count), count);
    });
}

void batch_norm_grad(std::size_t rows, int c, const float *x, const float *mean, const float *inverse, const float *gamma,
                     const float *gy, float *gx, float *g_gamma, float *g_beta) {
    const float n = rows ? static_cast<float>(rows) : 1.0f;
    float *sums[2] = {g_beta, g_gamma};
    column_sums<2>(rows, c, sums, some_rows(c), [&](std::size_t r, int i, int count, vec *t) {
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
        column_sums<2>(rows, c, sums, some_rows(c), [&](std::size_t r, int i, int count, vec *t) {
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
    const std::size_t most = c < 8 * WIDTH ? some_rows(c) : 1;  // what is written wants to be written in order, too
    column_sums<1>(rows, c, &g_bias, most, [&](std::size_t r, int i, int count, vec *t) {
        const std::size_t at = r * c + i;
        const vec v = part_of(y + at, count);
        t[0] = pick(v > 0.0f, part_of(gy + at, count), vec{});
        keep(g + at, t[0], count);
    });
}

// Sums over the rows.
void column_sum(std::size_t rows, int c, const float *x, float *sums) {
    column_sums<1>(rows, c, &sums, some_rows(c), [&](std::size_t r, int i, int count, vec *t) { t[0] = part_of(x + r * c + i, count); });
}

}  // namespace
