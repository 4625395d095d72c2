// Direct convolution, channels last: y[i, o] = sum over t, c of x[i s + t d - lo, c] kernel[t, c, o].
//
// A tile of PIXELS neighbouring outputs by BLOCK channels stays in registers while all of the window is summed: each
// input value is broadcast against the BLOCK weights of its place. The kernel is packed once a call into blocks of
// channels, so that the weights stream; a window's row is contiguous in x (its width times its channels), so a tile has
// two loops. Outputs at the borders, whose windows reach into the zeros around x, leave these out: the result is cut into
// rectangles whose outputs meet the same elements of the window. The gradient of the kernel keeps a tile of PIXELS inputs
// by BLOCK outputs in registers over all positions of an image. Work is shared by images, or by rows of one; gradients
// are summed in the order of the parts.

namespace {

// A block of output channels: BLOCK of them, or what is left, in as few vectors as that takes.
struct Block {
    int first, channels, vectors;
    std::size_t packed;  // where its weights begin
    int size() const { return vectors * WIDTH; }
};

std::vector<Block> blocks_of(int channels, std::size_t taps) {
    std::vector<Block> blocks;
    std::size_t at = 0;
    for (int first = 0; first < channels; first += BLOCK) {
        const int count = std::min(BLOCK, channels - first);
        blocks.push_back({first, count, (count + WIDTH - 1) / WIDTH, at});
        at += taps * blocks.back().size();
    }
    return blocks;
}

// Neighbouring outputs along a dimension that meet the same elements of the window: those within x.
struct Range {
    int first, count, tap, taps;
    int end() const { return first + count; }
};

std::vector<Range> ranges_of(int outputs, int inputs, int k, int stride, int dilation, int lo) {
    std::vector<Range> ranges;
    const auto past = [&](int distance) { return std::min(k, std::max(0, (distance + dilation - 1) / dilation)); };
    for (int i = 0; i < outputs; ++i) {
        const int tap = past(lo - i * stride), taps = std::max(0, past(inputs + lo - i * stride) - tap);
        if (i && ranges.back().tap == tap && ranges.back().taps == taps) ++ranges.back().count;
        else ranges.push_back({i, 1, tap, taps});
    }
    return ranges;
}

// A rectangle of outputs that meet the same elements of the window, and where its runs lie: `depth` elements of x from
// `x` on, counted from the first one the window meets, and as many rows of the kernel from `taps` on.
struct Run {
    std::size_t x, taps;
};
struct Rectangle {
    Range rows, columns;
    int depth;
    std::vector<Run> runs;
};

std::vector<Rectangle> rectangles_of(const ConvShape &s) {
    std::vector<Rectangle> all;
    const std::vector<Range> columns = ranges_of(s.ow, s.w, s.kw, s.stride_w, s.dilation_w, s.lo_w);
    for (const Range &r : ranges_of(s.oh, s.h, s.kh, s.stride_h, s.dilation_h, s.lo_h))
        for (const Range &c : columns) {
            const int pieces = s.dilation_w == 1 ? 1 : c.taps;  // a row of the window is contiguous, or not
            all.push_back({r, c, s.dilation_w == 1 ? c.taps * s.ci : s.ci, {}});
            for (int i = 0; i < r.taps; ++i)
                for (int j = 0; j < pieces; ++j)
                    all.back().runs.push_back({(std::size_t(i) * s.dilation_h * s.w + j * s.dilation_w) * s.ci,
                                               (std::size_t(r.tap + i) * s.kw + c.tap + j) * s.ci});
        }
    return all;
}

template <int P, int V>
__attribute__((noinline)) void tile(const Rectangle &part, const float *x, std::size_t step, const float *kernel,
                                    const float *bias, bool relu, float *y, std::size_t y_step, int channels) {
    vec acc[P][V];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = load(bias + v * WIDTH);
    for (const Run &at : part.runs) {
        const float *w = kernel + at.taps * V * WIDTH;
        // One pointer for three pixels, which are one and two steps behind it: there are few registers for pointers.
        const float *run[(P + 2) / 3];
#pragma GCC unroll 16
        for (int p = 0; p < P; p += 3) run[p / 3] = x + at.x + p * step;
        for (int k = 0; k < part.depth; ++k, w += V * WIDTH) {
            vec weight[V];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) weight[v] = load(w + v * WIDTH);
#pragma GCC unroll 16
            for (int p = 0; p < P; ++p) {
                const float value = run[p / 3][p % 3 * step];
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) acc[p][v] += value * weight[v];
            }
#pragma GCC unroll 16
            for (int p = 0; p < P; p += 3) ++run[p / 3];
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
            vec out = acc[p][v];
            if (relu) out = relu_of(out);
            const int left = channels - v * WIDTH;
            if (left >= WIDTH) store(y + p * y_step + v * WIDTH, out);
            else if (left > 0) store_some(y + p * y_step + v * WIDTH, out, left);
        }
}

