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
  struct launch_result result = {-1, -1, at, (int32_t)-error, 0};
  return result;
}

/* Constants that no header of linux/ defines. */
enum { UNIX = 1 /* AF_UNIX */, RECORDS = 5 /* SOCK_SEQPACKET */, WRITING = 1 /* SHUT_WR */, NO_SIGNAL = 0x4000 /* MSG_NOSIGNAL */ };

/*
 * Reads #5, #7 or #1; at end of file the report stays as it was. The stacks are unused once every process of the launch has ended or
 * executed. Only end of file and ECONNRESET prove that, so after any other error read(2) is called again. Of several reports the first is
 * kept: it is the cause of the others.
 */
static void read_reports(struct launch_family *family, struct launch_report *report) {
  struct launch_report got;
  int is_first = 1;
  family->waits_at = 0;
  for (;;) {
    long count = raw3(__NR_read, family->channel, (long)&got, sizeof got);
    if (count == 0 || count == -ECONNRESET) return;
    if (count != sizeof got) continue;
    if (got.step == LAUNCH_AT_PLACE || got.step == LAUNCH_AT_SYNC_POINT) {
      family->waits_at = got.step;
      return;
    }
    if (is_first) *report = got;
    is_first = 0;
  }
}

/* Makes a process that waits read end of file and exit. The callers kill it too, so that one failed call does no harm. */
static void refuse(const struct launch_family *family) { raw2(__NR_shutdown, family->channel, WRITING); }

static void reap(int kind, int number) {
  while (raw5(__NR_waitid, kind, number, 0, WEXITED, 0) == -4) continue;
}

/* Opens the first process, which is to execute. It is our child and not reaped, so no other process has its PID. */
static long open_first(struct launch_family *family, struct launch_report *report) {
  long pidfd = -ESRCH;
  if (report->step == LAUNCH_NO_FAILURE && family->first != 0) pidfd = raw2(__NR_pidfd_open, family->first, 0);
  if (pidfd >= 0) return pidfd;
  if (report->step == LAUNCH_NO_FAILURE) *report = (struct launch_report){LAUNCH_AT_HANDLE, (int32_t)-pidfd};
  refuse(family);
  /* If it could not be killed, waiting would block for ever. The caller kills the whole cgroup next. */
  if (family->first != 0 && raw2(__NR_kill, family->first, SIGKILL) >= 0) reap(P_PID, family->first);
  return -1;
}

static struct launch_result clone_and_wait(struct launch_family *family, void *stack, int childs_end) {
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
  /* The child must run none of the daemon's signal handlers, and an early stop signal must stay pending until the payload runs. */
  uint64_t all = ~0ULL, own = 0;
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&own, sizeof all);
  long pid = raw_clone3(&arguments, sizeof arguments, launch_child, family);
  raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&own, 0, sizeof own);
  raw1(__NR_close, childs_end);
  if (pid < 0) return failed(LAUNCH_AT_CLONE, pid);

  struct launch_report report = {LAUNCH_NO_FAILURE, 0};
  read_reports(family, &report);
  if (plan->crosses || report.step != LAUNCH_NO_FAILURE) {
    /* PID 1 may have become the small init already, although the payload failed. */
    if (!plan->crosses) raw4(__NR_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
    reap(P_PIDFD, pidfd);
    raw1(__NR_close, pidfd);
  }
  if (plan->crosses) {
    if (family->usher != 0) reap(P_PID, family->usher);
    pidfd = (int)open_first(family, &report);
    pid = family->first;
  }
  if (report.step != LAUNCH_NO_FAILURE) {
    /* Reads until the process that waited has ended. The stacks are unused then. */
    if (family->waits_at != 0) read_reports(family, &report);
    return failed(report.step, -report.error);
  }
  struct launch_result result = {(int32_t)pid, pidfd, LAUNCH_NO_FAILURE, 0, family};
  return result;
}

/* The page range below each stack stays inaccessible, so an overflow faults and does not overwrite the daemon's memory. */
static long make_stacks(long memory, long count) {
  for (long i = 0; i < count; i++) {
    long stack = memory + i * (GUARD_SIZE + STACK_SIZE) + GUARD_SIZE;
    long error = raw3(__NR_mprotect, stack, STACK_SIZE, PROT_READ | PROT_WRITE);
    if (error < 0) return error;
  }
  return 0;
}

