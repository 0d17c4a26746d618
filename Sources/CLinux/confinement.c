#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../CLaunch/raw.h"

enum { STACK = 16384 };

struct request {
  int family, type, protocol;
  long result;
};

/* The child shares memory and descriptors with this process: it makes raw system calls only, and what it opens is this process's. */
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
  /* Without an exit signal it is a clone child (__WCLONE). It has made the socket: CLONE_VFORK. */
  while (pid > 0 && waitpid((pid_t)pid, NULL, __WALL) == -1 && errno == EINTR) {}
  free(stack);
  long result = pid < 0 ? pid : request.result;
  if (result >= 0) return (int)result;
  errno = (int)-result;
  return -1;
}