template <int P, int V>
void tiles(int pixels, const Rectangle &part, const float *x, std::size_t step, const float *w, const float *bias, bool relu,
           float *y, std::size_t y_step, int channels) {
    if (pixels == P) tile<P, V>(part, x, step, w, bias, relu, y, y_step, channels);
    else if constexpr (P > 1) tiles<P - 1, V>(pixels, part, x, step, w, bias, relu, y, y_step, channels);
}

// The input of an image with its zeros around it.
void pad(const ConvShape &s, const float *image, int height, int width, float *out) {
    std::memset(out, 0, sizeof(float) * height * width * s.ci);
    const int rows = std::min(s.h, height - s.lo_h), columns = std::min(s.w, width - s.lo_w);
    for (int i = 0; i < rows && columns > 0; ++i)
        std::memcpy(out + (std::size_t(i + s.lo_h) * width + s.lo_w) * s.ci, image + std::size_t(i) * s.w * s.ci,
                    sizeof(float) * columns * s.ci);
}

// The shape with the zeros as part of the input, as far as windows reach.
ConvShape padded(ConvShape s) {
    s.h = (s.oh - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1;
    s.w = (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1;
    s.lo_h = s.lo_w = 0;
    return s;
}

double operations(const ConvShape &s) { return 2.0 * s.n * s.oh * s.ow * s.kh * s.kw * s.ci * s.co; }

// Whether much of the result lies in rectangles too small for a tile.
bool in_pieces(const ConvShape &s, const std::vector<Rectangle> &parts) {
    int small = 0;
    for (const Rectangle &r : parts)
        if (std::max(r.rows.count, r.columns.count) < DK_PIXELS / 3) small += r.rows.count * r.columns.count;
    return parts.size() > 1 && small * 8 > s.oh * s.ow;
}

void conv(const ConvShape &given, const Placement &to, const float *x, const float *kernel, const float *bias, bool relu,
          float *y) {
    const std::size_t taps = std::size_t(given.kh) * given.kw * given.ci;
    const std::vector<Block> blocks = blocks_of(given.co, taps);
    std::vector<float> packed(blocks.back().packed + taps * blocks.back().size()), biases(blocks.size() * BLOCK);
    if (bias) std::copy(bias, bias + given.co, biases.begin());
    for (const Block &b : blocks)
        for (std::size_t t = 0; t < taps; ++t)
            std::copy_n(kernel + t * given.co + b.first, b.channels, packed.begin() + b.packed + t * b.size());
    ConvShape s = given;
    std::vector<Rectangle> parts = rectangles_of(s);
    const bool copies = in_pieces(s, parts);
    if (copies) parts = rectangles_of(s = padded(s));
    // Whole images where there are enough of them, else some rows each.
    const int chunks = s.n >= 2 * thread_count() ? 1 : std::min(s.oh, std::max(1, 4 * thread_count() / std::max(1, s.n)));
    const int rows = (s.oh + chunks - 1) / chunks;
    parallel(s.n * chunks, operations(s) / 60, [&](int number) {
        const int image = number / chunks, begin = number % chunks * rows, end = std::min(s.oh, begin + rows);
        const float *source = x + std::size_t(image) * given.h * given.w * s.ci;
        std::unique_ptr<float[]> scratch;
        if (copies) {
            scratch.reset(new float[std::size_t(s.h) * s.w * s.ci]);
            pad(given, source, s.h, s.w, scratch.get());
            source = scratch.get();
        }
        float *result = y + ((std::size_t(image) * to.h + to.first_h) * to.w + to.first_w) * s.co;
        for (const Block &b : blocks)
            for (const Rectangle &part : parts) {
                const int top = std::max(begin, part.rows.first), high = std::min(end, part.rows.end()) - top;
                const int left = part.columns.first, wide = part.columns.count;
                if (high <= 0) continue;
                // Lines of tiles go along the rows or along the columns, whichever takes fewer.
                const int across = (wide + DK_PIXELS - 1) / DK_PIXELS, down = (high + DK_PIXELS - 1) / DK_PIXELS;
                const bool flat = high * across <= wide * down;
                const int lines = flat ? high : wide, length = flat ? wide : high, per_line = flat ? across : down;
                const std::size_t x_down = std::size_t(s.stride_h) * s.w * s.ci, x_across = std::size_t(s.stride_w) * s.ci;
                const std::size_t y_down = std::size_t(to.step_h) * to.w * s.co, y_across = std::size_t(to.step_w) * s.co;
                const float *in = part.runs.empty() ? source : source + (std::size_t(top * s.stride_h + part.rows.tap * s.dilation_h - s.lo_h) * s.w +
                                            left * s.stride_w + part.columns.tap * s.dilation_w - s.lo_w) * s.ci;
                float *out = result + top * y_down + left * y_across + b.first;
                with_vectors(b.vectors, [&](auto vectors) {
                    for (int i = 0; i < lines; ++i)
                        for (int t = 0; t < per_line; ++t) {  // tiles of nearly equal size
                            const int first = length * t / per_line, last = length * (t + 1) / per_line;
                            tiles<DK_PIXELS, vectors.value>(
                                last - first, part, in + i * (flat ? x_down : x_across) + first * (flat ? x_across : x_down),
                                flat ? x_across : x_down, packed.data() + b.packed, biases.data() + b.first, relu,
                                out + i * (flat ? y_down : y_across) + first * (flat ? y_across : y_down),
                                flat ? y_across : y_down, b.channels);
                        }
                });
            }
    });
}

// J inputs of the window by BLOCK outputs, summed over the positions of an image.
template <int J, int V>
INLINE void kernel_tile(const ConvShape &s, const float *x, int row, const float *g, std::size_t g_step, float *sum) {
    vec acc[J][V];
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[j][v] = load(sum + j * V * WIDTH + v * WIDTH);
    const std::size_t step = std::size_t(s.stride_w) * s.ci;
    for (int i = 0; i < s.oh; ++i) {
        const float *line = x + std::size_t(i) * s.stride_h * row;
        for (int p = 0; p < s.ow; ++p, line += step, g += g_step) {
            vec grad[V];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) grad[v] = load(g + v * WIDTH);
#pragma GCC unroll 16
            for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) acc[j][v] += line[j] * grad[v];
        }
    }
#pragma GCC unroll 16
    for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(sum + j * V * WIDTH + v * WIDTH, acc[j][v]);
}

