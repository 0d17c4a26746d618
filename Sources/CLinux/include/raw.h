/* Raw system calls. They return -errno, and do not touch the thread's errno. */
#ifndef DORMOUSE_RAW_H
#define DORMOUSE_RAW_H

#include <asm/unistd.h>
#include <stdint.h>

/* Inlined always: the small init may call nothing outside of its section. */
#define ALWAYS static inline __attribute__((always_inline))

#if defined(__x86_64__)
ALWAYS long raw6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* clone3(2) whose child runs `entry(argument)` on the stack in `arguments`. `entry` must not return. */
ALWAYS long raw_clone3(void *arguments, unsigned long size, void (*entry)(void *), void *argument) {
  register void *child_entry __asm__("r12") = entry;
  register void *child_argument __asm__("r13") = argument;
  long result;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "mov %%r13, %%rdi\n\t"
                   "call *%%r12\n\t"
                   "ud2\n"
                   "1:"
                   : "=a"(result)
                   : "a"((long)__NR_clone3), "D"(arguments), "S"(size), "r"(child_entry), "r"(child_argument)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
ALWAYS long raw6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}

ALWAYS long raw_clone3(void *arguments, unsigned long size, void (*entry)(void *), void *argument) {
  register long x8 __asm__("x8") = __NR_clone3;
  register void *x0 __asm__("x0") = arguments;
  register unsigned long x1 __asm__("x1") = size;
  register void *child_entry __asm__("x20") = entry;
  register void *child_argument __asm__("x21") = argument;
  __asm__ volatile("svc #0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, #0\n\t"
                   "mov x0, x21\n\t"
                   "blr x20\n\t"
                   "brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(child_entry), "r"(child_argument)
                   : "memory", "cc");
  return (long)x0;
}
#else
#error "raw system calls are written for x86_64 and aarch64"
#endif

ALWAYS long raw0(long number) { return raw6(number, 0, 0, 0, 0, 0, 0); }
ALWAYS long raw1(long number, long a) { return raw6(number, a, 0, 0, 0, 0, 0); }
ALWAYS long raw2(long number, long a, long b) { return raw6(number, a, b, 0, 0, 0, 0); }
ALWAYS long raw3(long number, long a, long b, long c) { return raw6(number, a, b, c, 0, 0, 0); }
ALWAYS long raw4(long number, long a, long b, long c, long d) { return raw6(number, a, b, c, d, 0, 0); }
ALWAYS long raw5(long number, long a, long b, long c, long d, long e) {
  return raw6(number, a, b, c, d, e, 0);
}

#endif
