#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace {

// A worker looks for work for a short while before it sleeps: a training step has a call every few microseconds.
constexpr int SPINS = 2000;

// Waking a thread can take 100 microseconds where the BLAS library's own threads still spin on the cores.
double worth_sharing = 300e3;

struct Pool {
    std::mutex mutex, call;
    std::condition_variable wake;
    std::vector<std::thread> workers;
    const std::function<void(int)> *work = nullptr;
    int parts = 0;
    std::atomic<unsigned> generation{0};
    std::atomic<int> running{0};
    bool stop = false;

    void run(int me, unsigned seen) {
        for (;;) {
            for (int i = 0; i < SPINS && generation.load(std::memory_order_acquire) == seen; ++i) std::this_thread::yield();
            {
                std::unique_lock<std::mutex> lock(mutex);
                wake.wait(lock, [&] { return stop || generation.load() != seen; });
                if (stop) return;
                seen = generation.load();
            }
            const int all = static_cast<int>(workers.size()) + 1;
            for (int i = me; i < parts; i += all) (*work)(i);
            running.fetch_sub(1, std::memory_order_release);
        }
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
        const unsigned seen = generation.load();
        for (int i = 1; i < n; ++i) workers.emplace_back([this, i, seen] { run(i, seen); });
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

void parallel(int n, double work, const std::function<void(int)> &f) {
    static std::mutex entry;
    std::unique_lock<std::mutex> only(entry, std::try_to_lock);  // a second caller computes alone
    if (n <= 1 || wanted <= 1 || work < worth_sharing || !only.owns_lock()) {
        for (int i = 0; i < n; ++i) f(i);
        return;
    }
    Pool &p = ready();
    const int all = static_cast<int>(p.workers.size()) + 1;
    {
        std::lock_guard<std::mutex> lock(p.mutex);
        p.work = &f;
        p.parts = n;
        p.running.store(all - 1, std::memory_order_relaxed);
        p.generation.fetch_add(1, std::memory_order_release);
    }
    p.wake.notify_all();
    for (int i = 0; i < n; i += all) f(i);
    while (p.running.load(std::memory_order_acquire) > 0) std::this_thread::yield();
}
