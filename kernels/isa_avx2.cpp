// The kernels with vectors of 8 floats for processors with avx2.
#if defined(__x86_64__)
// Standard headers come before the target is set, so that their inline functions run everywhere.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define DK_WIDTH 8
#define DK_VECTORS 2
#define DK_PIXELS 6
#include "all.h"

static const Kernels table = DK_TABLE("avx2");
const Kernels *kernels_avx2() { return &table; }
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
