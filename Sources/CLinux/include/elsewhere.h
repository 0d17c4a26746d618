/* What may take long, done on a thread that exists only as long as it has something to do; and a process that refuses clients. */
#ifndef DORMOUSE_ELSEWHERE_H
#define DORMOUSE_ELSEWHERE_H

#include <stdint.h>

/* close(2) on another thread, after SO_LINGER is off. Waits for it, at most `patience` milliseconds. Without memory for a thread the
 * descriptor is closed at once. */
extern void linux_close_elsewhere(int fd, int patience);

/* An eventfd(2), non-blocking, and its value, which becomes 0. */
extern int linux_make_counter(void);
extern uint64_t linux_read_counter(int counter);

/* linux_membarrier_global() on another thread, which then adds 1 to `counter`. */
extern void linux_membarrier_elsewhere(int counter);

/* Starts a process that accepts and closes the connections, and receives and drops the datagrams, that come to `kept[i]` for each i with
 * `refuses[i]`. It adds their number to the eventfd `counter`, which is in `kept` too, and has no other descriptors. `kept` is ascending.
 * It ends with the calling thread. Returns its number, or -1 and sets errno. */
extern int linux_start_refuser(const int *kept, const uint8_t *refuses, uint32_t count, int counter);

/* Kills a process of linux_start_refuser(), and reaps it on another thread: it may be closing something that takes long. */
extern void linux_end_refuser(int pid);

#endif
