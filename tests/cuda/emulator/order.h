// The orders that threads and blocks run in: 0 as numbered, 1 backwards, 2 shuffled, the same way on every run.
#pragma once

#include <cstdint>
#include <vector>

namespace {

std::uint64_t random_state;
unsigned random_below(unsigned n) {  // xorshift: the same order on every run
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return static_cast<unsigned>(random_state % n);
}

template <class T> void arrange(std::vector<T> &order, T n, int how) {
    order.resize(n);
    for (T i = 0; i < n; ++i) order[i] = how == 1 ? n - 1 - i : i;
    if (how == 2)
        for (T i = n; i > 1; --i) {
            const T j = random_below(i), t = order[i - 1];
            order[i - 1] = order[j], order[j] = t;
        }
}

}  // namespace
