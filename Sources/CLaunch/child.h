/* Shared by the files of CLaunch, and private to them. */
#ifndef DORMOUSE_CHILD_H
#define DORMOUSE_CHILD_H

#include "launch.h"

enum { STACK_SIZE = 64 * 1024, GUARD_SIZE = 64 * 1024 };

/* A message from a child to the daemon. `step` is what failed, or LAUNCH_AT_PLACE or LAUNCH_AT_SYNC_POINT when the child waits there. */
struct launch_report {
  int32_t step;
  int32_t error;
};

/* One launch. It lies in the daemon's memory, which all its processes share, so they see each other's changes. */
struct launch_family {
  const struct launch_plan *plan;
  /* The mapping that holds this structure and the stacks. */
  long memory, size;
  /* The daemon's end of the channel. */
  int channel;
  /* Where the process that is to execute the payload waits: LAUNCH_AT_PLACE, LAUNCH_AT_SYNC_POINT, or 0 while it does not wait. */
  int waits_at;
  /* The stacks of further processes; NULL where the plan makes none. */
  void *usher_stack;
  void *first_stack;
  void *second_stack;
  /* The children's end of the channel. */
  int report;
  /* The index of LAUNCH_CROSS. */
  uint32_t crossing;
  /* The index of LAUNCH_INIT. */
  uint32_t fork_step;
  /* PIDs, written by the kernel (CLONE_PARENT_SETTID). */
  int32_t usher;
  int32_t first;
  /* Futexes: a process waits while the word is not zero. */
  uint32_t waits;
  uint32_t outer;
  uint32_t first_shares;
  /* Whether the pin has been unmounted. */
  uint32_t unpinned;
  /* Whether PID 1 failed to execute the small init. */
  uint32_t init_failed;
};

/* The entry point of the child; `family` is a struct launch_family. */
_Noreturn void launch_child(void *family);
/* Executes the steps from index `from` on. */
_Noreturn void launch_steps(struct launch_family *family, uint32_t from);
_Noreturn void launch_fail(struct launch_family *family, int step, long error);
int launch_slot(const struct launch_plan *plan, uint64_t slot);

/* users.c */
long launch_act(uint64_t user, uint64_t group);
long launch_own(uint64_t user, uint64_t group);
_Noreturn void launch_cross(struct launch_family *family, uint32_t step);
long launch_unpin(struct launch_family *family);
/* Waits until the word is zero. The kernel's wake at a process's end is not a private one, so FUTEX_PRIVATE_FLAG must not be set. */
void launch_wait(uint32_t *word);

/* second.c; returns only on failure. */
long launch_init(struct launch_family *family, uint32_t step);

#endif
