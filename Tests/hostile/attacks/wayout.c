/* A guest with a network of its own that tries to reach the host's through its sockets. It answers a line on a connection, or a datagram,
 * with the same text. "out PORT" by TCP makes it turn that connection to PORT of the host's loopback, in each way that there is; by UDP it
 * sends to PORT. What came of that is on its console, and the answer to the datagram. "listener PORT" does the same to the listener.
 *
 * measured: no, it acts only when it is asked
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>

#include "attack.h"

/* Its sockets are those of IPv6. */
static struct sockaddr_in6 loopback(const char *address, int port) {
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  inet_pton(AF_INET6, address, &to.sin6_addr);
  return to;
}

static void turn(const char *what, int fd, int port) {
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  char name[64];
  struct sockaddr_in6 to = loopback("::ffff:127.0.0.1", port);
  connect(fd, &nobody, sizeof nobody);
  snprintf(name, sizeof name, "connect the %s", what);
  say(name, connect(fd, (struct sockaddr *)&to, sizeof to));
  connect(fd, &nobody, sizeof nobody);
  snprintf(name, sizeof name, "open the %s fast", what);
  say(name, (int)sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to));
  connect(fd, &nobody, sizeof nobody);
  socklen_t size = sizeof to;
  if (listen(fd, 5) == 0 && getsockname(fd, (struct sockaddr *)&to, &size) == 0) {
    printf("listening at %d\n", ntohs(to.sin6_port));
    fflush(stdout);
  }
}

static void datagram(int fd) {
  char text[256] = "";
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  ssize_t got = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &size);
  if (got < 0) return;
  if (!strncmp(text, "out ", 4)) {
    int port = atoi(text + 4);
    struct sockaddr_in6 to = loopback("::ffff:127.0.0.1", port), to6 = loopback("::1", port);
    say("send a datagram", (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to));
    say("send a datagram of IPv6", (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to6, sizeof to6));
    say("connect the datagrams", connect(fd, (struct sockaddr *)&to, sizeof to));
  }
  sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, size);
}

static void unix_datagram(int fd) {
  char text[256] = "";
  struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "\0wayout-secret"};
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 14;
  if (recv(fd, text, sizeof text - 1, 0) < 0) return;
  say("send to a name", (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size));
  say("connect to a name", connect(fd, (struct sockaddr *)&to, size));
}

static void serve(int listener) {
  char line[256] = "";
  int fd = accept(listener, NULL, NULL);
  if (fd < 0 || recv(fd, line, sizeof line - 1, 0) <= 0) return;
  if (!strncmp(line, "out ", 4)) {
    turn("connection", fd, atoi(line + 4));
    return;
  }
  send(fd, line, strlen(line), MSG_NOSIGNAL);
  close(fd);
  if (!strncmp(line, "listener ", 9)) {
    shutdown(listener, SHUT_RDWR);
    turn("listener", listener, atoi(line + 9));
  }
}

int main(void) { return serve_passed((void (*const[])(int)){serve, datagram, unix_datagram}); }
