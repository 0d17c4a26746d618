// dormouse-ask PID [ADDRESS...]: asks the systemd of a guest that runs which of its units have failed, and which have one of the
// addresses (as "Stream [::]:80"), and prints one line of JSON.
//
// Everything that it reads belongs to the guest, which may be hostile: its bus may accept and be silent, answer by a byte each second or
// by gigabytes, or be a socket of the host's. So it is a process of its own. Its memory is limited, one alarm ends it whatever it waits
// for, who listens is compared with the guest's PID 1, and no privilege is left when the first byte is read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

// How many units are described. A guest may have any number of them.
enum { ASK_SOCKETS = 256, ASK_FAILED = 8, ASK_JOURNALS = 4 };
// The longest text of the guest's that is passed on, in bytes.
enum { ASK_TEXT = 240 };

// Opens a directory of the guest's root, which must exist. -errno on failure.
int ask_root(pid_t pid);
// Connects to the guest's bus, or to the private socket of its systemd. `*is_bus` tells which. -errno on failure.
int ask_connect(pid_t pid, int root, bool *is_bus);
// Opens the guest's journal; nil when it has none that can be read.
sd_journal *ask_journal(int root);
// Copies the last line that a unit, or systemd about it, logged in this boot. Empty when there is none.
void ask_last_line(sd_journal *journal, const char *unit, char line[ASK_TEXT + 1]);
// Asks, and prints the answer. -errno when the guest did not answer.
int ask_units(int socket, bool is_bus, sd_journal *journal, char *const addresses[], int address_count, FILE *out);
// Prints a text of the guest's as a string of JSON, without control characters and at most ASK_TEXT bytes of it.
void ask_print(FILE *out, const char *text);
