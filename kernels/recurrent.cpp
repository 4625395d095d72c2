// LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014, the reset gate behind its product) through time.
//
// z (batch, steps, gates * units) is the input's share of the gates, u (units, gates * units) the recurrent kernel. Step s
// reads z at s, or from the end if `reverse`; its state goes to hs (batch, steps, units) at s. What the way back needs is
// kept by step: gates, cells and so on are (steps, batch, ...). Sequences don't depend on each other, so a part takes some
// of them through all steps, and nobody waits for anybody in between.

namespace {

// Sequences of a part: as many as there are for a thread, but rows for some register tiles, and not more than stay in its
// caches with their gates.
INLINE int part_size(int batch) {
    const int share = (batch + thread_count() - 1) / thread_count();
    return std::min(std::max(share, DK_PIXELS), 3 * DK_PIXELS);
}

struct Part {
    int first, rows;
};

template <class F>
void over_sequences(const SequenceShape &s, double work_of_one, F f) {
    const int size = part_size(s.batch), parts = (s.batch + size - 1) / size;
    parallel(parts, work_of_one * s.batch * s.steps, [&](int part) {
        const int first = part * size;
        f(Part{first, std::min(size, s.batch - first)});
    });
}

// The product of some rows with a matrix (depth, n) that all steps and parts have in common.
struct Shared {
    Matrix matrix;
    int depth, n;
    std::vector<float> panels;  // for a few rows the matrix is read where it lies

    Shared(const SequenceShape &s, const Matrix &matrix, int depth, int n) : matrix(matrix), depth(depth), n(n) {
        if (s.batch >= DK_PIXELS && s.steps > 1) panels = in_panels(matrix, depth, n);
    }
    void operator()(int rows, const Matrix &a, const Result &c) const {
        if (panels.empty()) product(rows, n, depth, a, matrix, c);
        else product_with(rows, n, depth, a, panels.data(), c);
    }
};

// f(row of the part, unit, count) for all units in vectors.
template <class F>
INLINE void over_units(int rows, int units, F f) {
    for (int row = 0; row < rows; ++row) {
        int i = 0;
        for (; i + WIDTH <= units; i += WIDTH) f(row, i, WIDTH);
        if (i < units) f(row, i, units - i);
    }
}

// Where a sequence's row of step s lies in an array (batch, steps, width), and in one (steps, batch, width).
INLINE std::size_t by_batch(const SequenceShape &s, int row, int step, int width) {
    return (std::size_t(row) * s.steps + step) * width;
}
INLINE std::size_t by_step(const SequenceShape &s, int row, int step, int width) {
    return (std::size_t(step) * s.batch + row) * width;
}
INLINE int place_of(const SequenceShape &s, int step) { return s.reverse ? s.steps - 1 - step : step; }

// The states that step s begins with.
INLINE Matrix before(const SequenceShape &s, int first, int step, const float *h0, const float *hs) {
    if (step == 0) return {h0 + std::size_t(first) * s.units, std::size_t(s.units), 1};
    return {hs + by_batch(s, first, step - 1, s.units), std::size_t(s.steps) * s.units, 1};
}

void lstm(const SequenceShape &s, const float *z, const float *u, const float *h0, float *hs, float *gates, float *cells,
          float *squashed) {
    const int n = s.units, width = 4 * n;
    const Shared by_u(s, {u, std::size_t(width), 1}, n, width);
    over_sequences(s, width * (2.0 * n / 60 + 1), [&](Part part) {
        std::unique_ptr<float[]> inner(new float[std::size_t(part.rows) * width]);
        for (int step = 0; step < s.steps; ++step) {
            by_u(part.rows, before(s, part.first, step, h0, hs), {inner.get(), std::size_t(width), false, nullptr, false});
            float *a = gates + by_step(s, part.first, step, width);
            const float *c = cells + by_step(s, part.first, step, n);
            float *c_new = cells + by_step(s, part.first, step + 1, n), *y = squashed + by_step(s, part.first, step, n);
            over_units(part.rows, n, [&](int row, int at, int count) {
                const float *in = z + by_batch(s, part.first + row, place_of(s, step), width) + at;
                const float *own = inner.get() + std::size_t(row) * width + at;
                float *g = a + std::size_t(row) * width + at;
                const std::size_t place = std::size_t(row) * n + at;
                const vec i = sigmoid_of(part_of(own, count) + part_of(in, count));
                const vec f = sigmoid_of(part_of(own + n, count) + part_of(in + n, count));
                const vec q = tanh_of(part_of(own + 2 * n, count) + part_of(in + 2 * n, count));
                const vec o = sigmoid_of(part_of(own + 3 * n, count) + part_of(in + 3 * n, count));
                const vec cell = f * part_of(c + place, count) + i * q, out = tanh_of(cell);
                keep(g, i, count);
                keep(g + n, f, count);
                keep(g + 2 * n, q, count);
                keep(g + 3 * n, o, count);
                keep(c_new + place, cell, count);
                keep(y + place, out, count);
                keep(hs + by_batch(s, part.first + row, step, n) + at, o * out, count);
            });
        }
    });
}

// dh and dc hold the gradients of the last states on entry and those of the first ones on exit; turned_u is u^T.
void lstm_grad(const SequenceShape &s, const float *turned_u, const float *gates, const float *cells, const float *squashed,
               const float *g_hs, float *dh, float *dc, float *dz) {
    const int n = s.units, width = 4 * n;
    const Shared by_turned_u(s, {turned_u, std::size_t(n), 1}, width, n);
    over_sequences(s, width * (2.0 * n / 60 + 1), [&](Part part) {
        std::unique_ptr<float[]> d(new float[std::size_t(part.rows) * width]);
        float *state = dh + std::size_t(part.first) * n, *memory = dc + std::size_t(part.first) * n;
        for (int step = s.steps - 1; step >= 0; --step) {
            const float *a = gates + by_step(s, part.first, step, width), *c = cells + by_step(s, part.first, step, n),
                        *y = squashed + by_step(s, part.first, step, n);
            over_units(part.rows, n, [&](int row, int at, int count) {
                const float *g = a + std::size_t(row) * width + at;
                const std::size_t place = std::size_t(row) * n + at;
                const vec i = part_of(g, count), f = part_of(g + n, count), q = part_of(g + 2 * n, count),
                          o = part_of(g + 3 * n, count), out = part_of(y + place, count);
                vec h = part_of(state + place, count);
                if (g_hs) h += part_of(g_hs + by_batch(s, part.first + row, step, n) + at, count);
                const vec cell = part_of(memory + place, count) + h * o * (1.0f - out * out);
                const vec parts[4] = {cell * q * i * (1.0f - i), cell * part_of(c + place, count) * f * (1.0f - f),
                                      cell * i * (1.0f - q * q), h * out * o * (1.0f - o)};
                float *far = dz + by_batch(s, part.first + row, place_of(s, step), width) + at;
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k) {
                    keep(d.get() + std::size_t(row) * width + k * n + at, parts[k], count);
                    keep(far + k * n, parts[k], count);
                }
                keep(memory + place, cell * f, count);
            });
            by_turned_u(part.rows, {d.get(), std::size_t(width), 1}, {state, std::size_t(n), false, nullptr, false});
        }
    });
}

