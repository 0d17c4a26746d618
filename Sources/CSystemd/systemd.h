/* libsystemd's public headers, as one module for Swift. */
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>

/* Not in Swift's Glibc module: the eventfd that wakes the loop from another thread, and the event bits of epoll. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
