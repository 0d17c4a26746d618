// Reads the last line of a unit from the guest's journal. The files belong to the guest; libsystemd checks what it reads from them.
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
  // The path cannot leave the directory, and no symbolic link is followed.
  struct open_how how = {
      .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// Opens a regular file. It checks the type first, with O_PATH: opening a FIFO would block, and opening a device may have an effect.
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

// Opens system.journal, which journald writes to, in each directory of a machine ID. Returns how many files there are now.
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
  // Only the start of a longer field is needed.
  if (journal != NULL) sd_journal_set_data_threshold(journal, 4096);
  return journal;
}

// Restricts the entries to the boot of the newest entry, which is the current one. Older boots say nothing about the units of now.
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
  // What the unit's processes logged (_SYSTEMD_UNIT=) says more than what systemd logged about their end (UNIT=).
  static const char *const fields[] = {"_SYSTEMD_UNIT", "UNIT"};
  for (int field = 0; journal != NULL && field < 2; field++) {
    if (!match_newest_boot(journal) || !match_unit(journal, fields[field], unit)) return;
    if (sd_journal_seek_tail(journal) >= 0 && sd_journal_previous(journal) > 0 && copy_message(journal, line)) return;
  }
}
