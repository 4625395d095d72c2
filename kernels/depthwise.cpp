// Depthwise convolution, channels last: output channel c * m + j is filter j of input channel c, so there is no product of
// matrices in it. y[i, c m + j] = sum over t of x[i s + t d - lo, c] w[t, c m + j].
//
// With one filter a channel (m = 1) a vector of channels meets a vector of weights; with more, x is spread first, so that
// the loops are the same. In ConvShape `co` is m, and the channels are counted by the caller.

namespace {

// f(row of x, place in the kernel) for the input elements of output row i that aren't padding; the same for columns.
template <class F>
INLINE void over_taps(int i, int n, int k, int stride, int dilation, int lo, F f) {
    for (int t = 0; t < k; ++t) {
        const int at = i * stride + t * dilation - lo;
        if (at >= 0 && at < n) f(at, t);
    }
}

// x (pixels, c) with each channel m times.
std::vector<float> spread(const float *x, std::size_t pixels, int c, int m) {
    std::vector<float> out(pixels * c * m);
    for (std::size_t i = 0; i < pixels * c; ++i) std::fill_n(out.data() + i * m, m, x[i]);
    return out;
}

void depthwise(const ConvShape &s, int channels, const float *x, const float *w, float *y) {
    const int m = s.co, c = channels * m;
    const std::vector<float> spread_x = m > 1 ? spread(x, std::size_t(s.n) * s.h * s.w, channels, m) : std::vector<float>();
    const float *source = m > 1 ? spread_x.data() : x;
    parallel(s.n * s.oh, double(s.n) * s.oh * s.ow * s.kh * s.kw * c / 8, [&](int part) {
        const int image = part / s.oh, i = part % s.oh;
        const float *from = source + std::size_t(image) * s.h * s.w * c;
        for (int j = 0; j < s.ow; ++j) {
            float *to = y + (std::size_t(part) * s.ow + j) * c;
            over_row(c, [&](int at, int count) {
                vec sum{};
                over_taps(i, s.h, s.kh, s.stride_h, s.dilation_h, s.lo_h, [&](int row, int a) {
                    over_taps(j, s.w, s.kw, s.stride_w, s.dilation_w, s.lo_w, [&](int column, int b) {
                        sum += part_of(from + (std::size_t(row) * s.w + column) * c + at, count) *
                               part_of(w + (std::size_t(a) * s.kw + b) * c + at, count);
                    });
                });
                keep(to + at, sum, count);
            });
        }
    });
}

void depthwise_grad(const ConvShape &s, int channels, const float *x, const float *w, const float *gy, float *gx, float *gw) {
    const int m = s.co, c = channels * m, taps = s.kh * s.kw;
    const double work = double(s.n) * s.oh * s.ow * taps * c / 8;
    const std::vector<float> spread_x = m > 1 && gw ? spread(x, std::size_t(s.n) * s.h * s.w, channels, m) : std::vector<float>();
    const float *source = m > 1 ? spread_x.data() : x;
    // An image a part: its gradient of x, and its share of that of w, which are added up in the order of the images.
    std::vector<float> shares(gw ? std::size_t(s.n) * taps * c : 0);
    parallel(s.n, 2 * work, [&](int image) {
        const std::size_t pixels = std::size_t(s.h) * s.w;
        std::vector<float> wide(gx && m > 1 ? pixels * c : 0);
        float *to = !gx ? nullptr : m > 1 ? wide.data() : gx + image * pixels * c;
        if (gx && m == 1) std::fill_n(to, pixels * c, 0.0f);
        const float *from = source + image * pixels * c, *g = gy + std::size_t(image) * s.oh * s.ow * c;
        float *share = gw ? shares.data() + std::size_t(image) * taps * c : nullptr;
        for (int i = 0; i < s.oh; ++i)
            for (int j = 0; j < s.ow; ++j, g += c)
                over_taps(i, s.h, s.kh, s.stride_h, s.dilation_h, s.lo_h, [&](int row, int a) {
                    over_taps(j, s.w, s.kw, s.stride_w, s.dilation_w, s.lo_w, [&](int column, int b) {
                        const std::size_t place = (std::size_t(row) * s.w + column) * c, tap = (std::size_t(a) * s.kw + b) * c;
                        over_row(c, [&](int at, int count) {
                            const vec gradient = part_of(g + at, count);
                            if (to) keep(to + place + at, part_of(to + place + at, count) + gradient * part_of(w + tap + at, count), count);
                            if (share) keep(share + tap + at, part_of(share + tap + at, count) + gradient * part_of(from + place + at, count), count);
                        });
                    });
                });
        if (gx && m > 1)
            for (std::size_t k = 0; k < pixels * channels; ++k) {
                float total = 0;
                for (int f = 0; f < m; ++f) total += wide[k * m + f];
                gx[image * pixels * channels + k] = total;
            }
    });
    if (!gw) return;
    std::fill_n(gw, std::size_t(taps) * c, 0.0f);
    for (int image = 0; image < s.n; ++image)
        for (std::size_t k = 0; k < std::size_t(taps) * c; ++k) gw[k] += shares[std::size_t(image) * taps * c + k];
}

}  // namespace
