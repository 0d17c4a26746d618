/*
 * Launching PID 1 of a guest: what happens between clone3(2) and execve(2), and nothing else.
 *
 * The child shares the daemon's memory (CLONE_VM) and has a stack of its own, so a launch copies no page tables. The child therefore must
 * not touch the daemon's data. It makes raw system calls that return -errno (the thread's errno is the daemon's), calls no function of
 * libc, allocates nothing, and takes every decision from the plan.
 *
 * The ladder, with the numbers that spawn.c and launch.c use too:
 *
 *     daemon (spawn.c)                                     child (launch.c)
 *       |  blocks every signal                               .
 *       |--- clone3 ---------------------------------------> |  PID 1, in its namespaces, in its cgroup
 *       |  restores its mask; closes the child's end         |  resets dispositions, arranges descriptors
 *       |  reads                                             |  executes the steps in order
 *       | <------------------------- #5 at LAUNCH_PLACE ---- |  waits; exits when the daemon dies
 *       |  launch_start returns                              |
 *       |  moves the child to its final cgroup               |
 *       |--- #6 launch_continue ---------------------------> |  executes the next steps
 *       | <---------------------- #7 at the sync point ----- |  all but the last, which is execve
 *       |  launch_continue returns                           |  waits; exits when the daemon dies
 *       |  acquires what it needs for the guest              |
 *       |--- #8 launch_finish -----------------------------> |  execve
 *       | <---------------------- #1 report ---------------- |  {step, error} and _exit; end of file means success
 *       |  frees the child's stack                           |
 *
 * Until #5, from #6 to #7, and from #8 to #1, the daemon's thread does nothing else, because the child uses the plan and the stack. At
 * other times the child only waits, so the daemon may run its event loop and begin other launches. A child that fails before it waits sends
 * #1 instead of #5 or #7. In a plan without LAUNCH_PLACE the messages #5 and #6 are left out. If the daemon fails to acquire something at
 * the sync point, no client is lost: the payload has not accepted any yet.
 *
 * With a user namespace the child crosses into it at LAUNCH_CROSS, in users.c. The kernel locks the mounts made before, with the host's
 * privileges, for the guest. Three processes take part, all children of the daemon, all in its memory, each with its own stack:
 *
 *     outer: the host's users, own mounts        usher                          first: PID 1 in its namespaces
 *       |--- clone3, waits like vfork ---------> |  enters the user namespace
 *       |                                        |--- clone3 ----------------> |  copies of the outer's mounts, locked slaves
 *       | <------------------------------------- _exit                         |  takes the IDs of the guest's root
 *       |  waits for `waits`                                                   |  mounts proc, which the kernel allows because a
 *       |                                                                      |  whole proc, the outer's, lies at the pin
 *       | <------------------------------- #2 LAUNCH_UNPIN clears `waits` ---- |  waits for `outer`
 *       |  unmounts the pin; the unmount propagates to the guest's mounts      |
 *       |--- #3 _exit, the kernel clears `outer` ----------------------------> |  executes the other steps
 *
 * With ProcessTwo= the fork step LAUNCH_INIT, in second.c, makes a second process, which executes the other steps. The first process cannot
 * stay in the daemon's memory, so it executes a small init (init.c):
 *
 *     first: PID 1                               second: PID 2
 *       |--- clone3 ---------------------------> |  waits for `first_shares`
 *       |  closes the listeners                  |
 *       |--- #4 execveat, the kernel clears it ->|  executes the other steps
 *
 * `waits`, `outer` and `first_shares` are futexes. The kernel clears each when the process that should clear it dies
 * (CLONE_CHILD_CLEARTID, set_tid_address(2)), so no process waits for ever. The process that executes the payload is the one that comes to
 * the sync point. When launch_start returns, the daemon has reaped outer and usher, and the first process as well if any of them failed.
 * LAUNCH_PLACE comes after outer and usher have ended, and before LAUNCH_INIT, so the daemon has only the first process to move.
 */
#ifndef DORMOUSE_LAUNCH_H
#define DORMOUSE_LAUNCH_H

#include <stdint.h>

/*
 * The operation of a step. `arg` is the offset of its text in the plan's block. Several strings follow each other, each with its NUL. Flags
 * are the kernel's.
 */
