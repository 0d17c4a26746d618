/* The second process, of ProcessTwo=: the third part of the ladder in launch.h. */
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/sched.h>

#include "child.h"
#include "operations.h"
#include "raw.h"

enum { MOST_STRINGS = 32 };

/* The payload. It executes only after PID 1 has become the small init, which reaps it. */
static void second(void *argument) {
  struct launch_family *family = argument;
  launch_wait(&family->first_shares); /* #4 */
  if (__atomic_load_n(&family->init_failed, __ATOMIC_SEQ_CST)) {
    for (;;) raw1(__NR_exit_group, 1);
  }
  launch_steps(family, family->fork_step + 1);
}

/* Stores pointers to `count` consecutive strings, and a NULL after them. Returns the text that follows the strings. */
static const char *list(const char *text, uint64_t count, const char **strings) {
  for (uint64_t i = 0; i < count; i++) {
    strings[i] = text;
    text = launch_next_string(text);
  }
  strings[count] = 0;
  return text;
}

/* The fork step: one process becomes two, and PID 1 executes the small init. */
long launch_init(struct launch_family *family, uint32_t index) {
  const struct launch_plan *plan = family->plan;
  const struct launch_step *step = &plan->steps[index];
  const char *strings[MOST_STRINGS + 2];
  if (step->b + step->c > MOST_STRINGS) return -E2BIG;
  const char **environment = strings + step->b + 1;
  list(list(plan->text + step->arg, step->b, strings), step->c, environment);

  family->fork_step = index;
  family->first_shares = 1;
  raw1(__NR_set_tid_address, (long)&family->first_shares);
  struct clone_args arguments = {
      .flags = CLONE_VM,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)(uintptr_t)family->second_stack,
      .stack_size = STACK_SIZE,
  };
  long error = raw_clone3(&arguments, sizeof arguments, second, family);
  if (error < 0) return error;
  /* The listeners are the payload's. An open copy here would keep them listening after the payload has closed them. */
  if (plan->listener_count > 0) raw3(__NR_close_range, 3, 2 + plan->listener_count, 0);
  error = raw5(
      __NR_execveat, launch_slot(plan, step->a), (long)"", (long)strings, (long)environment, AT_EMPTY_PATH); /* #4 */
  __atomic_store_n(&family->init_failed, 1, __ATOMIC_SEQ_CST);
  return error;
}
