/* Declarations that the attempts share. */
#ifndef HOSTILE_H
#define HOSTILE_H

enum { HELD, BROKEN, SKIPPED };

extern int own_users;           /* whether the guest has a user namespace */
extern int victim;              /* the number of a process of the host, or 0 */
extern char why[512];           /* the reason for the verdict on the current attempt */
extern int foreign_descriptors; /* the number of open descriptors at execve(2), other than the standard ones and listeners */
extern char descriptors[512];

/* The verdict on a call that must fail. */
int refused(long result);
/* The verdict on a call that must be refused before its arguments are checked. */
int forbidden(long result);
int skip(const char *reason);
int write_to(const char *path, const char *text);
/* Writes the current contents of `path` to it, so that a write that is not refused changes nothing. */
int write_back(const char *path);
const char *content(const char *path);

int disk(void);
int memory(void);
int kernel_log(void);
int terminal(void);
int sys_file(void);
int sys_value(void);
int core_pattern(void);
int proc_irq(void);
int run_host(void);
int sysrq(void);
int kcore(void);
int keys_listed(void);
int mount_seen(void);
int remount_bind(void);
int unmount_mask(void);
int remount_sys(void);
int new_proc(void);
int cgroup_above(void);
int release_agent(void);
int host_descriptor(void);
int signal_host(void);
int trace_host(void);
int daemon_program(void);
int host_key(void);
int module(void);
int kexec(void);
int audit(void);
int handle(void);
int breakout(void);
int pivot(void);
int clock_set(void);
int kernel_messages(void);
int ports(void);
int swap(void);
int programs(void);
int performance(void);
int host_name(void);
int ring(void);
int machine_socket(void);
int cipher_socket(void);
int key(void);
int old_socket(void);
int other_calls(void);

#endif
