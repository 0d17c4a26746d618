/* The packet filter, by libnftables(3), which is opened when it is first needed. */
#ifndef DORMOUSE_CLINUX_NFTABLES_H
#define DORMOUSE_CLINUX_NFTABLES_H

#include <stddef.h>
#include <stdint.h>

enum linux_nftables_result { LINUX_NFTABLES_DONE, LINUX_NFTABLES_MISSING, LINUX_NFTABLES_REFUSED };

/* Carries out commands of nft(8), all or none. `words` get the errors of those that were refused. */
enum linux_nftables_result linux_nftables(const char *commands, char *words, size_t size);

#endif
