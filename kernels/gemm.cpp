// Matrix product C = act(A B + bias), float32, and the same in one thread for the kernels that are made of products.
//
// Goto and van de Geijn (2008): a panel of B as wide as a register tile and DEPTH long stays in the first-level cache
// while the panels of A go past it; both are packed, so that the tile reads memory in order. A few rows only (a batch
// of one) read B where it lies. Every element is summed in the order of the inner dimension, whatever the number of
// threads.

namespace {

constexpr int BLOCK = DK_VECTORS * WIDTH;  // columns of a register tile; it has DK_PIXELS rows
constexpr int DEPTH = 256;                 // inner dimension of a panel
constexpr int PANEL_ROWS = 8 * DK_PIXELS;  // rows of A packed at once
constexpr int PANEL_COLUMNS = 24 * BLOCK;  // columns of B packed at once

// f with the number of vectors as a constant.
template <int V = DK_VECTORS, class F>
INLINE void with_vectors(int vectors, F f) {
    if (vectors == V) f(std::integral_constant<int, V>{});
    else if constexpr (V > 1) with_vectors<V - 1>(vectors, f);
}

// Element (i, j) at data[i * row + j * column].
struct Matrix {
    const float *data;
    std::size_t row, column;
    Matrix part(std::size_t i, std::size_t j) const { return {data + i * row + j * column, row, column}; }
};

struct Result {
    float *data;
    std::size_t row;
    bool add;           // to what is there
    const float *bias;  // one a column, or null
    bool relu;
};

// P rows by V vectors over `depth`. A packed panel holds P values for each k; else it is read where it lies. b_step
// elements lie between the rows of b.
template <int P, int V, bool PACKED>
void product_tile(int depth, Matrix a, const float *b, std::size_t b_step, const Result &out,
                  int columns) {
    vec acc[P][V];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = vec{};
    for (int k = 0; k < depth; ++k, a.data += PACKED ? P : a.column, b += b_step) {
        vec right[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) right[v] = load(b + v * WIDTH);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
            const float left = a.data[PACKED ? p : p * a.row];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) acc[p][v] += left * right[v];
        }
    }
    if (columns == V * WIDTH) {
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) {
                float *to = out.data + p * out.row + v * WIDTH;
                vec y = acc[p][v];
                if (out.add) y += load(to);
                if (out.bias) y += load(out.bias + v * WIDTH);
                if (out.relu) y = relu_of(y);
                store(to, y);
            }
        return;
    }
    float edge[P][V * WIDTH];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(edge[p] + v * WIDTH, acc[p][v]);
    for (int p = 0; p < P; ++p)
        for (int j = 0; j < columns; ++j) {
            float *to = out.data + p * out.row + j, y = edge[p][j];
            if (out.add) y += *to;
            if (out.bias) y += out.bias[j];
            *to = out.relu && y < 0.0f ? 0.0f : y;
        }
}

// A panel has DK_PIXELS rows, and the last rows are in panels of half as many and so on, down to one.
INLINE int panel_rows(int left) {
    int rows = DK_PIXELS;
    while (rows > left) rows /= 2;
    return rows;
}

template <int P, int V, bool PACKED>
INLINE void product_tiles(int rows, int depth, const Matrix &a, const float *b, std::size_t b_step, const Result &out,
                          int columns) {
    if (rows == P) product_tile<P, V, PACKED>(depth, a, b, b_step, out, columns);
    else if constexpr (P > 1) product_tiles<P / 2, V, PACKED>(rows, depth, a, b, b_step, out, columns);
}

// One row by a turned B: a dot product an element.
void dot_products(int n, int depth, const Matrix &a, const Matrix &b, const Result &c) {
    for (int j = 0; j < n; ++j) {
        const float *y = b.data + j * b.column;
        vec sums[4] = {};
        int k = 0;
        for (; k + 4 * WIDTH <= depth; k += 4 * WIDTH)
#pragma GCC unroll 4
            for (int v = 0; v < 4; ++v) sums[v] += load(a.data + k + v * WIDTH) * load(y + k + v * WIDTH);
        const vec sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        float total = c.add ? c.data[j] : 0.0f;
        for (int v = 0; v < WIDTH; ++v) total += sum[v];
        for (; k < depth; ++k) total += a.data[k] * y[k];
        if (c.bias) total += c.bias[j];
        c.data[j] = c.relu && total < 0.0f ? 0.0f : total;
    }
}

// y += sum over r of weights[r] rows[r], the rows `step` apart.
template <int ROWS>
INLINE void add_rows(int n, const Matrix &a, const float *rows, std::size_t step, float *y) {
    float weights[ROWS];
    for (int r = 0; r < ROWS; ++r) weights[r] = a.data[r * a.column];
    int j = 0;
    for (; j + WIDTH <= n; j += WIDTH) {
        vec sum = load(y + j);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) sum += weights[r] * load(rows + r * step + j);
        store(y + j, sum);
    }
    for (; j < n; ++j)
        for (int r = 0; r < ROWS; ++r) y[j] += weights[r] * rows[r * step + j];
}

