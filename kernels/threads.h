// A pool of threads that share the work of one call.
#pragma once

#include <functional>

// Run f(0) ... f(n - 1) on the pool's threads and this one, on this one alone if all of it takes less time than waking
// the others pays for. `work` is in the order of nanoseconds on one core. A part goes to whichever thread is free, so a
// thread that the system keeps waiting holds up nobody; what a part computes must not depend on who does it.
void parallel(int n, double work, const std::function<void(int)> &f);

// Into how many parts to cut work of this size: 1 if it isn't worth sharing.
int parts_of(double work);

int thread_count();
void set_thread_count(int n);

// The work below which a call stays on its thread; 0 shares everything, for tests.
void set_worth_sharing(double work);
