// The scheduler of the emulator: fibers, barriers, warps and shared memory. Compiled without sanitizers even where the
// kernel has them, so that they see the kernel's accesses and not the scheduler's; it tells them about fibers, and
// ThreadSanitizer about what orders accesses (barriers, the start and the end of a launch).
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fibers.h"
#include "order.h"
#include "signals.h"

struct Index { unsigned x, y, z; };

// What the kernel sees; it believes them constant.
Index thread_index asm("threadIdx"), block_index asm("blockIdx"), block_size asm("blockDim"), grid_size asm("gridDim");

namespace {

constexpr int MAX_THREADS = 1024;

enum State { READY, AT_BARRIER, IN_WARP, DONE };

struct Thread {
    State state;
    Index index;
    Fiber *fiber;
    const char *what, *file;  // where it waits
    int line;
    unsigned mask;
    int waits;       // how often it has waited for its warp
    unsigned turns;  // bit i: waits % 2 of lane i when the warp met
    const void *in;
    void *out;
    int size, source;
    bool exact;
};

struct Variable {
    const void *key;
    char *data;
};

Fiber fibers[2][MAX_THREADS];  // blocks take turns, so that no fiber's history orders one block's accesses after another's
Fiber scheduler;
const void *scheduler_stack;
std::size_t scheduler_stack_size;

Thread threads[MAX_THREADS];
struct Warp {
    unsigned there, waiting, done;  // lanes
};
Warp warps[MAX_THREADS / 32];
int thread_count, current, at_barrier, done, barriers;
void (*kernel)(void **);
void **kernel_arguments;
std::vector<Variable> variables;
char *dynamic_shared;
std::size_t dynamic_size, shared_used, shared_limit;
char *message;
std::size_t message_size;
bool failed, stale;
volatile bool in_fiber;

// Addresses that ThreadSanitizer knows an order by. Barriers and warps take turns between two, or a thread that is
// already at the next one would seem to come before those still on their way from this one.
struct Tokens {
    long barrier[2], lane[MAX_THREADS][2];
};
long start_token, end_token;
Tokens *tokens;
std::vector<char *> arenas;  // under ThreadSanitizer shared memory lives until the launch ends, each block's apart
char *arena;
constexpr std::size_t ARENA = 512 << 10;

void acquire(void *p) { if (__tsan_acquire) __tsan_acquire(p); }
void release(void *p) { if (__tsan_release) __tsan_release(p); }

void to_fiber(Fiber &fiber) {
    if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(fiber.tsan, 1);
    if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&scheduler.fake_stack, fiber.stack, STACK);
    in_fiber = true;
    dk_switch(&scheduler.sp, fiber.sp);
    in_fiber = false;
    if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(scheduler.fake_stack, nullptr, nullptr);
}

void to_scheduler(bool for_good = false) {
    Fiber &fiber = *threads[current].fiber;
    if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(scheduler.tsan, 1);
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(for_good ? nullptr : &fiber.fake_stack, scheduler_stack, scheduler_stack_size);
    dk_switch(&fiber.sp, scheduler.sp);
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(fiber.fake_stack, &scheduler_stack, &scheduler_stack_size);
}

void run_thread() {
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_stack_size);
    acquire(&start_token);
    kernel(kernel_arguments);
    release(&end_token);
    threads[current].state = DONE;
    warps[current >> 5].done |= 1u << (current & 31);
    ++done;
    to_scheduler(true);
    std::abort();
}

__attribute__((format(printf, 2, 3))) void fail(int thread, const char *format, ...) {
    if (failed) return;
    failed = true;
    int n = 0;
    if (thread >= 0) {
        const Index &t = threads[thread].index;
        n = std::snprintf(message, message_size, "block (%u, %u, %u), thread (%u, %u, %u): ", block_index.x, block_index.y,
                          block_index.z, t.x, t.y, t.z);
    }
    va_list rest;
    va_start(rest, format);
    std::vsnprintf(message + n, message_size - n, format, rest);
    va_end(rest);
}

