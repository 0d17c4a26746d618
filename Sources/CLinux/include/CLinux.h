/*
 * What the Linux target needs and Swift's Glibc module does not offer, for one of these reasons only: glibc declares it where the module
 * does not find it (behind _GNU_SOURCE, in sys/xattr.h); the oldest supported glibc has no wrapper or no number for it; Swift cannot
 * import it (macros with arguments, variadic functions); it needs a thread of its own (linux.c); or it is in a library that is loaded on
 * demand (libnftables).
 */
#ifndef DORMOUSE_CLINUX_H
#define DORMOUSE_CLINUX_H

#include <sys/xattr.h>

#include "alarm.h"
#include "bpf.h"
#include "confinement.h"
#include "elsewhere.h"
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
