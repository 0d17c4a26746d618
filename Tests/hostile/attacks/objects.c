/* A guest that takes as many of one kind of kernel object as it gets: PID 1 with the argument cgroups, terminals or inotify, and
 * perhaps a number that is enough. It prints "took N: REASON", sends READY=1, and gives everything back when it is stopped.
 *
 * arguments: cgroups
 * arguments: terminals
 * arguments: inotify
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "attack.h"

static int cgroup(int number) {
  char path[64];
  snprintf(path, sizeof path, "/sys/fs/cgroup/%d", number);
  return mkdir(path, 0755);
}
static int terminal(int number) {
  (void)number;
  return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
}
static int inotify(int number) {
  (void)number;
  return inotify_init1(IN_CLOEXEC);
}

static void end(int signal) {
  (void)signal;
  _exit(0);
}

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  int most = count > 2 ? atoi(arguments[2]) : 30000, taken = 0;
  int (*take)(int) = strcmp(what, "cgroups") == 0 ? cgroup : strcmp(what, "terminals") == 0 ? terminal : inotify;
  struct rlimit descriptors;
  signal(SIGTERM, end);
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  const char *reason = "enough";
  for (int i = 0; i < most; i++) {
    if (take(i) != -1)
      taken++;
    else
      reason = strerror(errno);
  }
  printf("took %d: %s\n", taken, reason);
  fflush(stdout);
  say_ready();
  for (;;) pause();
}
