/* The packet filter, through libnftables(3), which is loaded on demand. */
#ifndef DORMOUSE_CLINUX_NFTABLES_H
#define DORMOUSE_CLINUX_NFTABLES_H

#include <stddef.h>
#include <stdint.h>

enum linux_nftables_result { LINUX_NFTABLES_DONE, LINUX_NFTABLES_MISSING, LINUX_NFTABLES_REFUSED };

/* Runs commands of nft(8) in one transaction. On a refusal, `words` gets the error messages. */
enum linux_nftables_result linux_nftables(const char *commands, char *words, size_t size);

#endif
