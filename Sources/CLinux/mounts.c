#define _GNU_SOURCE
#include "mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

int linux_is_mount_point(const char *path) {
  const uint64_t mount_root = 0x2000; /* STATX_ATTR_MOUNT_ROOT, newer than glibc 2.31 */
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) == -1) return -1;
  return (status.stx_attributes & mount_root) != 0;
}
