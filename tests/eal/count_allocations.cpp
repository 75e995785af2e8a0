// SPDX-License-Identifier: BSD-3-Clause
// To be loaded with LD_PRELOAD: counts what EAL's worker lcores allocate, from malloc(3) and from rte_malloc, once a
// port is started: what EAL's own threads do before that (since 25.11 with their names already) is not the capture's.
// At the end writes "lcores N others M" to the file that $COUNT_ALLOCATIONS names.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "worker_name.hpp"

// glibc's own, under the names it keeps for this purpose.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<unsigned long> by_lcores{0}, by_others{0};
std::atomic<bool> any_port_started{false};

void count() {
  if (!any_port_started.load(std::memory_order_relaxed)) return;
  char name[16] = "";
  prctl(PR_GET_NAME, name);
  (wirespool::test::worker_lcore(name) ? by_lcores : by_others).fetch_add(1, std::memory_order_relaxed);
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

__attribute__((destructor)) void tell() {
  const char* path = std::getenv("COUNT_ALLOCATIONS");
  if (path == nullptr) return;
  char text[64];
  const int length = std::snprintf(text, sizeof text, "lcores %lu others %lu\n", by_lcores.load(), by_others.load());
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, text, static_cast<std::size_t>(length)) != length) _exit(99);
  close(fd);
}

}  // namespace

extern "C" {

int rte_eth_dev_start(unsigned short port) {
  any_port_started = true;
  return next<int (*)(unsigned short)>("rte_eth_dev_start")(port);
}

void* malloc(std::size_t bytes) { return count(), __libc_malloc(bytes); }
void* calloc(std::size_t n, std::size_t bytes) { return count(), __libc_calloc(n, bytes); }
void* realloc(void* old, std::size_t bytes) { return count(), __libc_realloc(old, bytes); }
void* memalign(std::size_t alignment, std::size_t bytes) { return count(), __libc_memalign(alignment, bytes); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return count(), __libc_memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  count();
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

void* rte_malloc(const char* type, std::size_t bytes, unsigned alignment) {
  static const auto real = next<void* (*)(const char*, std::size_t, unsigned)>("rte_malloc");
  return count(), real(type, bytes, alignment);
}
void* rte_zmalloc(const char* type, std::size_t bytes, unsigned alignment) {
  static const auto real = next<void* (*)(const char*, std::size_t, unsigned)>("rte_zmalloc");
  return count(), real(type, bytes, alignment);
}
void* rte_malloc_socket(const char* type, std::size_t bytes, unsigned alignment, int node) {
  static const auto real = next<void* (*)(const char*, std::size_t, unsigned, int)>("rte_malloc_socket");
  return count(), real(type, bytes, alignment, node);
}
void* rte_zmalloc_socket(const char* type, std::size_t bytes, unsigned alignment, int node) {
  static const auto real = next<void* (*)(const char*, std::size_t, unsigned, int)>("rte_zmalloc_socket");
  return count(), real(type, bytes, alignment, node);
}

}  // extern "C"
