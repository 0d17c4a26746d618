/* PID 1 that makes a threaded cgroup, whose processes cannot be listed, and says READY=1. It exits on SIGTERM.
 *
 * measured: no, it is about a daemon that is killed
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void leave(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  signal(SIGTERM, leave);
  mkdir("/sys/fs/cgroup/t", 0755);
  int type = open("/sys/fs/cgroup/t/cgroup.type", O_WRONLY);
  int made = type >= 0 && write(type, "threaded", 8) == 8;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (!made || fd < 0 || !path || strlen(path) >= sizeof to.sun_path) return 1;
  strcpy(to.sun_path, path);
  sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + strlen(path));
  for (;;) pause();
}
