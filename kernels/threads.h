// A pool of threads that share the work of one call.
#pragma once

#include <functional>

// Run f(0) ... f(n - 1) on the pool's threads and this one, on this one alone if all of it takes less time than waking
// the others pays for. `work` is in the order of nanoseconds on one core. Neighbouring parts go to one thread, the same for
// the same part of a call of as many, so that calls find in their caches what those before left there; but what a part
// computes must not depend on who does it, for a free thread takes those of one that the system keeps waiting.
void parallel(int n, double work, const std::function<void(int)> &f);

// Into how many parts to cut work of this size: 1 if it isn't worth sharing.
int parts_of(double work);

int thread_count();
void set_thread_count(int n);

// The work below which a call stays on its thread; 0 shares everything, for tests.
void set_worth_sharing(double work);
