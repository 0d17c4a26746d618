/* first-byte PORT: for each line of input, connects to 127.0.0.1, sends a request, waits for the first byte of the answer, and prints the
 * time since connect(2) in nanoseconds. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv) {
  static const char request[] = "GET / HTTP/1.0\r\n\r\n";
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  char line[64];
  if (argc != 2) return 2;
  to.sin_port = htons(atoi(argv[1]));
  while (fgets(line, sizeof line, stdin)) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t begun = now();
    if (connect(fd, (struct sockaddr *)&to, sizeof to) || send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0 ||
        recv(fd, line, 1, 0) != 1)
      return 1;
    printf("%lld\n", (long long)(now() - begun));
    fflush(stdout);
    close(fd);
  }
  return 0;
}
