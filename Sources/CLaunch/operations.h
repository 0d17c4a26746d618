/* The operations of a launch that take more than one system call. All return -errno on failure. */
#ifndef DORMOUSE_OPERATIONS_H
#define DORMOUSE_OPERATIONS_H

#include <stdint.h>

/* mounts.c */
long launch_open(const char *source, int slot, uint64_t set, uint64_t flags);
long launch_map(int slot, int users, uint64_t flags);
long launch_attach(int slot, char *target);
long launch_mount(const char *type, uint64_t mount_flags, uint64_t flags);
long launch_change(const char *path, uint64_t set, uint64_t flags);
long launch_rebind(const char *path, uint64_t set, uint64_t clear, uint64_t flags);
long launch_bind(const char *source, uint64_t set, uint64_t flags);
long launch_detach(const char *path);
long launch_mask(const char *path, uint64_t flags);
/* `old` is the directory in `root` that the old root is moved to; the empty string unmounts it. */
long launch_root(const char *root, const char *old);

/* operations.c */
const char *launch_next_string(const char *text);
unsigned long launch_length(const char *text);
/* Writes to `path` while it works, and restores it. */
long launch_directory(char *path, uint64_t mode);
long launch_parents(char *path);
long launch_node(const char *path, uint64_t mode, uint64_t major, uint64_t minor);
long launch_link(const char *path, uint64_t flags);
long launch_file(const char *path, uint64_t mode, uint64_t length, uint64_t flags);
long launch_remove(const char *path);
long launch_set(const char *path, uint64_t flags);
long launch_loopback(void);
long launch_console(const char *path);

/* privileges.c */
long launch_limit(uint64_t resource, uint64_t soft, uint64_t hard);
long launch_user(uint64_t user, uint64_t group, const char *groups, uint64_t count);
/* `rest` is kept until execve(2), which gives root the bounding set only. */
long launch_keep(uint64_t capabilities, uint64_t rest);
long launch_raise(uint64_t capabilities);
long launch_filter(char *program, uint64_t count);

#endif
