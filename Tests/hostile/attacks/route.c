/* Sends to others than its clients by a route in the packet (source routing): its address is a client's, as the host demands, but the packet
 * goes to the first hop of the route. When a client sends "via ADDRESS", it answers by way of that, then without: on the first listener, which
 * is TCP of IPv4, and on datagram sockets of IPv4 and IPv6 after it. What came of it is on its console.
 *
 * measured: no, it acts only when it is asked
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>

#include "attack.h"

/* IP_OPTIONS with "loose source and record route" (RFC 791), which needs no privilege. */
static void route4(int fd, const char *hop) {
  unsigned char options[8] = {1, 131, 7, 4};
  inet_pton(AF_INET, hop, options + 4);
  say("set a route", setsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, sizeof options));
}

/* IPV6_RTHDR with a segment routing header (RFC 8754), which needs none either. */
static void route6(int fd, const char *hop) {
  unsigned char header[40] = {0, 4, 4, 1, 1};
  inet_pton(AF_INET6, hop, header + 24);
  say("set a route of IPv6", setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, header, sizeof header));
}

static void datagram(int fd) {
  char text[256] = "";
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  if (recvfrom(fd, text, sizeof text - 2, 0, (struct sockaddr *)&from, &size) < 0) return;
  int is6 = from.ss_family == AF_INET6;
  text[strcspn(text, "\n")] = 0;
  if (!strncmp(text, "via ", 4)) {
    is6 ? route6(fd, text + 4) : route4(fd, text + 4);
    say(is6 ? "send by IPv6" : "send", sendto(fd, "x", 1, 0, (struct sockaddr *)&from, size));
    is6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, NULL, 0) : setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0);
  }
  strcat(text, "\n");
  sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, size);
}

static void serve(int listener) {
  char line[256] = "";
  int fd = accept(listener, NULL, NULL), service = 8;
  if (fd < 0 || recv(fd, line, sizeof line - 1, 0) <= 0) return;
  line[strcspn(line, "\r\n")] = 0;
  if (!strncmp(line, "via ", 4)) {
    route4(fd, line + 4);
    /* The kernel looks for the way anew. */
    setsockopt(fd, IPPROTO_IP, IP_TOS, &service, sizeof service);
    say("send by TCP", send(fd, line, strlen(line), MSG_NOSIGNAL));
  }
  close(fd);
}

int main(void) { return serve_passed((void (*const[])(int)){serve, datagram, datagram}); }