const char *doing(const Thread &t, char *text, std::size_t size) {
    if (t.state == DONE) std::snprintf(text, size, "has returned");
    else std::snprintf(text, size, "waits at %s, %s:%d", t.what, t.file, t.line);
    return text;
}

void copy(void *to, const void *from, int size) {
    for (int i = 0; i < size; ++i) static_cast<volatile char *>(to)[i] = static_cast<const char *>(from)[i];
}

bool same_place(const Thread &a, const Thread &b) {
    return a.line == b.line && !std::strcmp(a.file, b.file) && !std::strcmp(a.what, b.what);
}

// Whether every lane that the mask of `t` names is here; exchanges values and wakes them if so.
bool complete_warp(int thread) {
    const Thread &t = threads[thread];
    Warp &warp = warps[thread >> 5];
    const unsigned wanted = t.exact ? t.mask : t.mask & warp.there & ~warp.done;
    if (wanted & ~warp.waiting) return false;
    const int first = thread & ~31, lanes = thread_count - first < 32 ? thread_count - first : 32;
    for (int i = 0; i < lanes; ++i) {
        const Thread &o = threads[first + i];
        if ((wanted >> i & 1) && (o.mask != t.mask || o.size != t.size || !same_place(o, t))) return false;
    }
    for (int i = 0; i < lanes; ++i) {
        Thread &o = threads[first + i];
        if (!(wanted >> i & 1)) continue;
        if (o.source >= 0) {
            if (!(t.mask >> o.source & 1))
                return fail(first + i, "%s reads lane %d, which its mask 0x%08x doesn't name, %s:%d", o.what, o.source,
                            o.mask, o.file, o.line), true;
            copy(o.out, threads[first + o.source].in, o.size);
        } else if (o.size) {
            for (int j = 0; j < lanes; ++j)
                if (t.mask >> j & 1) copy(static_cast<char *>(o.out) + j * o.size, threads[first + j].in, o.size);
        }
    }
    unsigned turns = 0;
    for (int i = 0; i < lanes; ++i) turns |= static_cast<unsigned>(threads[first + i].waits & 1) << i;
    for (int i = 0; i < lanes; ++i) {
        Thread &o = threads[first + i];
        if (!(wanted >> i & 1)) continue;
        o.state = READY;
        o.turns = turns;
    }
    warp.waiting &= ~wanted;
    return true;
}

void release_barrier() {
    for (int i = 1; i < thread_count; ++i)
        if (!same_place(threads[i], threads[0])) {
            char text[300];
            return fail(i, "divergent __syncthreads: this thread waits at %s:%d, thread (%u, %u, %u) %s", threads[i].file,
                        threads[i].line, threads[0].index.x, threads[0].index.y, threads[0].index.z,
                        doing(threads[0], text, sizeof text));
        }
    at_barrier = 0;
    ++barriers;
    for (int i = 0; i < thread_count; ++i) threads[i].state = READY;
}

// Nothing can run any more: say why.
void explain() {
    char text[300];
    for (int i = 0; i < thread_count; ++i) {
        const Thread &t = threads[i];
        if (t.state != IN_WARP) continue;
        const int first = i & ~31;
        for (int j = 0; j < 32; ++j) {
            if (!(t.mask >> j & 1)) continue;
            if (first + j >= thread_count) {
                if (!t.exact) continue;
                return fail(i, "the mask 0x%08x of %s names lane %d, which this block doesn't have, %s:%d", t.mask, t.what, j,
                            t.file, t.line);
            }
            const Thread &o = threads[first + j];
            if (o.state == DONE ? t.exact : o.state != IN_WARP || !same_place(o, t) || o.mask != t.mask)
                return fail(i, "the mask 0x%08x of %s names lane %d, which %s; %s:%d", t.mask, t.what, j,
                            doing(o, text, sizeof text), t.file, t.line);
        }
    }
    for (int i = 0; i < thread_count; ++i)
        if (threads[i].state == AT_BARRIER)
            for (int j = 0; j < thread_count; ++j)
                if (threads[j].state != AT_BARRIER)
                    return fail(i, "divergent __syncthreads: this thread waits at %s:%d, thread (%u, %u, %u) %s",
                                threads[i].file, threads[i].line, threads[j].index.x, threads[j].index.y,
                                threads[j].index.z, doing(threads[j], text, sizeof text));
    fail(-1, "the block can't go on");
}

