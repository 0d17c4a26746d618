/* The child's side of the ladder in launch.h: an interpreter of steps, one switch. */
#include "launch.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/types.h>
#include <stddef.h>

#include "child.h"
#include "operations.h"
#include "raw.h"

enum { FIRST_DESCRIPTOR = 3 };

int launch_slot(const struct launch_plan *plan, uint64_t slot) {
  return FIRST_DESCRIPTOR + (int)plan->listener_count + 1 + (int)slot;
}

/* A handler of the daemon would run in the daemon's memory, and execve(2) keeps ignored signals ignored. */
static void reset_dispositions(void) {
  /* The kernel's struct sigaction at its largest: handler, flags, restorer, mask. All zero means SIG_DFL. */
  const uint64_t action[4] = {0, 0, 0, 0};
  for (int number = 1; number <= 64; number++) raw4(__NR_rt_sigaction, number, (long)action, 0, 8);
}

/*
 * Puts the listeners at 3 and up, then the channel to the daemon, then the preloaded slots. Closes every other descriptor of the daemon
 * before the first path of the guest is opened. All are moved above their final numbers first, because the daemon's may be among these.
 */
static long arrange_descriptors(struct launch_family *family) {
  const struct launch_plan *plan = family->plan;
  int count = (int)plan->listener_count + 1 + (int)plan->preloaded_count;
  int above = launch_slot(plan, plan->slot_count);
  for (int i = 0; i < count; i++) {
    long moved = raw3(__NR_fcntl, plan->descriptors[i], F_DUPFD_CLOEXEC, above);
    if (moved < 0) return moved;
    plan->descriptors[i] = (int)moved;
  }
  family->report = plan->descriptors[plan->listener_count];
  for (int i = 0; i < count; i++) {
    int flags = i < (int)plan->listener_count ? 0 : O_CLOEXEC;
    long error = raw3(__NR_dup3, plan->descriptors[i], FIRST_DESCRIPTOR + i, flags);
    if (error < 0) return error;
  }
  family->report = FIRST_DESCRIPTOR + (int)plan->listener_count;
  return raw3(__NR_close_range, FIRST_DESCRIPTOR + count, ~0U, 0);
}

/*
 * Waits for the daemon, at LAUNCH_PLACE and at the sync point before execve(2). The payload may accept clients at once, so before that the
 * daemon acquires everything that it needs for the guest, or kills this process. When the daemon dies, this reads end of file and exits.
 */
static void await_daemon(struct launch_family *family, int place) {
  struct launch_report report = {place, 0};
  raw3(__NR_write, family->report, (long)&report, sizeof report); /* #5, #7 */
  char word;
  long count = raw3(__NR_read, family->report, (long)&word, 1); /* #6, #8 */
  while (count < 0) count = raw3(__NR_read, family->report, (long)&word, 1);
  while (count == 0) raw1(__NR_exit_group, 1);
}

static long execute(const struct launch_plan *plan, const struct launch_step *step) {
  const char *candidate = plan->text + step->arg;
  long result = -ENOENT;
  for (uint64_t i = 0; i < step->a; i++) {
    if (step->b) plan->argv[0] = (char *)candidate;
    long error = raw3(__NR_execve, (long)candidate, (long)plan->argv, (long)plan->envp);
    /* As execvp(3): tries the next candidate when one is missing, and keeps the error that says most. */
    if (error != -ENOENT && error != -ENOTDIR) result = error;
    if (error != -ENOENT && error != -ENOTDIR && error != -EACCES) return error;
    candidate = launch_next_string(candidate);
  }
  return result;
}

