/*
 * What the Linux target needs and Swift cannot have from its Glibc module. A thing is in here for one of four reasons only: glibc
 * declares it where the module does not look (behind _GNU_SOURCE, in sys/xattr.h); the oldest glibc that we build on has no wrapper
 * or no number for it; Swift does not import it (macros with arguments, functions with any number of them); or a thread of C has to
 * do it (linux_bind_below), or a library that is opened when it is needed (libnftables).
 */
#ifndef DORMOUSE_CLINUX_H
#define DORMOUSE_CLINUX_H

#include <sys/xattr.h>

#include "alarm.h"
#include "bpf.h"
#include "files.h"
#include "mounts.h"
#include "network.h"
#include "nftables.h"
#include "process.h"
#include "sockets.h"
#include "terminal.h"

/* setns(2): behind _GNU_SOURCE. */
extern int setns(int fd, int nstype);

#endif
