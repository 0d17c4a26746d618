/* Namespaces made before the guest: a process waits in them while the daemon opens their files in /proc/PID/ns. */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stddef.h>

#include "child.h"
#include "launch.h"
#include "raw.h"

enum { HOLDER_STACK = 16 * 1024 };

/* The argument of make(). It lies in the daemon's memory (CLONE_VM); make() stores its -errno in `error`. */
struct making {
  struct launch_holder *holder;
  uint64_t namespaces;
  uint32_t user, group;
  long daemon, error;
};

/* Runs in the daemon's memory (CLONE_VM), so it reads nothing but its argument. */
static void hold(void *argument) {
  long daemon = (long)argument;
  raw3(__NR_close_range, 0, ~0U, 0);
  raw5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* If the daemon was killed before the line above, no signal comes. */
  while (raw0(__NR_getppid) == daemon) raw5(__NR_ppoll, 0, 0, 0, 0, 0);
  for (;;) raw1(__NR_exit_group, 0);
}

/*
 * A short-lived process, the maker, makes the holder in its new namespaces. A new user namespace belongs to the effective user of the
 * process that makes it. The kernel counts some objects of the namespace (inotify instances, namespaces, message queues) against the limits
 * of that owner. So the owner must be the guest's root, or all guests share the limits of the host's root. The daemon must stay root.
 */
static void make(void *argument) {
  struct making *making = argument;
  long error = launch_own(making->user, making->group);
  if (error == 0) {
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_PIDFD | making->namespaces,
        .parent_tid = (uint64_t)(uintptr_t)&making->holder->pid,
        .pidfd = (uint64_t)(uintptr_t)&making->holder->pidfd,
        .stack = (uint64_t)(uintptr_t)making->holder->stack,
        .stack_size = HOLDER_STACK,
    };
    error = raw_clone3(&arguments, sizeof arguments, hold, (void *)making->daemon);
  }
  if (error < 0) making->error = error;
  for (;;) raw1(__NR_exit_group, 0);
}

long launch_hold(uint64_t namespaces, uint32_t user, uint32_t group, struct launch_holder *holder) {
  *holder = (struct launch_holder){0};
  long memory = raw6(__NR_mmap, 0, 2 * HOLDER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory > -4096 && memory < 0) return memory;
  holder->stack = (void *)memory;
  struct making making = {holder, namespaces, user, group, raw0(__NR_getpid), 0};
  /* With CLONE_FILES the holder's pidfd, which the maker gets from clone3, is a descriptor of the daemon. */
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_VFORK | CLONE_FILES,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)memory + HOLDER_STACK,
      .stack_size = HOLDER_STACK,
  };
  /* The children must run none of the daemon's signal handlers. */
  uint64_t all = ~0ULL, own = 0;
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&own, sizeof all);
  /* When a process changes its IDs, the kernel clears the dumpable attribute of its memory. This memory is the daemon's too. */
  long dumpable = raw5(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  long maker = raw_clone3(&arguments, sizeof arguments, make, &making);
  raw5(__NR_prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&own, 0, sizeof own);
  if (maker > 0) {
    while (raw5(__NR_waitid, P_PID, maker, 0, WEXITED, 0) == -EINTR) continue;
  }
  long error = maker < 0 ? maker : making.error;
  if (error == 0 && holder->pid != 0) return 0;
  /* The maker was killed before it made the holder or reported an error. */
  if (error == 0) error = -EAGAIN;
  raw2(__NR_munmap, memory, 2 * HOLDER_STACK);
  return error;
}

void launch_release(struct launch_holder *holder) {
  if (holder->pid == 0) return;
  /* It is our child and not yet reaped, so no other process has its PID. */
  long error = raw4(__NR_pidfd_send_signal, holder->pidfd, SIGKILL, 0, 0);
  if (error < 0) error = raw2(__NR_kill, holder->pid, SIGKILL);
  /* If it could not be killed, waiting would block for ever. It keeps its stack and ends with the daemon. */
  if (error >= 0) {
    while (raw5(__NR_waitid, P_PIDFD, holder->pidfd, 0, WEXITED, 0) == -EINTR) continue;
    raw2(__NR_munmap, (long)holder->stack, 2 * HOLDER_STACK);
  }
  raw1(__NR_close, holder->pidfd);
}
