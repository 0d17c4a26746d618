/* Attaches descriptors to messages to its notify socket: of a file whose last close(2) takes long. Says on its console what became of it.
 *
 * measured: no, it sends a single message
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path) return 1;
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  int file = memfd_create("large", 0);
  if (ftruncate(file, 64 << 20) == -1) return 1;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
  memcpy(CMSG_DATA(&control.header), &file, sizeof file);
  char text[] = "STATUS=attached";
  struct iovec vector = {.iov_base = text, .iov_len = sizeof text - 1};
  struct msghdr message = {
      .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1,
      .msg_control = &control, .msg_controllen = sizeof control};
  printf("attached: %s\n", sendmsg(fd, &message, 0) < 0 ? strerror(errno) : "sent");
  fflush(stdout);
  sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&to, sizeof to);
  for (;;) pause();
}
