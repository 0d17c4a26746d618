/* Interfaces and addresses: rtnetlink(7), and namespaces by descriptor. */
#ifndef DORMOUSE_CLINUX_NETWORK_H
#define DORMOUSE_CLINUX_NETWORK_H

#include <linux/if_link.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* setsockopt(2)'s level of netlink(7): sys/socket.h keeps it under _GNU_SOURCE. */
static const int LINUX_SOL_NETLINK = 270;

/* statfs(2)'s f_type of a namespace, ioctl_nsfs(2), and clone(2)'s flag, which is under _GNU_SOURCE. */
static const long LINUX_NSFS_MAGIC = 0x6e736673;
static const int LINUX_CLONE_NEWNET = 0x40000000;
static inline int linux_namespace_type(int namespace) { return ioctl(namespace, NS_GET_NSTYPE); }

#endif
