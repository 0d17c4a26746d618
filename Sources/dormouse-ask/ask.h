// dormouse-ask PID [ADDRESS...]: asks the systemd of a running guest, whose PID 1 is PID, which of its units have failed, and which of its
// socket units listen at one of the addresses (such as "Stream [::]:80"). Prints one line of JSON.
//
// Everything that it reads belongs to the guest, which may be hostile. The guest's bus may accept and never answer, may send a byte each
// second or gigabytes, or may be a socket of the host. So this is a process of its own. Its memory is limited (RLIMIT_AS). SIGALRM ends it
// whatever it waits for. It checks that the guest's PID 1 listens. It has no privilege left when it reads the first byte.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

// The most socket units, failed units and journal files that are read. A guest may have any number of them.
enum { ASK_SOCKETS = 256, ASK_FAILED = 8, ASK_JOURNALS = 4 };
// How many bytes of a text of the guest are printed at most.
enum { ASK_TEXT = 240 };

// Opens the root directory of the guest (O_PATH). Returns its descriptor, which the caller closes, or -errno.
int ask_root(pid_t pid);
// Connects to the guest's system bus, or else to its systemd's private socket; `*is_bus` says which. Returns the connection, or -errno.
int ask_connect(pid_t pid, int root, bool *is_bus);
// Opens the guest's journal; NULL when it has none that can be read.
sd_journal *ask_journal(int root);
// Copies the last line of the newest boot that a unit logged, or else that systemd logged about it. Empty when there is none.
void ask_last_line(sd_journal *journal, const char *unit, char line[ASK_TEXT + 1]);
// Asks the guest's systemd about its units, and prints the answer to `out`. -errno when the guest did not answer.
int ask_units(int socket, bool is_bus, sd_journal *journal, char *const addresses[], int address_count, FILE *out);
// Prints at most ASK_TEXT bytes of a text of the guest as a JSON string. It prints `?` for control characters and invalid UTF-8.
void ask_print(FILE *out, const char *text);
