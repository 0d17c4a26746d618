/*
 * The small init of ProcessTwo=: PID 1 of a guest whose payload is PID 2.
 *
 * PID 1 has to leave the daemon's memory, so it executes a program. The guest's root may hold anything, so the program is ours. Its code is
 * a section of the daemon, copied behind an ELF header into a memfd. The section must be complete: it refers to no function, no data and
 * no compiler-made constant outside of it (SymbolTests searches for relocations). optnone keeps the code the same in every build mode.
 */
#include <asm/errno.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <linux/time.h>
#include <linux/wait.h>
#include <stddef.h>

#include "launch.h"
#include "raw.h"

#define SECTION __attribute__((section("dormouse_init")))
#define OWN SECTION __attribute__((noinline, optnone, no_stack_protector))

extern const char __start_dormouse_init[] __attribute__((visibility("hidden")));
extern const char __stop_dormouse_init[] __attribute__((visibility("hidden")));

/* libc reserves the kernel's first two real-time signals, 32 and 33, so SIGRTMIN is this one. */
enum { RTMIN = 34 };

#define SIGNAL(number) (1ULL << ((number)-1))
#define POWER_OFF (SIGNAL(RTMIN + 3) | SIGNAL(RTMIN + 4) | SIGNAL(RTMIN + 13) | SIGNAL(RTMIN + 14))
#define REBOOT \
  (SIGNAL(SIGINT) | SIGNAL(RTMIN + 5) | SIGNAL(RTMIN + 6) | SIGNAL(RTMIN + 15) | SIGNAL(RTMIN + 16))

/* Points to a string in the section itself. The compiler would put a literal into another one. */
#if defined(__x86_64__)
#define TEXT(pointer, text) __asm__("lea 1f(%%rip), %0\n\tjmp 2f\n1:\t.asciz \"" text "\"\n2:" : "=r"(pointer))
#elif defined(__aarch64__)
#define TEXT(pointer, text) __asm__("adr %0, 1f\n\tb 2f\n1:\t.asciz \"" text "\"\n\t.balign 4\n2:" : "=r"(pointer))
#endif

/* Whether the payload handles SIGTERM: reads the line SigCgt of proc_pid_status(5). */
OWN static int catches_term(void) {
  const char *path;
  char text[4096];
  TEXT(path, "/proc/2/status");
  long file = raw4(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return 0;
  long length = raw3(__NR_read, file, (long)text, sizeof text);
  raw1(__NR_close, file);
  /* "SigCgt:", a tab, sixteen digits; signal n is bit n-1. */
  const long digit = 8 + 15 - (SIGTERM - 1) / 4, bit = 1 << (SIGTERM - 1) % 4;
  for (long at = 0; at + digit < length; at++) {
    if (text[at] != 'S' || text[at + 1] != 'i' || text[at + 2] != 'g' || text[at + 3] != 'C') continue;
    char found = text[at + digit];
    return ((found <= '9' ? found - '0' : found - 'a' + 10) & bit) != 0;
  }
  return 0;
}

OWN static uint64_t now(void) {
  struct __kernel_timespec time;
  time.tv_sec = 0;
  raw2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&time);
  return (uint64_t)time.tv_sec;
}

/* Ends the guest, because the payload has ended or its time is up: the kernel kills all other processes with PID 1. */
OWN static void end(uint64_t received, const siginfo_t *child) {
  int ended = child->si_pid == LAUNCH_PAYLOAD;
  if (received & POWER_OFF) {
    raw4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
    /* Without CAP_SYS_BOOT. A payload that the stop signal killed has still ended as asked. */
    if (ended && child->si_code != CLD_EXITED) raw1(__NR_exit_group, 0);
  }
  if (received & REBOOT) raw4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0);
  /* 128 and the signal's number, as a shell reports a command that was killed. */
  int status = child->si_code == CLD_EXITED ? child->si_status : 128 + child->si_status;
  raw1(__NR_exit_group, ended ? status : 1);
}