enum launch_op {
  LAUNCH_SESSION,
  LAUNCH_PLACE,     /* waits until the daemon has moved the process to its final cgroup */
  LAUNCH_KEYRING,
  LAUNCH_UNSHARE,   /* a: flags */
  LAUNCH_ENTER,     /* a: slot of a namespace, as /proc/PID/ns has it; b: its flag of clone3(2) */
  LAUNCH_ACT,       /* a: user; b: group; of the host: the owner of the files that are made */
  LAUNCH_CROSS,     /* pin; a: slot of the user namespace */
  LAUNCH_UNPIN,
  LAUNCH_PROPAGATE, /* path; a: MS_SLAVE, MS_PRIVATE or MS_SHARED */
  LAUNCH_OPEN,      /* source; a: slot; b: attributes to set; c: LAUNCH_RECURSIVE, LAUNCH_OPTIONAL, LAUNCH_NO_LINK; with
                       LAUNCH_CHECK a struct launch_identity follows the source */
  LAUNCH_MAP,       /* a: slot to change; b: slot of a user namespace; c: LAUNCH_RECURSIVE */
  LAUNCH_ATTACH,    /* target; a: slot */
  LAUNCH_MOUNT,     /* type, target, data; a: flags; c: LAUNCH_OPTIONAL */
  LAUNCH_CHANGE,    /* path; a: attributes to set; c: LAUNCH_RECURSIVE */
  LAUNCH_REBIND,    /* path; a: attributes to set; b: to clear; c: LAUNCH_OPTIONAL */
  LAUNCH_BIND,      /* source, target; a: attributes to set; c: LAUNCH_RECURSIVE, LAUNCH_OPTIONAL */
  LAUNCH_DETACH,    /* path: unmounts it with everything below, and removes the directory */
  LAUNCH_MASK,      /* path, then the covers: directory, file, fifo, socket, character, block; c: LAUNCH_OPTIONAL */
  LAUNCH_ROOT,      /* the new root, then the directory in it for the old root, or the empty string */
  LAUNCH_DIRECTORY, /* path; a: mode */
  LAUNCH_LINK,      /* path, target; c: LAUNCH_REPLACE, LAUNCH_LENIENT */
  LAUNCH_NODE,      /* path; a: mode with type; b: major; c: minor */
  LAUNCH_FILE,      /* path, contents; a: mode; b: how many bytes; c: LAUNCH_KEEP_LINK, LAUNCH_LENIENT */
  LAUNCH_REMOVE,    /* path */
  LAUNCH_HOSTNAME,  /* name */
  LAUNCH_SET,       /* path in /proc/sys, value; c: LAUNCH_LENIENT */
  LAUNCH_LOOPBACK,
  LAUNCH_LIMIT,     /* a: resource; b: soft; c: hard */
  LAUNCH_UMASK,     /* a: mask */
  LAUNCH_PERSONALITY, /* a: personality */
  LAUNCH_AFFINITY,  /* the mask, processor n as bit n % 8 of byte n / 8; a: its length in bytes */
  LAUNCH_CHDIR,     /* path */
  LAUNCH_USER,      /* the groups, 32 bits each; a: user; b: group; c: how many groups */
  LAUNCH_CONSOLE,   /* path */
  LAUNCH_KEEP,      /* a: capabilities; b: those that execve drops */
  LAUNCH_RAISE,     /* a: capabilities */
  LAUNCH_NO_NEW_PRIVILEGES,
  LAUNCH_FILTER,    /* an array of struct sock_filter; a: how many */
  LAUNCH_BLOCK,     /* a: signals, signal n as bit n-1 */
  LAUNCH_INIT,      /* arguments, environment; a: slot of launch_init_program; b: how many arguments; c: variables */
  LAUNCH_EXECUTE    /* candidates; a: how many; b: whether the zeroth argument is the candidate */
};

/* The device and inode numbers of statx(2), which identify a file while it exists. All zero: no file matches. */
struct launch_identity {
  uint32_t major, minor;
  uint64_t inode;
};

enum launch_flag {
  LAUNCH_OPTIONAL = 1,   /* a missing source is skipped */
  LAUNCH_RECURSIVE = 2,
  LAUNCH_NO_LINK = 4,    /* fails unless the source is a directory, not a symbolic link to one */
  LAUNCH_REPLACE = 8,    /* removes an existing file first */
  LAUNCH_KEEP_LINK = 16, /* skips the step where a symbolic link exists */
  LAUNCH_LENIENT = 32,   /* ignores a failure */
  LAUNCH_CHECK = 64      /* fails unless the source has the given launch_identity */
};

