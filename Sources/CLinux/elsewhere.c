#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

struct job {
  void (*run)(int);
  int argument;
  struct job *next;
};

/* A thread with its queue of jobs, and how many jobs were ever queued and done. The thread ends when the queue is empty. */
struct worker {
  pthread_mutex_t lock;
  pthread_cond_t progress;
  struct job *first, *last;
  uint64_t queued, done;
  int runs;
};

/* Two threads, so that a barrier does not wait for a close(2), which may take seconds for a guest's descriptor. */
static struct worker closers = {.lock = PTHREAD_MUTEX_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER};
static struct worker barriers = {.lock = PTHREAD_MUTEX_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER};

static void *run_jobs(void *argument) {
  struct worker *worker = argument;
  pthread_mutex_lock(&worker->lock);
  while (worker->first) {
    struct job *job = worker->first;
    worker->first = job->next;
    pthread_mutex_unlock(&worker->lock);
    job->run(job->argument);
    free(job);
    pthread_mutex_lock(&worker->lock);
    worker->done++;
    pthread_cond_broadcast(&worker->progress);
  }
  worker->runs = 0;
  pthread_mutex_unlock(&worker->lock);
  return NULL;
}

static int start_thread(struct worker *worker) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int error = pthread_create(&thread, &attributes, run_jobs, worker);
  pthread_attr_destroy(&attributes);
  return error;
}

static void run_elsewhere(struct worker *worker, void (*run)(int), int argument, int patience) {
  struct job *job = malloc(sizeof *job);
  if (!job) {
    run(argument);
    return;
  }
  *job = (struct job){.run = run, .argument = argument};
  pthread_mutex_lock(&worker->lock);
  if (!worker->runs && start_thread(worker) != 0) {
    pthread_mutex_unlock(&worker->lock);
    free(job);
    run(argument);
    return;
  }
  worker->runs = 1;
  if (worker->first) worker->last->next = job;
  else worker->first = job;
  worker->last = job;
  uint64_t number = ++worker->queued;
  if (patience > 0) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)patience % 1000 * 1000000;
    until.tv_sec += patience / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (worker->done < number &&
           pthread_cond_clockwait(&worker->progress, &worker->lock, CLOCK_MONOTONIC, &until) == 0) {}
  }
  pthread_mutex_unlock(&worker->lock);
}

/* With SO_LINGER, close(2) of a connection waits until the peer has acknowledged all data. */
static void close_without_linger(int fd) {
  struct linger off = {0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
  close(fd);
}

void linux_close_elsewhere(int fd, int patience) { run_elsewhere(&closers, close_without_linger, fd, patience); }

static void reap(int pid) { while (waitpid(pid, NULL, 0) == -1 && errno == EINTR) {} }

void linux_end_refuser(int pid) {
  kill(pid, SIGKILL);
  run_elsewhere(&closers, reap, pid, 0);
}

static void await_readers(int counter) {
  linux_membarrier_global();
  uint64_t one = 1;
  if (write(counter, &one, sizeof one) == -1) return; /* the counter is at its maximum, so it is readable anyway */
}

void linux_membarrier_elsewhere(int counter) { run_elsewhere(&barriers, await_readers, counter, 0); }

int linux_make_counter(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

uint64_t linux_read_counter(int counter) {
  uint64_t value = 0;
  return read(counter, &value, sizeof value) == sizeof value ? value : 0;
}

/* Refuses one client: accepts and closes a connection, or drops a datagram. Returns 1, 0 when none came, -1 if the socket is unusable. */
static int refuse_one(int fd) {
  char byte;
  int type = 0;
  socklen_t size = sizeof type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  if (type == SOCK_DGRAM) return recv(fd, &byte, 1, MSG_DONTWAIT) >= 0;
  int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  if (connection == -1) {
    if (errno == EINVAL || errno == EBADF || errno == ENOTSOCK || errno == EOPNOTSUPP) return -1;
    /* For example a lack of memory or descriptors: tries again after 100 ms. */
    if (errno != EAGAIN && errno != ECONNABORTED) poll(NULL, 0, 100);
    return 0;
  }
  close_without_linger(connection);
  return 1;
}

static void refuse(struct pollfd *sockets, uint32_t count, int counter) {
  for (;;) {
    if (poll(sockets, count, -1) <= 0) continue;
    uint64_t refused = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (sockets[i].fd < 0 || !sockets[i].revents) continue;
      int here = sockets[i].revents & (POLLRDHUP | POLLHUP | POLLNVAL) ? -1 : refuse_one(sockets[i].fd);
      if (here < 0) sockets[i].fd = -1;
      else refused += (uint64_t)here;
    }
    if (refused && write(counter, &refused, sizeof refused) == -1) _exit(1);
  }
}

int linux_start_refuser(const int *kept, const uint8_t *refuses, uint32_t count, int counter) {
  /* Allocates before fork(2): the child of a multithreaded process may call only async-signal-safe functions (signal-safety(7)). */
  struct pollfd *sockets = calloc(count, sizeof *sockets);
  if (!sockets) return -1;
  for (uint32_t i = 0; i < count; i++)
    sockets[i] = (struct pollfd){.fd = refuses[i] ? kept[i] : -1, .events = POLLIN | POLLRDHUP};
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    prctl(PR_SET_NAME, "refuser");
    /* Closes all descriptors but `kept`: a file stays open until its last descriptor is closed, here too. */
    unsigned int next = 0;
    for (uint32_t i = 0; i < count; next = (unsigned int)kept[i++] + 1)
      if ((unsigned int)kept[i] > next) syscall(SYS_close_range, next, (unsigned int)kept[i] - 1, 0);
    syscall(SYS_close_range, next, ~0u, 0);
    refuse(sockets, count, counter);
  }
  int error = errno;
  free(sockets);
  errno = error;
  return pid;
}