// One row by B as it lies: some of its rows at a time are added up, so that memory is read in order.
void weighted_rows(int n, int depth, const Matrix &a, const Matrix &b, const Result &c) {
    if (!c.add) std::fill_n(c.data, n, 0.0f);
    int k = 0;
    for (; k + 8 <= depth; k += 8) add_rows<8>(n, a.part(0, k), b.part(k, 0).data, b.row, c.data);
    for (; k < depth; ++k) add_rows<1>(n, a.part(0, k), b.part(k, 0).data, b.row, c.data);
    for (int j = 0; j < n && c.bias; ++j) c.data[j] += c.bias[j];
    for (int j = 0; j < n && c.relu; ++j) c.data[j] = c.data[j] < 0.0f ? 0.0f : c.data[j];
}

// The four rows of 4 by 4 numbers, `step` apart, as columns `width` apart.
INLINE void turn_quad(const float *rows, std::size_t step, float *out, int width) {
    quad r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) r[i] = *reinterpret_cast<const quad *>(rows + i * step);
    const quad a = DK_SHUFFLE(r[0], r[1], 0, 4, 1, 5), b = DK_SHUFFLE(r[2], r[3], 0, 4, 1, 5);
    const quad c = DK_SHUFFLE(r[0], r[1], 2, 6, 3, 7), d = DK_SHUFFLE(r[2], r[3], 2, 6, 3, 7);
    const quad columns[4] = {DK_SHUFFLE(a, b, 0, 1, 4, 5), DK_SHUFFLE(a, b, 2, 3, 6, 7),
                             DK_SHUFFLE(c, d, 0, 1, 4, 5), DK_SHUFFLE(c, d, 2, 3, 6, 7)};
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) *reinterpret_cast<quad *>(out + k * width) = columns[k];
}

// out[k * width + i] = rows[i * step + k] for `count` rows, a cache line of each at a time.
void turn(const float *rows, std::size_t step, int count, int depth, float *out, int width) {
    for (int first = 0; first < depth; first += 16) {
        const int end = std::min(depth, first + 16);
        for (int i = 0; i < count; i += 4) {
            const float *from = rows + i * step;
            int k = first;
            if (i + 4 <= count)
                for (; k + 4 <= end; k += 4) turn_quad(from + k, step, out + k * width + i, width);
            for (; k < end; ++k)
                for (int r = 0; r < std::min(4, count - i); ++r) out[k * width + i + r] = from[r * step + k];
        }
    }
}

// Rows of A in panels: for each k the values of the panel's rows side by side.
void pack_rows(const Matrix &a, int rows, int depth, float *out) {
    for (int first = 0, count; first < rows; first += count) {
        count = panel_rows(rows - first);
        const float *from = a.data + first * a.row;
        if (a.row == 1)
            for (int k = 0; k < depth; ++k) std::copy_n(from + k * a.column, count, out + k * count);
        else turn(from, a.row, count, depth, out, count);
        out += count * depth;
    }
}

// Columns of B in panels of BLOCK, zeros behind the last: for each k the panel's columns side by side. Rows are read some
// at a time in their whole length, for memory that lies far away.
void pack_columns(const Matrix &b, int depth, int columns, float *out) {
    constexpr int ROWS = 16;
    const int whole = b.column == 1 ? columns / BLOCK * BLOCK : 0;
    for (int k = 0; k < depth && whole; k += ROWS)
        for (int first = 0; first < whole; first += BLOCK) {
            const float *from = b.data + k * b.row + first;
            float *to = out + std::size_t(first) * depth + k * BLOCK;
            for (int end = std::min(depth, k + ROWS), kk = k; kk < end; ++kk, from += b.row, to += BLOCK)
                for (int v = 0; v < DK_VECTORS; ++v) store(to + v * WIDTH, load(from + v * WIDTH));
        }
    for (int first = whole; first < columns; first += BLOCK) {
        const int count = std::min(BLOCK, columns - first);
        const float *from = b.data + first * b.column;
        float *to = out + std::size_t(first) * depth;
        if (count < BLOCK) std::fill_n(to, depth * BLOCK, 0.0f);
        if (b.column == 1)
            for (int k = 0; k < depth; ++k) std::copy_n(from + k * b.row, count, to + k * BLOCK);
        else turn(from, b.column, count, depth, to, BLOCK);
    }
}

// Memory for packed panels, kept by each thread.
INLINE float *panels(std::size_t size) {
    static thread_local std::vector<float> memory;
    if (memory.size() < size) memory.resize(size);
    return memory.data();
}

INLINE Result from(Result c, std::size_t i, std::size_t j) {
    c.data += i * c.row + j;
    if (c.bias) c.bias += j;
    return c;
}

