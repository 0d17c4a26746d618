/* storm-client BOARD CLIENTS SENDERS ADDRESS...: clients that connect without pause and count the outcome of each connection.
 *
 * Each client uses the addresses in turn. An address is PORT at 127.0.0.1, 6:PORT at [::1], a path, or u:PORT for datagrams, which the
 * senders use. A client connects, sends a request, reads the answer to its end and compares every byte. It never retries.
 *
 * BOARD is a file with a struct board that the driver maps too: it sets the current edge and reads the counters. A connection is counted
 * for the edge that is current when it ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

enum { EDGES = 128, FAMILIES = 4, MOST_CLIENTS = 64 };
enum family { IPV4, IPV6, PATH, DATAGRAM };

/* The order of the driver's OUTCOMES. */
enum outcome {
  GOOD,
  REFUSED, /* connect(2) failed */
  RESET,   /* a reset before the first byte, which the service sends when it has accepted */
  EMPTY,   /* the end of the connection before the first byte */
  SHORT,   /* the end or a reset after the first byte */
  WRONG,   /* other bytes than expected */
  HUNG,    /* nothing for HANG_SECONDS; for a datagram: no answer, although a later one was answered */
  FAILED,  /* the client itself failed: no port is free */
  SLOW,    /* good after more than SLOW_SECONDS, and counted as good too */
  OUTCOMES
};

enum { SLOW_SECONDS = 5, HANG_SECONDS = 40 };

struct board {
  _Atomic uint32_t edge, lull, over, unused;
  _Atomic uint64_t counts[EDGES][FAMILIES][OUTCOMES];
};

static struct board *board;
static _Atomic uint32_t next_number;
static char **addresses;
static int address_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static enum family family_of(const char *text) {
  return text[0] == '/' ? PATH : text[0] == 'u' ? DATAGRAM : text[0] == '6' ? IPV6 : IPV4;
}

static socklen_t parse(const char *text, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  struct sockaddr_un *path = (void *)to;
  struct sockaddr_in6 *six = (void *)to;
  struct sockaddr_in *four = (void *)to;
  switch (family_of(text)) {
  case PATH:
    path->sun_family = AF_UNIX;
    strncpy(path->sun_path, text, sizeof path->sun_path - 1);
    return offsetof(struct sockaddr_un, sun_path) + strlen(text) + 1;
  case IPV6:
    *six = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(atoi(text + 2)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return sizeof *six;
  case IPV4:
  case DATAGRAM:
    *four = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(atoi(text[0] == 'u' ? text + 2 : text)),
        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return sizeof *four;
  }
  return 0;
}

/* Reads the answer to its end. */
static enum outcome read_answer(int fd, unsigned number, unsigned length) {
  unsigned char got[LONGEST + 2], expected[LONGEST];
  size_t have = 0;
  double end = now() + HANG_SECONDS;
  for (;;) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int left = (int)((end - now()) * 1000);
    if (left <= 0 || poll(&watched, 1, left) == 0) return HUNG;
    ssize_t count = recv(fd, got + have, sizeof got - have, 0);
    if (count < 0) return have ? SHORT : RESET;
    if (count == 0) break;
    have += count;
    if (have == sizeof got) return WRONG;
  }
  if (have == 0) return EMPTY;
  if (have < length + 1) return SHORT;
  fill_answer(expected, number, length);
  return got[0] == '+' && have == length + 1 && !memcmp(got + 1, expected, length) ? GOOD : WRONG;
}

static enum outcome connect_and_ask(const char *address, unsigned number) {
  struct sockaddr_storage to;
  socklen_t size = parse(address, &to);
  int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return FAILED;
  enum outcome outcome;
  if (connect(fd, (void *)&to, size) != 0) {
    outcome = errno == EADDRNOTAVAIL ? FAILED : REFUSED;
  } else {
    char request[64];
    unsigned length = number * 2654435761u % LONGEST;
    int count = snprintf(request, sizeof request, "%u %u\n", number, length);
    /* An error is ignored: what can still be read shows whether the peer is gone. */
    send(fd, request, count, MSG_NOSIGNAL);
    outcome = read_answer(fd, number, length);
  }
  close(fd);
  return outcome;
}

