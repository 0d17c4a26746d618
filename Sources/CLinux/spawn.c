#define _GNU_SOURCE
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

/* Puts the descriptors in their places. It first moves all of them above these places, so that none overwrites another. */
static int arrange(int output, const int *passed, int count) {
  int moved[LINUX_MOST_PASSED];
  const int end = 3 + count;
  if ((output = fcntl(output, F_DUPFD_CLOEXEC, end)) == -1) return -1;
  for (int i = 0; i < count; i++) {
    if ((moved[i] = fcntl(passed[i], F_DUPFD_CLOEXEC, end)) == -1) return -1;
  }
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing == -1 || dup2(nothing, 0) == -1 || dup2(output, 1) == -1) return -1;
  for (int i = 0; i < count; i++) {
    if (dup2(moved[i], 3 + i) == -1) return -1;
  }
  /* Without close_range(2), Linux 5.9, it must suffice that every descriptor is closed on exec. */
  (void)syscall(436 /* the same on every architecture */, end, ~0U, 0);
  return 0;
}

int linux_spawn(const char *program, char *const arguments[], char *const environment[], int output, const int *passed, int count) {
  if (count > LINUX_MOST_PASSED) {
    errno = E2BIG;
    return -1;
  }
  /* No handler of this process may run in the child, which has the same memory until it executes. */
  sigset_t all, before, none;
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  volatile int error = 0;
  const pid_t child = vfork();
  if (child == 0) {
    /* A session of its own: a terminal's signals are for the daemon, which decides what becomes of the child. */
    setsid();
    /* Who dies before this call kills nobody. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && arrange(output, passed, count) == 0) {
      signal(SIGPIPE, SIG_DFL);
      sigprocmask(SIG_SETMASK, &none, NULL);
      execve(program, arguments, environment);
    }
    error = errno ? errno : ESRCH;
    _exit(127);
  }
  if (child == -1) error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) return child;
  if (child != -1) {
    while (waitpid(child, NULL, 0) == -1 && errno == EINTR) {}
  }
  errno = error;
  return -1;
}