// C (m, n) of A (m, depth) and B (depth, n) on this thread.
__attribute__((noinline)) void product(int m, int n, int depth, const Matrix &a, const Matrix &b, const Result &c) {
    if (m == 1 && b.column == 1 && n >= WIDTH) return weighted_rows(n, depth, a, b, c);
    if (m == 1 && b.row == 1 && a.column == 1) return dot_products(n, depth, a, b, c);
    // What is used once or twice only isn't worth packing.
    const bool direct_a = n <= (a.column == 1 ? 2 : 1) * BLOCK, direct_b = m <= 4 * DK_PIXELS && b.column == 1;
    float *left = panels((PANEL_ROWS + PANEL_COLUMNS) * DEPTH), *right = left + PANEL_ROWS * DEPTH;
    for (int k = 0; k == 0 || k < depth; k += DEPTH) {  // once for an empty sum, too
        const int deep = std::min(DEPTH, depth - k);
        Result out = c;
        out.add = c.add || k > 0;
        if (k + deep < depth) out.bias = nullptr, out.relu = false;
        for (int j = 0; j < n; j += PANEL_COLUMNS) {
            const int wide = std::min(PANEL_COLUMNS, n - j), whole = direct_b ? wide / BLOCK * BLOCK : 0;
            if (whole < wide) pack_columns(b.part(k, j + whole), deep, wide - whole, right);
            for (int i = 0; i < m; i += PANEL_ROWS) {
                const int high = std::min(PANEL_ROWS, m - i);
                if (!direct_a) pack_rows(a.part(i, k), high, deep, left);
                for (int jj = 0; jj < wide; jj += BLOCK) {
                    const int columns = std::min(BLOCK, wide - jj);
                    const bool packed = jj >= whole;
                    const float *panel = packed ? right + std::size_t(jj - whole) * deep : b.part(k, j + jj).data;
                    const std::size_t step = packed ? BLOCK : b.row;
                    with_vectors((columns + WIDTH - 1) / WIDTH, [&](auto vectors) {
                        constexpr int V = vectors.value;
                        for (int ii = 0, count; ii < high; ii += count) {
                            count = panel_rows(high - ii);
                            const Result tile = from(out, i + ii, j + jj);
                            if (direct_a)
                                product_tiles<DK_PIXELS, V, false>(count, deep, a.part(i + ii, k), panel, step, tile, columns);
                            else
                                product_tiles<DK_PIXELS, V, true>(count, deep, {left + std::size_t(ii) * deep, 0, 0}, panel, step, tile, columns);
                        }
                    });
                }
            }
        }
    }
}

// B (depth, n) in panels for product_with, for products that share it.
std::vector<float> in_panels(const Matrix &b, int depth, int n) {
    std::vector<float> out(std::size_t((n + BLOCK - 1) / BLOCK) * BLOCK * depth);
    pack_columns(b, depth, n, out.data());
    return out;
}

// C (m, n) of some rows of A, which lie in memory one by one, and B in panels.
void product_with(int m, int n, int depth, const Matrix &a, const float *panels, const Result &c) {
    for (int j = 0; j < n; j += BLOCK) {
        const int columns = std::min(BLOCK, n - j);
        with_vectors((columns + WIDTH - 1) / WIDTH, [&](auto vectors) {
            for (int i = 0, count; i < m; i += count) {
                count = panel_rows(m - i);
                product_tiles<DK_PIXELS, vectors.value, false>(count, depth, a.part(i, 0), panels + std::size_t(j) * depth, BLOCK, from(c, i, j), columns);
            }
        });
    }
}

// The same, shared among the threads by rows or columns.
void gemm(int m, int n, int depth, const float *a, bool turned_a, const float *b, bool turned_b, const float *bias,
          bool relu, bool add, float *c) {
    const Matrix left{a, std::size_t(turned_a ? 1 : depth), std::size_t(turned_a ? m : 1)};
    const Matrix right{b, std::size_t(turned_b ? 1 : n), std::size_t(turned_b ? depth : 1)};
    const Result out{c, std::size_t(n), add, bias, relu};
    const double work = 2.0 * m * n * depth / 60;
    // Each part packs for itself what it has in common with the others, so there are few of them; parts that are some
    // columns of a product with a left side as it lies have nothing in common.
    const int most = 2 * thread_count(), wide = (n + BLOCK - 1) / BLOCK;
    const bool by_rows = n < 2 * BLOCK || (m >= n && (turned_a || wide < most)) || m >= 4 * n;
    const int unit = by_rows ? DK_PIXELS : BLOCK, units = by_rows ? (m + unit - 1) / unit : wide;
    const int parts = std::min({units, parts_of(work), most});
    parallel(parts, work, [&](int part) {
        const int first = int(std::int64_t(units) * part / parts) * unit;
        const int end = std::min(by_rows ? m : n, int(std::int64_t(units) * (part + 1) / parts) * unit);
        if (by_rows) product(end - first, n, depth, left.part(first, 0), right, from(out, first, 0));
        else product(m, end - first, depth, left, right.part(0, first), from(out, 0, first));
    });
}

}  // namespace
