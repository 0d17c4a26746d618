/*
 * Starting the first process of a guest: what happens between clone3(2) and execve(2), and nothing else.
 *
 * The child shares the daemon's memory (CLONE_VM, on a stack of its own), so a start copies no page tables. It therefore may
 * not touch anything of the daemon's: it makes raw system calls that return -errno (the thread's errno is the daemon's),
 * calls no function of libc, allocates nothing, and takes every decision from the plan it is given.
 *
 * The ladder, numbered the same in spawn.c and launch.c:
 *
 *     daemon (spawn.c)                                     child (launch.c)
 *       |  every signal blocked                              .
 *       |--- clone3 ---------------------------------------> |  pid 1, in its namespaces, in its cgroup
 *       |  own mask restored; closes the child's end         |  dispositions reset, descriptors arranged
 *       |  reads                                             |  carries out the steps in order
 *       | <------------------------------- #5 at the sync point -- |  all but the last, which executes
 *       |  launch_start returns                              |  waits; at the daemon's end it ends too
 *       |  takes hold of the guest: all that may fail        |
 *       |--- #6 launch_finish -----------------------------> |  executes
 *       | <------------------------------- #1 report ------- |  {step, error} and _exit, or end of file: exec happened
 *       |  frees the child's stack                           |
 *
 * Until #5, and from #6 to #1, the daemon's thread does nothing else: the plan and the stack are in use. A child that fails before the
 * sync point sends #1 in place of #5. What the daemon cannot have at the sync point costs no client: nobody has been accepted yet.
 *
 * With a user namespace the child crosses into it at LAUNCH_CROSS, in users.c. What it mounted before, with the host's privileges, is
 * locked for the guest. Three processes, all children of the daemon, all in its memory, each on a stack of its own:
 *
 *     outer: the host's users, own mounts        usher                          first: pid 1 in its namespaces
 *       |--- clone3, waits like vfork ---------> |  enters the user namespace
 *       |                                        |--- clone3 ----------------> |  copies of the outer's mounts, locked slaves
 *       | <------------------------------------- _exit                         |  guest's root by its ids
 *       |  waits for `waits`                                                   |  mounts proc, which the kernel allows because a
 *       |                                                                      |  whole proc, the outer's, lies at the pin
 *       | <------------------------------- #2 LAUNCH_UNPIN clears `waits` ---- |  waits for `outer`
 *       |  unmounts the pin, which goes from the guest's mounts as well
 *       |--- #3 _exit, the kernel clears `outer` ----------------------------> |  carries out the rest and executes
 *
 * With ProcessTwo= the first process makes a second at LAUNCH_INIT, in second.c, that goes on with the steps. The first cannot stay in the
 * daemon's memory, so what an init has to do is done by a program that it executes (init.c):
 *
 *     first: pid 1                               second: pid 2
 *       |--- clone3 ---------------------------> |  waits for `first_shares`
 *       |  closes the listeners                  |
 *       |--- #4 execveat, the kernel clears it ->|  carries out the rest and executes
 *
 * `waits`, `outer` and `first_shares` are futexes that the kernel clears as well when who is to clear them dies (CLONE_CHILD_CLEARTID,
 * set_tid_address(2)): nobody is waited for in vain. It is the process that executes which comes to the sync point. When launch_start returns
 * the daemon has reaped outer and usher, and the first process too if any of them failed.
 */
#ifndef DORMOUSE_LAUNCH_H
#define DORMOUSE_LAUNCH_H

#include <stdint.h>

/*
 * What a step does. `arg` is the offset of its text in the plan's block; where several strings are listed they follow each other,
 * each with its NUL. Flags are the kernel's.
 */
enum launch_op {
  LAUNCH_SESSION,
  LAUNCH_KEYRING,
  LAUNCH_UNSHARE,   /* a: flags */
  LAUNCH_ENTER,     /* a: slot of a namespace, as /proc/PID/ns has it; b: its flag of clone3(2) */
  LAUNCH_ACT,       /* a: user; b: group; of the host: for the files that are made */
  LAUNCH_CROSS,     /* pin; a: slot of the user namespace */
  LAUNCH_UNPIN,
  LAUNCH_PROPAGATE, /* path; a: MS_SLAVE, MS_PRIVATE or MS_SHARED */
  LAUNCH_OPEN,      /* source; a: slot; b: attributes to set; c: LAUNCH_RECURSIVE, LAUNCH_OPTIONAL, LAUNCH_NO_LINK */
  LAUNCH_MAP,       /* a: slot to change; b: slot of a user namespace; c: LAUNCH_RECURSIVE */
  LAUNCH_ATTACH,    /* target; a: slot */
  LAUNCH_MOUNT,     /* type, target, data; a: flags; c: LAUNCH_OPTIONAL */
  LAUNCH_CHANGE,    /* path; a: attributes to set; c: LAUNCH_RECURSIVE */
  LAUNCH_REBIND,    /* path; a: attributes to set; b: to clear; c: LAUNCH_OPTIONAL */
  LAUNCH_BIND,      /* source, target; a: attributes to set; c: LAUNCH_RECURSIVE, LAUNCH_OPTIONAL */
  LAUNCH_DETACH,    /* path: the mount there goes, with all below it, and the directory */
  LAUNCH_MASK,      /* path, then what to cover with: directory, file, fifo, socket, character, block; c: LAUNCH_OPTIONAL */
  LAUNCH_ROOT,      /* the new root, then where in it the old one is to lie, or nothing */
  LAUNCH_DIRECTORY, /* path; a: mode */
  LAUNCH_LINK,      /* path, target; c: LAUNCH_REPLACE, LAUNCH_LENIENT */
  LAUNCH_NODE,      /* path; a: mode with type; b: major; c: minor */
  LAUNCH_FILE,      /* path, contents; a: mode; b: how many bytes; c: LAUNCH_KEEP_LINK, LAUNCH_LENIENT */
  LAUNCH_REMOVE,    /* path */
  LAUNCH_HOSTNAME,  /* name */
  LAUNCH_LOOPBACK,
  LAUNCH_LIMIT,     /* a: resource; b: soft; c: hard */
  LAUNCH_UMASK,     /* a: mask */
  LAUNCH_PERSONALITY, /* a: personality */
  LAUNCH_AFFINITY,  /* the mask, processor n as bit n % 8 of byte n / 8; a: its length in bytes */
  LAUNCH_CHDIR,     /* path */
  LAUNCH_USER,      /* the groups, 32 bits each; a: user; b: group; c: how many groups */
  LAUNCH_CONSOLE,   /* path */
  LAUNCH_KEEP,      /* a: capabilities; b: those that go only with execve */
  LAUNCH_RAISE,     /* a: capabilities */
  LAUNCH_NO_NEW_PRIVILEGES,
  LAUNCH_FILTER,    /* a row of struct sock_filter; a: how many */
  LAUNCH_BLOCK,     /* a: signals, signal n as bit n-1 */
  LAUNCH_INIT,      /* arguments, environment; a: slot of launch_init_program; b: how many arguments; c: variables */
  LAUNCH_EXECUTE    /* candidates; a: how many; b: whether the zeroth argument is the candidate */
};

