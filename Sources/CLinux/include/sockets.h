/* Sockets: what glibc's headers have under _GNU_SOURCE, or lack. */
#ifndef DORMOUSE_SOCKETS_H
#define DORMOUSE_SOCKETS_H

/* Not sys/socket.h: Swift finds a declaration that two modules have through one of them only, by chance. */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
/* fstatfs(2), which Swift's Glibc module leaves out. */
#include <sys/vfs.h>
/* The messages of NETLINK_SOCK_DIAG, sock_diag(7), and the filter program of socket(7). */
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

/* glibc declares accept4(2) only under _GNU_SOURCE. */
struct sockaddr;
extern int accept4(int fd, struct sockaddr *address, uint32_t *length, int flags);

/* struct ucred of unix(7), which is under _GNU_SOURCE too: what SO_PEERCRED and SCM_CREDENTIALS carry. */
struct linux_ucred {
  int32_t pid;
  uint32_t uid;
  uint32_t gid;
};

/* Ancillary messages of unix(7): SCM_CREDENTIALS is under _GNU_SOURCE, SCM_PIDFD (Linux 6.5) is newer than glibc. */
static const int LINUX_SCM_RIGHTS = 1;
static const int LINUX_SCM_CREDENTIALS = 2;
static const int LINUX_SCM_PIDFD = 4;

/* Socket options that the headers of the oldest supported distribution lack. */
static const int LINUX_SO_PASSPIDFD = 76;
static const int LINUX_SO_PASSRIGHTS = 83;
static const int LINUX_SO_NETNS_COOKIE = 71;
static const int LINUX_SO_MEMINFO = 55;
static const int LINUX_SO_ATTACH_REUSEPORT_CBPF = 51;
static const int LINUX_SO_ATTACH_REUSEPORT_EBPF = 52;
static const int LINUX_SO_BINDTOIFINDEX = 62;
static const int LINUX_SO_BUF_LOCK = 72;
/* From linux/sockios.h: the timestamp of the last datagram, as a struct timespec of this machine. */
static const unsigned long LINUX_SIOCGSTAMPNS = 0x8907;
static const int LINUX_IP_FREEBIND = 15;
static const int LINUX_IPV6_FREEBIND = 78;

/* unshare(2), under _GNU_SOURCE: each test of sockets has a network namespace of its own. */
extern int unshare(int flags);

/* capget(2) and capset(2), which glibc has and does not declare: the same tests drop their capabilities. */
extern int capget(void *header, void *data);
extern int capset(void *header, const void *data);

/* bind(2) of a path with `root` as the root directory: the file is made below it, and the socket's name is the path all the same. It needs
 * CAP_SYS_CHROOT. Returns -1 and sets errno on failure. */
extern int linux_bind_below(const char *root, int socket, const struct sockaddr *address, uint32_t length);

/* socket(2) in the network namespace with this descriptor. It needs CAP_SYS_ADMIN. Returns -1 and sets errno on failure. */
extern int linux_socket_in_namespace(int namespace, int family, int type, int protocol);

/* renameat2(2) with RENAME_EXCHANGE, which glibc has behind _GNU_SOURCE: exchanges two files atomically. */
static inline int linux_rename_exchange(const char *one, const char *other) {
  const int here = -100 /* AT_FDCWD */, exchange = 2;
  return (int)syscall(SYS_renameat2, here, one, here, other, exchange);
}

/* From fcntl.h and poll.h, under _GNU_SOURCE. */
static const int LINUX_O_PATH = 010000000;
static const int LINUX_AT_EMPTY_PATH = 0x1000;
static const int LINUX_POLLRDHUP = 0x2000;

/* pidfd_open(2), which the Glibc module lacks. */
extern int pidfd_open(int32_t pid, unsigned int flags);

/* The f_type of a pidfd in statfs(2) since Linux 6.9, where the inode number identifies the process. */
static const long LINUX_PIDFS_MAGIC = 0x50494446;

#endif
