/* Namespaces made before the guest: a process waits in them while the daemon opens their files in /proc/PID/ns. */
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stddef.h>

#include "launch.h"
#include "raw.h"

enum { STACK_SIZE = 16 * 1024 };

/* Runs in the daemon's memory (CLONE_VM), so it reads nothing but its argument. */
static void hold(void *argument) {
  long daemon = (long)argument;
  raw3(__NR_close_range, 0, ~0U, 0);
  raw5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* If the daemon was killed before the line above, no signal comes. */
  while (raw0(__NR_getppid) == daemon) raw5(__NR_ppoll, 0, 0, 0, 0, 0);
  for (;;) raw1(__NR_exit_group, 0);
}

long launch_hold(uint64_t namespaces, struct launch_holder *holder) {
  *holder = (struct launch_holder){0};
  long memory = raw6(__NR_mmap, 0, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory > -4096 && memory < 0) return memory;
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_PIDFD | namespaces,
      .pidfd = (uint64_t)(uintptr_t)&holder->pidfd,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)memory,
      .stack_size = STACK_SIZE,
  };
  holder->stack = (void *)memory;
  /* The child must run none of the daemon's signal handlers. */
  uint64_t all = ~0ULL, own = 0;
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&own, sizeof all);
  long pid = raw_clone3(&arguments, sizeof arguments, hold, (void *)raw0(__NR_getpid));
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&own, 0, sizeof own);
  if (pid < 0) {
    raw2(__NR_munmap, memory, STACK_SIZE);
    return pid;
  }
  holder->pid = (int32_t)pid;
  return 0;
}

void launch_release(struct launch_holder *holder) {
  if (holder->pid == 0) return;
  /* It is our child and not yet reaped, so no other process has its PID. */
  long error = raw4(__NR_pidfd_send_signal, holder->pidfd, SIGKILL, 0, 0);
  if (error < 0) error = raw2(__NR_kill, holder->pid, SIGKILL);
  /* If it could not be killed, waiting would block for ever. It keeps its stack and ends with the daemon. */
  if (error >= 0) {
    while (raw5(__NR_waitid, P_PIDFD, holder->pidfd, 0, WEXITED, 0) == -4 /* EINTR */) continue;
    raw2(__NR_munmap, (long)holder->stack, STACK_SIZE);
  }
  raw1(__NR_close, holder->pidfd);
}
