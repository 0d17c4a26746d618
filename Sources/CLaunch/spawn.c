/* The daemon's side of the ladder in launch.h. */
#include "launch.h"

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stddef.h>

#include "child.h"
#include "raw.h"

enum { STACK_SIZE = 64 * 1024, GUARD_SIZE = 64 * 1024 };

static struct launch_result failed(int at, long error) {
  struct launch_result result = {-1, -1, at, (int32_t)-error};
  return result;
}

/* #1: end of file leaves the report as it was. */
static void read_report(int from, struct launch_report *report) {
  struct launch_report got;
  long count;
  do {
    count = raw3(__NR_read, from, (long)&got, sizeof got);
  } while (count == -4 /* EINTR */);
  if (count == sizeof got) {
    *report = got;
    /* The stack is free when the child is gone or has executed, which is what end of file says. */
    char rest;
    do {
      count = raw3(__NR_read, from, (long)&rest, 1);
    } while (count == -4);
  }
}

static struct launch_result clone_and_wait(const struct launch_plan *plan, void *stack, const int pipe[2]) {
  int pidfd = -1;
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_PIDFD | CLONE_INTO_CGROUP | plan->namespaces,
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)(uintptr_t)stack,
      .stack_size = STACK_SIZE,
      .cgroup = (uint64_t)plan->cgroup,
  };
  /* The child must run none of the daemon's handlers, and a stop signal that comes early must stay pending. */
  uint64_t all = ~0ULL, own = 0;
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&own, sizeof all);
  long pid = raw_clone3(&arguments, sizeof arguments, launch_child, (void *)plan);
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&own, 0, sizeof own);
  raw1(__NR_close, pipe[1]);
  if (pid < 0) return failed(LAUNCH_AT_CLONE, pid);

  struct launch_report report = {LAUNCH_NO_FAILURE, 0};
  read_report(pipe[0], &report);
  if (report.step != LAUNCH_NO_FAILURE) {
    while (raw5(__NR_waitid, P_PIDFD, pidfd, 0, WEXITED, 0) == -4) continue;
    raw1(__NR_close, pidfd);
    return failed(report.step, -report.error);
  }
  struct launch_result result = {(int32_t)pid, pidfd, LAUNCH_NO_FAILURE, 0};
  return result;
}

struct launch_result launch_start(const struct launch_plan *plan) {
  int pipe[2];
  long error = raw2(__NR_pipe2, (long)pipe, O_CLOEXEC);
  if (error < 0) return failed(LAUNCH_AT_PIPE, error);
  /* The guard below the stack turns an overflow into a fault instead of a change to the daemon's memory. */
  long memory = raw6(__NR_mmap, 0, GUARD_SIZE + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory > -4096 && memory < 0) {
    raw1(__NR_close, pipe[0]);
    raw1(__NR_close, pipe[1]);
    return failed(LAUNCH_AT_PIPE, memory);
  }
  long stack = memory + GUARD_SIZE;
  struct launch_result result;
  error = raw3(__NR_mprotect, stack, STACK_SIZE, PROT_READ | PROT_WRITE);
  if (error < 0) {
    raw1(__NR_close, pipe[1]);
    result = failed(LAUNCH_AT_PIPE, error);
  } else {
    plan->descriptors[plan->listener_count] = pipe[1];
    result = clone_and_wait(plan, (void *)stack, pipe);
  }
  raw1(__NR_close, pipe[0]);
  raw2(__NR_munmap, memory, GUARD_SIZE + STACK_SIZE);
  return result;
}
