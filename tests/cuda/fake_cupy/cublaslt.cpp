// cuBLASLt on memory of the host: the functions that deepkit calls, with the meaning that cublasLt.h gives them.
//
// Matrices lie column by column. What the real library refuses is refused with its status: objects of another kind, a
// leading dimension below the number of rows, shapes that don't fit, an algorithm for another problem or for other
// alignments than the pointers have, a workspace too small. cublasLtMatmul only notes the call down; `hook` is told of it
// and has it run by `run_call`, at once or whenever a graph is launched.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

namespace {

enum Status { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum Type { F32 = 0, F64 = 1, F16 = 2, BF16 = 14 };
enum Compute { COMPUTE_32F = 68, COMPUTE_64F = 70, COMPUTE_TF32 = 77 };
constexpr uint64_t HANDLE = 0x11, DESC = 0x22, LAYOUT = 0x33, PREFERENCE = 0x44, ALGO = 0x55;
constexpr uint64_t WORKSPACE = 1024;

struct Handle {
    uint64_t kind = HANDLE;
};
struct Desc {
    uint64_t kind = DESC;
    int compute, scale, transa = 0, transb = 0, epilogue = 1;
    const void *bias = nullptr;
};
struct Layout {
    uint64_t kind = LAYOUT;
    int type;
    uint64_t rows, columns;
    int64_t ld;
    int32_t batch = 1;
    int64_t stride = 0;
};
struct Preference {
    uint64_t kind = PREFERENCE;
    uint64_t room = 0;
    uint32_t alignment[4] = {256, 256, 256, 256};
};
struct Algo {
    uint64_t data[8];
};
struct Result {
    Algo algo;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};
struct Call {
    Desc desc;
    double alpha, beta;
    const void *a, *b, *c;
    void *d;
    Layout la, lb, lc, ld;
};

std::deque<Call> calls;
void (*hook)(long long) = nullptr;

uint64_t problem(const Desc &desc, const Layout &a, const Layout &b, const Layout &d) {
    uint64_t out = 1469598103934665603ull;
    for (uint64_t v : {uint64_t(desc.compute), uint64_t(desc.transa), uint64_t(desc.transb), uint64_t(desc.epilogue),
                       a.rows, a.columns, uint64_t(a.ld), b.rows, b.columns, uint64_t(b.ld), d.rows, d.columns,
                       uint64_t(d.ld), uint64_t(d.batch), uint64_t(a.stride), uint64_t(b.stride), uint64_t(a.type),
                       uint64_t(d.type)}) {
        out = (out ^ v) * 1099511628211ull;
    }
    return out;
}

bool fits(const Desc &desc, const Layout &a, const Layout &b, const Layout &d) {
    for (const Layout *m : {&a, &b, &d}) {
        if (m->kind != LAYOUT || m->batch != d.batch || m->ld < int64_t(m->rows)) return false;
        if (!m->rows || !m->columns) return false;
    }
    // Sixteen-bit matrices may have a product in float, which takes no bias of theirs.
    const bool widened = (a.type == F16 || a.type == BF16) && d.type == F32;
    if (a.type != b.type || (a.type != d.type && !(widened && desc.epilogue == 1))) return false;
    const bool wide = d.type == F64;
    if (wide != (desc.compute == COMPUTE_64F) || desc.scale != (wide ? F64 : F32)) return false;
    if (desc.compute == COMPUTE_TF32 && a.type != F32) return false;
    const uint64_t m = desc.transa ? a.columns : a.rows, k = desc.transa ? a.rows : a.columns;
    const uint64_t n = desc.transb ? b.rows : b.columns, l = desc.transb ? b.columns : b.rows;
    return m == d.rows && n == d.columns && k == l;
}

float from_half(uint16_t h) {
    _Float16 v;
    std::memcpy(&v, &h, 2);
    return float(v);
}
uint16_t to_half(float f) {
    const _Float16 v = _Float16(f);
    uint16_t h;
    std::memcpy(&h, &v, 2);
    return h;
}
float from_bfloat(uint16_t h) {
    const uint32_t u = uint32_t(h) << 16;
    float f;
    std::memcpy(&f, &u, 4);
    return f;
}
uint16_t to_bfloat(float f) {
    uint32_t u;
    std::memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return uint16_t(u >> 16 | 0x40);
    return uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
float to_tf32(float f) {
    uint32_t u;
    std::memcpy(&u, &f, 4);
    if ((u & 0x7f800000) != 0x7f800000) u = (u + 0x1000) & 0xffffe000;
    std::memcpy(&f, &u, 4);
    return f;
}

template <typename S> S get(const void *p, int64_t i, int type) {
    switch (type) {
    case F32: return S(static_cast<const float *>(p)[i]);
    case F64: return S(static_cast<const double *>(p)[i]);
    case F16: return S(from_half(static_cast<const uint16_t *>(p)[i]));
    default: return S(from_bfloat(static_cast<const uint16_t *>(p)[i]));
    }
}
template <typename S> void put(void *p, int64_t i, int type, S value) {
    switch (type) {
    case F32: static_cast<float *>(p)[i] = float(value); break;
    case F64: static_cast<double *>(p)[i] = double(value); break;
    case F16: static_cast<uint16_t *>(p)[i] = to_half(float(value)); break;
    default: static_cast<uint16_t *>(p)[i] = to_bfloat(float(value));
    }
}

template <typename S> void multiply(const Call &call) {
    const Desc &desc = call.desc;
    const int64_t m = call.ld.rows, n = call.ld.columns, k = desc.transa ? call.la.rows : call.la.columns;
    std::vector<S> left(m * k), column(m);  // left: column by column
    for (int64_t batch = 0; batch < call.ld.batch; ++batch) {
        const int64_t at_a = batch * call.la.stride, at_b = batch * call.lb.stride, at_d = batch * call.ld.stride;
        for (int64_t l = 0; l < k; ++l) {
            for (int64_t i = 0; i < m; ++i) {
                const int64_t place = desc.transa ? i * call.la.ld + l : l * call.la.ld + i;
                const S value = get<S>(call.a, at_a + place, call.la.type);
                left[l * m + i] = desc.compute == COMPUTE_TF32 ? S(to_tf32(float(value))) : value;
            }
        }
        for (int64_t j = 0; j < n; ++j) {
            std::fill(column.begin(), column.end(), S(0));
            for (int64_t l = 0; l < k; ++l) {
                const int64_t place = desc.transb ? l * call.lb.ld + j : j * call.lb.ld + l;
                S value = get<S>(call.b, at_b + place, call.lb.type);
                if (desc.compute == COMPUTE_TF32) value = S(to_tf32(float(value)));
                for (int64_t i = 0; i < m; ++i) column[i] += left[l * m + i] * value;
            }
            for (int64_t i = 0; i < m; ++i) {
                S value = S(call.alpha) * column[i];
                if (call.beta != 0) value += S(call.beta) * get<S>(call.c, at_d + j * call.lc.ld + i, call.lc.type);
                if (desc.epilogue & 4) value += get<S>(desc.bias, i, call.ld.type);
                if (desc.epilogue & 2) value = value > 0 || value != value ? value : S(0);
                put<S>(call.d, at_d + j * call.ld.ld + i, call.ld.type, value);
            }
        }
    }
}

template <typename V> int store(V &into, const void *value, size_t size) {
    if (size != sizeof(V)) return INVALID_VALUE;
    std::memcpy(&into, value, size);
    return SUCCESS;
}

uint64_t size_of(int type) { return type == F64 ? 8 : type == F32 ? 4 : 2; }

}  // namespace

extern "C" {

void set_hook(void (*function)(long long)) { hook = function; }
void run_call(long long i) { calls[i].ld.type == F64 ? multiply<double>(calls[i]) : multiply<float>(calls[i]); }

int cublasLtCreate(Handle **out) {
    *out = new Handle;
    return SUCCESS;
}
int cublasLtMatmulDescCreate(Desc **out, int compute, int scale) {
    if (compute != COMPUTE_32F && compute != COMPUTE_64F && compute != COMPUTE_TF32) return INVALID_VALUE;
    *out = new Desc;
    (*out)->compute = compute;
    (*out)->scale = scale;
    return SUCCESS;
}
int cublasLtMatmulDescSetAttribute(Desc *desc, int attribute, const void *value, size_t size) {
    if (desc->kind != DESC) return INVALID_VALUE;
    switch (attribute) {
    case 3: return store(desc->transa, value, size);
    case 4: return store(desc->transb, value, size);
    case 7: return store(desc->epilogue, value, size);
    case 8: return store(desc->bias, value, size);
    default: return INVALID_VALUE;
    }
}
int cublasLtMatrixLayoutCreate(Layout **out, int type, uint64_t rows, uint64_t columns, int64_t ld) {
    if (type != F32 && type != F64 && type != F16 && type != BF16) return INVALID_VALUE;
    *out = new Layout;
    (*out)->type = type, (*out)->rows = rows, (*out)->columns = columns, (*out)->ld = ld;
    return SUCCESS;
}
int cublasLtMatrixLayoutSetAttribute(Layout *layout, int attribute, const void *value, size_t size) {
    if (layout->kind != LAYOUT) return INVALID_VALUE;
    if (attribute == 5) return store(layout->batch, value, size);
    return attribute == 6 ? store(layout->stride, value, size) : INVALID_VALUE;
}
int cublasLtMatmulPreferenceCreate(Preference **out) {
    *out = new Preference;
    return SUCCESS;
}
int cublasLtMatmulPreferenceSetAttribute(Preference *preference, int attribute, const void *value, size_t size) {
    if (preference->kind != PREFERENCE) return INVALID_VALUE;
    if (attribute == 1) return store(preference->room, value, size);
    return attribute >= 5 && attribute <= 8 ? store(preference->alignment[attribute - 5], value, size) : INVALID_VALUE;
}
int cublasLtMatmulPreferenceDestroy(Preference *preference) {
    if (preference->kind != PREFERENCE) return INVALID_VALUE;
    delete preference;
    return SUCCESS;
}
int cublasLtMatmulAlgoGetHeuristic(Handle *handle, Desc *desc, Layout *a, Layout *b, Layout *c, Layout *d,
                                   Preference *preference, int wanted, Result *results, int *count) {
    if (handle->kind != HANDLE || desc->kind != DESC || preference->kind != PREFERENCE || wanted < 1) return INVALID_VALUE;
    if (c->kind != LAYOUT || !fits(*desc, *a, *b, *d)) return INVALID_VALUE;
    if (d->type == F64 && desc->epilogue != 1) return NOT_SUPPORTED;
    *count = 1;
    std::memset(results, 0, sizeof(Result));
    results->workspace = preference->room < WORKSPACE ? 0 : WORKSPACE;
    uint64_t *data = results->algo.data;
    data[0] = ALGO, data[1] = problem(*desc, *a, *b, *d), data[2] = results->workspace;
    for (int i = 0; i < 4; ++i) data[3 + i] = preference->alignment[i];
    return SUCCESS;
}
int cublasLtMatmul(Handle *handle, Desc *desc, const void *alpha, const void *a, Layout *la, const void *b, Layout *lb,
                   const void *beta, const void *c, Layout *lc, void *d, Layout *ld, const Algo *algo, void *workspace,
                   size_t room, void *) {
    if (handle->kind != HANDLE || desc->kind != DESC || lc->kind != LAYOUT || !fits(*desc, *la, *lb, *ld)) {
        return INVALID_VALUE;
    }
    if (algo->data[0] != ALGO || algo->data[1] != problem(*desc, *la, *lb, *ld)) return NOT_SUPPORTED;
    if (room < algo->data[2] || (room && !workspace)) return INVALID_VALUE;
    const void *const pointers[4] = {a, b, c, d};
    const Layout *const layouts[4] = {la, lb, lc, ld};
    for (int i = 0; i < 4; ++i) {
        const uint64_t at = reinterpret_cast<uint64_t>(pointers[i]);
        if (!at || at % size_of(layouts[i]->type)) return INVALID_VALUE;
        if (at % algo->data[3 + i]) return NOT_SUPPORTED;
    }
    if ((desc->epilogue & 4) && !desc->bias) return INVALID_VALUE;
    const bool wide = desc->scale == F64;
    auto number = [=](const void *p) { return wide ? *static_cast<const double *>(p) : double(*static_cast<const float *>(p)); };
    calls.push_back({*desc, number(alpha), number(beta), a, b, c, d, *la, *lb, *lc, *ld});
    hook(int64_t(calls.size()) - 1);
    return SUCCESS;
}
}
