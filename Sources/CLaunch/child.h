/* What the files of a start share and nobody else sees. */
#ifndef DORMOUSE_CHILD_H
#define DORMOUSE_CHILD_H

#include "launch.h"

enum { STACK_SIZE = 64 * 1024, GUARD_SIZE = 64 * 1024 };

/* What the children send to the daemon: the step that failed, or LAUNCH_AT_SYNC_POINT. */
struct launch_report {
  int32_t step;
  int32_t error;
};

/* A start, in the daemon's memory: its processes see each other's changes. */
struct launch_family {
  const struct launch_plan *plan;
  /* The memory that this and the stacks lie in. */
  long memory, size;
  /* The daemon's end of the channel. */
  int channel;
  /* Whether the process that is to execute waits for the daemon (#5). */
  int is_at_sync_point;
  /* The daemon's own PR_GET_DUMPABLE. */
  long dumpable;
  /* The child's; NULL where it makes no further processes. */
  void *usher_stack;
  void *first_stack;
  void *second_stack;
  /* The descriptor of the children's end of the channel. */
  int report;
  /* The step of LAUNCH_CROSS. */
  uint32_t crossing;
  /* The step of LAUNCH_INIT. */
  uint32_t fork_step;
  /* Process ids, which the kernel writes while it makes the processes. */
  int32_t usher;
  int32_t first;
  /* Futexes: not zero as long as somebody is to wait. */
  uint32_t waits;
  uint32_t outer;
  uint32_t first_shares;
  /* Whether the pin is gone. */
  uint32_t unpinned;
  /* Whether process 1 has not become the small init. */
  uint32_t init_failed;
};

/* The child; `family` is a struct launch_family. */
_Noreturn void launch_child(void *family);
/* Carries out the steps from `from` on. */
_Noreturn void launch_steps(struct launch_family *family, uint32_t from);
_Noreturn void launch_fail(struct launch_family *family, int step, long error);
int launch_slot(const struct launch_plan *plan, uint64_t slot);

/* users.c */
long launch_act(uint64_t user, uint64_t group);
_Noreturn void launch_cross(struct launch_family *family, uint32_t step);
long launch_unpin(struct launch_family *family);
/* Until the word is zero. The kernel wakes by its address in memory, so the futexes are not private ones. */
void launch_wait(uint32_t *word);

/* second.c: returns only on failure. */
long launch_init(struct launch_family *family, uint32_t step);

#endif
