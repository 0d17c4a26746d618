/* bpf(2), which glibc has no wrapper for: just what a program for a cgroup's devices takes. */
#ifndef DORMOUSE_CLINUX_BPF_H
#define DORMOUSE_CLINUX_BPF_H

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Loads a BPF_PROG_TYPE_CGROUP_DEVICE. It calls no helper that asks for a licence. */
static inline int linux_bpf_load_devices(const uint64_t *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t)"Apache-2.0",
  };
  return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

/* BPF_F_ALLOW_MULTI: a guest's systemd attaches programs of its own below (PrivateDevices=); all of them have to agree. */
static inline int linux_bpf_attach_devices(int cgroup, int program) {
  union bpf_attr attributes = {
      .target_fd = (uint32_t)cgroup,
      .attach_bpf_fd = (uint32_t)program,
      .attach_type = BPF_CGROUP_DEVICE,
      .attach_flags = BPF_F_ALLOW_MULTI,
  };
  return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
}

#endif
