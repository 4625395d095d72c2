// Direct convolution, channels last: y[i, o] = sum over t, c of x[i s + t d - lo, c] kernel[t, c, o].
//
// A tile of PIXELS neighbouring outputs by BLOCK channels stays in registers while all of the window is summed: each
// input value is broadcast against the BLOCK weights of its place. The kernel is packed once a call into blocks of
// channels, so that the weights stream; a window's row is contiguous in x (its width times its channels), so a tile has
// two loops. The gradient of the kernel keeps a tile of PIXELS inputs by BLOCK outputs in registers over all positions of
// an image. Work is shared by images, or by rows of one; gradients are summed in the order of the parts.

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

// Where the rows of a window begin, and how much of each is contiguous.
struct Window {
    int runs, depth;
    std::vector<std::size_t> starts;
};

Window window_of(const ConvShape &s, int row) {
    Window w;
    if (s.dilation_w == 1) {
        w.runs = s.kh;
        w.depth = s.kw * s.ci;
        for (int i = 0; i < s.kh; ++i) w.starts.push_back(std::size_t(i) * s.dilation_h * row);
    } else {
        w.runs = s.kh * s.kw;
        w.depth = s.ci;
        for (int i = 0; i < s.kh; ++i)
            for (int j = 0; j < s.kw; ++j) w.starts.push_back(std::size_t(i) * s.dilation_h * row + j * s.dilation_w * s.ci);
    }
    return w;
}

