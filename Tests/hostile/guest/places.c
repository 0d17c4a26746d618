/* Attempts to leave the guest's root, its cgroup and its PID namespace. */
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cgroup_above(void) {
  struct stat here, above;
  mkdir("/tmp/cgroup", 0700);
  if (mount("none", "/tmp/cgroup", "cgroup2", 0, NULL) == -1) return refused(-1);
  /* The root of the mount must be the same cgroup as the guest's. */
  if (stat("/tmp/cgroup", &here) == -1 || stat("/sys/fs/cgroup", &above) == -1) return refused(-1);
  if (here.st_ino != above.st_ino) return snprintf(why, sizeof why, "a cgroup above the guest's is there"), BROKEN;
  return refused(write_to("/tmp/cgroup/../cgroup.procs", "1"));
}
int release_agent(void) {
  static const char *const controllers[] = {"memory", "cpuset", "pids", "devices", "freezer", "rdma", "misc", NULL};
  mkdir("/tmp/v1", 0700);
  if (mount("none", "/tmp/v1", "cgroup", 0, "none,name=dormouse") == 0)
    return snprintf(why, sizeof why, "a new hierarchy of version 1 was mounted"), BROKEN;
  for (const char *const *name = controllers; *name; name++) {
    if (mount("none", "/tmp/v1", "cgroup", 0, *name) == -1) continue;
    char agent[4096];
    snprintf(agent, sizeof agent, "%s", content("/tmp/v1/release_agent"));
    int verdict = access("/tmp/v1/release_agent", F_OK) == 0 ? refused(write_to("/tmp/v1/release_agent", agent)) : HELD;
    umount2("/tmp/v1", MNT_DETACH);
    if (verdict == BROKEN) return verdict;
  }
  snprintf(why, sizeof why, "no hierarchy of version 1 lets it");
  return HELD;
}

int host_descriptor(void) {
  snprintf(why, sizeof why, foreign_descriptors ? "open besides:%s" : "only standard ones and listeners%s", descriptors);
  return foreign_descriptors ? BROKEN : HELD;
}

int signal_host(void) { return victim ? refused(kill(victim, 0)) : skip("no process was named"); }
int trace_host(void) {
  return victim ? refused(ptrace(PTRACE_SEIZE, victim, NULL, NULL)) : skip("no process was named");
}
int daemon_program(void) {
  struct stat own, told;
  /* The program of process 1 must be the guest's, not the daemon's. */
  if (stat("/proc/1/exe", &told) == -1 || stat("/sbin/init", &own) == -1) return refused(-1);
  int same = own.st_dev == told.st_dev && own.st_ino == told.st_ino;
  snprintf(why, sizeof why, same ? "/proc/1/exe is the guest's" : "/proc/1/exe is no file of the guest's");
  return same ? HELD : BROKEN;
}

static long keyctl(int what, long a, long b, long c, long d) { return syscall(SYS_keyctl, what, a, b, c, d); }
int host_key(void) {
  long key = keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"user", (long)"dormouse-hostile", 0);
  if (key == -1) key = keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user", (long)"dormouse-hostile", 0);
  return refused(key);
}

/* The root of an ext4 file system has inode 2 and can be opened by handle, without a path, also if the guest's root is below it. */
int handle(void) {
  struct {
    struct file_handle head;
    unsigned int words[2];
  } root = {.head = {.handle_bytes = 8, .handle_type = 1 /* FILEID_INO32_GEN */}, .words = {2, 0}};
  int here = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return forbidden(syscall(SYS_open_by_handle_at, here, &root.head, O_RDONLY | O_CLOEXEC));
}

/* A process of root leaves a chroot of its own and walks up with `..`; it must end in the guest's root. */
int breakout(void) {
  struct stat own, found;
  pid_t child = fork();
  if (child == 0) {
    stat("/", &own);
    mkdir("/tmp/jail", 0700);
    int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (chroot("/tmp/jail") == -1 || fchdir(top) == -1) exit(0);
    for (int i = 0; i < 64; i++)
      if (chdir("..") == -1) exit(0);
    if (chroot(".") == -1) exit(0);
    exit(stat("/", &found) == 0 && (own.st_dev != found.st_dev || own.st_ino != found.st_ino));
  }
  int status = 0;
  waitpid(child, &status, 0);
  snprintf(why, sizeof why, "the way up ends in %s", WEXITSTATUS(status) ? "another root" : "the guest's own root");
  return WEXITSTATUS(status) ? BROKEN : HELD;
}
int pivot(void) {
  struct stat own, found;
  stat("/", &own);
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) exit(0);
    if (umount2("/", MNT_DETACH) == -1 && errno == EINVAL) exit(0);
    exit(stat("/", &found) == 0 && (own.st_dev != found.st_dev || own.st_ino != found.st_ino));
  }
  int status = 0;
  waitpid(child, &status, 0);
  snprintf(why, sizeof why, "beneath the guest's root is %s", WEXITSTATUS(status) ? "another" : "nothing");
  return WEXITSTATUS(status) ? BROKEN : HELD;
}
