/* Mounts, made by the child. */
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "launch.h"
#include "operations.h"
#include "raw.h"

/* The headers of glibc and of the kernel define this both, and conflict. */
enum { DETACH = 2 /* MNT_DETACH */ };

static long set_attributes(int at, const char *path, uint64_t set, uint64_t clear, int recursive) {
  struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};
  long flags = (path[0] == 0 ? AT_EMPTY_PATH : 0) | (recursive ? AT_RECURSIVE : 0);
  return raw5(__NR_mount_setattr, at, (long)path, flags, (long)&attributes, sizeof attributes);
}

/* Returns a detached clone of the mount at `path`. Its attributes are set before it can be reached by a path. */
static long clone_mount(const char *path, uint64_t set, uint64_t clear, uint64_t how) {
  const int recursive = (how & LAUNCH_RECURSIVE) != 0;
  long flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  if (how & LAUNCH_NO_LINK) flags |= AT_SYMLINK_NOFOLLOW;
  long mount = raw3(__NR_open_tree, AT_FDCWD, (long)path, flags);
  if (mount < 0 || (set | clear) == 0) return mount;
  long error = set_attributes((int)mount, "", set, clear, recursive);
  if (error == 0) return mount;
  raw1(__NR_close, mount);
  return error;
}

/* Follows a symbolic link at the target: after the switch of the root a link cannot point out of the guest. */
static long move_to(int mount, const char *target) {
  long flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
  return raw5(__NR_move_mount, mount, (long)"", AT_FDCWD, (long)target, flags);
}

static long file_type(int file) {
  struct statx status;
  long error = raw5(__NR_statx, file, (long)"", AT_EMPTY_PATH, STATX_TYPE, (long)&status);
  return error < 0 ? error : status.stx_mode & S_IFMT;
}

/*
 * Whether the root of a mount is the file whose launch_identity follows `source`. The daemon has checked each component of the path, and
 * keeps the file open, so that the kernel gives its inode number to no other file.
 */
static int is_expected(int mount, const char *source) {
  struct launch_identity expected;
  const char *bytes = launch_next_string(source);
  for (unsigned long i = 0; i < sizeof expected; i++) ((char *)&expected)[i] = bytes[i];
  struct statx found;
  if (raw5(__NR_statx, mount, (long)"", AT_EMPTY_PATH, STATX_INO, (long)&found) < 0) return 0;
  return found.stx_dev_major == expected.major && found.stx_dev_minor == expected.minor && found.stx_ino == expected.inode;
}

long launch_open(const char *source, int slot, uint64_t set, uint64_t flags) {
  long mount = clone_mount(source, set, 0, flags);
  if (mount == -ENOENT && (flags & LAUNCH_OPTIONAL)) return 0;
  if (mount < 0) return mount;
  if ((flags & LAUNCH_CHECK) && !is_expected((int)mount, source)) return -ESTALE;
  if ((flags & LAUNCH_NO_LINK) && file_type((int)mount) != S_IFDIR) return -ENOTDIR;
  if (mount == slot) return mount;
  long error = raw3(__NR_dup3, mount, slot, O_CLOEXEC);
  raw1(__NR_close, mount);
  return error;
}

/* Maps the owners of the mount's files by a user namespace (an idmapped mount). An empty slot is skipped. */
long launch_map(int slot, int users, uint64_t flags) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users};
  if (file_type(slot) == -EBADF) return 0;
  long how = AT_EMPTY_PATH | (flags & LAUNCH_RECURSIVE ? AT_RECURSIVE : 0);
  return raw5(__NR_mount_setattr, slot, (long)"", how, (long)&attributes, sizeof attributes);
}

