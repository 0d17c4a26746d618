/* An eBPF socket filter that reports what arrives, and the ring buffer that it reports to: bpf(2), for which glibc has no wrapper. */
#ifndef DORMOUSE_ALARM_H
#define DORMOUSE_ALARM_H

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf.h"

static const int LINUX_SO_ATTACH_BPF = 50;

/* Makes a BPF_MAP_TYPE_RINGBUF (Linux 5.8) of `size` bytes, a power of two and at least a page. Its descriptor polls as readable. */
static inline int linux_bpf_make_ring(uint32_t size) {
  union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = size};
  return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

static inline int linux_bpf_load_filter(const uint64_t *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t)"Apache-2.0",
  };
  return linux_bpf_load(&attributes);
}

/* Discards the content of a ring buffer: its first page holds the reader's position, the second the writer's. Returns 0 or -1. */
static inline int linux_bpf_empty_ring(int ring) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  uint64_t *reader = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
  if (reader == MAP_FAILED) return -1;
  uint64_t *writer = mmap(NULL, page, PROT_READ, MAP_SHARED, ring, (off_t)page);
  if (writer != MAP_FAILED) {
    __atomic_store_n(reader, __atomic_load_n(writer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    munmap(writer, page);
  }
  munmap(reader, page);
  return writer == MAP_FAILED ? -1 : 0;
}

#endif
