/*
 * What the Linux target needs and Swift's Glibc module lacks. A thing is in here for one of two reasons only: glibc declares
 * it where the module does not look (behind _GNU_SOURCE, in sys/xattr.h), or glibc has no wrapper for it.
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