template <int J, int V>
void kernel_tiles(int inputs, const ConvShape &s, const float *x, int row, const float *g, std::size_t g_step, float *sum) {
    if (inputs == J) kernel_tile<J, V>(s, x, row, g, g_step, sum);
    else if constexpr (J > 1) kernel_tiles<J - 1, V>(inputs, s, x, row, g, g_step, sum);
}

void conv_kernel_grad(const ConvShape &given, const float *x, const float *gy, float *g_kernel) {
    const ConvShape s = padded(given);
    const bool direct = !given.lo_h && !given.lo_w && s.h <= given.h && s.w <= given.w;
    const int row = (direct ? given.w : s.w) * s.ci;
    const std::size_t taps = std::size_t(s.kh) * s.kw * s.ci;
    const std::vector<Block> blocks = blocks_of(s.co, taps);
    const std::size_t all = blocks.back().packed + taps * blocks.back().size();
    // The window's elements in one row of it that are contiguous in x, and where such runs begin.
    const int depth = s.dilation_w == 1 ? s.kw * s.ci : s.ci, across = s.dilation_w == 1 ? 1 : s.kw, runs = s.kh * across;
    const int per_run = (depth + DK_PIXELS - 1) / DK_PIXELS, places = s.oh * s.ow;
    const int parts = std::min(s.n, thread_count());
    std::vector<float> sums(parts * all);
    parallel(parts, operations(s) / 60, [&](int part) {
        float *mine = sums.data() + part * all;
        std::vector<float> scratch(direct ? 0 : std::size_t(s.h) * row), filled;
        for (int image = s.n * part / parts; image < s.n * (part + 1) / parts; ++image) {
            const float *source = x + std::size_t(image) * given.h * given.w * s.ci;
            if (!direct) {
                pad(given, source, s.h, s.w, scratch.data());
                source = scratch.data();
            }
            for (const Block &b : blocks) {
                const float *g = gy + std::size_t(image) * places * s.co + b.first;
                std::size_t g_step = s.co;
                if (b.channels < b.size()) {  // filled up, so that whole vectors can be read
                    filled.assign(std::size_t(places) * b.size(), 0.0f);
                    for (int i = 0; i < places; ++i)
                        std::copy_n(g + std::size_t(i) * s.co, b.channels, filled.begin() + std::size_t(i) * b.size());
                    g = filled.data();
                    g_step = b.size();
                }
                with_vectors(b.vectors, [&](auto vectors) {
                    for (int r = 0; r < runs; ++r)
                        for (int t = 0; t < per_run; ++t) {
                            const int a = depth * t / per_run, e = depth * (t + 1) / per_run;
                            const float *from = source + std::size_t(r / across) * s.dilation_h * row + r % across * s.dilation_w * s.ci;
                            kernel_tiles<DK_PIXELS, vectors.value>(
                                e - a, s, from + a, row, g, g_step, mine + b.packed + (std::size_t(r) * depth + a) * b.size());
                        }
                });
            }
        }
    });
    for (const Block &b : blocks)
        for (std::size_t t = 0; t < taps; ++t)
            for (int o = 0; o < b.channels; ++o) {
                float total = 0;
                for (int part = 0; part < parts; ++part) total += sums[part * all + b.packed + t * b.size() + o];
                g_kernel[t * s.co + b.first + o] = total;
            }
}

}  // namespace
