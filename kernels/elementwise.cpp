// What lies between the layers that do the work: activations and sums of large arrays, shared among the threads.

namespace {

void relu(std::size_t n, const float *x, float *y) {
    over_elements(n, 0.5 * n, [=](std::size_t i) { y[i] = x[i] <= 0.0f ? 0.0f : x[i]; });  // a NaN stays one
}

// The gradient before a relu with result y.
void relu_pass(std::size_t n, const float *gy, const float *y, float *g) {
    over_elements(n, 0.5 * n, [=](std::size_t i) {
        const float passed = gy[i];  // read in any case, so that vectors can be
        g[i] = y[i] > 0.0f ? passed : 0.0f;
    });
}

// f(vectors of x ...) for all elements, in parts; `cost` nanoseconds each.
template <class F, class... X>
INLINE void over_vectors(std::size_t n, double cost, float *y, F f, const X *...x) {
    const int parts = parts_of(cost * n);
    parallel(parts, cost * n, [=](int part) {
        const std::size_t end = n * (part + 1) / parts;
        std::size_t i = n * part / parts;
        for (; i + WIDTH <= end; i += WIDTH) store(y + i, f(load(x + i)...));
        if (i < end) store_some(y + i, f(load_some(x + i, int(end - i))...), int(end - i));
    });
}

void sigmoid(std::size_t n, const float *x, float *y) {
    over_vectors(n, 1.0, y, [](vec v) { return sigmoid_of(v); }, x);
}

void tanh_all(std::size_t n, const float *x, float *y) {
    over_vectors(n, 1.0, y, [](vec v) { return tanh_of(v); }, x);
}

// The gradients before a sigmoid and a tanh with result y.
void sigmoid_pass(std::size_t n, const float *gy, const float *y, float *g) {
    over_vectors(n, 0.5, g, [](vec gv, vec v) { return (1.0f - v) * v * gv; }, gy, y);
}

void tanh_pass(std::size_t n, const float *gy, const float *y, float *g) {
    over_vectors(n, 0.5, g, [](vec gv, vec v) { return (1.0f - v * v) * gv; }, gy, y);
}

void add(std::size_t n, const float *a, const float *b, float *y) {
    over_elements(n, 0.5 * n, [=](std::size_t i) { y[i] = a[i] + b[i]; });
}

}  // namespace
