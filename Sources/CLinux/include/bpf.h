/* bpf(2), for which glibc has no wrapper: programs for the devices of a cgroup, and for a SO_REUSEPORT group. */
#ifndef DORMOUSE_CLINUX_BPF_H
#define DORMOUSE_CLINUX_BPF_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* EAGAIN means that a signal interrupted the verifier, so the program is loaded again. */
static inline int linux_bpf_load(union bpf_attr *attributes) {
  for (int tries = 1;; tries++) {
    int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, attributes, sizeof *attributes);
    if (program != -1 || errno != EAGAIN || tries == 1000) return program;
  }
}

/* Loads a BPF_PROG_TYPE_CGROUP_DEVICE. The program calls no helper that requires a GPL-compatible licence. */
static inline int linux_bpf_load_devices(const uint64_t *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t)"Apache-2.0",
  };
  return linux_bpf_load(&attributes);
}

/* BPF_F_ALLOW_MULTI: systemd may attach further programs, the host's to the cgroups of its units, a guest's to cgroups below
 * (PrivateDevices=). The kernel allows what all of them allow. */
static inline int linux_bpf_attach(int cgroup, int program, uint32_t type) {
  union bpf_attr attributes = {
      .target_fd = (uint32_t)cgroup,
      .attach_bpf_fd = (uint32_t)program,
      .attach_type = type,
      .attach_flags = BPF_F_ALLOW_MULTI,
  };
  return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
}

/* Makes a map from an index below `entries` to four bytes: a BPF_MAP_TYPE_ARRAY, or a BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, whose values are
 * descriptors of sockets. */
static inline int linux_bpf_make_map(uint32_t type, uint32_t entries) {
  union bpf_attr attributes = {.map_type = type, .key_size = 4, .value_size = 4, .max_entries = entries};
  return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

static inline int linux_bpf_put(int map, uint32_t key, uint32_t value) {
  union bpf_attr attributes = {
      .map_fd = (uint32_t)map,
      .key = (uint64_t)(uintptr_t)&key,
      .value = (uint64_t)(uintptr_t)&value,
  };
  return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof attributes);
}

/* Loads a BPF_PROG_TYPE_SK_REUSEPORT that also chooses where the queue of a closed listener moves (Linux 5.14). */
static inline int linux_bpf_load_reuseport(const uint64_t *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = BPF_PROG_TYPE_SK_REUSEPORT,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t)"Apache-2.0",
      .expected_attach_type = BPF_SK_REUSEPORT_SELECT_OR_MIGRATE,
  };
  return linux_bpf_load(&attributes);
}

/* membarrier(2), MEMBARRIER_CMD_GLOBAL: returns when every processor has left the RCU read-side critical section that it was in. */
static inline int linux_membarrier_global(void) { return (int)syscall(SYS_membarrier, 1, 0, 0); }

/* Counts the device programs that apply to a cgroup, including those of the cgroups above it. */
static inline int linux_bpf_count_devices(int cgroup) {
  union bpf_attr attributes = {
      .query = {
          .target_fd = (uint32_t)cgroup,
          .attach_type = BPF_CGROUP_DEVICE,
          .query_flags = BPF_F_QUERY_EFFECTIVE,
      },
  };
  if (syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes) == -1) return -1;
  return (int)attributes.query.prog_cnt;
}

#endif
