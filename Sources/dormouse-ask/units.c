// Asks the guest's systemd by D-Bus, and prints the answer as JSON. sd-bus has validated the format of each message before this reads it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

static const char *const DESTINATION = "org.freedesktop.systemd1", *const MANAGER = "org.freedesktop.systemd1.Manager",
                         *const OBJECT = "/org/freedesktop/systemd1";

// What the D-Bus method ListUnitsByPatterns reports about a unit.
struct unit {
  char name[256], load[32], state[32], path[512];
  // For a socket unit: the address at which it listens and which the command line has; empty when there is none.
  char address[ASK_TEXT + 1];
};

static void copy(char *to, size_t size, const char *from) { snprintf(to, size, "%s", from); }

static int read_units(sd_bus_message *reply, struct unit units[], int limit) {
  int count = 0, result = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
  const char *name, *text, *load, *state, *sub, *other, *path, *job, *job_path;
  uint32_t id;
  while (result > 0 && count < limit) {
    result = sd_bus_message_read(
        reply, "(ssssssouso)", &name, &text, &load, &state, &sub, &other, &path, &id, &job, &job_path);
    if (result <= 0) break;
    struct unit *unit = &units[count++];
    copy(unit->name, sizeof unit->name, name);
    copy(unit->load, sizeof unit->load, load);
    copy(unit->state, sizeof unit->state, state);
    copy(unit->path, sizeof unit->path, path);
  }
  return result < 0 ? result : count;
}

static int list_units(sd_bus *bus, const char *state, const char *pattern, struct unit units[], int limit) {
  sd_bus_message *call = NULL, *reply = NULL;
  int result = sd_bus_message_new_method_call(bus, &call, DESTINATION, OBJECT, MANAGER, "ListUnitsByPatterns");
  if (result >= 0) result = sd_bus_message_append(call, "as", state == NULL ? 0 : 1, state);
  if (result >= 0) result = sd_bus_message_append(call, "as", pattern == NULL ? 0 : 1, pattern);
  if (result >= 0) result = sd_bus_call(bus, call, 0, NULL, &reply);
  if (result >= 0) result = read_units(reply, units, limit);
  sd_bus_message_unref(call);
  sd_bus_message_unref(reply);
  return result;
}

// The load state (LoadState) of a unit: loaded, not-found, masked, …. Empty when systemd does not list the unit.
static void load_state(sd_bus *bus, const char *name, char state[32]) {
  struct unit unit;
  state[0] = 0;
  if (list_units(bus, NULL, name, &unit, 1) == 1) copy(state, 32, unit.load);
}

// The D-Bus interface with the property `Result` of a unit; NULL for a unit type without it.
static const char *interface_of(const char *unit) {
  static const char *const types[][2] = {{".service", "Service"}, {".socket", "Socket"}, {".mount", "Mount"},
                                         {".timer", "Timer"},     {".path", "Path"},     {".swap", "Swap"},
                                         {".scope", "Scope"},     {".automount", "Automount"}};
  static char name[64];
  const char *suffix = strrchr(unit, '.');
  for (size_t type = 0; suffix != NULL && type < sizeof types / sizeof types[0]; type++) {
    if (strcmp(suffix, types[type][0]) != 0) continue;
    snprintf(name, sizeof name, "org.freedesktop.systemd1.%s", types[type][1]);
    return name;
  }
  return NULL;
}

static void print_text(sd_bus *bus, const struct unit *unit, FILE *out, const char *key, const char *property) {
  char *value = NULL;
  const char *interface = interface_of(unit->name);
  fprintf(out, ",\"%s\":", key);
  if (interface != NULL) sd_bus_get_property_string(bus, DESTINATION, unit->path, interface, property, NULL, &value);
  ask_print(out, value == NULL ? "" : value);
  free(value);
}

static void print_log(sd_journal *journal, const char *unit, FILE *out) {
  char line[ASK_TEXT + 1];
  ask_last_line(journal, unit, line);
  fprintf(out, ",\"log\":");
  ask_print(out, line);
}

static void print_failed(sd_bus *bus, const struct unit *unit, sd_journal *journal, FILE *out) {
  fprintf(out, "{\"unit\":");
  ask_print(out, unit->name);
  print_text(bus, unit, out, "result", "Result");
  int32_t status = 0;
  if (strstr(unit->name, ".service") != NULL)
    sd_bus_get_property_trivial(
        bus, DESTINATION, unit->path, "org.freedesktop.systemd1.Service", "ExecMainStatus", NULL, 'i', &status);
  fprintf(out, ",\"status\":%d", status);
  print_log(journal, unit->name, out);
  fputc('}', out);
}

// Whether two addresses are equal. As systemd does, this ignores the interface (`%eth0`) of an IPv6 address.
static bool is_same(const char *one, const char *other) {
  size_t length = strstr(one, " [") == NULL ? strlen(one) : strcspn(one, "%");
  size_t other_length = strstr(other, " [") == NULL ? strlen(other) : strcspn(other, "%");
  return length == other_length && strncmp(one, other, length) == 0;
}