char *allocate_shared(std::size_t size, std::size_t align) {
    void *data = nullptr;
    if (arena) {
        arena += -reinterpret_cast<std::uintptr_t>(arena) & (align - 1);
        data = arena;
        arena += size;
    } else if (posix_memalign(&data, align, size ? size : 1)) {
        std::abort();
    }
    for (std::size_t i = 0; i < size; ++i) static_cast<volatile char *>(data)[i] = '\xff';
    return static_cast<char *>(data);
}

void begin_block(int set) {
    if (__tsan_create_fiber) {
        char *memory = static_cast<char *>(std::malloc(sizeof(Tokens) + ARENA));
        arenas.push_back(memory);
        tokens = reinterpret_cast<Tokens *>(memory);
        arena = memory + sizeof(Tokens);
    }
    dynamic_shared = allocate_shared(dynamic_size, 16);
    shared_used = dynamic_size;
    at_barrier = done = barriers = 0;
    for (int i = 0; i < thread_count; ++i) {
        Fiber &fiber = fibers[set][i];
        if (!fiber.stack) make_fiber(fiber);
        if (stale && __asan_unpoison_memory_region) __asan_unpoison_memory_region(fiber.stack, STACK);
        fiber.fake_stack = nullptr;
        // Not all at the same place of a page, or they would all want the same lines of the cache.
        fiber.sp = prepare(fiber.stack + STACK - i % 61 * 64, run_thread);
        threads[i].state = READY;
        threads[i].waits = 0;
        threads[i].fiber = &fiber;
    }
    for (int i = 0; i < thread_count; i += 32) {
        const int lanes = thread_count - i;
        warps[i >> 5] = {lanes < 32 ? (1u << lanes) - 1 : 0xffffffffu, 0, 0};
    }
    release(&start_token);
}

void end_block() {
    if (!arena) {
        std::free(dynamic_shared);
        for (const Variable &v : variables) std::free(v.data);
    }
    variables.clear();
}

void run_block(const std::vector<int> &order) {
    while (done < thread_count && !failed) {
        bool progress = false;
        for (int i : order) {
            if (threads[i].state != READY) continue;
            progress = true;
            current = i;
            thread_index = threads[i].index;
            to_fiber(*threads[i].fiber);
            if (failed) return;
        }
        if (at_barrier == thread_count) release_barrier();
        else if (!progress) explain();
    }
}

// The fibers that a failed launch leaves where they are come before what follows, as those that ended do.
void forsake() {
    if (!__tsan_create_fiber) return;
    for (auto &set : fibers)
        for (Fiber &fiber : set) {
            if (!fiber.tsan) continue;
            __tsan_switch_to_fiber(fiber.tsan, 1);
            release(&end_token);
            __tsan_switch_to_fiber(scheduler.tsan, 1);
        }
}

[[noreturn]] void leave() {
    to_scheduler(true);
    std::abort();
}

