#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
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
double worth_sharing = 50e3;

// Each thread has some neighbouring parts of a call, and takes those of others when it is done with its own: what it
// wrote in the call before is in its caches still, and a thread that the system keeps waiting holds up nobody.
struct Pool {
    // The call's number and the next part in one word: a part is taken from a call only while that call is under way, so
    // a thread that wakes late finds either work of the present call or none.
    struct alignas(64) Queue {
        std::atomic<std::uint64_t> next{0};
    };

    std::mutex mutex;
    std::condition_variable wake;
    std::vector<std::thread> workers;
    std::unique_ptr<Queue[]> queues{new Queue[1]};
    int threads = 1;
    std::atomic<const std::function<void(int)> *> work{nullptr};
    std::atomic<unsigned> parts{0}, done{0}, call{0};
    bool stop = false;

    // The parts of thread t are those from first(n, t) to first(n, t + 1).
    unsigned first(unsigned n, int t) const { return unsigned(std::uint64_t(n) * unsigned(t) / unsigned(threads)); }

    void help(int me) {
        for (int i = 0; i < threads; ++i) {
            const int t = (me + i) % threads;
            for (;;) {
                std::uint64_t word = queues[t].next.load(std::memory_order_acquire);
                const std::function<void(int)> *f = work.load(std::memory_order_acquire);
                const unsigned part = unsigned(word);
                if (part >= first(parts.load(std::memory_order_acquire), t + 1)) break;
                if (!queues[t].next.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
                (*f)(int(part));
                done.fetch_add(1, std::memory_order_release);
            }
        }
    }

    void run(int me, unsigned seen) {
        const FlushDenormals flush;
        for (;;) {
            for (int i = 0; i < SPINS && call.load(std::memory_order_acquire) == seen; ++i) std::this_thread::yield();
            {
                std::unique_lock<std::mutex> lock(mutex);
                wake.wait(lock, [&] { return stop || call.load() != seen; });
                if (stop) return;
                seen = call.load();
            }
            help(me);
        }
    }

    void share(unsigned n, const std::function<void(int)> &f) {
        {
            std::lock_guard<std::mutex> lock(mutex);
            // Nobody takes a part before the new number of them: all parts of the call before are taken.
            const std::uint64_t number = call.load() + 1u;
            parts.store(0, std::memory_order_release);
            work.store(&f, std::memory_order_release);
            done.store(0, std::memory_order_relaxed);
            for (int t = 0; t < threads; ++t) queues[t].next.store(number << 32 | first(n, t), std::memory_order_release);
            parts.store(n, std::memory_order_release);
            call.store(unsigned(number), std::memory_order_release);
        }
        wake.notify_all();
        help(0);
        while (done.load(std::memory_order_acquire) < n) std::this_thread::yield();
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
        threads = std::max(1, n);
        queues.reset(new Queue[threads]);
        parts.store(0);
        const unsigned seen = call.load();
        for (int t = 1; t < threads; ++t) workers.emplace_back([this, t, seen] { run(t, seen); });
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
        if (only.owns_lock()) return ready().share(unsigned(n), f);
    }
    for (int i = 0; i < n; ++i) f(i);
}
