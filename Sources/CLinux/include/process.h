/* Processes by descriptor: system calls for which glibc 2.31, the oldest supported one, has no wrapper. */
#ifndef DORMOUSE_CLINUX_PROCESS_H
#define DORMOUSE_CLINUX_PROCESS_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads the host name in the UTS namespace with this descriptor. It needs CAP_SYS_ADMIN. Returns -1 and sets errno on failure. */
extern int linux_hostname_in_namespace(int namespace, char *name, uint32_t size);

static inline int linux_pidfd_send_signal(int pidfd, int number) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* waitid(2) with P_PIDFD, which old glibcs lack. Sets `code` and `status` from siginfo_t; `code` is 0 while the process runs. */
static inline int linux_wait_pidfd(int pidfd, int *code, int *status) {
  siginfo_t info = {0};
  int result = waitid((idtype_t)3, (id_t)pidfd, &info, WEXITED | WNOHANG);
  *code = info.si_pid == 0 ? 0 : info.si_code;
  *status = info.si_status;
  return result;
}

/* From linux/pidfd.h of Linux 6.15, which older headers lack. Older kernels return ENOTTY. */
struct linux_pidfd_info {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t identities[11];
  int32_t exit_code;
};

/* PIDFD_GET_INFO with PIDFD_INFO_EXIT. `status` is that of wait(2). Returns 1, 0 when the kernel does not know it, or -1. */
static inline int linux_pidfd_exit_status(int pidfd, int *status) {
  const uint64_t exited = 1 << 3;
  struct linux_pidfd_info info = {.mask = exited};
  if (ioctl(pidfd, _IOWR(0xff, 11, struct linux_pidfd_info), &info) == -1) return -1;
  *status = info.exit_code;
  return (info.mask & exited) != 0;
}

/* pidfd_getfd(2), Linux 5.6: duplicates a descriptor of another process into this one, closed on exec. */
static inline int linux_pidfd_getfd(int pidfd, int number) {
  return (int)syscall(438 /* the same on every architecture */, pidfd, number, 0);
}

/* Executes an open file with this process's environment: execveat(2). */
static inline int linux_execute(int file, char *const arguments[]) {
  extern char **environ;
  return (int)syscall(SYS_execveat, file, "", arguments, environ, 0x1000 /* AT_EMPTY_PATH */);
}

/* Whether the kernel accepts PER_LINUX32 for this thread. The thread's personality is the same afterwards. */
static inline int linux_runs_32bit(void) {
  int own = personality(0xffffffff);
  if (own == -1 || personality(PER_LINUX32) == -1) return 0;
  personality((unsigned long)own);
  return 1;
}

/* The number of rt_sigtimedwait(2), as proc_pid_syscall(5) shows it. */
static inline int linux_sigtimedwait_number(void) { return SYS_rt_sigtimedwait; }

/* Raises the soft RLIMIT_NOFILE to the hard one. Returns 0, or -1 with errno. */
extern int linux_raise_descriptor_limit(void);

/*
 * Starts `program` as a child, which the kernel kills when the calling thread ends. Its standard input is /dev/null, its standard output is
 * `output`, its standard error is the caller's. The `count` descriptors of `passed`, at most LINUX_MOST_PASSED, become 3 and up; it has no
 * others. Returns its PID, or -1 with errno. The calling thread waits until the child executes the program.
 */
enum { LINUX_MOST_PASSED = 8 };
extern int linux_spawn(const char *program, char *const arguments[], char *const environment[], int output, const int *passed, int count);

/* prctl(2) is variadic, which Swift does not import. */
static inline int linux_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/* TIOCSPTLCK: unlockpt(3) of glibc would first search the terminal in the host's /dev/pts. */
static inline int linux_unlock_terminal(int master) {
  int unlocked = 0;
  return ioctl(master, TIOCSPTLCK, &unlocked);
}

/* Whether seccomp(2) supports programs: with a null pointer it then fails with EFAULT. */
static inline int linux_has_seccomp_filter(void) {
  return syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, NULL) == -1 && errno == EFAULT;
}

#endif
