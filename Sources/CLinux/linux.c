#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

/* What the thread of linux_bind_below is given, and says. */
struct bind_below {
  const char *root;
  int socket;
  const struct sockaddr *address;
  socklen_t length;
  int error;
};

static void *bind_below(void *argument) {
  struct bind_below *request = argument;
  /* From here on root and working directory are this thread's own, and go with it. */
  if (unshare(CLONE_FS) == -1 || chroot(request->root) == -1 ||
      bind(request->socket, request->address, request->length) == -1)
    request->error = errno;
  return NULL;
}

int linux_bind_below(const char *root, int socket, const struct sockaddr *address, uint32_t length) {
  struct bind_below request = {.root = root, .socket = socket, .address = address, .length = length};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, bind_below, &request);
  if (error == 0) {
    pthread_join(thread, NULL);
    error = request.error;
  }
  errno = error;
  return error == 0 ? 0 : -1;
}
