/*
 * Terminals: <sys/ioctl.h> defines TIOCGPTPEER by a macro with arguments, which Swift does not import. Its Glibc module lacks
 * <sys/signalfd.h>.
 */
#ifndef DORMOUSE_CLINUX_TERMINAL_H
#define DORMOUSE_CLINUX_TERMINAL_H

#include <sys/ioctl.h>
#include <sys/signalfd.h>

static const unsigned long dormouse_tiocgptpeer = TIOCGPTPEER;

#endif
