// Largest element of each window, channels last, and its gradient, which goes to every element equal to the largest one's
// first occurrence in the order of the window.

namespace {

template <class F>
INLINE void over_channels(int c, F f) {
    int i = 0;
    for (; i + WIDTH <= c; i += WIDTH) f(i, WIDTH);
    if (i < c) f(i, c - i);
}

void max_pool(const PoolShape &s, const float *x, float *y) {
    parallel(s.n * s.oh, double(s.n) * s.h * s.w * s.c / 4, [&](int part) {
        const int image = part / s.oh, i = part % s.oh;
        const int top = std::max(0, s.lo_h - i * s.stride_h), bottom = std::min(s.kh, s.h + s.lo_h - i * s.stride_h);
        for (int j = 0; j < s.ow; ++j) {
            const int left = std::max(0, s.lo_w - j * s.stride_w), right = std::min(s.kw, s.w + s.lo_w - j * s.stride_w);
            const float *window = x + ((std::size_t(image) * s.h + i * s.stride_h - s.lo_h) * s.w + j * s.stride_w - s.lo_w) * std::ptrdiff_t(s.c);
            float *out = y + (std::size_t(part) * s.ow + j) * s.c;
            over_channels(s.c, [&](int at, int count) {
                vec best = splat(-INFINITY);
                for (int a = top; a < bottom; ++a)
                    for (int b = left; b < right; ++b) {
                        const float *p = window + (std::ptrdiff_t(a) * s.w + b) * s.c + at;
                        const vec v = count == WIDTH ? load(p) : load_some(p, count);
                        best = pick((v > best) | (v != v), v, best);  // a NaN wins, as in NumPy
                    }
                count == WIDTH ? store(out + at, best) : store_some(out + at, best, count);
            });
        }
    });
}

// f(index of the first element of the window in x, rows of the window, columns, index in y) for each window of an image.
template <class F>
INLINE void over_windows(const PoolShape &s, int image, F f) {
    for (int i = 0; i < s.oh; ++i)
        for (int j = 0; j < s.ow; ++j) {
            const int y0 = i * s.stride_h - s.lo_h, x0 = j * s.stride_w - s.lo_w;
            const int top = std::max(0, y0), bottom = std::min(s.h, y0 + s.kh);
            const int left = std::max(0, x0), right = std::min(s.w, x0 + s.kw);
            const std::size_t first = ((std::size_t(image) * s.h + top) * s.w + left) * s.c;
            f(first, bottom - top, right - left, ((std::size_t(image) * s.oh + i) * s.ow + j) * s.c);
        }
}

// The gradient of a window's channels: g where x is first equal to `best`, to what is there or, if the windows lie side by
// side, instead of it. A row of the window has `columns` pixels, and one of x row_step elements.
template <bool ADD>
INLINE void max_pool_window(int rows, int columns, std::size_t row_step, int c, const float *x, const float *y, const float *gy,
                            float *gx) {
    over_channels(c, [&](int at, int count) {
        const bool whole = count == WIDTH;
        const vec best = whole ? load(y + at) : load_some(y + at, count);
        vec g = whole ? load(gy + at) : load_some(gy + at, count);
        for (int a = 0; a < rows; ++a)
            for (int b = 0; b < columns; ++b) {
                const std::size_t p = a * row_step + std::size_t(b) * c + at;
                const vec v = whole ? load(x + p) : load_some(x + p, count);
                const ivec hit = (v == best) | ((v != v) & (best != best));
                vec out = pick(hit, g, vec{});
                g = pick(hit, vec{}, g);  // nothing is left for the others
                if (ADD) out += whole ? load(gx + p) : load_some(gx + p, count);
                whole ? store(gx + p, out) : store_some(gx + p, out, count);
            }
    });
}

void max_pool_grad(const PoolShape &s, const float *x, const float *y, const float *gy, float *gx) {
    const bool apart = s.kh == s.stride_h && s.kw == s.stride_w;
    const std::size_t row = std::size_t(s.w) * s.c;
    // The rows and columns that windows reach.
    const int high = std::min(s.h, s.oh * s.stride_h - s.lo_h), wide = std::min(s.w, s.ow * s.stride_w - s.lo_w);
    parallel(s.n, double(s.n) * s.h * s.w * s.c / 2, [&](int image) {
        float *out = gx + image * s.h * row;
        if (!apart) std::fill_n(out, s.h * row, 0.0f);
        else {
            std::fill_n(out + high * row, (s.h - high) * row, 0.0f);
            for (int i = 0; i < high && wide < s.w; ++i) std::fill_n(out + i * row + wide * s.c, (s.w - wide) * s.c, 0.0f);
        }
        over_windows(s, image, [&](std::size_t first, int rows, int columns, std::size_t from) {
            if (apart) max_pool_window<false>(rows, columns, row, s.c, x + first, y + from, gy + from, gx + first);
            else max_pool_window<true>(rows, columns, row, s.c, x + first, y + from, gy + from, gx + first);
        });
    });
}

// The mean of what isn't padding.
void avg_pool(const PoolShape &s, const float *x, float *y) {
    parallel(s.n, double(s.n) * s.h * s.w * s.c / 4, [&](int image) {
        over_windows(s, image, [&](std::size_t first, int rows, int columns, std::size_t to) {
            const float share = 1.0f / (rows * columns);
            over_channels(s.c, [&](int at, int count) {
                vec sum{};
                for (int a = 0; a < rows; ++a)
                    for (int b = 0; b < columns; ++b) {
                        const float *p = x + first + (std::size_t(a) * s.w + b) * s.c + at;
                        sum += count == WIDTH ? load(p) : load_some(p, count);
                    }
                sum *= share;
                count == WIDTH ? store(y + to + at, sum) : store_some(y + to + at, sum, count);
            });
        });
    });
}

void avg_pool_grad(const PoolShape &s, const float *gy, float *gx) {
    std::memset(gx, 0, sizeof(float) * s.n * s.h * s.w * s.c);
    parallel(s.n, double(s.n) * s.h * s.w * s.c / 4, [&](int image) {
        over_windows(s, image, [&](std::size_t first, int rows, int columns, std::size_t from) {
            const float share = 1.0f / (rows * columns);
            over_channels(s.c, [&](int at, int count) {
                const vec g = (count == WIDTH ? load(gy + from + at) : load_some(gy + from + at, count)) * share;
                for (int a = 0; a < rows; ++a)
                    for (int b = 0; b < columns; ++b) {
                        float *p = gx + first + (std::size_t(a) * s.w + b) * s.c + at;
                        count == WIDTH ? store(p, load(p) + g) : store_some(p, load_some(p, count) + g, count);
                    }
            });
        });
    });
}

}  // namespace