static void print_listen(const struct unit *unit, FILE *out) {
  fprintf(out, ",\"listen\":[");
  ask_print(out, unit->address);
  fputc(']', out);
}

// The addresses of the command line, for on_listen(), and how many of its replies are outstanding.
static char *const *wanted;
static int wanted_count, pending;

static int on_listen(sd_bus_message *reply, void *data, sd_bus_error *error) {
  (void)error;
  struct unit *unit = data;
  const char *kind, *address;
  pending--;
  if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_enter_container(reply, 'v', "a(ss)") <= 0 ||
      sd_bus_message_enter_container(reply, 'a', "(ss)") <= 0)
    return 0;
  while (unit->address[0] == 0 && sd_bus_message_read(reply, "(ss)", &kind, &address) > 0) {
    char text[ASK_TEXT + 1];
    snprintf(text, sizeof text, "%s %s", kind, address);
    for (int index = 0; index < wanted_count; index++) {
      if (is_same(text, wanted[index])) copy(unit->address, sizeof unit->address, text);
    }
  }
  return 0;
}

// Sets `address` of the units that listen at a wanted address. It sends all calls before it waits, because each round trip takes time.
static int find_addresses(sd_bus *bus, struct unit units[], int count) {
  int result = 0;
  for (int index = 0; index < count && result >= 0; index++, pending++) {
    result = sd_bus_call_method_async(
        bus, NULL, DESTINATION, units[index].path, "org.freedesktop.DBus.Properties", "Get", on_listen, &units[index], "ss",
        "org.freedesktop.systemd1.Socket", "Listen");
  }
  while (pending > 0 && result >= 0) {
    result = sd_bus_process(bus, NULL);
    if (result == 0) result = sd_bus_wait(bus, UINT64_MAX);
  }
  return result < 0 ? result : 0;
}

static void print_service(sd_bus *bus, const struct unit *unit, FILE *out) {
  sd_bus_message *reply = NULL;
  char state[32] = "";
  const char *name = "";
  if (sd_bus_get_property(bus, DESTINATION, unit->path, "org.freedesktop.systemd1.Unit", "Triggers", NULL, &reply, "as") >= 0 &&
      sd_bus_message_enter_container(reply, 'a', "s") > 0 && sd_bus_message_read(reply, "s", &name) > 0)
    load_state(bus, name, state);
  fprintf(out, ",\"service\":");
  ask_print(out, name);
  fprintf(out, ",\"serviceLoad\":");
  ask_print(out, state);
  sd_bus_message_unref(reply);
}

static void print_socket(sd_bus *bus, const struct unit *unit, sd_journal *journal, FILE *out) {
  fprintf(out, "{\"unit\":");
  ask_print(out, unit->name);
  fprintf(out, ",\"state\":");
  ask_print(out, unit->state);
  print_text(bus, unit, out, "result", "Result");
  print_listen(unit, out);
  print_service(bus, unit, out);
  // The log explains why a socket is not active.
  print_log(strcmp(unit->state, "active") == 0 ? NULL : journal, unit->name, out);
  fputc('}', out);
}

static int start(sd_bus **bus, int socket, bool is_bus) {
  int result = sd_bus_new(bus);
  if (result >= 0) result = sd_bus_set_fd(*bus, socket, socket);
  if (result >= 0 && is_bus) result = sd_bus_set_bus_client(*bus, 1);
  if (result >= 0) result = sd_bus_negotiate_fds(*bus, 0);
  return result < 0 ? result : sd_bus_start(*bus);
}

int ask_units(int socket, bool is_bus, sd_journal *journal, char *const addresses[], int address_count, FILE *out) {
  wanted = addresses;
  wanted_count = address_count;
  static struct unit failed[ASK_FAILED], sockets[ASK_SOCKETS];
  sd_bus *bus = NULL;
  int result = start(&bus, socket, is_bus);
  int failures = result < 0 ? result : list_units(bus, "failed", NULL, failed, ASK_FAILED);
  int count = failures < 0 ? failures : list_units(bus, NULL, "*.socket", sockets, ASK_SOCKETS);
  if (count >= 0) result = find_addresses(bus, sockets, count);
  if (result < 0) return result;
  // The bus is never closed: that would flush it, and block while the guest does not read.
  if (count < 0) return count;
  fprintf(out, "{\"failed\":[");
  for (int index = 0; index < failures; index++) {
    if (index > 0) fputc(',', out);
    print_failed(bus, &failed[index], journal, out);
  }
  fprintf(out, "],\"sockets\":[");
  const char *separator = "";
  for (int index = 0; index < count; index++) {
    if (sockets[index].address[0] == 0) continue;
    fprintf(out, "%s", separator);
    print_socket(bus, &sockets[index], journal, out);
    separator = ",";
  }
  fprintf(out, "]}\n");
  return 0;
}
