// The tensor cores' mma.sync: a warp multiplies small matrices that lie spread over its lanes' registers. Every lane
// gets the others' fragments and computes its own four sums, in float32 from k = 0 upwards. (PTX ISA, section on matrix
// fragments; lane l has group l / 4 and place l % 4.)
#pragma once

struct dk_fragments {
    unsigned a[32][4], b[32][2];
};

template <int A, int B>
inline dk_fragments dk_collect(const unsigned (&a)[A], const unsigned (&b)[B], const char *what) {
    struct { unsigned a[A], b[B]; } mine, all[32];
    for (int i = 0; i < A; ++i) mine.a[i] = a[i];
    for (int i = 0; i < B; ++i) mine.b[i] = b[i];
    dk_warp(0xffffffffu, &mine, all, sizeof mine, -1, true, what, "mma.cuh", 0);
    dk_fragments out = {};
    for (int lane = 0; lane < 32; ++lane) {
        for (int i = 0; i < A; ++i) out.a[lane][i] = all[lane].a[i];
        for (int i = 0; i < B; ++i) out.b[lane][i] = all[lane].b[i];
    }
    return out;
}

// d = a b + c for a (16, K), b (K, 8): register r of a lane of a holds row group + 8 (r % 2), and columns from
// `per` place + (K / 2) (r / 2); register r of b rows from `per` place + (K / 2) r and column group, `per` elements each.
template <int K, int PER, int A, int B, class F>
inline void dk_mma(float (&d)[4], const unsigned (&a)[A], const unsigned (&b)[B], const float (&c)[4], F element,
                   const char *what) {
    const dk_fragments all = dk_collect(a, b, what);
    const int lane = dk_lane(), group = lane >> 2, place = lane & 3;
    constexpr int STEP = PER * 4;  // elements of k that one register of the four places spans
    for (int i = 0; i < 4; ++i) {
        const int half = i >> 1, column = 2 * place + (i & 1);
        float sum = c[i];
        for (int k = 0; k < K; ++k) {
            const int owner = k % STEP / PER, part = k % PER, r = k / STEP;
            sum += element(all.a[4 * group + owner][2 * r + half], part) * element(all.b[4 * column + owner][r], part);
        }
        d[i] = sum;
    }
}

inline float dk_tf32(unsigned bits, int) { return dk_bits<float>(bits & 0xffffe000u); }
inline float dk_half_of(unsigned pair, int part) { return dk_from_half(static_cast<unsigned short>(pair >> 16 * part)); }
inline float dk_bfloat16_of(unsigned pair, int part) {
    return dk_from_bfloat16(static_cast<unsigned short>(pair >> 16 * part));
}

inline void dk_mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const float (&c)[4]) {
    dk_mma<8, 1>(d, a, b, c, dk_tf32, "mma.m16n8k8.tf32");
}
inline void dk_mma_m16n8k8_f16(float (&d)[4], const unsigned (&a)[2], const unsigned (&b)[1], const float (&c)[4]) {
    dk_mma<8, 2>(d, a, b, c, dk_half_of, "mma.m16n8k8.f16");
}
inline void dk_mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const float (&c)[4]) {
    dk_mma<16, 2>(d, a, b, c, dk_half_of, "mma.m16n8k16.f16");
}
inline void dk_mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const float (&c)[4]) {
    dk_mma<16, 2>(d, a, b, c, dk_bfloat16_of, "mma.m16n8k16.bf16");
}
