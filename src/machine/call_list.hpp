// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace wirespool::machine {

// A list of system calls for seccomp(2), by libseccomp, which knows their numbers on every architecture. Calls are
// named as the kernel names them; those that this libseccomp, or this architecture, does not have are left out.
// Results: 0, or a negative errno, as of libseccomp. Only there if this is built with libseccomp.
class CallList {
 public:
  enum class Others { refused, allowed };  // what is not in it: EPERM, or as ever

  // Of an argument, counted from 0: argument & mask == value.
  struct Condition {
    unsigned argument = 0;
    std::uint64_t mask = ~std::uint64_t{0}, value = 0;
  };

  explicit CallList(Others others);
  CallList(const CallList&) = delete;
  CallList& operator=(const CallList&) = delete;
  ~CallList();
  explicit operator bool() const noexcept { return filter_ != nullptr; }  // there was memory for it

  int allow(const char* name, std::initializer_list<Condition> conditions);
  int allow(std::span<const char* const> names);
  int refuse(const char* name, int code);
  int refuse(std::span<const char* const> names);  // EPERM

  // What LeakSanitizer does at a program's end, where it is built in: it stops the threads by ptrace(2).
  int allow_sanitizer();

  int load();            // for all threads of this process, and those they will start
  int write_to(int fd);  // as the kernel takes it, struct sock_filter each

 private:
  int add(std::uint32_t action, const char* name, std::initializer_list<Condition> conditions);

  void* filter_;  // scmp_filter_ctx
};

}  // namespace wirespool::machine
