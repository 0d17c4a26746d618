/* The daemon's side of the ladder in launch.h. */
#include "launch.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stddef.h>

#include "child.h"
#include "raw.h"

static struct launch_result failed(int at, long error) {
  struct launch_result result = {-1, -1, at, (int32_t)-error};
  return result;
}

/*
 * #1: end of file leaves the report as it was. The stacks are free when every process of the start is gone or has executed, which
 * is what end of file says; of several reports the first is the cause of the others.
 */
static void read_report(int from, struct launch_report *report) {
  struct launch_report got;
  int is_first = 1;
  for (;;) {
    long count = raw3(__NR_read, from, (long)&got, sizeof got);
    if (count == -4 /* EINTR */) continue;
    if (count != sizeof got) return;
    if (is_first) *report = got;
    is_first = 0;
  }
}

static void reap(int kind, int number) {
  while (raw5(__NR_waitid, kind, number, 0, WEXITED, 0) == -4) continue;
}

/* The child that executes. Its number is not another's before it has been waited for. */
static long open_first(struct launch_family *family, struct launch_report *report) {
  long pidfd = -ESRCH;
  if (report->step == LAUNCH_NO_FAILURE && family->first != 0) pidfd = raw2(__NR_pidfd_open, family->first, 0);
  if (pidfd >= 0) return pidfd;
  if (report->step == LAUNCH_NO_FAILURE) *report = (struct launch_report){LAUNCH_AT_HANDLE, (int32_t)-pidfd};
  /* Who was not killed is not waited for; its cgroup is about to be. */
  if (family->first != 0 && raw2(__NR_kill, family->first, SIGKILL) >= 0) reap(P_PID, family->first);
  return -1;
}

static struct launch_result clone_and_wait(struct launch_family *family, void *stack, const int pipe[2]) {
  const struct launch_plan *plan = family->plan;
  int pidfd = -1;
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_PIDFD | CLONE_INTO_CGROUP
               | (plan->crosses ? CLONE_NEWNS | CLONE_CHILD_CLEARTID : plan->namespaces),
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .child_tid = (uint64_t)(uintptr_t)&family->outer,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)(uintptr_t)stack,
      .stack_size = STACK_SIZE,
      .cgroup = (uint64_t)plan->cgroup,
  };
  /* The child must run none of the daemon's handlers, and a stop signal that comes early must stay pending. */
  uint64_t all = ~0ULL, own = 0;
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&own, sizeof all);
  long pid = raw_clone3(&arguments, sizeof arguments, launch_child, family);
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&own, 0, sizeof own);
  raw1(__NR_close, pipe[1]);
  if (pid < 0) return failed(LAUNCH_AT_CLONE, pid);

  struct launch_report report = {LAUNCH_NO_FAILURE, 0};
  read_report(pipe[0], &report);
  if (plan->crosses || report.step != LAUNCH_NO_FAILURE) {
    /* The small init may be there already, though its program is not. */
    if (!plan->crosses) raw4(__NR_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    reap(P_PIDFD, pidfd);
    raw1(__NR_close, pidfd);
  }
  if (plan->crosses) {
    if (family->usher != 0) reap(P_PID, family->usher);
    pidfd = (int)open_first(family, &report);
    pid = family->first;
  }
  if (report.step != LAUNCH_NO_FAILURE) return failed(report.step, -report.error);
  struct launch_result result = {(int32_t)pid, pidfd, LAUNCH_NO_FAILURE, 0};
  return result;
}

/* A guard below each stack turns an overflow into a fault instead of a change to the daemon's memory. */
static long make_stacks(long memory, long count) {
  for (long i = 0; i < count; i++) {
    long stack = memory + i * (GUARD_SIZE + STACK_SIZE) + GUARD_SIZE;
    long error = raw3(__NR_mprotect, stack, STACK_SIZE, PROT_READ | PROT_WRITE);
    if (error < 0) return error;
  }
  return 0;
}

struct launch_result launch_start(const struct launch_plan *plan) {
  int pipe[2];
  long error = raw2(__NR_pipe2, (long)pipe, O_CLOEXEC);
  if (error < 0) return failed(LAUNCH_AT_PIPE, error);
  const long firsts = plan->crosses ? 3 : 1, count = firsts + (plan->has_init ? 1 : 0);
  const long size = GUARD_SIZE + STACK_SIZE;
  long memory = raw6(__NR_mmap, 0, count * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory > -4096 && memory < 0) {
    raw1(__NR_close, pipe[0]);
    raw1(__NR_close, pipe[1]);
    return failed(LAUNCH_AT_PIPE, memory);
  }
  /* Other ids than its parent's make a process's memory undumpable, and this is the daemon's. */
  long dumpable = raw5(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  struct launch_result result;
  error = make_stacks(memory, count);
  if (error < 0) {
    raw1(__NR_close, pipe[1]);
    result = failed(LAUNCH_AT_PIPE, error);
  } else {
    struct launch_family family = {.plan = plan, .outer = plan->crosses ? 1 : 0};
    if (plan->crosses) {
      family.usher_stack = (void *)(memory + size + GUARD_SIZE);
      family.first_stack = (void *)(memory + 2 * size + GUARD_SIZE);
    }
    if (plan->has_init) family.second_stack = (void *)(memory + firsts * size + GUARD_SIZE);
    plan->descriptors[plan->listener_count] = pipe[1];
    result = clone_and_wait(&family, (void *)(memory + GUARD_SIZE), pipe);
  }
  raw5(__NR_prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  raw1(__NR_close, pipe[0]);
  raw2(__NR_munmap, memory, count * size);
  return result;
}
