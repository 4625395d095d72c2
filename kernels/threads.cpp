#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace {

// While one exists, this thread takes floats below 1e-38 for zero. Moments of weights without gradients decay to such
// numbers and stay there, and a processor takes many times as long for them.
class FlushDenormals {
#if defined(__x86_64__) || defined(_M_X64)
    unsigned before = _mm_getcsr();

public:
    FlushDenormals() { _mm_setcsr(before | 0x8040); }  // results, and what is read
    ~FlushDenormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
    unsigned long before;

public:
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" : : "r"(before | 1ul << 24));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }
#endif
};

// A worker looks for work for a short while before it sleeps: a training step has a call every few microseconds.
constexpr int SPINS = 2000;

// Below this the time to wake a thread shows; measured on training steps from 25 to 300 microseconds.
double worth_sharing = 100e3;

struct Pool {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<std::thread> workers;
    std::atomic<const std::function<void(int)> *> work{nullptr};
    std::atomic<unsigned> parts{0}, done{0};
    // The call's number and its next part in one word: a part is taken from a call only while that call is under way,
    // so a thread that wakes late finds either work of the present call or none.
    std::atomic<std::uint64_t> next{0};
    bool stop = false;

    static unsigned call_of(std::uint64_t word) { return unsigned(word >> 32); }

    void help() {
        for (;;) {
            std::uint64_t word = next.load(std::memory_order_acquire);
            const std::function<void(int)> *f = work.load(std::memory_order_acquire);
            const unsigned part = unsigned(word);
            if (part >= parts.load(std::memory_order_acquire)) return;
            if (!next.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
            (*f)(int(part));
            done.fetch_add(1, std::memory_order_release);
        }
    }

    void run(unsigned seen) {
        const FlushDenormals flush;
        for (;;) {
            for (int i = 0; i < SPINS && call_of(next.load(std::memory_order_acquire)) == seen; ++i) std::this_thread::yield();
            {
                std::unique_lock<std::mutex> lock(mutex);
                wake.wait(lock, [&] { return stop || call_of(next.load()) != seen; });
                if (stop) return;
                seen = call_of(next.load());
            }
            help();
        }
    }

    void share(int n, const std::function<void(int)> &f) {
        {
            std::lock_guard<std::mutex> lock(mutex);
            // Nobody takes a part between here and the new number: all parts of the call before are taken.
            work.store(&f, std::memory_order_release);
            done.store(0, std::memory_order_relaxed);
            const std::uint64_t call = call_of(next.load()) + 1u;
            parts.store(0, std::memory_order_release);
            next.store(call << 32, std::memory_order_release);
            parts.store(unsigned(n), std::memory_order_release);
        }
        wake.notify_all();
        help();
        while (done.load(std::memory_order_acquire) < unsigned(n)) std::this_thread::yield();
    }

    void resize(int n) {
        {
            std::lock_guard<std::mutex> lock(mutex);
            stop = true;
            wake.notify_all();
        }
        for (auto &worker : workers) worker.join();
        workers.clear();
        stop = false;
        workers.reserve(n > 0 ? n - 1 : 0);
        const unsigned seen = call_of(next.load());
        for (int i = 1; i < n; ++i) workers.emplace_back([this, seen] { run(seen); });
    }
};

Pool *pool = nullptr;
int wanted = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));

Pool &ready() {
    if (!pool) {
#if !defined(_WIN32)
        // A forked process has the pool's memory, but not its threads.
        static bool registered = false;
        if (!registered) pthread_atfork(nullptr, nullptr, [] { pool = nullptr; });
        registered = true;
#endif
        pool = new Pool;  // never freed: at exit the threads may still wait
    }
    if (static_cast<int>(pool->workers.size()) + 1 != wanted) pool->resize(wanted);
    return *pool;
}

}  // namespace

int thread_count() { return wanted; }

void set_thread_count(int n) { wanted = std::max(1, n); }

void set_worth_sharing(double work) { worth_sharing = work; }

int parts_of(double work) {
    if (wanted <= 1 || work < worth_sharing) return 1;
    const double most = work / std::max(worth_sharing / 4, 1e3);  // parts that are worth taking
    return std::max(1, static_cast<int>(std::min(most, 4.0 * wanted)));
}

void parallel(int n, double work, const std::function<void(int)> &f) {
    static std::mutex entry;
    const FlushDenormals flush;
    if (n > 1 && wanted > 1 && work >= worth_sharing) {
        std::unique_lock<std::mutex> only(entry, std::try_to_lock);  // a second caller computes alone
        if (only.owns_lock()) return ready().share(n, f);
    }
    for (int i = 0; i < n; ++i) f(i);
}