struct launch_step {
  uint32_t op;
  uint32_t arg;
  uint64_t a, b, c;
};

struct launch_plan {
  const struct launch_step *steps;
  uint32_t step_count;
  /* The text of all steps. Writable, because launch_directory cuts paths at their slashes. */
  char *text;
  /* Both end with NULL. The child writes argv[0]. */
  char **argv;
  char **envp;
  /*
   * The descriptors that the child keeps, by the daemon's numbers: the listeners, a free place for the channel to the daemon, the preloaded
   * slots. They become 3, 4, … in this order; slot n is listener_count + 4 + n. launch_start writes to the array.
   */
  int *descriptors;
  uint32_t listener_count;
  uint32_t preloaded_count;
  /* The preloaded slots included. */
  uint32_t slot_count;
  /* The new namespaces of the first process, as flags of clone3(2). */
  uint64_t namespaces;
  /* Whether there is a LAUNCH_CROSS. The child then gets a new mount namespace only, and the first process the others. */
  int crosses;
  /* Whether there is a LAUNCH_INIT. */
  int has_init;
  /* The directory of the cgroup that clone3(2) makes the child in. */
  int cgroup;
};

enum launch_failure {
  LAUNCH_NO_FAILURE = -1,
  LAUNCH_AT_PIPE = -2,        /* making the channel or the child's stack */
  LAUNCH_AT_CLONE = -3,       /* clone3 */
  LAUNCH_AT_DESCRIPTORS = -4, /* arranging the child's descriptors */
  LAUNCH_AT_HANDLE = -5,      /* opening the first process, or sending #6 or #8 to it */
  LAUNCH_AT_SYNC_POINT = -6,  /* no failure: the child's message #7 */
  LAUNCH_AT_PLACE = -7        /* no failure: the child's message #5 */
};

struct launch_family;

struct launch_result {
  int32_t pid;
  /* Close-on-exec. The caller owns it, and closes it after launch_finish, or after launch_continue has failed. */
  int32_t pidfd;
  /* The index of the step that failed, or a launch_failure. */
  int32_t failed;
  /* The errno of the failure. */
  int32_t error;
  /* For launch_continue and launch_finish, which the caller must call next; NULL after a failure. */
  struct launch_family *family;
};

/*
 * Makes the plan's process. Returns when the process waits at LAUNCH_PLACE (#5), waits at the sync point (#7) of a plan without that step,
 * or has ended. The plan's arrays stay in use. A child that failed has been reaped, and pid and pidfd are -1.
 */
struct launch_result launch_start(const struct launch_plan *plan);

/*
 * Lets the process of launch_start go on (#6), and returns when it waits at the sync point (#7) or has ended. A process that failed has
 * been reaped, and the caller must not call launch_finish.
 */
struct launch_result launch_continue(struct launch_result started);

/*
 * Lets the process of launch_continue execute the payload (#8), or kills it if `executes` is 0, also one that waits at LAUNCH_PLACE. It
 * returns after #1. A process that did not execute has been reaped. `failed` is LAUNCH_NO_FAILURE if it executed, and if `executes` was 0.
 */
struct launch_result launch_finish(struct launch_result started, int executes);

/* The PID, in the guest, of the payload below the small init. */
enum { LAUNCH_PAYLOAD = 2 };

/*
 * Returns the small init as a memfd for a slot, sealed and close-on-exec, which the caller closes; -errno on failure.
 *
 * Its arguments are its name and the timeout, in seconds, for a payload that got the stop signal. Without a timeout it waits for ever.
 */
long launch_init_program(void);

/*
 * A process that keeps new namespaces alive until launch_release. Until then /proc/PID/ns has their files, and /proc/PID/uid_map can be
 * written. The process ends with the daemon.
 */
struct launch_holder {
  int32_t pid;
  int32_t pidfd;
  void *stack;
};

/*
 * Starts a process in new namespaces. `namespaces` are flags of clone3(2). `user` and `group`, IDs of the host, own a new user namespace.
 * Returns 0. On failure it returns -errno and leaves no process; launch_release then does nothing.
 */
long launch_hold(uint64_t namespaces, uint32_t user, uint32_t group, struct launch_holder *holder);
/* Ends the process. A namespace lives on while a descriptor of it is open. */
void launch_release(struct launch_holder *holder);

#endif