enum launch_flag {
  LAUNCH_OPTIONAL = 1, /* what is missing is left out */
  LAUNCH_RECURSIVE = 2,
  LAUNCH_NO_LINK = 4,   /* only a directory, no symbolic link to one */
  LAUNCH_REPLACE = 8,   /* what is there goes */
  LAUNCH_KEEP_LINK = 16, /* a symbolic link that is there stays, and nothing is done */
  LAUNCH_LENIENT = 32   /* what cannot be done is left undone */
};

struct launch_step {
  uint32_t op;
  uint32_t arg;
  uint64_t a, b, c;
};

struct launch_plan {
  const struct launch_step *steps;
  uint32_t step_count;
  /* Of all steps; writable, because paths are cut at their slashes while directories are made. */
  char *text;
  /* Both end with NULL. argv[0] is written. */
  char **argv;
  char **envp;
  /*
   * The descriptors the child keeps, by the daemon's numbers: the listeners, one place for the channel to the daemon, those of the first
   * slots. They become 3, 4, … in this order; slot n is listener_count + 4 + n. The array is written.
   */
  int *descriptors;
  uint32_t listener_count;
  uint32_t preloaded_count;
  /* With the preloaded ones. */
  uint32_t slot_count;
  /* Namespaces, as flags of clone3(2): of the first process. */
  uint64_t namespaces;
  /* Whether there is a LAUNCH_CROSS; the child is given a mount namespace only, and the first process the others. */
  int crosses;
  /* Whether there is a LAUNCH_INIT. */
  int has_init;
  /* The directory of the cgroup 2 that the child is born in. */
  int cgroup;
};

enum launch_failure {
  LAUNCH_NO_FAILURE = -1,
  LAUNCH_AT_PIPE = -2,        /* making the channel or the child's stack */
  LAUNCH_AT_CLONE = -3,       /* clone3 */
  LAUNCH_AT_DESCRIPTORS = -4, /* arranging the child's descriptors */
  LAUNCH_AT_HANDLE = -5,      /* opening the first process, finding that it was never made, or letting it execute */
  LAUNCH_AT_SYNC_POINT = -6,        /* no failure: what a child sends as #5 */
};

struct launch_family;

struct launch_result {
  int32_t pid;
  /* Close-on-exec; the caller closes it, after launch_finish. */
  int32_t pidfd;
  /* The index of the step that failed, or a launch_failure. */
  int32_t failed;
  /* The errno of the failure. */
  int32_t error;
  /* For launch_finish, which has to follow; NULL after a failure. */
  struct launch_family *family;
};

/*
 * Makes the plan's process and returns when it stands at the sync point (#5), or has ended. The plan's arrays stay in use. A child that
 * failed has been reaped; then pid and pidfd are -1.
 */
struct launch_result launch_start(const struct launch_plan *plan);

/*
 * Lets what launch_start made execute (#6), or, without `executes`, ends it; returns after #1. `failed` says whether it has executed;
 * if not it has been reaped, and LAUNCH_NO_FAILURE stands there only without `executes`. The descriptor `pidfd` stays the caller's.
 */
struct launch_result launch_finish(struct launch_result started, int executes);

/* The number of a guest's program below the small init, in the guest. */
enum { LAUNCH_PAYLOAD = 2 };

/*
 * The small init as a file without a name, for a slot: sealed, close-on-exec; the caller closes it. -errno on failure.
 *
 * Its arguments: its name, and after how many seconds it does not wait any more for a program that was told to end; without, it waits
 * for ever.
 */
long launch_init_program(void);

/*
 * A process that does nothing in new namespaces, until launch_let_go: in between, /proc/PID/ns has their files and /proc/PID/uid_map
 * can be written. It ends with the daemon.
 */
struct launch_holder {
  int32_t pid;
  int32_t pidfd;
  void *stack;
};

/* `namespaces` are flags of clone3(2). 0, or -errno and nothing is left; then `holder` may be let go all the same, which does nothing. */
long launch_hold(uint64_t namespaces, struct launch_holder *holder);
/* Ends it. Namespaces live on as long as a descriptor of theirs is open. */
void launch_let_go(struct launch_holder *holder);

#endif
