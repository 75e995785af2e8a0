// SPDX-License-Identifier: BSD-3-Clause
#include "machine/call_list.hpp"

#include <seccomp.h>

#include <cerrno>
#include <vector>

namespace wirespool::machine {
namespace {

std::uint32_t refusal(int code) { return SCMP_ACT_ERRNO(static_cast<std::uint16_t>(code)); }

}  // namespace

CallList::CallList(Others others)
    : filter_(seccomp_init(others == Others::refused ? refusal(EPERM) : SCMP_ACT_ALLOW)) {}

CallList::~CallList() {
  if (filter_ != nullptr) seccomp_release(filter_);
}

int CallList::add(std::uint32_t action, const char* name, std::initializer_list<Condition> conditions) {
  const int call = seccomp_syscall_resolve_name(name);
  if (call == __NR_SCMP_ERROR) return 0;
  std::vector<scmp_arg_cmp> all;
  for (const auto& [argument, mask, value] : conditions) all.push_back({argument, SCMP_CMP_MASKED_EQ, mask, value});
  return seccomp_rule_add_array(filter_, action, call, static_cast<unsigned>(all.size()), all.data());
}

int CallList::allow(const char* name, std::initializer_list<Condition> conditions) {
  return add(SCMP_ACT_ALLOW, name, conditions);
}

int CallList::allow(std::span<const char* const> names) {
  for (const char* name : names)
    if (const int code = add(SCMP_ACT_ALLOW, name, {}); code != 0) return code;
  return 0;
}

int CallList::refuse(const char* name, int code) { return add(refusal(code), name, {}); }

int CallList::refuse(std::span<const char* const> names) {
  for (const char* name : names)
    if (const int code = add(refusal(EPERM), name, {}); code != 0) return code;
  return 0;
}

int CallList::allow_sanitizer() {
#ifdef __SANITIZE_ADDRESS__
  static constexpr const char* names[] = {"ptrace", "wait4", "process_vm_readv", "clone", "tgkill", "kill"};
  return allow(names);
#else
  return 0;
#endif
}

int CallList::write_to(int fd) { return seccomp_export_bpf(filter_, fd); }

int CallList::load() {
  if (const int code = seccomp_attr_set(filter_, SCMP_FLTATR_CTL_TSYNC, 1); code != 0) return code;
  return seccomp_load(filter_);
}

}  // namespace wirespool::machine
