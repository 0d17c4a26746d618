/* A guest in one file: a static PID 1 that serves its passed listeners and misbehaves on request.
 *
 *   tiny-init [--ready] [--plain] [--stop=poweroff|exit|ignore|flush] [--do=COMMAND]...
 *
 * It gets its listeners as in sd_listen_fds(3) and sends READY=1 if --ready was given. Then it answers every line on a
 * stream, and every datagram, with one line, in which tabs separate items. It answers an HTTP request with "hello" and
 * closes the connection. With --plain it knows accept(2) alone: it serves one connection after the other of its first
 * listener, and ends when accept(2) fails. A command is
 *
 *   pid               its process ID               args, env     its argument list, its environment
 *   fds               its descriptors at the time of execve(2): "NUMBER TARGET"
 *   nonblock          whether O_NONBLOCK is set, for each listener: "3 1"
 *   read PATH         the lines of the file        write PATH TEXT   writes to it: "ok" or an error
 *   notify TEXT       sends TEXT, with | for newlines, to $NOTIFY_SOCKET
 *   call N [A B C]    makes the system call N: its result or an error
 *   print N           writes N bytes to the console       flood      writes to the console without end
 *   close, shutdown, block   closes the listeners, shuts them down, makes them blocking
 *   exit N, crash, poweroff, reboot, hang   ends in this way, or stops serving
 *
 * Other lines are echoed. --do= runs a command at the start, before READY=1. On SIGRTMIN+3, SIGRTMIN+4 and SIGTERM it
 * powers off as PID 1, and exits with 0 as a service.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 2048, ANSWER = 65536 };

static int listeners;                 /* descriptors FIRST .. FIRST + listeners - 1 */
static char **arguments;
static char at_exec[ANSWER];          /* the answer to "fds" */
static char answer[ANSWER];
static struct pollfd watched[MOST];   /* signals, then the listeners, then the connections */
static int watching;
static enum { STOP_POWEROFF, STOP_EXIT, STOP_IGNORE, STOP_FLUSH } on_stop;

#include "descriptors.h"

static void notify(const char *text) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char message[4096];
  if (!path || strlen(path) >= sizeof to.sun_path) return;
  strcpy(to.sun_path, path);
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
  if (path[0] == '@') to.sun_path[0] = 0;
  snprintf(message, sizeof message, "%s", text);
  for (char *c = message; *c; c++)
    if (*c == '|') *c = '\n';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
  close(fd);
}

static void say_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, answer, ANSWER - 2);
  if (length < 0) {
    say(answer, "%s", strerror(errno));
  } else {
    if (length > 0 && answer[length - 1] == '\n') length--;
    answer[length] = 0;
    for (char *c = answer; c < answer + length; c++)
      if (*c == '\n' || !*c) *c = '\t';
  }
  if (fd >= 0) close(fd);
}

static void write_file(char *path) {
  char *text = strchr(path, ' ');
  if (text) *text++ = 0;
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  int done = fd >= 0 && (!text || write(fd, text, strlen(text)) >= 0);
  say(answer, "%s", done ? "ok" : strerror(errno));
  if (fd >= 0) close(fd);
}

static void call(char *numbers) {
  unsigned long a[4] = {0};
  for (int i = 0; i < 4 && *numbers; i++) a[i] = strtoul(numbers, &numbers, 0);
  long result = syscall((long)a[0], a[1], a[2], a[3]);
  if (result < 0) say(answer, "%s", strerror(errno));
  else say(answer, "%ld", result);
}

static void print(long count) {
  char block[1024];
  for (size_t i = 0; i < sizeof block; i++) block[i] = i % 64 == 63 ? '\n' : 'x';
  for (long left = count; count < 0 || left > 0; left -= sizeof block) {
    size_t size = count < 0 || left > (long)sizeof block ? sizeof block : (size_t)left;
    if (write(STDOUT_FILENO, block, size) < 0) return;
  }
}

static void say_owner(const char *path) {
  struct stat status;
  if (lstat(path, &status) < 0) say(answer, "%s", strerror(errno));
  else say(answer, "%u:%u", status.st_uid, status.st_gid);
}

/* Starts a process that does nothing. */
static void spawn(void) {
  pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  say(answer, "%s", child > 0 ? "ok" : strerror(errno));
}

static void end_machine(int how) {
  sync();
  if (getpid() == 1) reboot(how);
  exit(0);
}

static void each_listener(const char *what) {
  for (int fd = FIRST; fd < FIRST + listeners; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (!strcmp(what, "close")) close(fd);
    else if (!strcmp(what, "shutdown")) shutdown(fd, SHUT_RDWR);
    else if (!strcmp(what, "block")) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    else say(answer, "%s%d %d", answer[0] ? "\t" : "", fd, !!(flags & O_NONBLOCK));
  }
  if (!answer[0]) say(answer, "ok");
  /* poll(2) would report the closed listeners without end. */
  if (!strcmp(what, "close") || !strcmp(what, "shutdown"))
    for (int i = 1; i <= listeners; i++) watched[i].fd = -1;
}

static void say_list(char **list) {
  for (; *list; list++) say(answer, "%s%s", answer[0] ? "\t" : "", *list);
}

