/* Interfaces and addresses: rtnetlink(7), and namespaces by descriptor. */
#ifndef DORMOUSE_CLINUX_NETWORK_H
#define DORMOUSE_CLINUX_NETWORK_H

#include <linux/if_link.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* The level of netlink(7) for setsockopt(2), which sys/socket.h has under _GNU_SOURCE. */
static const int LINUX_SOL_NETLINK = 270;

/* The f_type of a namespace in statfs(2), ioctl_nsfs(2), and the flag of clone(2), which is under _GNU_SOURCE. */
static const long LINUX_NSFS_MAGIC = 0x6e736673;
static const int LINUX_CLONE_NEWNET = 0x40000000;
static inline int linux_namespace_type(int namespace) { return ioctl(namespace, NS_GET_NSTYPE); }

#endif
