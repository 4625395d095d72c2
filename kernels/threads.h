// A pool of threads that share the work of one call.
#pragma once

#include <functional>

// Run f(0) ... f(n - 1) on the pool's threads and this one. Which thread runs which part is fixed by n alone.
void parallel(int n, const std::function<void(int)> &f);

int thread_count();
void set_thread_count(int n);
