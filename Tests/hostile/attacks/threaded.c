/* PID 1 that makes a threaded cgroup, whose processes cannot be listed, and says READY=1. It exits on SIGTERM.
 *
 * measured: no, it is about a daemon that is killed
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "attack.h"

static void leave(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  signal(SIGTERM, leave);
  mkdir("/sys/fs/cgroup/t", 0755);
  int type = open("/sys/fs/cgroup/t/cgroup.type", O_WRONLY);
  if (type < 0 || write(type, "threaded", 8) != 8) return 1;
  say_ready();
  for (;;) pause();
}
