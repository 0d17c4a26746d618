/* How tiny-init words an answer, and which descriptors it had when it was executed. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

static void say(char *to, const char *format, ...) {
  size_t used = strlen(to);
  va_list list;
  va_start(list, format);
  vsnprintf(to + used, ANSWER - used, format, list);
  va_end(list);
}

static void note_descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    char path[64], target[256];
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(directory)) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    say(at_exec, "%s%d %s", at_exec[0] ? "\t" : "", fd, target);
  }
  closedir(directory);
}

#endif
