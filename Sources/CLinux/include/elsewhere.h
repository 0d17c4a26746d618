/* System calls that may take long, on a thread that ends when it has nothing to do; and a process that refuses clients. */
#ifndef DORMOUSE_ELSEWHERE_H
#define DORMOUSE_ELSEWHERE_H

#include <stdint.h>

/* Clears SO_LINGER and calls close(2), on another thread. Waits for that, at most `patience` milliseconds. If no thread can be started, the
 * calling thread closes the descriptor. */
extern void linux_close_elsewhere(int fd, int patience);

/* Makes an eventfd(2), non-blocking and close-on-exec; -1 with errno. The other reads its value and resets that to 0. */
extern int linux_make_counter(void);
extern uint64_t linux_read_counter(int counter);

/* Calls linux_membarrier_global() on another thread, which then adds 1 to the eventfd `counter`. */
extern void linux_membarrier_elsewhere(int counter);

/* Starts a process that refuses the clients of the socket `kept[i]` for each i with `refuses[i]`: it accepts and closes connections, and
 * drops datagrams. It adds their number to the eventfd `counter`. `kept` is in ascending order and has `counter` too; the process closes
 * all other descriptors. The kernel kills it when the calling thread ends. Returns its PID, or -1 with errno. */
extern int linux_start_refuser(const int *kept, const uint8_t *refuses, uint32_t count, int counter);

/* Kills a process of linux_start_refuser(). Reaps it on another thread, because its last close(2) may take long. */
extern void linux_end_refuser(int pid);

#endif
