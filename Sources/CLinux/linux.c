#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>

/*
 * A thread that enters a namespace or another root has to return, and the kernel may refuse that. So each of these calls runs on a thread
 * of its own that exits afterwards, and nothing has to be undone.
 */

/* What such a thread gets: a function that returns -1 and sets errno, or returns a result, and its arguments. */
struct call {
  int (*call)(struct call *);
  int result, error;
  const char *root;
  int namespace, socket, family, type, protocol;
  const struct sockaddr *address;
  socklen_t length;
  struct utsname *names;
};

static void *run(void *argument) {
  struct call *call = argument;
  call->result = call->call(call);
  call->error = errno;
  return NULL;
}

static int run_on_own_thread(struct call *call) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, run, call);
  if (error != 0) {
    errno = error;
    return -1;
  }
  pthread_join(thread, NULL);
  errno = call->error;
  return call->result;
}

/* After unshare(CLONE_FS), root and working directory are the thread's own. */
static int bind_below(struct call *call) {
  if (unshare(CLONE_FS) == -1 || chroot(call->root) == -1) return -1;
  return bind(call->socket, call->address, call->length);
}

int linux_bind_below(const char *root, int socket, const struct sockaddr *address, uint32_t length) {
  struct call call = {.call = bind_below, .root = root, .socket = socket, .address = address, .length = length};
  return run_on_own_thread(&call);
}

static int socket_in_namespace(struct call *call) {
  if (setns(call->namespace, CLONE_NEWNET) == -1) return -1;
  return socket(call->family, call->type, call->protocol);
}

int linux_socket_in_namespace(int namespace, int family, int type, int protocol) {
  struct call call = {
      .call = socket_in_namespace, .namespace = namespace, .family = family, .type = type, .protocol = protocol};
  return run_on_own_thread(&call);
}

static int names_in_namespace(struct call *call) {
  if (setns(call->namespace, CLONE_NEWUTS) == -1) return -1;
  return uname(call->names);
}

int linux_hostname_in_namespace(int namespace, char *name, uint32_t size) {
  struct utsname names;
  struct call call = {.call = names_in_namespace, .namespace = namespace, .names = &names};
  if (run_on_own_thread(&call) == -1) return -1;
  strncpy(name, names.nodename, size - 1);
  name[size - 1] = 0;
  return 0;
}

int linux_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return -1;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit);
}
