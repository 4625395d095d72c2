// A pool of threads that share the work of one call.
#pragma once

#include <functional>

// Run f(0) ... f(n - 1) on the pool's threads and this one, on this one alone if all of it takes less time than waking
// the others pays for. `work` is in the order of nanoseconds on one core. Which thread runs which part is fixed by n.
void parallel(int n, double work, const std::function<void(int)> &f);

int thread_count();
void set_thread_count(int n);

// The work below which a call stays on its thread; 0 shares everything, for tests.
void set_worth_sharing(double work);
