/*
 * Terminals: <sys/ioctl.h> makes TIOCGPTPEER by a macro with arguments, which Swift does not import. <sys/signalfd.h> is not in its
 * Glibc module.
 */
#ifndef DORMOUSE_CLINUX_TERMINAL_H
#define DORMOUSE_CLINUX_TERMINAL_H

#include <sys/ioctl.h>
#include <sys/signalfd.h>

static const unsigned long dormouse_tiocgptpeer = TIOCGPTPEER;

#endif