// An error of the kernel, not the end of Python. Leaves the fiber for good, so that the handler never returns.
void on_signal(int number, siginfo_t *info, void *) {
    if (!in_fiber) {
        std::signal(number, SIG_DFL);
        std::raise(number);
        return;
    }
    if (number == SIGFPE) fail(current, "divides a whole number by 0");
    else fail(current, "accesses memory that isn't there or isn't aligned for it, near %p", info->si_addr);
    leave();
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define INTERNAL extern "C" __attribute__((visibility("hidden")))

INTERNAL void *dk_shared(const void *key, unsigned long size, unsigned long align) {
    for (const Variable &v : variables)
        if (v.key == key) return v.data;
    shared_used += size;
    if (shared_used > shared_limit) {
        fail(current, "the block needs %zu bytes of shared memory, %zu are allowed", shared_used, shared_limit);
        leave();
    }
    variables.push_back({key, allocate_shared(size, align < 16 ? 16 : align)});
    return variables.back().data;
}

INTERNAL void *dk_dynamic_shared() {
    return dynamic_shared;
}

INTERNAL void dk_barrier(const char *file, int line) {
    Thread &t = threads[current];
    t.what = "__syncthreads", t.file = file, t.line = line;
    t.state = AT_BARRIER;
    ++at_barrier;
    const int turn = barriers & 1;
    if (tokens) release(&tokens->barrier[turn]);
    to_scheduler();
    if (tokens) acquire(&tokens->barrier[turn]);
}

INTERNAL void dk_warp(unsigned mask, const void *in, void *out, int size, int source, bool exact, const char *what,
                      const char *file, int line) {
    Thread &t = threads[current];
    const int me = current, first = me & ~31;
    if (!(mask >> (me & 31) & 1)) {
        fail(me, "the mask 0x%08x of %s leaves out the calling lane %d, %s:%d", mask, what, me & 31, file, line);
        leave();
    }
    t.what = what, t.file = file, t.line = line;
    t.mask = mask, t.in = in, t.out = out, t.size = size, t.source = source, t.exact = exact;
    t.state = IN_WARP;
    warps[me >> 5].waiting |= 1u << (me & 31);
    if (tokens && !exact) release(&tokens->lane[me][t.waits & 1]);
    const bool complete = complete_warp(me);
    if (failed) leave();
    if (!complete) to_scheduler();
    if (tokens && !exact)
        for (int i = 0; i < 32 && first + i < thread_count; ++i)
            if (mask >> i & 1) acquire(&tokens->lane[first + i][t.turns >> i & 1]);
    ++t.waits;
}

INTERNAL unsigned dk_live_lanes() {
    const int first = current & ~31;
    unsigned out = 0;
    for (int i = 0; i < 32 && first + i < thread_count; ++i) out |= static_cast<unsigned>(threads[first + i].state != DONE) << i;
    return out;
}

INTERNAL void dk_fence() {
    static long token;
    release(&token);
    acquire(&token);
}

INTERNAL void dk_fail(const char *text, const char *file, int line) {
    fail(current, "%s, %s:%d", text, file, line);
    leave();
}

// Run a grid. Order: 0 threads and blocks as numbered, 1 backwards, 2 shuffled. Returns 0, or 1 with the reason in `text`.
EXPORT int dk_launch(void (*run)(void **), void **arguments, const unsigned *grid, const unsigned *block,
                     std::size_t dynamic, std::size_t limit, int order, char *text, std::size_t text_size) {
    kernel = run, kernel_arguments = arguments;
    grid_size = {grid[0], grid[1], grid[2]};
    block_size = {block[0], block[1], block[2]};
    dynamic_size = dynamic, shared_limit = limit;
    message = text, message_size = text_size, failed = false;
    thread_count = static_cast<int>(block[0] * block[1] * block[2]);
    random_state = 0x9e3779b97f4a7c15u;
    if (__tsan_get_current_fiber) scheduler.tsan = __tsan_get_current_fiber();

    std::vector<int> thread_order;
    std::vector<long long> block_order;
    arrange(thread_order, thread_count, order);
    arrange(block_order, static_cast<long long>(grid[0]) * grid[1] * grid[2], order);
    for (int i = 0; i < thread_count; ++i) {
        const unsigned u = static_cast<unsigned>(i);
        threads[i].index = {u % block[0], u / block[0] % block[1], u / (block[0] * block[1])};
    }
    const Signals signals(on_signal);
    int set = 0;
    for (long long b : block_order) {
        block_index = {static_cast<unsigned>(b % grid[0]), static_cast<unsigned>(b / grid[0] % grid[1]),
                       static_cast<unsigned>(b / grid[0] / grid[1])};
        begin_block(set);
        run_block(thread_order);
        end_block();
        if (failed) break;
        if (__tsan_create_fiber) set ^= 1;
    }
    stale = stale || failed;
    if (failed) forsake();
    acquire(&end_token);
    for (char *memory : arenas) std::free(memory);
    arenas.clear();
    arena = nullptr, tokens = nullptr;
    return failed;
}
