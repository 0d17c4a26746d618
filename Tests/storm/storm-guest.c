/* The server of the storm: process 1 of a guest without systemd, or a service behind a .socket unit.
 *
 * On each accepted connection it sends "+" at once, so that a client knows whether the service had accepted a lost connection. Then it
 * reads the request "NUMBER LENGTH\n", answers with LENGTH bytes that follow from NUMBER, and closes. It sends datagrams back. At a stop
 * signal it accepts no more connections, answers the open ones, and ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answer.h"

enum { FIRST = 3, MOST = 1024 };

static struct pollfd watched[MOST]; /* signals, then the listeners, then the connections */
static int watching, listeners;

static void notify_ready(void) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (!path || strlen(path) >= sizeof to.sun_path) return;
  strcpy(to.sun_path, path);
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
  if (path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to, size);
  close(fd);
}

static void watch(int fd) {
  if (watching == MOST) close(fd);
  else watched[watching++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void serve_listener(int fd) {
  int kind = 0;
  socklen_t size = sizeof kind;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size);
  if (kind != SOCK_DGRAM) {
    int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) return;
    send(connection, "+", 1, MSG_NOSIGNAL);
    watch(connection);
    return;
  }
  char text[64];
  struct sockaddr_storage from;
  socklen_t length = sizeof from;
  ssize_t got = recvfrom(fd, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
  if (got >= 0) sendto(fd, text, got, MSG_NOSIGNAL, (struct sockaddr *)&from, length);
}

/* A request arrives in one piece, because the storm's clients send it so. */
static void serve_connection(int fd) {
  char request[64];
  static unsigned char answer[LONGEST];
  unsigned number, length;
  ssize_t got = recv(fd, request, sizeof request - 1, 0);
  if (got <= 0) return;
  request[got] = 0;
  if (sscanf(request, "%u %u", &number, &length) != 2 || length > LONGEST) return;
  fill_answer(answer, number, length);
  send(fd, answer, length, MSG_NOSIGNAL);
}

static int watch_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(void) {
  const char *passed = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
  if (passed && whose && atoi(whose) == getpid()) listeners = atoi(passed);
  watch(watch_signals());
  for (int i = 0; i < listeners; i++) watch(FIRST + i);
  notify_ready();
  int stopping = 0;
  while (!stopping || watching > listeners + 1) {
    /* A client of the storm sends its request much sooner than in a second. */
    int ready = poll(watched, watching, stopping ? 1000 : -1);
    if (ready < 0 && errno != EINTR) return 1;
    if (ready == 0) break;
    if (watched[0].revents) {
      stopping = 1;
      for (int i = 0; i <= listeners; i++) watched[i].fd = -1;
    }
    for (int i = listeners + 1; i < watching; i++) {
      if (!watched[i].revents) continue;
      serve_connection(watched[i].fd);
      close(watched[i].fd);
      watched[i--] = watched[--watching];
    }
    for (int i = 1; i <= listeners; i++)
      if (watched[i].fd >= 0 && watched[i].revents) serve_listener(watched[i].fd);
  }
  if (getpid() == 1) reboot(RB_POWER_OFF);
  return 0;
}
