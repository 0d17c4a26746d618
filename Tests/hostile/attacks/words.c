/* PID 1 that says READY=1 and then sends messages to $NOTIFY_SOCKET, to keep the daemon busy:
 *
 *   words alternate   seems to shut down and then not, without a pause
 *   words status      sends long texts that no terminal can show, without a pause
 *   words doubt       seems to shut down again and again, three times a second
 *   words deaf        says nothing more, and exits on SIGTERM
 *
 * It serves nobody. Unless it is deaf it has no handler for any signal.
 *
 * arguments: alternate
 * arguments: status
 * arguments: doubt
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un to = {.sun_family = AF_UNIX};
static socklen_t size;

static void say(int fd, const char *text) {
  sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
}

static void leave(int number) {
  (void)number;
  _exit(0);
}

int main(int count, char **arguments) {
  const char *path = getenv("NOTIFY_SOCKET");
  const char *mode = count > 1 ? arguments[1] : "";
  char text[4000] = "STATUS=";
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || !path || strlen(path) >= sizeof to.sun_path) return 1;
  strcpy(to.sun_path, path);
  size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
  while (strlen(text) < sizeof text - 4) strcat(text, "\xc2\x85");
  if (strcmp(mode, "deaf") == 0) signal(SIGTERM, leave);
  say(fd, "READY=1");
  for (;;) {
    if (strcmp(mode, "deaf") == 0) {
      pause();
    } else if (strcmp(mode, "status") == 0) {
      say(fd, text);
    } else {
      say(fd, "X_SYSTEMD_UNIT_INACTIVE=timers.target");
      if (strcmp(mode, "alternate") == 0) say(fd, "X_SYSTEMD_UNIT_ACTIVE=timers.target");
      else usleep(300000);
    }
  }
}