/* Runs the command `line` and leaves the reply in `answer`. */
static void obey(char *line) {
  char *rest = strchr(line, ' ');
  rest = rest ? rest + 1 : line + strlen(line);
  answer[0] = 0;
#define IS(word) (!strncmp(line, word, sizeof word - 1) && strchr(" ", line[sizeof word - 1]))
  if (IS("pid")) say(answer, "%d", getpid());
  else if (IS("id")) say(answer, "%u:%u", getuid(), getgid());
  else if (IS("owner")) say_owner(rest);
  else if (IS("spawn")) spawn();
  else if (IS("args")) say_list(arguments);
  else if (IS("env")) say_list(environ);
  else if (IS("fds")) say(answer, "%s", at_exec);
  else if (IS("read")) say_file(rest);
  else if (IS("write")) write_file(rest);
  else if (IS("notify")) notify(rest), say(answer, "ok");
  else if (IS("call")) call(rest);
  else if (IS("print")) print(atol(rest)), say(answer, "ok");
  else if (IS("flood")) print(-1);
  else if (IS("nonblock") || IS("close") || IS("shutdown") || IS("block")) each_listener(line);
  else if (IS("exit")) exit(atoi(rest));
  else if (IS("crash")) __builtin_trap();
  else if (IS("poweroff")) end_machine(RB_POWER_OFF);
  else if (IS("reboot")) end_machine(RB_AUTOBOOT);
  else if (IS("hang")) for (;;) pause();
  else say(answer, "%s", line);
#undef IS
  say(answer, "\n");
}

/* Accepts and closes every connection until it is killed, as systemd does while it shuts down. */
static void flush(void) {
  char line[4096];
  while (poll(watched + 1, listeners, -1) >= 0 || errno == EINTR)
    for (struct pollfd *at = watched + 1; at <= watched + listeners; at++) {
      int connection = at->revents ? accept4(at->fd, NULL, NULL, SOCK_CLOEXEC) : -1;
      if (connection >= 0) close(connection);
      else if (at->revents && recv(at->fd, line, sizeof line, MSG_DONTWAIT) < 0 && errno != EAGAIN) at->fd = -1;
    }
}

static void stop(int fd) {
  struct signalfd_siginfo info;
  if (read(fd, &info, sizeof info) < 0 || on_stop == STOP_IGNORE) return;
  if (on_stop == STOP_FLUSH) flush();
  if (on_stop == STOP_EXIT) exit(0);
  end_machine(RB_POWER_OFF);
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
    if (connection >= 0) watch(connection);
    return;
  }
  char line[4096];
  struct sockaddr_storage from;
  socklen_t length = sizeof from;
  ssize_t got = recvfrom(fd, line, sizeof line - 1, 0, (struct sockaddr *)&from, &length);
  if (got < 0) return;
  line[got] = 0;
  line[strcspn(line, "\r\n")] = 0;
  obey(line);
  sendto(fd, answer, strlen(answer), MSG_NOSIGNAL, (struct sockaddr *)&from, length);
}

/* Returns whether the connection stays open. A line arrives in one piece, because the clients of the tests send it so. */
static int serve_connection(int fd) {
  char line[4096];
  ssize_t got = recv(fd, line, sizeof line - 1, 0);
  if (got <= 0) return 0;
  line[got] = 0;
  if (!strncmp(line, "GET ", 4)) {
    static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    send(fd, page, sizeof page - 1, MSG_NOSIGNAL);
    return 0;
  }
  for (char *at = line, *end; *at; at = end) {
    end = at + strcspn(at, "\r\n");
    while (*end == '\r' || *end == '\n') *end++ = 0;
    obey(at);
    if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) return 0;
  }
  return 1;
}

static int serve_plainly(void) {
  for (;;) {
    int connection = accept(FIRST, NULL, NULL);
    if (connection < 0) return 1;
    while (serve_connection(connection)) {}
    close(connection);
  }
}

static int watch_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGRTMIN + 3);
  sigaddset(&signals, SIGRTMIN + 4);
  /* PID 1 does not get signals without a handler, unless they are blocked; and a blocked one that came earlier is pending. */
  sigprocmask(SIG_BLOCK, &signals, NULL);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(int count, char **list) {
  int ready = 0, plain = 0;
  const char *passed = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
  arguments = list;
  note_descriptors();
  if (passed && whose && atoi(whose) == getpid()) listeners = atoi(passed);
  watch(watch_signals());
  for (int i = 0; i < listeners; i++) watch(FIRST + i);
  for (int i = 1; i < count; i++) {
    if (!strcmp(list[i], "--ready")) ready = 1;
    else if (!strcmp(list[i], "--plain")) plain = 1;
    else if (!strcmp(list[i], "--stop=exit")) on_stop = STOP_EXIT;
    else if (!strcmp(list[i], "--stop=ignore")) on_stop = STOP_IGNORE;
    else if (!strcmp(list[i], "--stop=flush")) on_stop = STOP_FLUSH;
    else if (!strncmp(list[i], "--do=", 5)) obey(strdup(list[i] + 5));
  }
  if (ready) notify("READY=1");
  if (plain) return serve_plainly();
  while (poll(watched, watching, -1) >= 0 || errno == EINTR) {
    if (watched[0].revents) stop(watched[0].fd);
    for (int i = 1; i <= listeners; i++)
      if (watched[i].fd >= 0 && watched[i].revents) serve_listener(watched[i].fd);
    for (int i = listeners + 1; i < watching; i++) {
      if (!watched[i].revents || serve_connection(watched[i].fd)) continue;
      close(watched[i].fd);
      watched[i--] = watched[--watching];
    }
  }
  return 1;
}
