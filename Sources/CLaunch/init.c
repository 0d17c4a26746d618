/*
 * The small init of ProcessTwo=: what process 1 of a guest executes whose program is process 2.
 *
 * It has to leave the daemon's memory, so it is a program; and it has to be there whatever is in the guest's root, so it is one of ours.
 * Its code is a section of the daemon's own, copied behind the head of an ELF file without any other part. So the section must be all
 * of it: no function and no data from outside, no constant that a compiler lays elsewhere (SymbolTests looks for relocations). Left
 * as it is written, the code is the same however the rest is optimized.
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

/* The real-time signals count from here, as systemd counts them: libc keeps the first two of the kernel's for itself. */
enum { RTMIN = 34 };

#define SIGNAL(number) (1ULL << ((number)-1))
#define POWER_OFF (SIGNAL(RTMIN + 3) | SIGNAL(RTMIN + 4) | SIGNAL(RTMIN + 13) | SIGNAL(RTMIN + 14))
#define REBOOT \
  (SIGNAL(SIGINT) | SIGNAL(RTMIN + 5) | SIGNAL(RTMIN + 6) | SIGNAL(RTMIN + 15) | SIGNAL(RTMIN + 16))

/* A string that lies among the code: a literal would lie outside the section. */
#if defined(__x86_64__)
#define TEXT(pointer, text) __asm__("lea 1f(%%rip), %0\n\tjmp 2f\n1:\t.asciz \"" text "\"\n2:" : "=r"(pointer))
#elif defined(__aarch64__)
#define TEXT(pointer, text) __asm__("adr %0, 1f\n\tb 2f\n1:\t.asciz \"" text "\"\n\t.balign 4\n2:" : "=r"(pointer))
#endif

/* Whether the program has a handler for SIGTERM, by the line SigCgt of proc_pid_status(5). */
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

/* The program has ended, or its time is up: whatever else is in the guest ends with this process. */
OWN static void end(uint64_t told, const siginfo_t *child) {
  int ended = child->si_pid == LAUNCH_PAYLOAD;
  if (told & POWER_OFF) {
    raw4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
    /* Who may not power off has ended all the same, as it was told to. */
    if (ended && child->si_code != CLD_EXITED) raw1(__NR_exit_group, 0);
  }
  if (told & REBOOT) raw4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0);
  /* As a shell tells of a command that was killed. */
  int status = child->si_code == CLD_EXITED ? child->si_status : 128 + child->si_status;
  raw1(__NR_exit_group, ended ? status : 1);
}

/* Every signal is blocked from the beginning, so that none is lost, and none does anything by itself. */
OWN __attribute__((used)) static void live(long *stack) {
  char **arguments = (char **)(stack + 1);
  uint64_t patience = 0, deadline = ~0ULL, told = 0;
  raw2(__NR_prctl, PR_SET_NAME, (long)arguments[0]);
  for (const char *digit = arguments[1]; digit && *digit; digit++) patience = patience * 10 + (uint64_t)(*digit - '0');
  for (;;) {
    siginfo_t child;
    child.si_pid = 0;
    if (raw5(__NR_waitid, P_ALL, 0, (long)&child, WEXITED | WNOHANG, 0) < 0) raw1(__NR_exit_group, 1);
    uint64_t time = now();
    if (child.si_pid == LAUNCH_PAYLOAD || time >= deadline) end(told, &child);
    /* An orphan that was left to this process: perhaps there are more. */
    if (child.si_pid != 0) continue;

    struct __kernel_timespec rest;
    rest.tv_sec = (long long)(deadline - time);
    rest.tv_nsec = 0;
    const uint64_t awaited = POWER_OFF | REBOOT | SIGNAL(SIGCHLD);
    long until = deadline == ~0ULL ? 0 : (long)&rest;
    long signal = raw4(__NR_rt_sigtimedwait, (long)&awaited, 0, until, sizeof awaited);
    /* EINTR, for one: somebody traces it. EAGAIN: the time is up. */
    if (signal < 0 && signal != -EINTR && signal != -EAGAIN) raw1(__NR_exit_group, 1);
    if (signal <= 0 || signal == SIGCHLD || told) continue;
    told = SIGNAL(signal);
    /* Of seconds that have begun; the daemon, which counts better, is to be the first to lose patience. */
    if (patience) deadline = now() + patience + 1;
    int is_told = catches_term();
    raw2(__NR_kill, LAUNCH_PAYLOAD, SIGTERM);
    raw2(__NR_kill, LAUNCH_PAYLOAD, SIGCONT);
    /* A shell ignores SIGTERM and obeys this. Who ends in an orderly way at SIGTERM would be torn out of it. */
    if (!is_told) raw2(__NR_kill, LAUNCH_PAYLOAD, SIGHUP);
  }
}

/* The stack is as the kernel leaves it: how many arguments, then those. */
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
  /* As far into the file as the section is into its page: nothing in it sees that it was moved. */
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
  /* The guest finds it as /proc/1/exe, and the next guest must not find it changed. */
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
