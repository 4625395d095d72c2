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

void max_pool_grad(const PoolShape &s, const float *x, const float *y, const float *gy, float *gx) {
    std::memset(gx, 0, sizeof(float) * s.n * s.h * s.w * s.c);
    parallel(s.n, double(s.n) * s.h * s.w * s.c / 2, [&](int image) {
        for (int i = 0; i < s.oh; ++i)
            for (int j = 0; j < s.ow; ++j) {
                const int top = std::max(0, s.lo_h - i * s.stride_h), bottom = std::min(s.kh, s.h + s.lo_h - i * s.stride_h);
                const int left = std::max(0, s.lo_w - j * s.stride_w), right = std::min(s.kw, s.w + s.lo_w - j * s.stride_w);
                const std::ptrdiff_t base = ((std::ptrdiff_t(image) * s.h + i * s.stride_h - s.lo_h) * s.w + j * s.stride_w - s.lo_w) * s.c;
                const std::size_t at_y = ((std::size_t(image) * s.oh + i) * s.ow + j) * s.c;
                over_channels(s.c, [&](int at, int count) {
                    const bool whole = count == WIDTH;
                    const vec best = whole ? load(y + at_y + at) : load_some(y + at_y + at, count);
                    const vec g = whole ? load(gy + at_y + at) : load_some(gy + at_y + at, count);
                    ivec open = (ivec){} - 1;
                    for (int a = top; a < bottom; ++a)
                        for (int b = left; b < right; ++b) {
                            const std::ptrdiff_t p = base + (std::ptrdiff_t(a) * s.w + b) * s.c + at;
                            const vec v = whole ? load(x + p) : load_some(x + p, count);
                            const ivec hit = open & ((v == best) | ((v != v) & (best != best)));
                            open &= ~hit;
                            const vec old = whole ? load(gx + p) : load_some(gx + p, count);
                            const vec sum = old + pick(hit, g, vec{});
                            whole ? store(gx + p, sum) : store_some(gx + p, sum, count);
                        }
                });
            }
    });
}

}  // namespace
