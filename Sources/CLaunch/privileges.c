/* Resource limits, users and privileges, set by the child for itself. */
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "operations.h"
#include "raw.h"

static uint64_t least(uint64_t one, uint64_t other) { return one < other ? one : other; }

long launch_limit(uint64_t resource, uint64_t soft, uint64_t hard) {
  struct {
    uint64_t soft, hard;
  } limit = {soft, hard}, own;
  long error = raw4(__NR_prlimit64, 0, (long)resource, (long)&limit, 0);
  if (error != -EPERM) return error;
  /* Without CAP_SYS_RESOURCE a hard limit can only be lowered. */
  error = raw4(__NR_prlimit64, 0, (long)resource, 0, (long)&own);
  if (error < 0) return error;
  limit.hard = least(hard, own.hard);
  limit.soft = least(soft, limit.hard);
  return raw4(__NR_prlimit64, 0, (long)resource, (long)&limit, 0);
}

static long read_capabilities(struct __user_cap_header_struct *header, struct __user_cap_data_struct data[2]) {
  header->version = _LINUX_CAPABILITY_VERSION_3;
  header->pid = 0;
  return raw2(__NR_capget, (long)header, (long)data);
}

long launch_user(uint64_t user, uint64_t group, const char *groups, uint64_t count) {
  /* The user owns the console, as with login(1). Without a console fchown(2) fails, which is ignored. */
  for (long i = 0; i < 3; i++) raw3(__NR_fchown, i, (long)user, (long)group);
  /* The later steps need the capabilities, which a change of the user would drop. execve(2) clears KEEPCAPS again. */
  long error = raw5(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (error == 0) error = raw2(__NR_setgroups, (long)count, (long)groups);
  if (error == 0) error = raw3(__NR_setresgid, (long)group, (long)group, (long)group);
  if (error == 0) error = raw3(__NR_setresuid, (long)user, (long)user, (long)user);
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2];
  if (error == 0) error = read_capabilities(&header, data);
  if (error < 0) return error;
  for (int i = 0; i < 2; i++) data[i].effective = data[i].permitted;
  return raw2(__NR_capset, (long)&header, (long)data);
}

long launch_keep(uint64_t capabilities, uint64_t rest) {
  for (long number = 0; number < 64; number++) {
    long has = raw2(__NR_prctl, PR_CAPBSET_READ, number);
    if (has == -EINVAL) break; /* the kernel knows no capability of this number */
    if (has == 0 || (capabilities >> number & 1)) continue;
    long error = raw2(__NR_prctl, PR_CAPBSET_DROP, number);
    if (error < 0) return error;
  }
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2];
  long error = read_capabilities(&header, data);
  if (error < 0) return error;
  for (int i = 0; i < 2; i++) {
    uint32_t keep = (uint32_t)((capabilities | rest) >> (32 * i));
    data[i].permitted &= keep;
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  return raw2(__NR_capset, (long)&header, (long)data);
}

long launch_raise(uint64_t capabilities) {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[2];
  long error = read_capabilities(&header, data);
  if (error < 0) return error;
  for (int i = 0; i < 2; i++) data[i].inheritable |= (uint32_t)(capabilities >> (32 * i));
  error = raw2(__NR_capset, (long)&header, (long)data);
  for (long number = 0; number < 64 && error == 0; number++) {
    if (capabilities >> number & 1) error = raw5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
  }
  return error;
}

long launch_filter(char *program, uint64_t count) {
  struct sock_fprog filter = {.len = (uint16_t)count, .filter = (struct sock_filter *)program};
  return raw3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&filter);
}