// gates (steps, batch, 2 units) are update and reset, `inners` what the reset gate multiplies.
void gru(const SequenceShape &s, const float *z, const float *u, const float *bias, const float *h0, float *hs, float *gates,
         float *candidates, float *inners) {
    const int n = s.units, width = 3 * n;
    const Shared by_u(s, {u, std::size_t(width), 1}, n, width);
    over_sequences(s, width * (2.0 * n / 60 + 1), [&](Part part) {
        std::unique_ptr<float[]> inner(new float[std::size_t(part.rows) * width]);
        for (int step = 0; step < s.steps; ++step) {
            const Matrix h = before(s, part.first, step, h0, hs);
            by_u(part.rows, h, {inner.get(), std::size_t(width), false, bias, false});
            over_units(part.rows, n, [&](int row, int at, int count) {
                const float *in = z + by_batch(s, part.first + row, place_of(s, step), width) + at;
                const float *own = inner.get() + std::size_t(row) * width + at;
                float *a = gates + by_step(s, part.first + row, step, 2 * n) + at;
                const std::size_t place = by_step(s, part.first + row, step, n) + at;
                const vec p = sigmoid_of(part_of(own, count) + part_of(in, count));
                const vec r = sigmoid_of(part_of(own + n, count) + part_of(in + n, count));
                const vec kept = part_of(own + 2 * n, count);
                const vec q = tanh_of(part_of(in + 2 * n, count) + r * kept);
                keep(a, p, count);
                keep(a + n, r, count);
                keep(inners + place, kept, count);
                keep(candidates + place, q, count);
                keep(hs + by_batch(s, part.first + row, step, n) + at, q + p * (part_of(h.data + row * h.row + at, count) - q), count);
            });
        }
    });
}

// d_inner (batch, steps, 3 units) is the gradient of the state's product; dh as in lstm_grad.
void gru_grad(const SequenceShape &s, const float *turned_u, const float *h0, const float *hs, const float *gates,
              const float *candidates, const float *inners, const float *g_hs, float *dh, float *dz, float *d_inner) {
    const int n = s.units, width = 3 * n;
    const Shared by_turned_u(s, {turned_u, std::size_t(n), 1}, width, n);
    over_sequences(s, width * (2.0 * n / 60 + 1), [&](Part part) {
        float *state = dh + std::size_t(part.first) * n;
        for (int step = s.steps - 1; step >= 0; --step) {
            const Matrix h = before(s, part.first, step, h0, hs);
            const int place = place_of(s, step);
            over_units(part.rows, n, [&](int row, int at, int count) {
                const std::size_t here = by_step(s, part.first + row, step, n) + at;
                const float *a = gates + by_step(s, part.first + row, step, 2 * n) + at;
                const vec p = part_of(a, count), r = part_of(a + n, count), q = part_of(candidates + here, count);
                float *to = state + std::size_t(row) * n + at;
                vec g = part_of(to, count);
                if (g_hs) g += part_of(g_hs + by_batch(s, part.first + row, step, n) + at, count);
                const vec dp = g * (part_of(h.data + row * h.row + at, count) - q) * p * (1.0f - p);
                const vec dq = g * (1.0f - p) * (1.0f - q * q);
                const vec dr = dq * part_of(inners + here, count) * r * (1.0f - r);
                float *far = dz + by_batch(s, part.first + row, place, width) + at;
                float *own = d_inner + by_batch(s, part.first + row, place, width) + at;
                keep(far, dp, count);
                keep(far + n, dr, count);
                keep(far + 2 * n, dq, count);
                keep(own, dp, count);
                keep(own + n, dr, count);
                keep(own + 2 * n, dq * r, count);
                keep(to, g * p, count);
            });
            by_turned_u(part.rows, {d_inner + by_batch(s, part.first, place, width), std::size_t(s.steps) * width, 1},
                        {state, std::size_t(n), true, nullptr, false});
        }
    });
}

}  // namespace
