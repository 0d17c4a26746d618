/* Mounts by descriptor: system calls for which glibc 2.31, the oldest supported one, has no wrapper. */
#ifndef DORMOUSE_CLINUX_MOUNTS_H
#define DORMOUSE_CLINUX_MOUNTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* umount2(2), which Swift's Glibc module leaves out. */
extern int umount2(const char *target, int flags);

static inline int linux_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */); }

static inline int linux_fsconfig_string(int fs, const char *key, const char *value) {
  return (int)syscall(SYS_fsconfig, fs, 1 /* FSCONFIG_SET_STRING */, key, value, 0);
}

static inline int linux_fsconfig_flag(int fs, const char *key) {
  return (int)syscall(SYS_fsconfig, fs, 0 /* FSCONFIG_SET_FLAG */, key, NULL, 0);
}

static inline int linux_fsconfig_create(int fs) {
  return (int)syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
}

static inline int linux_fsconfig_reconfigure(int fs) {
  return (int)syscall(SYS_fsconfig, fs, 7 /* FSCONFIG_CMD_RECONFIGURE */, NULL, NULL, 0);
}

static inline int linux_fsmount(int fs, uint32_t attributes) {
  return (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

/*
 * Whether a mount is on `path`, which is not followed (STATX_ATTR_MOUNT_ROOT of statx(2), Linux 5.8). It reads nothing of the other mounts.
 * -1 with errno.
 */
int linux_is_mount_point(const char *path);

/* Clones the mount at `path`, with `recursive` also the mounts below it. The clone is not attached. */
static inline int linux_clone_mount(const char *path, int recursive) {
  const int flags = 1 | 02000000 /* OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC */ | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
  return (int)syscall(SYS_open_tree, -100 /* AT_FDCWD */, path, flags);
}

static inline int linux_attach_mount(int mount, const char *target) {
  return (int)syscall(SYS_move_mount, mount, "", -100 /* AT_FDCWD */, target, 0x4 /* MOVE_MOUNT_F_EMPTY_PATH */);
}

/* Sets attributes of a mount by its descriptor: mount_setattr(2). */
static inline int linux_set_mount_attributes(int mount, uint64_t set) {
  /* struct mount_attr: set, clear, propagation, user namespace. */
  const uint64_t attributes[4] = {set, 0, 0, 0};
  return (int)syscall(SYS_mount_setattr, mount, "", 0x1000 /* AT_EMPTY_PATH */, attributes, sizeof attributes);
}

/* ID-maps a mount by the user namespace `users`: mount_setattr(2) with MOUNT_ATTR_IDMAP. */
static inline int linux_map_mount(int mount, int users, int recursive) {
  const uint64_t attributes[4] = {0x100000, 0, 0, (uint64_t)users};
  const int flags = 0x1000 /* AT_EMPTY_PATH */ | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
  return (int)syscall(SYS_mount_setattr, mount, "", flags, attributes, sizeof attributes);
}

/* Makes a mount private, so that mounts do not propagate to or from its copies: mount_setattr(2) with MS_PRIVATE. */
static inline int linux_make_mount_private(int mount) {
  const uint64_t attributes[4] = {0, 0, 1 << 18, 0};
  return (int)syscall(SYS_mount_setattr, mount, "", 0x1000 /* AT_EMPTY_PATH */, attributes, sizeof attributes);
}

#endif
