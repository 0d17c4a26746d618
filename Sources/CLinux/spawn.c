#define _GNU_SOURCE
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

/* Makes `output` descriptor 1 and `passed` 3 and up. Duplicates all of them above these numbers first, so that none overwrites another. */
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
  /* close_range(2), Linux 5.9. On older kernels only close-on-exec closes the others. */
  (void)syscall(436 /* the same on every architecture */, end, ~0U, 0);
  return 0;
}

int linux_spawn(const char *program, char *const arguments[], char *const environment[], int output, const int *passed, int count) {
  if (count > LINUX_MOST_PASSED) {
    errno = E2BIG;
    return -1;
  }
  /* No signal handler of this process may run in the child, which shares its memory until execve(2). */
  sigset_t all, before, none;
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  volatile int error = 0;
  const pid_t child = vfork();
  if (child == 0) {
    /* A session of its own, so that the signals of a terminal (SIGINT, SIGHUP) reach only the daemon, which ends the child itself. */
    setsid();
    /* The signal is not sent if the parent died before the prctl(2), so getppid(2) checks that. */
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
