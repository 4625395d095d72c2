// Signals while a kernel runs: a wild or misaligned address, a stack that is used up, a division by 0. The handler has a
// stack of its own. Where a sanitizer is loaded it tells more itself.
#pragma once

#include <csignal>

#include "fibers.h"

namespace {

class Signals {
  public:
    explicit Signals(void (*handler)(int, siginfo_t *, void *)) {
        if (__asan_unpoison_memory_region || __tsan_create_fiber) return;
        stack_t own = {};
        own.ss_sp = stack;
        own.ss_size = sizeof stack;
        sigaltstack(&own, &old_stack);
        struct sigaction action = {};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 3; ++i) sigaction(NUMBERS[i], &action, &old_actions[i]);
        installed = true;
    }
    ~Signals() {
        if (!installed) return;
        for (int i = 0; i < 3; ++i) sigaction(NUMBERS[i], &old_actions[i], nullptr);
        sigaltstack(&old_stack, nullptr);
    }

  private:
    static constexpr int NUMBERS[] = {SIGSEGV, SIGBUS, SIGFPE};
    alignas(16) static inline char stack[64 << 10];
    bool installed = false;
    stack_t old_stack = {};
    struct sigaction old_actions[3] = {};
};

}  // namespace