static long carry_out(struct launch_family *family, uint32_t index) {
  const struct launch_plan *plan = family->plan;
  const struct launch_step *step = &plan->steps[index];
  char *text = plan->text + step->arg;
  switch ((enum launch_op)step->op) {
    case LAUNCH_SESSION: return raw0(__NR_setsid);
    case LAUNCH_PLACE: await_daemon(family, LAUNCH_AT_PLACE); return 0;
    case LAUNCH_KEYRING:
      /* Best effort: the kernel may be built without keys, or the quota may be used up. */
      raw2(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
      return 0;
    case LAUNCH_UNSHARE: return raw1(__NR_unshare, (long)step->a);
    case LAUNCH_ENTER: return raw2(__NR_setns, launch_slot(plan, step->a), (long)step->b);
    case LAUNCH_ACT: return launch_act(step->a, step->b);
    case LAUNCH_CROSS: launch_cross(family, index);
    case LAUNCH_UNPIN: return launch_unpin(family);
    case LAUNCH_PROPAGATE: return raw5(__NR_mount, 0, (long)text, 0, (long)(step->a | MS_REC), 0);
    case LAUNCH_OPEN: return launch_open(text, launch_slot(plan, step->a), step->b, step->c);
    case LAUNCH_MAP: return launch_map(launch_slot(plan, step->a), launch_slot(plan, step->b), step->c);
    case LAUNCH_ATTACH: return launch_attach(launch_slot(plan, step->a), text);
    case LAUNCH_MOUNT: return launch_mount(text, step->a, step->c);
    case LAUNCH_CHANGE: return launch_change(text, step->a, step->c);
    case LAUNCH_REBIND: return launch_rebind(text, step->a, step->b, step->c);
    case LAUNCH_BIND: return launch_bind(text, step->a, step->c);
    case LAUNCH_DETACH: return launch_detach(text);
    case LAUNCH_MASK: return launch_mask(text, step->c);
    case LAUNCH_ROOT: return launch_root(text, launch_next_string(text));
    case LAUNCH_DIRECTORY: return launch_directory(text, step->a);
    case LAUNCH_LINK: return launch_link(text, step->c);
    case LAUNCH_NODE: return launch_node(text, step->a, step->b, step->c);
    case LAUNCH_FILE: return launch_file(text, step->a, step->b, step->c);
    case LAUNCH_REMOVE: return launch_remove(text);
    case LAUNCH_HOSTNAME: return raw2(__NR_sethostname, (long)text, (long)launch_length(text));
    case LAUNCH_SET: return launch_set(text, step->c);
    case LAUNCH_LOOPBACK: return launch_loopback();
    case LAUNCH_LIMIT: return launch_limit(step->a, step->b, step->c);
    case LAUNCH_UMASK: raw1(__NR_umask, (long)step->a); return 0;
    case LAUNCH_PERSONALITY: return raw1(__NR_personality, (long)step->a);
    case LAUNCH_AFFINITY: return raw3(__NR_sched_setaffinity, 0, (long)step->a, (long)text);
    case LAUNCH_CHDIR: return raw1(__NR_chdir, (long)text);
    case LAUNCH_USER: return launch_user(step->a, step->b, text, step->c);
    case LAUNCH_CONSOLE: return launch_console(text);
    case LAUNCH_KEEP: return launch_keep(step->a, step->b);
    case LAUNCH_RAISE: return launch_raise(step->a);
    case LAUNCH_NO_NEW_PRIVILEGES: return raw5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case LAUNCH_FILTER: return launch_filter(text, step->a);
    case LAUNCH_BLOCK: return raw4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&step->a, 0, sizeof step->a);
    case LAUNCH_INIT: return launch_init(family, index);
    case LAUNCH_EXECUTE: await_daemon(family, LAUNCH_AT_SYNC_POINT); return execute(plan, step);
  }
  return -EINVAL;
}

void launch_fail(struct launch_family *family, int step, long error) {
  struct launch_report report = {step, (int32_t)-error};
  raw3(__NR_write, family->report, (long)&report, sizeof report); /* #1 */
  for (;;) raw1(__NR_exit_group, 1);
}

void launch_steps(struct launch_family *family, uint32_t from) {
  for (uint32_t i = from; i < family->plan->step_count; i++) {
    long error = carry_out(family, i);
    if (error < 0) launch_fail(family, (int)i, error);
  }
  launch_fail(family, (int)family->plan->step_count, -ENOEXEC);
}

void launch_child(void *argument) {
  struct launch_family *family = argument;
  family->report = family->plan->descriptors[family->plan->listener_count];
  reset_dispositions();
  long error = arrange_descriptors(family);
  if (error < 0) launch_fail(family, LAUNCH_AT_DESCRIPTORS, error);
  launch_steps(family, 0);
}