template <int P, int V>
__attribute__((noinline)) void tile(const Window &win, const float *x, std::size_t step, const float *w, const float *bias,
                                    bool relu, float *y, std::size_t y_step, int channels) {
    vec acc[P][V];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = load(bias + v * WIDTH);
    for (int r = 0; r < win.runs; ++r) {
        // One pointer for three pixels, which are one and two steps behind it: there are few registers for pointers.
        const float *run[(P + 2) / 3];
#pragma GCC unroll 16
        for (int p = 0; p < P; p += 3) run[p / 3] = x + win.starts[r] + p * step;
        for (int k = 0; k < win.depth; ++k, w += V * WIDTH) {
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
            if (relu) out = larger(out, vec{});
            const int left = channels - v * WIDTH;
            if (left >= WIDTH) store(y + p * y_step + v * WIDTH, out);
            else if (left > 0) store_some(y + p * y_step + v * WIDTH, out, left);
        }
}

template <int P, int V>
void tiles(int pixels, const Window &win, const float *x, std::size_t step, const float *w, const float *bias, bool relu,
           float *y, std::size_t y_step, int channels) {
    if (pixels == P) tile<P, V>(win, x, step, w, bias, relu, y, y_step, channels);
    else if constexpr (P > 1) tiles<P - 1, V>(pixels, win, x, step, w, bias, relu, y, y_step, channels);
}

// Rows first ... first + rows - 1 of the padded input of an image.
void pad_rows(const ConvShape &s, const float *image, int first, int rows, int width, float *out) {
    std::memset(out, 0, sizeof(float) * rows * width * s.ci);
    for (int i = 0; i < rows; ++i) {
        const int at = first + i - s.lo_h;
        if (at < 0 || at % s.up_h || at / s.up_h >= s.h) continue;
        const float *from = image + std::size_t(at / s.up_h) * s.w * s.ci;
        float *to = out + (std::size_t(i) * width + s.lo_w) * s.ci;
        if (s.up_w == 1) {
            const int room = std::min(s.w, width - s.lo_w);
            std::memcpy(to, from, sizeof(float) * room * s.ci);
        } else {
            for (int j = 0; j < s.w && s.lo_w + j * s.up_w < width; ++j)
                std::memcpy(to + std::size_t(j) * s.up_w * s.ci, from + std::size_t(j) * s.ci, sizeof(float) * s.ci);
        }
    }
}

double operations(const ConvShape &s) { return 2.0 * s.n * s.oh * s.ow * s.kh * s.kw * s.ci * s.co; }

int padded_width(const ConvShape &s) {
    return std::max((s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1, 1);
}

bool as_it_is(const ConvShape &s) {
    return s.lo_h == 0 && s.lo_w == 0 && s.up_h == 1 && s.up_w == 1 &&
           (s.oh - 1) * s.stride_h + (s.kh - 1) * s.dilation_h < s.h && (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w < s.w;
}

void conv(const ConvShape &s, const float *x, const float *kernel, const float *bias, bool relu, float *y) {
    const std::size_t taps = std::size_t(s.kh) * s.kw * s.ci;
    const std::vector<Block> blocks = blocks_of(s.co, taps);
    std::vector<float> packed(blocks.back().packed + taps * blocks.back().size()), biases(blocks.size() * BLOCK);
    if (bias) std::copy(bias, bias + s.co, biases.begin());
    for (const Block &b : blocks)
        for (std::size_t t = 0; t < taps; ++t)
            std::copy_n(kernel + t * s.co + b.first, b.channels, packed.begin() + b.packed + t * b.size());
    const bool direct = as_it_is(s);
    const int width = direct ? s.w : padded_width(s), row = width * s.ci;
    const Window win = window_of(s, row);
    // Whole images where there are enough of them, else some rows each.
    const int chunks = s.n >= 2 * thread_count() ? 1 : std::min(s.oh, std::max(1, 4 * thread_count() / std::max(1, s.n)));
    const int rows = (s.oh + chunks - 1) / chunks;
    const int per_row = (s.ow + DK_PIXELS - 1) / DK_PIXELS;
    parallel(s.n * chunks, operations(s) / 60, [&](int part) {
        const int image = part / chunks, from = part % chunks * rows, to = std::min(s.oh, from + rows);
        if (from >= to) return;
        const float *source = x + std::size_t(image) * s.h * s.w * s.ci;
        std::unique_ptr<float[]> scratch;
        if (direct) source += std::size_t(from) * s.stride_h * row;
        else {
            const int needed = (to - from - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1;
            scratch.reset(new float[std::size_t(needed) * row]);
            pad_rows(s, source, from * s.stride_h, needed, width, scratch.get());
            source = scratch.get();
        }
        for (const Block &b : blocks)
            with_vectors(b.vectors, [&](auto vectors) {
                for (int i = from; i < to; ++i) {
                    const float *line = source + std::size_t(i - from) * s.stride_h * row;
                    float *out = y + (std::size_t(image) * s.oh + i) * s.ow * s.co + b.first;
                    for (int t = 0; t < per_row; ++t) {  // tiles of nearly equal size
                        const int a = s.ow * t / per_row, e = s.ow * (t + 1) / per_row;
                        tiles<DK_PIXELS, vectors.value>(
                            e - a, win, line + std::size_t(a) * s.stride_w * s.ci, std::size_t(s.stride_w) * s.ci,
                            packed.data() + b.packed, biases.data() + b.first, relu, out + std::size_t(a) * s.co, s.co,
                            b.channels);
                    }
                }
            });
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

void conv_kernel_grad(const ConvShape &s, const float *x, const float *gy, float *g_kernel) {
    const std::size_t taps = std::size_t(s.kh) * s.kw * s.ci;
    const std::vector<Block> blocks = blocks_of(s.co, taps);
    const std::size_t all = blocks.back().packed + taps * blocks.back().size();
    const bool direct = as_it_is(s);
    const int width = direct ? s.w : padded_width(s), row = width * s.ci;
    const Window win = window_of(s, row);
    const int parts = std::min(s.n, thread_count());
    std::vector<float> sums(parts * all);
    parallel(parts, operations(s) / 60, [&](int part) {
        float *mine = sums.data() + part * all;
        const int needed = (s.oh - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1, places = s.oh * s.ow;
        std::vector<float> scratch(direct ? 0 : std::size_t(needed) * row), filled;
        const int per_run = (win.depth + DK_PIXELS - 1) / DK_PIXELS;
        for (int image = s.n * part / parts; image < s.n * (part + 1) / parts; ++image) {
            const float *source = x + std::size_t(image) * s.h * s.w * s.ci;
            if (!direct) {
                pad_rows(s, source, 0, needed, width, scratch.data());
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
                    for (int r = 0; r < win.runs; ++r)
                        for (int t = 0; t < per_run; ++t) {
                            const int a = win.depth * t / per_run, e = win.depth * (t + 1) / per_run;
                            kernel_tiles<DK_PIXELS, vectors.value>(
                                e - a, s, source + win.starts[r] + a, row, g, g_step,
                                mine + b.packed + (std::size_t(r) * win.depth + a) * b.size());
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
