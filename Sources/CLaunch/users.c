/* Crossing into a guest's user namespace: the second part of the ladder in launch.h. */
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stddef.h>

#include "child.h"
#include "raw.h"

enum { DETACH = 2 /* MNT_DETACH */ };

void launch_wait(uint32_t *word) {
  for (;;) {
    uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (value == 0) return;
    raw6(__NR_futex, (long)word, FUTEX_WAIT, value, 0, 0, 0);
  }
}

/*
 * Creates files as the guest's root from here on, because the guest's file systems map no other user of the host. The capabilities are set
 * again, since setfsuid(2) drops some of them together with the ID.
 */
long launch_act(uint64_t user, uint64_t group) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  long error = raw2(__NR_capget, (long)&header, (long)data);
  if (error < 0) return error;
  raw1(__NR_setfsgid, (long)group);
  raw1(__NR_setfsuid, (long)user);
  /* Both calls return the previous ID, whether they fail or not. A second call shows which ID is set. */
  if (raw1(__NR_setfsgid, -1) != (long)group || raw1(__NR_setfsuid, -1) != (long)user) return -EPERM;
  return raw2(__NR_capset, (long)&header, (long)data);
}

/* Sets the effective user and group. Restores the effective capabilities, which setresuid(2) clears for a user other than root. */
long launch_own(uint64_t user, uint64_t group) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  long error = raw2(__NR_capget, (long)&header, (long)data);
  if (error == 0) error = raw3(__NR_setresgid, -1, (long)group, -1);
  if (error == 0) error = raw3(__NR_setresuid, -1, (long)user, -1);
  return error < 0 ? error : raw2(__NR_capset, (long)&header, (long)data);
}

/* The guest's first process. It takes the IDs of the guest's root. All capabilities in the user namespace it has from clone3(2). */
static void first(void *argument) {
  struct launch_family *family = argument;
  long error = raw2(__NR_setgroups, 0, 0);
  if (error == 0) error = raw3(__NR_setresgid, 0, 0, 0);
  if (error == 0) error = raw3(__NR_setresuid, 0, 0, 0);
  if (error < 0) launch_fail(family, (int)family->crossing, error);
  launch_steps(family, family->crossing + 1);
}

/* Makes the first process from inside the user namespace, so that this namespace owns the process's other namespaces. */
static void usher(void *argument) {
  struct launch_family *family = argument;
  const struct launch_plan *plan = family->plan;
  int users = launch_slot(plan, plan->steps[family->crossing].a);
  long error = raw2(__NR_setns, users, CLONE_NEWUSER);
  if (error == 0) {
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | plan->namespaces,
        .parent_tid = (uint64_t)(uintptr_t)&family->first,
        .child_tid = (uint64_t)(uintptr_t)&family->waits,
        .stack = (uint64_t)(uintptr_t)family->first_stack,
        .stack_size = STACK_SIZE,
    };
    error = raw_clone3(&arguments, sizeof arguments, first, family);
  }
  if (error < 0) launch_fail(family, (int)family->crossing, error);
  for (;;) raw1(__NR_exit_group, 0);
}

/* The last step of the outer process. */
void launch_cross(struct launch_family *family, uint32_t step) {
  const char *pin = family->plan->text + family->plan->steps[step].arg;
  family->crossing = step;
  family->waits = 1;
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_PARENT_SETTID,
      .parent_tid = (uint64_t)(uintptr_t)&family->usher,
      .stack = (uint64_t)(uintptr_t)family->usher_stack,
      .stack_size = STACK_SIZE,
  };
  long error = raw_clone3(&arguments, sizeof arguments, usher, family);
  if (error < 0) launch_fail(family, (int)step, error);
  /* Without a first process, the usher has reported why. */
  if (__atomic_load_n(&family->first, __ATOMIC_SEQ_CST) != 0) {
    launch_wait(&family->waits); /* #2 */
    error = raw2(__NR_umount2, (long)pin, DETACH);
    if (error == 0) error = raw3(__NR_unlinkat, AT_FDCWD, (long)pin, AT_REMOVEDIR);
    if (error < 0) launch_fail(family, (int)step, error);
    __atomic_store_n(&family->unpinned, 1, __ATOMIC_SEQ_CST);
  }
  for (;;) raw1(__NR_exit_group, 0); /* #3 */
}

long launch_unpin(struct launch_family *family) {
  __atomic_store_n(&family->waits, 0, __ATOMIC_SEQ_CST);
  raw6(__NR_futex, (long)&family->waits, FUTEX_WAKE, 1, 0, 0, 0); /* #2 */
  launch_wait(&family->outer);                                        /* #3 */
  return __atomic_load_n(&family->unpinned, __ATOMIC_SEQ_CST) ? 0 : -ESRCH;
}