/*
 * How many launches are not finished, and the daemon's PR_GET_DUMPABLE before the first. When a child changes its IDs, the kernel clears
 * the dumpable attribute of the memory, which is the daemon's too. It stays clear while any child waits with the IDs of a guest's user:
 * that user could trace the child, and so read and write the daemon's memory. The last launch restores it.
 */
static int launches;
static long dumpable;

static void release(struct launch_family *family) {
  if (--launches == 0) raw5(__NR_prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
  raw1(__NR_close, family->channel);
  raw2(__NR_munmap, family->memory, family->size);
}

struct launch_result launch_start(const struct launch_plan *plan) {
  int pair[2];
  long error = raw4(__NR_socketpair, UNIX, RECORDS | O_CLOEXEC, 0, (long)pair);
  if (error < 0) return failed(LAUNCH_AT_PIPE, error);
  const long firsts = plan->crosses ? 3 : 1, count = firsts + (plan->has_init ? 1 : 0);
  const long one = GUARD_SIZE + STACK_SIZE, size = count * one + GUARD_SIZE;
  long memory = raw6(__NR_mmap, 0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  error = memory > -4096 && memory < 0 ? memory : make_stacks(memory, count);
  if (error == 0) error = raw3(__NR_mprotect, memory + count * one, GUARD_SIZE, PROT_READ | PROT_WRITE);
  if (error < 0) {
    raw1(__NR_close, pair[0]);
    raw1(__NR_close, pair[1]);
    if (memory > 0) raw2(__NR_munmap, memory, size);
    return failed(LAUNCH_AT_PIPE, error);
  }
  struct launch_family *family = (struct launch_family *)(memory + count * one);
  family->plan = plan;
  family->memory = memory;
  family->size = size;
  family->channel = pair[0];
  family->outer = plan->crosses ? 1 : 0;
  if (launches++ == 0) dumpable = raw5(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  if (plan->crosses) {
    family->usher_stack = (void *)(memory + one + GUARD_SIZE);
    family->first_stack = (void *)(memory + 2 * one + GUARD_SIZE);
  }
  if (plan->has_init) family->second_stack = (void *)(memory + firsts * one + GUARD_SIZE);
  plan->descriptors[plan->listener_count] = pair[1];
  struct launch_result result = clone_and_wait(family, (void *)(memory + GUARD_SIZE), pair[1]);
  if (result.failed != LAUNCH_NO_FAILURE) release(family);
  return result;
}

/* Lets the process that waits go on: sends #6 or #8 of launch.h. */
static void resume(struct launch_family *family, struct launch_report *report) {
  long sent = raw6(__NR_sendto, family->channel, (long)"", 1, NO_SIGNAL, 0, 0);
  /* EPIPE: the process was killed meanwhile. Its end is reported as that of any other process. */
  if (sent < 0 && sent != -EPIPE) *report = (struct launch_report){LAUNCH_AT_HANDLE, (int32_t)-sent};
}

/* Kills and reaps the first process of a launch that failed or is cancelled. It may be the small init already when the payload fails. */
static void end(struct launch_result started, struct launch_report *report) {
  refuse(started.family);
  raw4(__NR_pidfd_send_signal, started.pidfd, SIGKILL, 0, 0);
  if (started.family->waits_at != 0) read_reports(started.family, report);
  reap(P_PIDFD, started.pidfd);
  release(started.family);
}

struct launch_result launch_continue(struct launch_result started) {
  struct launch_family *family = started.family;
  if (family->waits_at != LAUNCH_AT_PLACE) return started;
  struct launch_report report = {LAUNCH_NO_FAILURE, 0};
  resume(family, &report); /* #6 */
  if (report.step == LAUNCH_NO_FAILURE) read_reports(family, &report);
  if (report.step == LAUNCH_NO_FAILURE) return started;
  struct launch_report first = report;
  end(started, &report);
  return (struct launch_result){started.pid, started.pidfd, first.step, first.error, 0};
}

struct launch_result launch_finish(struct launch_result started, int executes) {
  struct launch_family *family = started.family;
  struct launch_report report = {LAUNCH_NO_FAILURE, 0};
  int waits = family->waits_at != 0;
  if (waits && executes) {
    resume(family, &report); /* #8 */
    if (report.step == LAUNCH_NO_FAILURE) read_reports(family, &report);
  }
  struct launch_report first = report;
  if (!executes || report.step != LAUNCH_NO_FAILURE) {
    end(started, &report);
  } else {
    release(family);
  }
  return (struct launch_result){started.pid, started.pidfd, first.step, first.error, 0};
}
