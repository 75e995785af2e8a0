// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <utility>
#include <vector>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// What threads of a running capture may ask of the kernel (seccomp(2)). Made beforehand, so that a thread that takes it
// allocates nothing.
class ThreadLimits {
 public:
  // For all threads: nothing that a capture needs for nothing once it runs: mounts, namespaces, tracing, modules, keys,
  // perf, bpf; and, if no command is to be run, no program.
  static std::expected<ThreadLimits, storage::IoError> of_process(bool runs_commands);
  // For RX and writer lcores: calls on what is open, memory, time and signals of their own; nothing is opened, named,
  // started or connected. In addition to those of the process.
  static std::expected<ThreadLimits, storage::IoError> of_lcores();

  // Irrevocable; both need PR_SET_NO_NEW_PRIVS, which the first passes on to all threads. EPERM for what is not
  // allowed. They leave speculative execution as it is, which would cost time on the data path
  // (SECCOMP_FILTER_FLAG_SPEC_ALLOW).
  std::expected<void, storage::IoError> take_for_all_threads() const noexcept;
  std::expected<void, storage::IoError> take() const noexcept;

 private:
  explicit ThreadLimits(std::vector<std::uint64_t> program) : program_(std::move(program)) {}
  std::expected<void, storage::IoError> take(unsigned flags) const noexcept;
  std::vector<std::uint64_t> program_;  // struct sock_filter each
};

}  // namespace wirespool::machine
