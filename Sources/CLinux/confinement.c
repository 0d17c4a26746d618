#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "raw.h"

enum { STACK = 16384 };

struct request {
  int family, type, protocol;
  long result;
};

/* Runs in a child that shares this process's memory, so it makes raw system calls only. It shares the descriptor table too (CLONE_FILES),
 * so the socket belongs to this process. */
static void make_socket(void *argument) {
  struct request *request = argument;
  request->result = raw3(__NR_socket, request->family, request->type, request->protocol);
  for (;;) raw1(__NR_exit, 0);
}

int linux_socket_in_cgroup(int cgroup, int family, int type, int protocol) {
  struct request request = {.family = family, .type = type, .protocol = protocol, .result = -EIO};
  void *stack = NULL;
  int error = posix_memalign(&stack, 16, STACK);
  if (error) {
    errno = error;
    return -1;
  }
  struct clone_args arguments = {
      .flags = CLONE_VM | CLONE_FILES | CLONE_VFORK | CLONE_INTO_CGROUP,
      .stack = (uint64_t)(uintptr_t)stack,
      .stack_size = STACK,
      .cgroup = (uint64_t)cgroup,
  };
  long pid = raw_clone3(&arguments, sizeof arguments, make_socket, &request);
  /* CLONE_VFORK: the child has made the socket and ended by now. waitpid(2) finds a child without an exit signal only with __WALL. */
  while (pid > 0 && waitpid((pid_t)pid, NULL, __WALL) == -1 && errno == EINTR) {}
  free(stack);
  long result = pid < 0 ? pid : request.result;
  if (result >= 0) return (int)result;
  errno = (int)-result;
  return -1;
}
