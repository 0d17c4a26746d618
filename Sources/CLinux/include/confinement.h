/* eBPF programs of a cgroup, which confine the sockets that were made in it: bpf(2), for which glibc has no wrapper. */
#ifndef DORMOUSE_CONFINEMENT_H
#define DORMOUSE_CONFINEMENT_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf.h"

/* BPF_CGROUP_UNIX_CONNECT and BPF_CGROUP_UNIX_SENDMSG of Linux 6.7, which older headers lack. */
static const uint32_t LINUX_BPF_CGROUP_UNIX_CONNECT = 49;
static const uint32_t LINUX_BPF_CGROUP_UNIX_SENDMSG = 50;

/* The name of the programs (bpf_prog_info.name), by which a later daemon finds them. */
#define LINUX_CONFINEMENT "dormouse_socket"

/* Calls socket(2) in a child in the cgroup with this descriptor. The kernel applies the cgroup's programs to the socket, and to connections
 * that it accepts, as long as these exist. Returns the socket, which the caller closes; -1 with errno on failure. */
extern int linux_socket_in_cgroup(int cgroup, int family, int type, int protocol);

static inline int linux_bpf_load_confinement(
    uint32_t type, uint32_t attach_type, const uint64_t *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = type,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t)"Apache-2.0",
      .expected_attach_type = attach_type,
      .prog_name = LINUX_CONFINEMENT,
  };
  return linux_bpf_load(&attributes);
}

/* Makes a map whose keys are an address of 16 bytes and a port in 4 bytes. When it is full, it drops the least recently used entry. */
static inline int linux_bpf_make_peers(uint32_t entries) {
  union bpf_attr attributes = {
      .map_type = BPF_MAP_TYPE_LRU_HASH, .key_size = 20, .value_size = 4, .max_entries = entries};
  return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

/* Opens a confinement program that is attached to this very cgroup, but not the one with the ID `kept`. Returns its descriptor, which the
 * caller closes; -1 with errno, ENOENT when there is none. */
static inline int linux_bpf_find_confinement(int cgroup, uint32_t attach_type, uint32_t kept) {
  uint32_t ids[64];
  union bpf_attr query = {
      .query = {
          .target_fd = (uint32_t)cgroup, .attach_type = attach_type, .prog_ids = (uint64_t)(uintptr_t)ids, .prog_cnt = 64}};
  if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof query) == -1) return -1;
  for (uint32_t i = 0; i < query.query.prog_cnt && i < 64; i++) {
    if (ids[i] == kept) continue;
    union bpf_attr identifier = {.prog_id = ids[i]};
    int program = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &identifier, sizeof identifier);
    if (program == -1) continue;
    struct bpf_prog_info info = {0};
    union bpf_attr about = {
        .info = {.bpf_fd = (uint32_t)program, .info_len = sizeof info, .info = (uint64_t)(uintptr_t)&info}};
    if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &about, sizeof about) == 0 &&
        strcmp(info.name, LINUX_CONFINEMENT) == 0)
      return program;
    close(program);
  }
  errno = ENOENT;
  return -1;
}

/* The kernel's ID of a program (bpf_prog_info.id); 0 on failure. */
static inline uint32_t linux_bpf_program_id(int program) {
  struct bpf_prog_info info = {0};
  union bpf_attr about = {
      .info = {.bpf_fd = (uint32_t)program, .info_len = sizeof info, .info = (uint64_t)(uintptr_t)&info}};
  return syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &about, sizeof about) == 0 ? info.id : 0;
}

static inline int linux_bpf_detach(int cgroup, int program, uint32_t attach_type) {
  union bpf_attr attributes = {
      .target_fd = (uint32_t)cgroup, .attach_bpf_fd = (uint32_t)program, .attach_type = attach_type};
  return (int)syscall(SYS_bpf, BPF_PROG_DETACH, &attributes, sizeof attributes);
}

/* Opens the cgroup with this ID, which sock_diag(7) reports (INET_DIAG_CGROUP_ID): open_by_handle_at(2). `root` is any directory of
 * cgroup 2. */
static inline int linux_open_cgroup(int root, uint64_t number) {
  struct {
    uint32_t bytes;
    int32_t type;
    uint64_t number;
  } handle = {.bytes = sizeof number, .type = 0xfe /* FILEID_KERNFS */, .number = number};
  return (int)syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#endif
