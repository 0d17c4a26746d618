/* Hides its listeners in flight between two of its own sockets, says that it is ready, takes them back, and makes them blocking again and
 * again. A daemon that believes that nobody has them, and accepts there, would wait for ever. */
#define _GNU_SOURCE
#include <fcntl.h>

#include "attack.h"

enum { FIRST = 3, MOST = 16 };

int main(void) {
  const char *passed = getenv("LISTEN_FDS");
  int count = passed ? atoi(passed) : 0, pair[2];
  if (count < 1 || count > MOST || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(MOST * sizeof(int))];
  } control = {0};
  char byte = 0;
  struct iovec vector = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control};
  message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
  for (int i = 0; i < count; i++) ((int *)CMSG_DATA(&control.header))[i] = FIRST + i;
  if (sendmsg(pair[0], &message, 0) != 1) return 1;
  for (int i = 0; i < count; i++) close(FIRST + i);
  say_ready();
  usleep(500000);
  if (recvmsg(pair[1], &message, 0) != 1) return 1;
  for (;;)
    for (int i = 0; i < count; i++) fcntl(((int *)CMSG_DATA(&control.header))[i], F_SETFL, O_RDWR);
}
