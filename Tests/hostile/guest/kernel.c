/* Attempts at system calls that affect the whole machine. */
#define _GNU_SOURCE
#include "hostile.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

int module(void) { return forbidden(syscall(SYS_init_module, "", 0L, "")); }
int kexec(void) { return forbidden(syscall(SYS_kexec_load, 0L, 0L, NULL, 0L)); }
int audit(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
  if (fd == -1) return refused(-1);
  struct nlmsghdr get = {.nlmsg_len = sizeof get, .nlmsg_type = AUDIT_GET, .nlmsg_flags = NLM_F_REQUEST};
  return refused(send(fd, &get, sizeof get, 0));
}

int clock_set(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return forbidden(settimeofday(&now, NULL));
}
int kernel_messages(void) {
  char text[64];
  return forbidden(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof text));
}
int ports(void) {
#ifdef SYS_iopl
  return forbidden(syscall(SYS_iopl, 3));
#else
  return skip("this machine has none");
#endif
}
int swap(void) { return forbidden(syscall(SYS_swapon, "/sbin/init", 0)); }
int programs(void) {
  union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return forbidden(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
}
int performance(void) {
  struct {
    unsigned int type, size;
    unsigned char rest[104];
  } event = {.type = 1, .size = 112};
  return forbidden(syscall(SYS_perf_event_open, &event, -1, 0, -1, 0UL));
}
int host_name(void) {
  if (sethostname("dormouse-hostile", 16) == -1) return refused(-1);
  snprintf(why, sizeof why, "set; the host's name has to be as it was");
  return HELD;
}

int ring(void) {
  unsigned char parameters[120] = {0};
  return forbidden(syscall(425 /* io_uring_setup */, 1, parameters));
}
int machine_socket(void) { return refused(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
int cipher_socket(void) { return refused(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); }
int key(void) { return forbidden(syscall(SYS_add_key, "user", "dormouse-own", "x", 1L, -2 /* KEY_SPEC_PROCESS_KEYRING */)); }

/* Makes a socket by the call of 32-bit x86 whose arguments are in memory, where a filter cannot read them. */
int old_socket(void) {
#if defined __x86_64__
  int *call = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  call[0] = AF_VSOCK, call[1] = SOCK_STREAM, call[2] = 0;
  pid_t child = fork();
  if (child == 0) {
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(102), "b"(1), "c"(call) : "memory", "r8", "r9", "r10", "r11");
    _exit(result < 0 ? -result : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return skip("the kernel runs no 32-bit programs");
  errno = WEXITSTATUS(status);
  return refused(errno ? -1 : 0);
#else
  return skip("this machine has none");
#endif
}
int other_calls(void) {
#if defined __x86_64__
  return refused(syscall(0x40000000 + SYS_getpid));
#else
  return skip("this machine has none");
#endif
}
