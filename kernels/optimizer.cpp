// Optimizer rules over the flat arena: one pass, each element by itself.

namespace {

// f(i) for all elements, in equal parts: a thread finds the same ones in its cache at the next step. By value, for a float
// behind a reference might be one of those that are written.
template <class F>
INLINE void over_elements(std::size_t n, double work, F f) {
    const int parts = parts_of(work);
    parallel(parts, work, [=](int part) {
        const std::size_t end = n * (part + 1) / parts;
        for (std::size_t i = n * part / parts; i < end; ++i) f(i);
    });
}

// m, v <- means of g, g^2;  w -= rate m / (sqrt v + epsilon), the rate with its bias correction (Kingma & Ba 2015).
void adam(std::size_t n, float *w, const float *g, float *m, float *v, float rate, float b1, float b2, float epsilon) {
    const float a1 = 1.0f - b1, a2 = 1.0f - b2;
    over_elements(n, double(n), [=](std::size_t i) {
        const float mi = m[i] + (g[i] - m[i]) * a1;
        const float vi = v[i] + (g[i] * g[i] - v[i]) * a2;
        m[i] = mi;
        v[i] = vi;
        w[i] -= mi / (std::sqrt(vi) + epsilon) * rate;
    });
}

void sgd(std::size_t n, float *w, const float *g, float rate) {
    over_elements(n, 0.5 * n, [=](std::size_t i) { w[i] -= g[i] * rate; });
}

// m <- mu m - rate g;  w += m, or mu m - rate g with Nesterov's look-ahead (Sutskever et al. 2013).
void momentum(std::size_t n, float *w, const float *g, float *m, float rate, float mu, bool nesterov) {
    over_elements(n, 0.5 * n, [=](std::size_t i) {
        const float step = g[i] * rate, mi = m[i] * mu - step;
        m[i] = mi;
        w[i] += nesterov ? mi * mu - step : mi;
    });
}

// v <- mean of g^2;  w -= rate g / sqrt(v + epsilon) (Hinton 2012), through a momentum if there is one.
void rmsprop(std::size_t n, float *w, const float *g, float *v, float *m, float rate, float rho, float mu, float epsilon) {
    const float a = 1.0f - rho;
    over_elements(n, 0.5 * n, [=](std::size_t i) {
        const float vi = v[i] + (g[i] * g[i] - v[i]) * a;
        v[i] = vi;
        float step = g[i] / std::sqrt(vi + epsilon) * rate;
        if (m) m[i] = step = m[i] * mu + step;
        w[i] -= step;
    });
}

// a += g^2;  w -= rate g / sqrt(a + epsilon) (Duchi et al. 2011).
void adagrad(std::size_t n, float *w, const float *g, float *a, float rate, float epsilon) {
    over_elements(n, 0.5 * n, [=](std::size_t i) {
        a[i] += g[i] * g[i];
        w[i] -= g[i] / std::sqrt(a[i] + epsilon) * rate;
    });
}

}  // namespace
