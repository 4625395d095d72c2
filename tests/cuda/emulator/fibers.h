// Fibers: stacks of their own, switched by hand, and what the sanitizers want to be told of them.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <sys/mman.h>

// Defined where a sanitizer is loaded, else null.
#define WEAK extern "C" __attribute__((weak))
WEAK void __sanitizer_start_switch_fiber(void **, const void *, std::size_t);
WEAK void __sanitizer_finish_switch_fiber(void *, const void **, std::size_t *);
WEAK void __asan_unpoison_memory_region(const volatile void *, std::size_t);
WEAK void *__tsan_create_fiber(unsigned);
WEAK void *__tsan_get_current_fiber();
WEAK void __tsan_switch_to_fiber(void *, unsigned);
WEAK void __tsan_acquire(void *);
WEAK void __tsan_release(void *);

// Save the registers that a function must keep and the stack pointer to *save, and go on where `load` was saved.
extern "C" void dk_switch(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.globl dk_switch
.hidden dk_switch
.type dk_switch, @function
dk_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size dk_switch, .-dk_switch
)");
static void *prepare(char *top, void (*entry)()) {
    // A function is entered with the stack at 8 mod 16, as a call leaves it.
    void **sp = reinterpret_cast<void **>(top);
    *--sp = nullptr;
    *--sp = reinterpret_cast<void *>(entry);
    for (int i = 0; i < 6; ++i) *--sp = nullptr;
    return sp;
}
#elif defined(__aarch64__)
asm(R"(
.text
.globl dk_switch
.hidden dk_switch
.type dk_switch, %function
dk_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size dk_switch, .-dk_switch
)");
static void *prepare(char *top, void (*entry)()) {
    void **sp = reinterpret_cast<void **>(top - 160);
    for (int i = 0; i < 20; ++i) sp[i] = nullptr;
    sp[11] = reinterpret_cast<void *>(entry);  // x30
    return sp;
}
#else
#error "the emulator knows how to switch fibers on x86-64 and aarch64"
#endif

namespace {

constexpr std::size_t STACK = 256 << 10, PAGE = 4096;
struct Fiber {
    char *stack = nullptr;
    void *sp = nullptr, *tsan = nullptr, *fake_stack = nullptr;
};

void make_fiber(Fiber &fiber) {
    void *memory = mmap(nullptr, STACK + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    mprotect(memory, PAGE, PROT_NONE);  // an overflow doesn't go unnoticed
    fiber.stack = static_cast<char *>(memory) + PAGE;
    if (__tsan_create_fiber) fiber.tsan = __tsan_create_fiber(0);
}

}  // namespace
