/* A guest that tries to break out: a static PID 1 that attempts, as root, what a container must prevent.
 *
 *   hostile [--victim=PID] [--plant] [--uproot]
 *
 * It prints a line for each attempt, "ID VERDICT WHAT: WHY". The verdict is held when the attempt was refused, BROKEN when
 * it succeeded, and skipped when it does not apply. Then it sends READY=1 and waits for a stop. With private users it also
 * attempts what root without a user namespace may do to its own mounts. --victim names a process of the host by its number
 * there. --plant, on the host, stores a key in root's user keyring for ten minutes, for the guest to find; --uproot removes
 * it.
 */
#define _GNU_SOURCE
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int own_users, victim, foreign_descriptors;
char why[512], descriptors[512];

int refused(long result) {
  snprintf(why, sizeof why, "%s", result == -1 ? strerror(errno) : "it went through");
  return result == -1 ? HELD : BROKEN;
}

int skip(const char *reason) {
  snprintf(why, sizeof why, "%s", reason);
  return SKIPPED;
}

int forbidden(long result) {
  int code = result == -1 ? errno : 0;
  if (code == EPERM || code == EACCES || code == ENOSYS) return refused(result);
  snprintf(why, sizeof why, "it got as far as: %s", code ? strerror(code) : "success");
  return BROKEN;
}

int write_to(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd == -1) return -1;
  ssize_t count = write(fd, text, strlen(text));
  int code = errno;
  close(fd);
  errno = code;
  return count < 0 ? -1 : 0;
}

const char *content(const char *path) {
  static char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = fd == -1 ? 0 : read(fd, text, sizeof text - 1);
  text[count < 0 ? 0 : count] = 0;
  if (fd != -1) close(fd);
  return text;
}

int write_back(const char *path) {
  char text[4096];
  snprintf(text, sizeof text, "%s", content(path));
  if (access(path, F_OK) == -1) return skip("there is no such file here");
  return refused(write_to(path, text));
}

static void note_descriptors(void) {
  const char *passed = getenv("LISTEN_FDS");
  int most = 2 + (passed ? atoi(passed) : 0);
  DIR *directory = opendir("/proc/self/fd");
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(directory) || fd <= most) continue;
    foreign_descriptors++;
    snprintf(descriptors + strlen(descriptors), sizeof descriptors - strlen(descriptors), " %d", fd);
  }
  closedir(directory);
}
static const struct {
  const char *id, *what;
  int (*attempt)(void);
} attempts[] = {
    {"HG-01", "make and open a disk", disk},
    {"HG-02", "make and open /dev/mem", memory},
    {"HG-03", "make and open /dev/kmsg", kernel_log},
    {"HG-04", "make and open a virtual terminal", terminal},
    {"HG-05", "make a file in /sys", sys_file},
    {"HG-06", "write a value in /sys", sys_value},
    {"HG-07", "write kernel.core_pattern", core_pattern},
    {"HG-08", "write to /proc/irq", proc_irq},
    {"HG-09", "make a file in /run/host", run_host},
    {"HG-10", "reach /proc/sysrq-trigger", sysrq},
    {"HG-11", "reach /proc/kcore", kcore},
    {"HG-12", "reach /proc/keys", keys_listed},
    {"HG-13", "mount so that the host sees it", mount_seen},
    {"HG-14", "write to a read-only bind", remount_bind},
    {"HG-15", "open /proc/sysrq-trigger after its cover was taken off", unmount_mask},
    {"HG-16", "make /sys writable", remount_sys},
    {"HG-17", "write kernel.core_pattern in a new /proc", new_proc},
    {"HG-18", "leave its cgroup", cgroup_above},
    {"HG-19", "set a release agent of cgroup 1", release_agent},
    {"HG-20", "find a descriptor of the host's", host_descriptor},
    {"HG-21", "signal a process of the host's", signal_host},
    {"HG-22", "trace a process of the host's", trace_host},
    {"HG-23", "reach the daemon's program by /proc", daemon_program},
    {"HG-24", "find a key of the host's root", host_key},
    {"HG-25", "load a module", module},
    {"HG-26", "load another kernel", kexec},
    {"HG-27", "speak to the audit system", audit},
    {"HG-28", "open the host's root by its handle", handle},
    {"HG-29", "walk out of its root", breakout},
    {"HG-30", "take its root away to find another beneath", pivot},
    {"HG-31", "set the clock", clock_set},
    {"HG-32", "read the kernel's messages", kernel_messages},
    {"HG-33", "use the machine's ports", ports},
    {"HG-34", "swap to a file", swap},
    {"HG-35", "load a BPF program", programs},
    {"HG-36", "measure the whole machine's performance", performance},
    {"HG-37", "change the host's name", host_name},
    {"HG-38", "make a ring of io_uring", ring},
    {"HG-39", "make a socket to other machines of the hypervisor", machine_socket},
    {"HG-40", "make a socket for the kernel's ciphers", cipher_socket},
    {"HG-41", "make a key", key},
    {"HG-42", "make a socket by socketcall", old_socket},
    {"HG-43", "make a call of x32", other_calls},
};

static void ready(void) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (!path || strlen(path) >= sizeof to.sun_path) return;
  strcpy(to.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
  close(fd);
}

static int plant(void) {
  long key = syscall(SYS_add_key, "user", "dormouse-hostile", "secret", 6L, KEY_SPEC_USER_KEYRING);
  return key == -1 || syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, 600L) == -1;
}

static int uproot(void) {
  long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", "dormouse-hostile", 0L);
  return key == -1 || syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING) == -1;
}

int main(int count, char **list) {
  static const char *const verdicts[] = {"held", "BROKEN", "skipped"};
  note_descriptors();
  /* Without a user namespace, every user is mapped to itself. */
  own_users = !strstr(content("/proc/self/uid_map"), "4294967295");
  for (int i = 1; i < count; i++) {
    if (!strncmp(list[i], "--victim=", 9)) victim = atoi(list[i] + 9);
    else if (!strcmp(list[i], "--plant")) return plant();
    else if (!strcmp(list[i], "--uproot")) return uproot();
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    why[0] = 0;
    int verdict = attempts[i].attempt();
    printf("%s %s %s: %s\n", attempts[i].id, verdicts[verdict], attempts[i].what, why);
    fflush(stdout);
  }
  ready();
  int number;
  sigwait(&signals, &number);
  reboot(RB_POWER_OFF);
  return 0;
}
