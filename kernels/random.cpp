// The words of NumPy's Philox stream: block i is Philox4x64-10 (Salmon et al. 2011) of the counter (1 + i, draw, 0, 0)
// under the key (key, 0), four words each.

namespace {

INLINE void philox(std::uint64_t block, std::uint64_t draw, std::uint64_t key, std::uint64_t *out) {
    std::uint64_t c0 = block, c1 = draw, c2 = 0, c3 = 0, k0 = key, k1 = 0;
    for (int round = 0; round < 10; ++round) {
        const unsigned __int128 a = static_cast<unsigned __int128>(c0) * 0xD2E7470EE14C6C93ull,
                                b = static_cast<unsigned __int128>(c2) * 0xCA5A826395121157ull;
        const std::uint64_t n0 = std::uint64_t(b >> 64) ^ c1 ^ k0, n2 = std::uint64_t(a >> 64) ^ c3 ^ k1;
        c1 = std::uint64_t(b);
        c3 = std::uint64_t(a);
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B97F4A7C15ull;
        k1 += 0xBB67AE8584CAA73Bull;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

constexpr std::size_t RANDOM_PART = 1 << 12;  // blocks

void random_words(std::uint64_t key, std::uint64_t draw, std::size_t n, std::uint64_t *out) {
    const std::size_t blocks = (n + 3) / 4;
    parallel(int((blocks + RANDOM_PART - 1) / RANDOM_PART), 1.5 * n, [=](int part) {
        const std::size_t first = part * RANDOM_PART, end = std::min(blocks, first + RANDOM_PART);
        for (std::size_t i = first; i < end; ++i) {
            if (4 * i + 4 <= n) {
                philox(i + 1, draw, key, out + 4 * i);
                continue;
            }
            std::uint64_t last[4];
            philox(i + 1, draw, key, last);
            std::copy_n(last, n - 4 * i, out + 4 * i);
        }
    });
}

// y = x * scale where an element's 16 bits are at least `threshold`, else 0: dropout, and with gy its gradient.
void dropout(std::uint64_t key, std::uint64_t draw, std::size_t n, unsigned threshold, float scale, const float *x, float *y) {
    constexpr std::size_t PART = 1 << 14;
    parallel(int((n + PART - 1) / PART), 0.7 * n, [=](int part) {
        const std::size_t first = part * PART, end = std::min(n, first + PART);
        for (std::size_t i = first; i < end; i += 16) {
            std::uint16_t bits[16];
            std::uint64_t words[4];
            philox(i / 16 + 1, draw, key, words);
            std::memcpy(bits, words, sizeof bits);
            const std::size_t count = std::min<std::size_t>(16, end - i);
            for (std::size_t k = 0; k < count; ++k) y[i + k] = bits[k] >= threshold ? x[i + k] * scale : 0.0f;
        }
    });
}

// out (rows, c) += the rows of values (n, c) at their indices, in order.
void add_rows_at(std::size_t n, int c, const std::int32_t *indices, const float *values, float *out) {
    for (std::size_t i = 0; i < n; ++i) {
        float *to = out + std::size_t(indices[i]) * c;
        const float *from = values + i * c;
        for (int k = 0; k < c; ++k) to[k] += from[k];
    }
}

}  // namespace
