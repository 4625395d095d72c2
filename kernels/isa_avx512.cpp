// The kernels with vectors of 16 floats for processors with avx512.
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
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,fma")
#endif
#define DK_WIDTH 16
#define DK_VECTORS 2
#define DK_PIXELS 12
#include "all.h"

static const Kernels table = DK_TABLE("avx512");
const Kernels *kernels_avx512() { return &table; }
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
