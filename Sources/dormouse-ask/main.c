#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "ask.h"

// The process ends after 300 ms, whether the guest has answered or not. An answer takes a few milliseconds.
static const struct itimerval DEADLINE = {.it_value = {.tv_usec = 300000}};
// 64 MiB, because sd-bus accepts messages of up to 128 MiB.
static const struct rlimit MEMORY = {64 << 20, 64 << 20}, NO_CORE = {0, 0};
static const unsigned NOBODY = 65534;

static int limit(void) {
  // With its default action SIGALRM is fatal, so it also ends a system call that only fatal signals interrupt (TASK_KILLABLE).
  if (setrlimit(RLIMIT_AS, &MEMORY) < 0 || setrlimit(RLIMIT_CORE, &NO_CORE) < 0) return -errno;
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  signal(SIGALRM, SIG_DFL);
  if (sigprocmask(SIG_UNBLOCK, &alarm, NULL) < 0 || setitimer(ITIMER_REAL, &DEADLINE, NULL) < 0) return -errno;
  return 0;
}

// Gives up every privilege, so that the guest gains none by a bug in the code that reads its bytes.
static int drop(void) {
  if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) return -errno;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int ask(pid_t pid, char *const addresses[], int count) {
  int root = ask_root(pid);
  if (root < 0) return root;
  bool is_bus;
  int socket = ask_connect(pid, root, &is_bus);
  if (socket < 0) return socket;
  sd_journal *journal = ask_journal(root);
  int result = close(root) < 0 ? -errno : drop();
  if (result < 0) return result;
  // Collects the answer in memory, so that it is printed completely or not at all.
  static char answer[64 << 10];
  FILE *out = fmemopen(answer, sizeof answer, "w");
  if (out == NULL) return -errno;
  result = ask_units(socket, is_bus, journal, addresses, count, out);
  if (result < 0) return result;
  if (fclose(out) != 0 || answer[sizeof answer - 1] != 0) return -EMSGSIZE;
  return fputs(answer, stdout) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

int main(int count, char *arguments[]) {
  char *end = NULL;
  long pid = count >= 2 ? strtol(arguments[1], &end, 10) : 0;
  if (pid <= 1 || *end != 0) {
    fprintf(stderr, "usage: dormouse-ask PID [ADDRESS...]\n");
    return 64;
  }
  int result = limit();
  if (result == 0) result = ask((pid_t)pid, arguments + 2, count - 2);
  if (result < 0) fprintf(stderr, "dormouse-ask: %s\n", strerror(-result));
  // _exit(2), not exit(3): all output is flushed, and no exit handler should touch the guest's bus or journal.
  _exit(result < 0);
}