static long make_target(char *target, int is_directory) {
  if (is_directory) return launch_directory(target, 0755);
  long error = launch_parents(target);
  if (error < 0) return error;
  long file = raw4(__NR_openat, AT_FDCWD, (long)target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  if (file < 0) return file;
  raw1(__NR_close, file);
  return 0;
}

/* Attaches `mount` to `target`, which is made if it is missing, and closes `mount`. */
static long attach(int mount, char *target) {
  long type = file_type(mount);
  long error = type < 0 ? type : move_to(mount, target);
  if (error == -ENOENT) {
    error = make_target(target, type == S_IFDIR);
    if (error == 0) error = move_to(mount, target);
  }
  raw1(__NR_close, mount);
  return error;
}

long launch_attach(int slot, char *target) {
  /* The slot is empty: its optional source did not exist. */
  if (raw3(__NR_fcntl, slot, F_GETFD, 0) == -EBADF) return 0;
  return attach(slot, target);
}

long launch_bind(const char *source, uint64_t set, uint64_t flags) {
  long mount = clone_mount(source, set, 0, flags);
  if (mount == -ENOENT && (flags & LAUNCH_OPTIONAL)) return 0;
  return mount < 0 ? mount : attach((int)mount, (char *)launch_next_string(source));
}

long launch_mount(const char *type, uint64_t mount_flags, uint64_t flags) {
  const char *target = launch_next_string(type);
  const char *data = launch_next_string(target);
  if (*data == 0) data = 0;
  long error = raw5(__NR_mount, (long)type, (long)target, (long)type, (long)mount_flags, (long)data);
  return error == -ENODEV && (flags & LAUNCH_OPTIONAL) ? 0 : error;
}

long launch_change(const char *path, uint64_t set, uint64_t flags) {
  return set_attributes(AT_FDCWD, path, set, 0, (flags & LAUNCH_RECURSIVE) != 0);
}

/* Mounts `mount` on top of `path`, and closes it. */
static long cover(long mount, const char *path) {
  if (mount < 0) return mount;
  long error = move_to((int)mount, path);
  raw1(__NR_close, mount);
  return error;
}

long launch_rebind(const char *path, uint64_t set, uint64_t clear, uint64_t flags) {
  long error = cover(clone_mount(path, set, clear, 0), path);
  return error == -ENOENT && (flags & LAUNCH_OPTIONAL) ? 0 : error;
}

long launch_detach(const char *path) {
  long error = raw2(__NR_umount2, (long)path, DETACH);
  /* Only an empty directory is removed: one with files in it is not ours. */
  if (error == 0) raw3(__NR_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR);
  return error;
}

/* The index of the string, counted from the path, that names the cover for a file of this type. */
static int cover_index(int type) {
  switch (type) {
    case S_IFDIR: return 1;
    case S_IFIFO: return 3;
    case S_IFSOCK: return 4;
    case S_IFCHR: return 5;
    case S_IFBLK: return 6;
    default: return 2;
  }
}

long launch_mask(const char *path, uint64_t flags) {
  struct statx status;
  long error = raw5(__NR_statx, AT_FDCWD, (long)path, 0, STATX_TYPE, (long)&status);
  if (error == -ENOENT && (flags & LAUNCH_OPTIONAL)) return 0;
  if (error < 0) return error;
  const char *file = launch_next_string(launch_next_string(path));
  const char *source = path;
  for (int i = cover_index(status.stx_mode & S_IFMT); i > 0; i--) source = launch_next_string(source);
  const uint64_t set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  long mount = clone_mount(source, set, 0, 0);
  /* Where mknod(2) makes no device nodes, a regular file covers a device. */
  if (mount == -ENOENT) mount = clone_mount(file, set, 0, 0);
  return cover(mount, path);
}

/* Makes the working directory the root. `old` is relative to it. */
static long pivot_to(const char *old) {
  if (*old == 0) {
    /* With "." twice the kernel mounts the old root on top of the new one (pivot_root(2)), from where it is unmounted. */
    long error = raw2(__NR_pivot_root, (long)".", (long)".");
    return error < 0 ? error : raw2(__NR_umount2, (long)".", DETACH);
  }
  while (*old == '/') old++;
  return raw2(__NR_pivot_root, (long)".", (long)old);
}

long launch_root(const char *root, const char *old) {
  long error = raw1(__NR_chdir, (long)root);
  if (error == 0) error = pivot_to(old);
  if (error == 0) error = raw1(__NR_chdir, (long)"/");
  return error;
}
