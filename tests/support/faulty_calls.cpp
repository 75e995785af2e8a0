// SPDX-License-Identifier: BSD-3-Clause
#include "support/faulty_calls.hpp"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" long readlink(const char* path, char* to, std::size_t bytes);
extern "C" void _exit(int code);

namespace wirespool::test {
namespace {

struct Fault {
  std::array<char, 16> call{};
  std::array<char, 64> part{};
  unsigned long first = 0, times = 0;
  int code = 0;
  std::atomic<unsigned long> seen{0};
};

std::array<Fault, 8> faults;
std::atomic<std::size_t> used{0};
std::atomic<unsigned long> failed{0};

std::string next_word(const std::string& text, std::size_t& at, char end) {
  const auto stop = std::min(text.find(end, at), text.size());
  auto word = text.substr(at, stop - at);
  at = std::min(stop + 1, text.size());
  return word;
}

void read_fault(const std::string& text, Fault& fault) {
  std::size_t at = 0;
  const auto call = next_word(text, at, ':');
  fault.first = std::stoul(next_word(text, at, ':'));
  fault.times = std::stoul(next_word(text, at, ':'));
  fault.code = std::stoi(next_word(text, at, ':'));
  const auto part = next_word(text, at, ':');
  fault.call = {};
  fault.part = {};
  call.copy(fault.call.data(), fault.call.size() - 1);
  part.copy(fault.part.data(), fault.part.size() - 1);
  fault.seen = 0;
}

void take_time(int ms) {
  const timespec time{ms / 1'000, ms % 1'000 * 1'000'000L};
  ::nanosleep(&time, nullptr);
}

// The errno it is to fail with, 0: not this one.
int verdict(const char* call, const char* path) {
  for (std::size_t i = 0; i < used.load(std::memory_order_acquire); ++i) {
    Fault& fault = faults[i];
    if (std::strcmp(call, fault.call.data()) != 0 || std::strstr(path, fault.part.data()) == nullptr) continue;
    const auto nth = fault.seen++;
    if (nth < fault.first || nth - fault.first >= fault.times) continue;
    ++failed;
    if (fault.code == -1) ::_exit(died_in_a_call);
    if (fault.code < 0) take_time(-fault.code);
    return std::max(fault.code, 0);
  }
  return 0;
}

bool fails(const char* call, const char* path) {
  if (used.load(std::memory_order_relaxed) == 0) return false;
  const int code = verdict(call, path);
  if (code != 0) errno = code;
  return code != 0;
}

bool fails(const char* call, int fd) {
  if (used.load(std::memory_order_relaxed) == 0) return false;
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  if (readlink(link.c_str(), path.data(), path.size() - 1) < 0) path[0] = '\0';
  return fails(call, path.data());
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void read_environment() {
  if (const char* text = std::getenv("FAULTY_CALLS")) fail_calls(text);
}

}  // namespace

void fail_calls(const std::string& text) {
  used = 0;
  failed = 0;
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size() && count < faults.size();)
    read_fault(next_word(text, at, ','), faults[count++]);
  used.store(count, std::memory_order_release);
}

unsigned long failed_calls() { return failed; }

}  // namespace wirespool::test

// Under the names that files of 64 bits have in the C library; not from its headers, which would rename them.
using wirespool::test::fails;
using wirespool::test::real;

extern "C" {

int faulty_openat(int directory, const char* name, int flags, unsigned mode) __asm__("openat64");
long faulty_syscall(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");
int faulty_fallocate(int fd, int mode, long offset, long bytes) __asm__("fallocate64");
int faulty_ftruncate(int fd, long length) __asm__("ftruncate64");
int faulty_fdatasync(int fd) __asm__("fdatasync");
int faulty_fsync(int fd) __asm__("fsync");
int faulty_renameat2(int from, const char* name, int to, const char* new_name, unsigned flags) __asm__("renameat2");
int faulty_mkdirat(int directory, const char* name, unsigned mode) __asm__("mkdirat");
int faulty_futimens(int fd, const timespec* times) __asm__("futimens");
int faulty_renameat(int from, const char* name, int to, const char* new_name) __asm__("renameat");
int faulty_unlinkat(int directory, const char* name, int flags) __asm__("unlinkat");
int faulty_linkat(int from, const char* name, int to, const char* new_name, int flags) __asm__("linkat");
long faulty_pwrite(int fd, const void* data, unsigned long bytes, long offset) __asm__("pwrite64");

int faulty_openat(int directory, const char* name, int flags, unsigned mode) {
  return fails("openat", name) ? -1 : real<decltype(faulty_openat)>("openat64")(directory, name, flags, mode);
}

// The C library has no openat2.
long faulty_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number == SYS_openat2 && fails("openat", reinterpret_cast<const char*>(b))) return -1;
  return real<decltype(faulty_syscall)>("syscall")(number, a, b, c, d, e, f);
}

int faulty_fallocate(int fd, int mode, long offset, long bytes) {
  return fails("fallocate", fd) ? -1 : real<decltype(faulty_fallocate)>("fallocate64")(fd, mode, offset, bytes);
}

int faulty_ftruncate(int fd, long length) {
  return fails("ftruncate", fd) ? -1 : real<decltype(faulty_ftruncate)>("ftruncate64")(fd, length);
}

int faulty_fdatasync(int fd) { return fails("fdatasync", fd) ? -1 : real<decltype(faulty_fdatasync)>("fdatasync")(fd); }

int faulty_fsync(int fd) { return fails("fsync", fd) ? -1 : real<decltype(faulty_fsync)>("fsync")(fd); }

int faulty_renameat2(int from, const char* name, int to, const char* new_name, unsigned flags) {
  return fails("renameat2", name) ? -1 : real<decltype(faulty_renameat2)>("renameat2")(from, name, to, new_name, flags);
}

int faulty_mkdirat(int directory, const char* name, unsigned mode) {
  return fails("mkdirat", name) ? -1 : real<decltype(faulty_mkdirat)>("mkdirat")(directory, name, mode);
}

int faulty_futimens(int fd, const timespec* times) {
  return fails("futimens", fd) ? -1 : real<decltype(faulty_futimens)>("futimens")(fd, times);
}

int faulty_renameat(int from, const char* name, int to, const char* new_name) {
  return fails("renameat", name) ? -1 : real<decltype(faulty_renameat)>("renameat")(from, name, to, new_name);
}

int faulty_unlinkat(int directory, const char* name, int flags) {
  return fails("unlinkat", name) ? -1 : real<decltype(faulty_unlinkat)>("unlinkat")(directory, name, flags);
}

int faulty_linkat(int from, const char* name, int to, const char* new_name, int flags) {
  return fails("linkat", new_name) ? -1 : real<decltype(faulty_linkat)>("linkat")(from, name, to, new_name, flags);
}

long faulty_pwrite(int fd, const void* data, unsigned long bytes, long offset) {
  return fails("pwrite", fd) ? -1 : real<decltype(faulty_pwrite)>("pwrite64")(fd, data, bytes, offset);
}

}  // extern "C"
