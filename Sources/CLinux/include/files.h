/* Files by descriptor: system calls for which glibc 2.31, the oldest supported one, has no wrapper. */
#ifndef DORMOUSE_CLINUX_FILES_H
#define DORMOUSE_CLINUX_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <shadow.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* fcntl(2)'s locks of an open file description, which are under _GNU_SOURCE. */
static const int LINUX_F_OFD_SETLK = 37;
static const int LINUX_F_OFD_SETLKW = 38;

/*
 * openat2(2) with O_PATH: the file is not opened for reading, so that a FIFO does not block and a device has no effect. The path is
 * resolved inside `root`: absolute links start there and `..` does not leave it. Magic links of /proc are refused.
 */
static inline int linux_locate(int root, const char *path, uint64_t flags) {
  const struct {
    uint64_t flags, mode, resolve;
  } how = {010000000 /* O_PATH */ | O_CLOEXEC | flags, 0, 0x10 | 0x02 /* RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS */};
  /* EAGAIN: something was renamed or mounted somewhere on the machine while a `..` was resolved. */
  for (int tries = 0;; tries++) {
    int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (file != -1 || errno != EAGAIN || tries == 1000) return file;
  }
}

static inline int linux_locate_in_root(int root, const char *path) { return linux_locate(root, path, 0); }

/* The same, but a symbolic link as the last component is not followed. */
static inline int linux_locate_link_in_root(int root, const char *path) { return linux_locate(root, path, O_NOFOLLOW); }

/* pipe2(2) with O_CLOEXEC. glibc declares it only with _GNU_SOURCE. */
static inline int linux_pipe(int ends[2]) {
  extern int pipe2(int ends[2], int flags);
  return pipe2(ends, O_CLOEXEC);
}

/*
 * Clears the attributes "immutable" and "append only" of an open file (FS_IOC_SETFLAGS). Returns 1 when it had one of them, 0 when it had
 * none, -1 with errno.
 */
static inline int linux_make_mutable(int file) {
  const int kept = ~(0x10 | 0x20); /* FS_IMMUTABLE_FL | FS_APPEND_FL */
  int flags = 0;
  if (ioctl(file, _IOR('f', 1, long), &flags) == -1) return -1;
  if ((flags & kept) == flags) return 0;
  flags &= kept;
  return ioctl(file, _IOW('f', 2, long), &flags) == -1 ? -1 : 1;
}

/* memfd_create(2), close-on-exec: behind _GNU_SOURCE. */
static inline int linux_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */); }

/*
 * memfd_create(2) of a file that can be sealed and is never executed (Linux 6.3, and what the sysctl vm.memfd_noexec may demand; before
 * that without a word about execution).
 */
static inline int linux_sealable_file(const char *name) {
  const unsigned flags = 1 | 2; /* MFD_CLOEXEC | MFD_ALLOW_SEALING */
  int file = (int)syscall(SYS_memfd_create, name, flags | 8 /* MFD_NOEXEC_SEAL */);
  return file == -1 && errno == EINVAL ? (int)syscall(SYS_memfd_create, name, flags) : file;
}

/* Nobody can write to a sealed file, change its size, or add or remove a seal: F_SEAL_SEAL | _SHRINK | _GROW | _WRITE. */
static inline int linux_seal(int file) { return fcntl(file, 1033 /* F_ADD_SEALS */, 0xf); }

static inline int linux_is_sealed(int file) {
  const int seals = fcntl(file, 1034 /* F_GET_SEALS */);
  return seals != -1 && (seals & 0xf) == 0xf;
}

/* getspnam(3), whose header the Glibc module leaves out. NULL when there is no entry, or this process may not read it. */
static inline const char *linux_password(const char *user) {
  const struct spwd *entry = getspnam(user);
  return entry ? entry->sp_pwdp : NULL;
}

/* quotactl_fd(2) for project quota (Linux 5.14), with a command of sys/quota.h or xfs/xqm.h. */
static inline int linux_quota(int file, int command, uint32_t project, void *data) {
  return (int)syscall(443, file, command << 8 | 2 /* PRJQUOTA */, project, data);
}

/* Whether the file system of an open file keeps limits of project quota: 1 or 0, or -1. Some only count. */
static inline int linux_has_project_limits(int file) {
  /* struct fs_quota_stat. */
  struct {
    int8_t version;
    uint16_t flags;
    char rest[96];
  } state = {1};
  if (linux_quota(file, 0x5805 /* Q_XGETQSTAT */, 0, &state) == -1) return -1;
  return state.flags & 1 << 5 /* FS_QUOTA_PDQ_ENFD */ ? 1 : 0;
}

/* Limits what the files of a project may occupy. 0 is no limit. */
static inline int linux_limit_project(int file, uint32_t project, uint64_t kibibytes, uint64_t files) {
  /* struct if_dqblk of linux/quota.h. */
  struct {
    uint64_t hard_blocks, soft_blocks, space, hard_files, soft_files, files, block_time, file_time;
    uint32_t valid;
  } limits = {kibibytes, kibibytes, 0, files, files, 0, 0, 0, 1 | 4 /* QIF_BLIMITS | QIF_ILIMITS */};
  return linux_quota(file, 0x800008 /* Q_SETQUOTA */, project, &limits);
}

/* Makes an open directory and all that will be made in it belong to a project. */
static inline int linux_set_project(int directory, uint32_t project) {
  /* struct fsxattr of linux/fs.h, which older headers of glibc do not get along with. */
  struct {
    uint32_t flags, extent_size, extents, project, copy_size;
    unsigned char padding[8];
  } attributes;
  if (ioctl(directory, _IOR('X', 31, attributes), &attributes) == -1) return -1;
  attributes.flags |= 0x200; /* FS_XFLAG_PROJINHERIT */
  attributes.project = project;
  return ioctl(directory, _IOW('X', 32, attributes), &attributes);
}

#endif
