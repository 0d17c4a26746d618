/* Attempts on devices, and on files of the kernel that a guest may read but not write. */
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Creates and opens a device; one of both must fail. */
static int device(mode_t kind, unsigned int major_number, unsigned int minor_number) {
  unlink("/tmp/device");
  if (mknod("/tmp/device", kind | 0600, makedev(major_number, minor_number)) == -1) return refused(-1);
  int fd = open("/tmp/device", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  /* The error that the device does not exist is not a refusal. */
  if (fd == -1 && (errno == ENXIO || errno == ENODEV)) return snprintf(why, sizeof why, "mknod went through"), BROKEN;
  return refused(fd);
}

int disk(void) {
  dev_t host = 0;
  /* The disk with the guest's root, and the first virtual disk. */
  struct stat root;
  if (stat("/", &root) == 0) host = root.st_dev;
  int verdict = device(S_IFBLK, major(host), minor(host));
  return verdict == HELD ? device(S_IFBLK, 254, 0) : verdict;
}
int memory(void) { return device(S_IFCHR, 1, 1); }
int kernel_log(void) { return device(S_IFCHR, 1, 11); }
int terminal(void) { return device(S_IFCHR, 4, 0); }

int sys_file(void) { return refused(open("/sys/dormouse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
int sys_value(void) { return write_back("/sys/kernel/mm/transparent_hugepage/enabled"); }
int core_pattern(void) { return write_back("/proc/sys/kernel/core_pattern"); }
int proc_irq(void) { return write_back("/proc/irq/default_smp_affinity"); }
int run_host(void) { return refused(open("/run/host/dormouse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }

static int masked(const char *path) {
  struct statfs system;
  if (statfs(path, &system) == -1) return refused(-1);
  /* A masked file is covered by an empty file of a tmpfs. */
  if (system.f_type == 0x9fa0 /* PROC_SUPER_MAGIC */) return snprintf(why, sizeof why, "%s is the kernel's", path), BROKEN;
  snprintf(why, sizeof why, "%s is covered", path);
  return HELD;
}
int sysrq(void) { return masked("/proc/sysrq-trigger"); }
int kcore(void) { return masked("/proc/kcore"); }
int keys_listed(void) { return masked("/proc/keys"); }

/* The host checks whether it sees the mounts, by the name of their source. */
int mount_seen(void) {
  /* The second directory is in a file system that is mounted in the guest and on the host. */
  static const char *const places[] = {"/tmp/mark", "/run/host/unix-export/mark"};
  for (int i = 0; i < 2; i++) {
    mkdir(places[i], 0700);
    if (mount("dormouse-hostile", places[i], "tmpfs", 0, NULL) == -1) return refused(-1);
  }
  snprintf(why, sizeof why, "mounted; the host's mount table has to be without it");
  return HELD;
}

int remount_bind(void) {
  if (access("/ro/file", F_OK) == -1) return skip("the guest has no /ro");
  if (!own_users) return write_back("/ro/file");
  if (mount(NULL, "/ro", NULL, MS_REMOUNT | MS_BIND, NULL) == -1) return refused(-1);
  return refused(write_to("/ro/file", "x"));
}
int unmount_mask(void) {
  if (!own_users) return skip("root may change its own mounts: CAP_SYS_ADMIN is kept");
  /* The cover is a mount of the guest's own, and below it the file belongs to the host's root. */
  umount2("/proc/sysrq-trigger", MNT_DETACH);
  return refused(open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC));
}
int remount_sys(void) {
  if (!own_users) return skip("root may change its own mounts: CAP_SYS_ADMIN is kept");
  if (mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL) == -1) return refused(-1);
  return write_back("/sys/kernel/mm/transparent_hugepage/enabled");
}
int new_proc(void) {
  if (!own_users) return skip("root may mount: CAP_SYS_ADMIN is kept");
  mkdir("/tmp/proc", 0700);
  if (mount("proc", "/tmp/proc", "proc", 0, NULL) == -1) return refused(-1);
  return write_back("/tmp/proc/sys/kernel/core_pattern");
}

