// One step of an LSTM behind its matrix product, and the step back (Hochreiter & Schmidhuber 1997).
//
// gates (batch, 4 units) holds h @ U on entry and i, f, g, o on exit; z (batch, 4 units), with rows z_step apart, is the
// input's share. sigmoid for i, f, o and tanh for g and the cell.

namespace {

template <class F>
INLINE void over_units(int batch, int units, F f) {
    const int parts = std::min(batch, thread_count());
    parallel(parts, 4.0 * batch * units, [&](int part) {
        for (int row = batch * part / parts; row < batch * (part + 1) / parts; ++row) {
            int i = 0;
            for (; i + WIDTH <= units; i += WIDTH) f(row, i, WIDTH);
            if (i < units) f(row, i, units - i);
        }
    });
}

void lstm_step(int batch, int units, float *gates, const float *z, std::size_t z_step, const float *c, float *c_new,
               float *squashed, float *h, std::size_t h_step) {
    over_units(batch, units, [&](int row, int at, int count) {
        float *a = gates + std::size_t(row) * 4 * units + at;
        const float *in = z + row * z_step + at;
        const std::size_t place = std::size_t(row) * units + at;
        const vec i = sigmoid_of(part_of(a, count) + part_of(in, count));
        const vec f = sigmoid_of(part_of(a + units, count) + part_of(in + units, count));
        const vec g = tanh_of(part_of(a + 2 * units, count) + part_of(in + 2 * units, count));
        const vec o = sigmoid_of(part_of(a + 3 * units, count) + part_of(in + 3 * units, count));
        const vec cell = f * part_of(c + place, count) + i * g;
        const vec y = tanh_of(cell);
        keep(a, i, count);
        keep(a + units, f, count);
        keep(a + 2 * units, g, count);
        keep(a + 3 * units, o, count);
        keep(c_new + place, cell, count);
        keep(squashed + place, y, count);
        keep(h + row * h_step + at, o * y, count);
    });
}

void lstm_step_grad(int batch, int units, const float *gates, const float *c, const float *squashed, const float *g_h,
                    std::size_t g_step, const float *dh_in, float *dc, float *d, float *dz, std::size_t dz_step) {
    over_units(batch, units, [&](int row, int at, int count) {
        const float *a = gates + std::size_t(row) * 4 * units + at;
        const std::size_t place = std::size_t(row) * units + at;
        const vec i = part_of(a, count), f = part_of(a + units, count), g = part_of(a + 2 * units, count),
                  o = part_of(a + 3 * units, count), y = part_of(squashed + place, count);
        vec dh = part_of(dh_in + place, count);
        if (g_h) dh += part_of(g_h + row * g_step + at, count);
        const vec cell = part_of(dc + place, count) + dh * o * (1.0f - y * y);
        const vec parts[4] = {cell * g * i * (1.0f - i), cell * part_of(c + place, count) * f * (1.0f - f),
                              cell * i * (1.0f - g * g), dh * y * o * (1.0f - o)};
        float *out = d + std::size_t(row) * 4 * units + at, *far = dz + row * dz_step + at;
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
            keep(out + k * units, parts[k], count);
            keep(far + k * units, parts[k], count);
        }
        keep(dc + place, cell * f, count);
    });
}

}  // namespace
