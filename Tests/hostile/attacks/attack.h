/* What several attacks need, each a guest that is PID 1 of its own static program. */
#ifndef ATTACK_H
#define ATTACK_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Sends READY=1 to $NOTIFY_SOCKET. */
static inline void say_ready(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path) return;
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
  close(fd);
}

/* Prints what came of a system call. */
static inline void say(const char *what, long result) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
  fflush(stdout);
}

/* Says READY=1, and calls a handler with its socket whenever one of the three passed sockets can be read. Returns when poll(2) fails. */
static inline int serve_passed(void (*const handlers[3])(int)) {
  const char *passed = getenv("LISTEN_FDS");
  nfds_t count = passed ? (nfds_t)atoi(passed) : 0;
  struct pollfd sockets[3] = {{3, POLLIN, 0}, {4, POLLIN, 0}, {5, POLLIN, 0}};
  if (count > 3) count = 3;
  say_ready();
  while (poll(sockets, count, -1) > 0) {
    for (nfds_t i = 0; i < count; i++) {
      if (sockets[i].revents) handlers[i](sockets[i].fd);
    }
  }
  return 1;
}

#endif
