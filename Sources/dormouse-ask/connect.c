// Connects to the guest's systemd from the host, and checks that the guest's PID 1 is at the other end.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"

int ask_root(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/root", pid);
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root < 0 ? -errno : root;
}

// Opens the file of a socket (O_PATH). The guest can put anything there, so symbolic links are not followed, and other files are refused.
static int locate(int root, const char *path) {
  struct open_how how = {
      .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
  int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  if (file < 0) return -errno;
  struct stat status;
  int failure = fstat(file, &status) < 0 ? errno : S_ISSOCK(status.st_mode) ? 0 : ENOTSOCK;
  if (failure == 0) return file;
  close(file);
  return -failure;
}

static int connect_to(int socket, int file) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
  return connect(socket, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

// The host's UID of the guest's root, from uid_map; 0 without a user namespace, -errno on failure.
static long long base_of(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  FILE *map = fopen(path, "re");
  if (map == NULL) return -errno;
  unsigned inside, outside;
  int count = fscanf(map, "%u %u", &inside, &outside);
  fclose(map);
  return count == 2 && inside == 0 ? (long long)outside : -EINVAL;
}

// At its private socket systemd accepts only a peer whose UID is the guest's root and whose PID exists in its PID namespace. So a child in
// that namespace connects, and ends at once. The kernel keeps these peer credentials of connect(2), whoever uses the socket later.
static int connect_as_root(pid_t pid, int socket, int file) {
  long long base = base_of(pid);
  if (base < 0) return (int)base;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
  int namespace = open(path, O_RDONLY | O_CLOEXEC);
  if (namespace < 0) return -errno;
  pid_t outer = fork();
  if (outer < 0) return -errno;
  if (outer == 0) {
    // The children execute nothing of the guest. Without a user namespace the guest's root could trace them: ptrace(2) refuses that for a
    // process that is not dumpable.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    // setns(2) with a PID namespace takes effect only for children, so a second fork(2) follows.
    if (setns(namespace, CLONE_NEWPID) < 0) _exit(errno);
    pid_t inner = fork();
    if (inner < 0) _exit(errno);
    if (inner == 0) {
      prctl(PR_SET_DUMPABLE, 0);
      if (syscall(SYS_setresgid, base, base, base) < 0 || syscall(SYS_setresuid, base, base, base) < 0) _exit(errno);
      // From here on the guest's root can stop this process. It ends with its parent nevertheless. setresuid(2) clears the signal, so it
      // is set after that; and a parent in another PID namespace has the number 0, which a new parent after its end does not.
      if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != 0) _exit(ESRCH);
      _exit(-connect_to(socket, file));
    }
    int status;
    while (waitpid(inner, &status, 0) < 0 && errno == EINTR) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
  }
  int status;
  while (waitpid(outer, &status, 0) < 0 && errno == EINTR) continue;
  close(namespace);
  return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

// Returns 0 if the guest's PID 1 called listen(2) on the other end (SO_PEERCRED), -EPERM if another process did. PID 1 makes both sockets.
// A guest can bind-mount another socket to their paths, and the host's root would then talk to a stranger.
static int is_of(pid_t pid, int socket) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
  return peer.pid == pid ? 0 : -EPERM;
}

static int attempt(pid_t pid, int root, const char *path, bool is_bus) {
  int file = locate(root, path);
  if (file < 0) return file;
  // Non-blocking: connect(2) fails with EAGAIN when the backlog is full, and does not wait.
  int socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int result = socket_ < 0 ? -errno : is_bus ? connect_to(socket_, file) : connect_as_root(pid, socket_, file);
  if (result == 0) result = is_of(pid, socket_);
  close(file);
  if (result == 0) return socket_;
  if (socket_ >= 0) close(socket_);
  return result;
}

int ask_connect(pid_t pid, int root, bool *is_bus) {
  *is_bus = true;
  int result = attempt(pid, root, "run/dbus/system_bus_socket", true);
  // Images without D-Bus have only the private socket. EPERM: another process listens, which is an attack and not a missing bus.
  if (result >= 0 || result == -EPERM) return result;
  *is_bus = false;
  return attempt(pid, root, "run/systemd/private", false);
}
