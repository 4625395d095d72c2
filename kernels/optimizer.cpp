// Optimizer rules over the flat arena: one pass, each element by itself.

namespace {

constexpr std::size_t OPTIMIZER_PART = 1 << 15;

// m, v <- means of g, g^2;  w -= rate m / (sqrt v + epsilon), the rate with its bias correction (Kingma & Ba 2015).
void adam(std::size_t n, float *w, const float *g, float *m, float *v, float rate, float b1, float b2, float epsilon) {
    const int parts = static_cast<int>((n + OPTIMIZER_PART - 1) / OPTIMIZER_PART);
    const float a1 = 1.0f - b1, a2 = 1.0f - b2;
    parallel(parts, double(n), [=](int part) {  // by value: a float behind a reference might be one of those written
        const std::size_t end = std::min(n, (part + 1) * OPTIMIZER_PART);
        for (std::size_t i = part * OPTIMIZER_PART; i < end; ++i) {
            const float mi = m[i] + (g[i] - m[i]) * a1;
            const float vi = v[i] + (g[i] * g[i] - v[i]) * a2;
            m[i] = mi;
            v[i] = vi;
            w[i] -= mi / (std::sqrt(vi) + epsilon) * rate;
        }
    });
}

}  // namespace
