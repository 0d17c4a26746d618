// The guest's journal, for the last line of a unit. Its files belong to the guest; libsystemd checks what it reads of them.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ask.h"

static int open_below(int directory, const char *path, int flags) {
  // Only the first step is from the root; no link leads anywhere.
  struct open_how how = {
      .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// Opens a regular file. It is looked at before it is opened: opening a FIFO waits, and opening a device has effects.
static int open_regular(int directory, const char *name) {
  int file = open_below(directory, name, O_PATH);
  if (file < 0) return -1;
  struct stat status;
  int result = -1;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    result = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  }
  close(file);
  return result;
}

// Opens the file that is being written, in each directory of a machine.
static int open_active(int root, const char *path, int files[], int count) {
  int place = open_below(root, path, O_RDONLY | O_DIRECTORY);
  if (place < 0) return count;
  DIR *machines = fdopendir(place);
  if (machines == NULL) {
    close(place);
    return count;
  }
  const struct dirent *entry;
  for (int seen = 0; seen < 16 && count < ASK_JOURNALS && (entry = readdir(machines)) != NULL; seen++) {
    if (entry->d_name[0] == '.') continue;
    int directory = open_below(dirfd(machines), entry->d_name, O_PATH | O_DIRECTORY);
    if (directory < 0) continue;
    int file = open_regular(directory, "system.journal");
    if (file >= 0) files[count++] = file;
    close(directory);
  }
  closedir(machines);
  return count;
}

sd_journal *ask_journal(int root) {
  int files[ASK_JOURNALS];
  int count = open_active(root, "run/log/journal", files, 0);
  count = open_active(root, "var/log/journal", files, count);
  sd_journal *journal = NULL;
  if (count > 0 && sd_journal_open_files_fd(&journal, files, (unsigned)count, 0) < 0) return NULL;
  // A field that is longer is of no use here.
  if (journal != NULL) sd_journal_set_data_threshold(journal, 4096);
  return journal;
}

// Restricts the entries to one boot: those of earlier ones say nothing of this guest's units. The newest entry is of this boot.
static bool match_newest_boot(sd_journal *journal) {
  sd_journal_flush_matches(journal);
  sd_id128_t boot;
  uint64_t time;
  if (sd_journal_seek_tail(journal) < 0 || sd_journal_previous(journal) <= 0 ||
      sd_journal_get_monotonic_usec(journal, &time, &boot) < 0)
    return false;
  char match[9 + SD_ID128_STRING_MAX] = "_BOOT_ID=";
  sd_id128_to_string(boot, match + 9);
  return sd_journal_add_match(journal, match, 0) >= 0 && sd_journal_add_conjunction(journal) >= 0;
}

static bool match_unit(sd_journal *journal, const char *field, const char *unit) {
  char match[320];
  int length = snprintf(match, sizeof match, "%s=%s", field, unit);
  return length < (int)sizeof match && sd_journal_add_match(journal, match, 0) >= 0;
}

static bool copy_message(sd_journal *journal, char line[ASK_TEXT + 1]) {
  const void *data;
  size_t length;
  if (sd_journal_get_data(journal, "MESSAGE", &data, &length) < 0 || length <= 8) return false;
  length -= 8;
  if (length > ASK_TEXT) length = ASK_TEXT;
  memcpy(line, (const char *)data + 8, length);
  line[length] = 0;
  return true;
}

void ask_last_line(sd_journal *journal, const char *unit, char line[ASK_TEXT + 1]) {
  line[0] = 0;
  // What the unit's processes wrote says more than what systemd says of their end.
  static const char *const fields[] = {"_SYSTEMD_UNIT", "UNIT"};
  for (int field = 0; journal != NULL && field < 2; field++) {
    if (!match_newest_boot(journal) || !match_unit(journal, fields[field], unit)) return;
    if (sd_journal_seek_tail(journal) >= 0 && sd_journal_previous(journal) > 0 && copy_message(journal, line)) return;
  }
}
