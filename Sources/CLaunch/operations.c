/* Files, directories, the loopback interface and the console, made by the child. */
#include "operations.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <linux/stat.h>

#include "launch.h"
#include "raw.h"

/* volatile keeps the compiler from replacing the loop by a call of strlen(3), which is in libc. */
unsigned long launch_length(const char *text) {
  const volatile char *end = text;
  while (*end != 0) end++;
  return (unsigned long)(end - text);
}

const char *launch_next_string(const char *text) { return text + launch_length(text) + 1; }

static long make_directory(const char *path, uint64_t mode) {
  long error = raw3(__NR_mkdirat, AT_FDCWD, (long)path, (long)mode);
  return error == -EEXIST ? 0 : error;
}

long launch_parents(char *path) {
  for (char *at = path + 1; *at != 0; at++) {
    if (*at != '/') continue;
    *at = 0;
    long error = make_directory(path, 0755);
    *at = '/';
    if (error < 0) return error;
  }
  return 0;
}

long launch_directory(char *path, uint64_t mode) {
  long error = make_directory(path, mode);
  if (error != -ENOENT) return error;
  error = launch_parents(path);
  return error < 0 ? error : make_directory(path, mode);
}

long launch_node(const char *path, uint64_t mode, uint64_t major, uint64_t minor) {
  /* A device number in a system call: the low 8 bits of the minor, 12 bits of the major, the high 12 bits of the minor. */
  uint64_t device = (minor & 0xff) | (major << 8) | ((minor & ~0xffULL) << 12);
  return raw4(__NR_mknodat, AT_FDCWD, (long)path, (long)mode, (long)device);
}

long launch_remove(const char *path) {
  long error = raw3(__NR_unlinkat, AT_FDCWD, (long)path, 0);
  return error == -ENOENT ? 0 : error;
}

long launch_link(const char *path, uint64_t flags) {
  const char *target = launch_next_string(path);
  long error = flags & LAUNCH_REPLACE ? launch_remove(path) : 0;
  if (error == 0) error = raw3(__NR_symlinkat, (long)target, AT_FDCWD, (long)path);
  if (error == -EEXIST && !(flags & LAUNCH_REPLACE)) return 0;
  return flags & LAUNCH_LENIENT ? 0 : error;
}

static int is_link(const char *path) {
  char first;
  return raw4(__NR_readlinkat, AT_FDCWD, (long)path, (long)&first, 1) >= 0;
}

/*
 * Replaces whatever is there by a new file. A root may hold a FIFO at the path, which open(2) would block on, or the node of a disk, which
 * write(2) would overwrite.
 */
static long new_file(const char *path, uint64_t mode, long length) {
  long error = launch_remove(path);
  if (error < 0) return error;
  long flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  long file = raw4(__NR_openat, AT_FDCWD, (long)path, flags, (long)mode);
  if (file < 0) return file;
  long written = raw3(__NR_write, file, (long)launch_next_string(path), length);
  raw1(__NR_close, file);
  if (written < 0) return written;
  return written == length ? 0 : -ENOSPC;
}

long launch_file(const char *path, uint64_t mode, uint64_t length, uint64_t flags) {
  if ((flags & LAUNCH_KEEP_LINK) && is_link(path)) return 0;
  long error = new_file(path, mode, (long)length);
  return flags & LAUNCH_LENIENT ? 0 : error;
}

long launch_set(const char *path, uint64_t flags) {
  const char *text = launch_next_string(path);
  long file = raw4(__NR_openat, AT_FDCWD, (long)path, O_WRONLY | O_CLOEXEC, 0);
  long error = file;
  if (file >= 0) {
    error = raw3(__NR_write, file, (long)text, (long)launch_length(text));
    raw1(__NR_close, file);
  }
  return flags & LAUNCH_LENIENT || error > 0 ? 0 : error;
}

/* Does what `ip link set dev lo up` does. The kernel adds the addresses. */
long launch_loopback(void) {
  long socket = raw3(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0);
  if (socket < 0) return socket;
  struct ifreq request = {.ifr_name = "lo"};
  long error = raw3(__NR_ioctl, socket, SIOCGIFFLAGS, (long)&request);
  if (error == 0) {
    request.ifr_flags |= IFF_UP;
    error = raw3(__NR_ioctl, socket, SIOCSIFFLAGS, (long)&request);
  }
  raw1(__NR_close, socket);
  return error;
}

long launch_console(const char *path) {
  /* Without O_CLOEXEC: if the daemon has no descriptor 0, this call returns 0, which must stay open across execve(2). */
  long terminal = raw4(__NR_openat, AT_FDCWD, (long)path, O_RDWR | O_NOCTTY, 0);
  if (terminal < 0) return terminal;
  for (long i = 0; i < 3; i++) {
    long error = terminal == i ? 0 : raw3(__NR_dup3, terminal, i, 0);
    if (error < 0) return error;
  }
  if (terminal > 2) raw1(__NR_close, terminal);
  return 0;
}
