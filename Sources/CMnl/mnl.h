/* libmnl: netlink framing for sock_diag and rtnetlink. */
#include <libmnl/libmnl.h>
