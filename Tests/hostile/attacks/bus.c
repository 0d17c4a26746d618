/* The PID 1 of a guest that has a bus of its own making, for whoever asks it.
 *
 * bus silent: accepts and says nothing. bus slow: begins an answer, a byte each second. bus huge: answers with a message of 120 MB. bus full:
 * its backlog is full. bus link: the socket's path is a symbolic link. bus stranger: another process than PID 1 listens. bus stop: a process
 * stops all others that it may, without end, so also those that come from the host to systemd's private socket.
 *
 * measured: no, it acts only when it is asked
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char PATH[] = "/run/dbus/system_bus_socket";

static int made(const char *path, int backlog) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || bind(socket_, (struct sockaddr *)&address, sizeof address) < 0 || listen(socket_, backlog) < 0) {
    perror(path);
    exit(1);
  }
  return socket_;
}

static void fill(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, PATH);
  while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), (struct sockaddr *)&address, sizeof address) == 0) continue;
}

static void say(int client, const void *bytes, size_t count) {
  if (write(client, bytes, count) < 0) _exit(0);
}

// What a bus says until it has accepted whoever speaks, as far as sd-bus waits for it.
static const char WELCOME[] = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

static void answer_slowly(int client) {
  for (size_t index = 0; index < sizeof WELCOME; index++) {
    say(client, WELCOME + index, 1);
    sleep(1);
  }
}

static void answer_hugely(int client) {
  say(client, WELCOME, sizeof WELCOME - 1);
  // A method return, little endian, whose body has 120 MB.
  const unsigned length = 120 << 20, serial = 1, fields = 0;
  unsigned char header[16] = {'l', 2, 0, 1};
  memcpy(header + 4, &length, 4);
  memcpy(header + 8, &serial, 4);
  memcpy(header + 12, &fields, 4);
  say(client, header, sizeof header);
  static char zeros[1 << 16];
  for (;;) say(client, zeros, sizeof zeros);
}

static void serve(int listener, const char *mode) {
  for (;;) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0 || fork() != 0) {
      close(client);
      continue;
    }
    if (strcmp(mode, "slow") == 0) answer_slowly(client);
    if (strcmp(mode, "huge") == 0) answer_hugely(client);
    pause();
  }
}

static void stop_all(void) {
  mkdir("/run/systemd", 0755);
  made("/run/systemd/private", 8);
  if (fork() != 0) return;
  for (;;) kill(-1, SIGSTOP);
}

int main(int count, char *arguments[]) {
  const char *mode = count > 1 ? arguments[1] : "silent";
  // As PID 1 it has no default actions.
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_DFL);
  mkdir("/run/dbus", 0755);
  if (strcmp(mode, "stop") == 0) {
    stop_all();
  } else if (strcmp(mode, "link") == 0) {
    made("/run/real", 8);
    if (symlink("/run/real", PATH) < 0) perror(PATH);
  } else if (strcmp(mode, "stranger") == 0) {
    if (fork() == 0) serve(made(PATH, 8), mode);
  } else {
    int listener = made(PATH, strcmp(mode, "full") == 0 ? 0 : 8);
    if (strcmp(mode, "full") == 0) fill();
    else if (fork() == 0) serve(listener, mode);
  }
  // Until then there is nobody to ask.
  while (strcmp(mode, "stop") != 0 && access(PATH, F_OK) != 0) poll(NULL, 0, 1);
  puts("the bus is there");
  for (;;) pause();
}
