/* Files by descriptor: system calls that glibc 2.31 (the oldest we build on) has no wrapper for. */
#ifndef DORMOUSE_CLINUX_FILES_H
#define DORMOUSE_CLINUX_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <shadow.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* fcntl(2)'s locks of an open file description, which are under _GNU_SOURCE. */
static const int LINUX_F_OFD_SETLK = 37;
static const int LINUX_F_OFD_SETLKW = 38;

/*
 * openat2(2) with O_PATH: nothing is opened for reading, so that a FIFO does not wait and a device does nothing. `root` is
 * where absolute links start and what `..` does not leave; the links of /proc that lead anywhere are refused.
 */
static inline int linux_locate(int root, const char *path, uint64_t flags) {
  const struct {
    uint64_t flags, mode, resolve;
  } how = {010000000 /* O_PATH */ | O_CLOEXEC | flags, 0, 0x10 | 0x02 /* RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS */};
  /* EAGAIN: while a `..` was resolved, something was renamed or mounted anywhere on the machine. */
  for (int tries = 0;; tries++) {
    int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (file != -1 || errno != EAGAIN || tries == 1000) return file;
  }
}

static inline int linux_locate_in_root(int root, const char *path) { return linux_locate(root, path, 0); }

/* As it, but of a symbolic link at the end the link itself. */
static inline int linux_locate_link_in_root(int root, const char *path) { return linux_locate(root, path, O_NOFOLLOW); }

/* getxattr(2): sys/xattr.h is not in Swift's Glibc module. */
static inline ssize_t linux_get_attribute(const char *path, const char *name, void *value, size_t size) {
  return getxattr(path, name, value, size);
}

/* linux/mount.h of 5.12: AT_RECURSIVE, OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC. */
static inline int linux_open_tree_clone(const char *path, int recursive) {
  return (int)syscall(428 /* open_tree */, AT_FDCWD, path, 1 | O_CLOEXEC | (recursive ? 0x8000 : 0));
}

/* MOUNT_ATTR_IDMAP */
static inline int linux_map_mount(int mount, int users, int recursive) {
  const struct {
    uint64_t set, clear, propagation, users;
  } attributes = {0x100000, 0, 0, (uint64_t)users};
  return (int)syscall(442 /* mount_setattr */, mount, "", 0x1000 | (recursive ? 0x8000 : 0), &attributes, sizeof attributes);
}

/* memfd_create(2), close-on-exec: behind _GNU_SOURCE. `flags` are others of MFD_…. */
static inline int linux_memory_file(const char *name, unsigned int flags) {
  return (int)syscall(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */ | flags);
}

/* getspnam(3), whose header the Glibc module leaves out. NULL when there is no entry, or none that this process may read. */
static inline const char *linux_password(const char *user) {
  const struct spwd *entry = getspnam(user);
  return entry ? entry->sp_pwdp : NULL;
}

#endif