/* Every signal is blocked from the start: none is lost before rt_sigtimedwait(2) takes it, and none has its default action. */
OWN __attribute__((used)) static void live(long *stack) {
  char **arguments = (char **)(stack + 1);
  uint64_t timeout = 0, deadline = ~0ULL, received = 0;
  raw2(__NR_prctl, PR_SET_NAME, (long)arguments[0]);
  for (const char *digit = arguments[1]; digit && *digit; digit++) timeout = timeout * 10 + (uint64_t)(*digit - '0');
  for (;;) {
    siginfo_t child;
    child.si_pid = 0;
    if (raw5(__NR_waitid, P_ALL, 0, (long)&child, WEXITED | WNOHANG, 0) < 0) raw1(__NR_exit_group, 1);
    uint64_t time = now();
    if (child.si_pid == LAUNCH_PAYLOAD || time >= deadline) end(received, &child);
    /* Another process was reparented to PID 1 and is reaped now. There may be more. */
    if (child.si_pid != 0) continue;

    struct __kernel_timespec rest;
    rest.tv_sec = (long long)(deadline - time);
    rest.tv_nsec = 0;
    const uint64_t awaited = POWER_OFF | REBOOT | SIGNAL(SIGCHLD);
    long until = deadline == ~0ULL ? 0 : (long)&rest;
    long signal = raw4(__NR_rt_sigtimedwait, (long)&awaited, 0, until, sizeof awaited);
    /* EINTR: a tracer stopped this process, for example. EAGAIN: the timeout has expired. */
    if (signal < 0 && signal != -EINTR && signal != -EAGAIN) raw1(__NR_exit_group, 1);
    if (signal <= 0 || signal == SIGCHLD || received) continue;
    received = SIGNAL(signal);
    /* now() counts whole seconds. One more makes the daemon's own timeout, which is exact, the first to expire. */
    if (timeout) deadline = now() + timeout + 1;
    int handles_term = catches_term();
    raw2(__NR_kill, LAUNCH_PAYLOAD, SIGTERM);
    raw2(__NR_kill, LAUNCH_PAYLOAD, SIGCONT);
    /* An interactive shell ignores SIGTERM and ends at SIGHUP. A program that handles SIGTERM would be killed by it while it shuts down. */
    if (!handles_term) raw2(__NR_kill, LAUNCH_PAYLOAD, SIGHUP);
  }
}

/* The entry point. The kernel leaves argc and argv on the stack. */
SECTION __attribute__((naked, noreturn, no_stack_protector)) static void start(void) {
#if defined(__x86_64__)
  __asm__("xor %ebp, %ebp\n\t"
          "mov %rsp, %rdi\n\t"
          "and $-16, %rsp\n\t"
          "call live\n\t"
          "ud2");
#elif defined(__aarch64__)
  __asm__("mov x29, #0\n\t"
          "mov x30, #0\n\t"
          "mov x0, sp\n\t"
          "bl live\n\t"
          "brk #0");
#endif
}

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#endif

struct head {
  Elf64_Ehdr file;
  Elf64_Phdr code, stack;
};

static long write_program(int file) {
  const unsigned long length = (unsigned long)(__stop_dormouse_init - __start_dormouse_init);
  /* The same offset in a page as in the daemon: code that addresses pages (adrp on aarch64) works unchanged. */
  const unsigned long page = 4096, into = 4096 + (unsigned long)__start_dormouse_init % page;
  struct head head = {
      .file =
          {
              .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
              .e_type = ET_DYN,
              .e_machine = MACHINE,
              .e_version = EV_CURRENT,
              .e_entry = into + (unsigned long)((const char *)start - __start_dormouse_init),
              .e_phoff = offsetof(struct head, code),
              .e_ehsize = sizeof(Elf64_Ehdr),
              .e_phentsize = sizeof(Elf64_Phdr),
              .e_phnum = 2,
          },
      .code =
          {
              .p_type = PT_LOAD,
              .p_flags = PF_R | PF_X,
              .p_filesz = into + length,
              .p_memsz = into + length,
              .p_align = 65536,
          },
      .stack = {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
  };
  long written = raw4(__NR_pwrite64, file, (long)&head, sizeof head, 0);
  if (written == sizeof head) written = raw4(__NR_pwrite64, file, (long)__start_dormouse_init, (long)length, (long)into);
  if (written < 0) return written;
  if (written != (long)length) return -ENOSPC;
  /* Sealed, because the guest can open it as /proc/1/exe. */
  return raw3(__NR_fcntl, file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

long launch_init_program(void) {
  const char name[] = "dormouse-init";
  const long flags = MFD_CLOEXEC | MFD_ALLOW_SEALING, executable = 0x10 /* MFD_EXEC, Linux 6.3 */;
  long file = raw2(__NR_memfd_create, (long)name, flags | executable);
  if (file == -EINVAL) file = raw2(__NR_memfd_create, (long)name, flags);
  if (file < 0) return file;
  long error = write_program((int)file);
  if (error == 0) return file;
  raw1(__NR_close, file);
  return error;
}
