#include "include/nftables.h"

#include <dlfcn.h>
#include <stdio.h>

/*
 * libnftables(3) is loaded when the first guest with Port= starts: the library and its dependencies are larger than the daemon, and few
 * guests need it. The build does not need it either: these are the functions of its soname 1.
 */
struct nft_ctx;
static struct {
  struct nft_ctx *(*make)(uint32_t flags);
  void (*end)(struct nft_ctx *context);
  int (*keep_errors)(struct nft_ctx *context);
  const char *(*errors)(struct nft_ctx *context);
  int (*run)(struct nft_ctx *context, const char *commands);
} library;

static int open_library(void) {
  if (library.run) return 0;
  void *handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return -1;
  /* POSIX: an object pointer of dlsym(3) may hold a function. */
  *(void **)&library.make = dlsym(handle, "nft_ctx_new");
  *(void **)&library.end = dlsym(handle, "nft_ctx_free");
  *(void **)&library.keep_errors = dlsym(handle, "nft_ctx_buffer_error");
  *(void **)&library.errors = dlsym(handle, "nft_ctx_get_error_buffer");
  if (!library.make || !library.end || !library.keep_errors || !library.errors) return -1;
  *(void **)&library.run = dlsym(handle, "nft_run_cmd_from_buffer");
  return library.run ? 0 : -1;
}

enum linux_nftables_result linux_nftables(const char *commands, char *words, size_t size) {
  if (open_library() != 0) return LINUX_NFTABLES_MISSING;
  struct nft_ctx *context = library.make(0);
  if (!context) return LINUX_NFTABLES_MISSING;
  library.keep_errors(context);
  int result = library.run(context, commands);
  if (result != 0) snprintf(words, size, "%s", library.errors(context));
  library.end(context);
  return result == 0 ? LINUX_NFTABLES_DONE : LINUX_NFTABLES_REFUSED;
}
