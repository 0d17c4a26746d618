/* Sockets: what glibc's headers hide behind _GNU_SOURCE or are too old to know. */
#ifndef DORMOUSE_SOCKETS_H
#define DORMOUSE_SOCKETS_H

/* Not sys/socket.h: what a header of both modules declares is found through one of them only, by chance. */
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

/* Socket options newer than the headers of the oldest distribution we build on. */
static const int LINUX_SO_PASSPIDFD = 76;
static const int LINUX_SO_NETNS_COOKIE = 71;
static const int LINUX_SO_MEMINFO = 55;
static const int LINUX_SO_ATTACH_REUSEPORT_CBPF = 51;
static const int LINUX_SO_ATTACH_REUSEPORT_EBPF = 52;
static const int LINUX_SO_BINDTOIFINDEX = 62;
static const int LINUX_SO_BUF_LOCK = 72;
/* linux/sockios.h: the stamp of the last datagram, with the seconds of this machine's own time_t. */
static const unsigned long LINUX_SIOCGSTAMPNS = 0x8907;
static const int LINUX_IP_FREEBIND = 15;
static const int LINUX_IPV6_FREEBIND = 78;

/* unshare(2), under _GNU_SOURCE: the tests of sockets make themselves a network namespace each. */
extern int unshare(int flags);

/* capget(2) and capset(2), which glibc has and declares nowhere: the same tests try what happens without any. */
extern int capget(void *header, void *data);
extern int capset(void *header, const void *data);

/* bind(2) of a path with `root` in the place of "/": the file is made below it, and the socket's name is the path all the same.
 * Needs CAP_SYS_CHROOT. -1 and errno. */
extern int linux_bind_below(const char *root, int socket, const struct sockaddr *address, uint32_t length);

/* socket(2) in a network namespace, given by its descriptor. Needs CAP_SYS_ADMIN. -1 and errno. */
extern int linux_socket_in_namespace(int namespace, int family, int type, int protocol);

/* renameat2(2) with RENAME_EXCHANGE, which glibc has behind _GNU_SOURCE: exchanges two files atomically. */
static inline int linux_rename_exchange(const char *one, const char *other) {
  const int here = -100 /* AT_FDCWD */, exchange = 2;
  return (int)syscall(SYS_renameat2, here, one, here, other, exchange);
}

/* fcntl.h and poll.h keep these under _GNU_SOURCE. */
static const int LINUX_O_PATH = 010000000;
static const int LINUX_AT_EMPTY_PATH = 0x1000;
static const int LINUX_POLLRDHUP = 0x2000;

/* pidfd_open(2), younger than the Glibc module: the other half of comparing a sender with a process. */
extern int pidfd_open(int32_t pid, unsigned int flags);

/* statfs(2)'s f_type of a pidfd since Linux 6.9, where its inode number names the process for ever. */
static const long LINUX_PIDFS_MAGIC = 0x50494446;

#endif
