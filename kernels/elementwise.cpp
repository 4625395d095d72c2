// What lies between the layers that do the work: activations and sums of large arrays, shared among the threads.

namespace {

void relu(std::size_t n, const float *x, float *y) {
    over_elements(n, [=](std::size_t i) { y[i] = x[i] <= 0.0f ? 0.0f : x[i]; });  // a NaN stays one
}

// The gradient before a relu with result y.
void relu_pass(std::size_t n, const float *gy, const float *y, float *g) {
    over_elements(n, [=](std::size_t i) {
        const float passed = gy[i];  // read in any case, so that vectors can be
        g[i] = y[i] > 0.0f ? passed : 0.0f;
    });
}

void add(std::size_t n, const float *a, const float *b, float *y) {
    over_elements(n, [=](std::size_t i) { y[i] = a[i] + b[i]; });
}

}  // namespace