/*
 * A datagram is lost if a later one was answered a second ago and it was not. Without an answer to a later one the guest may just be slow
 * to start.
 */
static enum outcome send_and_wait(int fd, unsigned number) {
  char text[16], probe[16], got[64];
  int length = snprintf(text, sizeof text, "%u", number), probe_length = snprintf(probe, sizeof probe, "?%u", number);
  double begun = now(), end = begun + SLOW_SECONDS;
  int is_passed = 0;
  if (send(fd, text, length, MSG_NOSIGNAL) < 0) return errno == ECONNREFUSED ? REFUSED : FAILED;
  for (;;) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int left = (int)((end - now()) * 1000);
    if (left <= 0 || poll(&watched, 1, left) == 0) {
      if (is_passed || now() - begun > HANG_SECONDS) return HUNG;
      if (send(fd, probe, probe_length, MSG_NOSIGNAL) < 0) return errno == ECONNREFUSED ? REFUSED : FAILED;
      end = now() + SLOW_SECONDS;
      continue;
    }
    ssize_t count = recv(fd, got, sizeof got - 1, 0);
    if (count < 0) return REFUSED;
    got[count] = 0;
    if (!strcmp(got, text)) return GOOD;
    /* Anything else answers an earlier datagram, which was counted as lost. */
    if (!strcmp(got, probe) && !is_passed) {
      is_passed = 1;
      end = now() + 1;
    }
  }
}

static void count(enum family family, enum outcome outcome, double begun) {
  _Atomic uint64_t *counts = board->counts[board->edge % EDGES][family];
  counts[outcome]++;
  if (outcome == GOOD && now() - begun > SLOW_SECONDS) counts[SLOW]++;
}

static void rest(void) {
  for (unsigned lull; (lull = board->lull) && !board->over;) {
    struct timespec pause = {lull / 1000000, lull % 1000000 * 1000};
    nanosleep(&pause, NULL);
  }
}

static void *run_client(void *argument) {
  for (unsigned turn = (unsigned)(uintptr_t)argument; !board->over; turn++) {
    const char *address = addresses[turn % address_count];
    if (family_of(address) == DATAGRAM) continue;
    rest();
    double begun = now();
    count(family_of(address), connect_and_ask(address, next_number++), begun);
  }
  return NULL;
}

static void *run_sender(void *argument) {
  struct sockaddr_storage to;
  socklen_t size = parse(argument, &to);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (void *)&to, size) != 0) return NULL;
  while (!board->over) {
    rest();
    double begun = now();
    count(DATAGRAM, send_and_wait(fd, next_number++), begun);
    /* At most a few hundred datagrams a second, so that no queue overflows. */
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  /* The clients must not outlive a storm that is killed. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int file = open(argv[1], O_RDWR | O_CLOEXEC);
  board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (board == MAP_FAILED) return 2;
  int clients = atoi(argv[2]), senders = atoi(argv[3]), running = 0;
  addresses = argv + 4;
  address_count = argc - 4;
  pthread_t threads[MOST_CLIENTS];
  if (clients < 0 || senders < 0 || clients + senders > MOST_CLIENTS) return 2;
  for (uintptr_t i = 0; i < (uintptr_t)clients; i++)
    if (!pthread_create(&threads[running], NULL, run_client, (void *)i)) running++;
  for (int i = 0; i < address_count; i++)
    for (int s = 0; s < senders && family_of(addresses[i]) == DATAGRAM; s++)
      if (!pthread_create(&threads[running], NULL, run_sender, addresses[i])) running++;
  for (int i = 0; i < running; i++) pthread_join(threads[i], NULL);
  return 0;
}
