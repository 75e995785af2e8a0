// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

struct Capability {
  unsigned bit;  // capabilities(7), linux/capability.h
  const char* name;
  const char* needed_for;
};

constexpr unsigned ipc_lock = 14;
constexpr std::array<Capability, 4> useful = {{{ipc_lock, "CAP_IPC_LOCK", "memory a device may write into"},
                                               {12, "CAP_NET_ADMIN", "VF settings, af_xdp, tap"},
                                               {13, "CAP_NET_RAW", "af_packet ports"},
                                               {21, "CAP_SYS_ADMIN", "physical addresses (--iova-mode=pa)"}}};

bool has(const machine::ProcessFacts& process, unsigned bit) { return (process.capabilities >> bit & 1) != 0; }

std::string way_to_more(const machine::Facts& facts) {
  if (!facts.platform.container.empty()) return "run the container with --privileged, or --cap-add each of them";
  return "run as root (sudo), or as the systemd unit config/wirespool@.service does";
}

void judge_capabilities(const machine::Facts& facts, std::vector<Finding>& findings) {
  std::string missing;
  for (const auto& capability : useful) {
    if (has(facts.process, capability.bit)) continue;
    missing += fmt::format("{}{} ({})", missing.empty() ? "" : ", ", capability.name, capability.needed_for);
  }
  const auto who = facts.process.user == 0 ? std::string("root") : fmt::format("user {}", facts.process.user);
  if (missing.empty()) {
    findings.push_back({Level::ok, "capabilities", "", who + " has all that a capture may need", ""});
  } else {
    findings.push_back({Level::advice, "capabilities", "", who + " lacks " + missing, way_to_more(facts)});
  }
}

// vfio and io_uring account pinned memory against RLIMIT_MEMLOCK unless CAP_IPC_LOCK is there.
void judge_memlock(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& process = facts.process;
  constexpr std::uint64_t enough = 1ull << 30;
  if (has(process, ipc_lock) || !process.memlock || *process.memlock >= enough) {
    const auto why = has(process, ipc_lock) ? "not limited (CAP_IPC_LOCK)"
                     : process.memlock      ? describe_bytes(*process.memlock)
                                            : "unlimited";
    findings.push_back({Level::ok, "RLIMIT_MEMLOCK", "", why, ""});
    return;
  }
  // root without the capability is in a container that is meant to run the capture; a plain user may only be looking
  findings.push_back({process.user == 0 ? Level::must_fix : Level::advice, "RLIMIT_MEMLOCK", "",
                      fmt::format("{}: too little to pin the capture's memory", describe_bytes(*process.memlock)),
                      facts.platform.container.empty() ? "ulimit -l unlimited   # systemd: LimitMEMLOCK=infinity"
                                                       : "--ulimit memlock=-1, or --cap-add IPC_LOCK"});
}

}  // namespace

void judge_process(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& process = facts.process;
  judge_capabilities(facts, findings);
  judge_memlock(facts, findings);
  const bool few_files = process.nofile && *process.nofile < 1024;
  findings.push_back({few_files ? Level::advice : Level::ok, "RLIMIT_NOFILE", "",
                      process.nofile ? std::to_string(*process.nofile) : "unlimited",
                      few_files ? "ulimit -n 4096   # systemd: LimitNOFILE=4096" : ""});
  if (process.io_uring_refusal) {
    findings.push_back({Level::advice, "io_uring", "", "does not work here: " + *process.io_uring_refusal,
                        process.seccomp == 2
                            ? "--security-opt seccomp=config/container/seccomp.json, or capture with --io pwrite"
                            : "sysctl kernel.io_uring_disabled=0, or capture with --io pwrite"});
  } else {
    findings.push_back({Level::ok, "io_uring", "", "works", ""});
  }
}

void judge_platform(const machine::Facts& facts, std::vector<Finding>& findings) {
  const auto& platform = facts.platform;
  const auto container = platform.container.empty() ? "" : " in a container (" + platform.container + ")";
  const auto machine = platform.hypervisor.empty() ? "bare metal" : "a guest of " + platform.hypervisor;
  findings.push_back({Level::ok, "platform", "", machine + container, ""});
  for (const auto& guest : platform.guests) {
    const auto subject = fmt::format("{} ({})", guest.program, guest.process);
    if (guest.hugepage_bytes > 0) {
      findings.push_back(
          {Level::ok, "guest memory", subject, describe_bytes(guest.hugepage_bytes) + " on hugepages", ""});
    } else {
      findings.push_back({Level::advice, "guest memory", subject,
                          "not on hugepages: a capture in it pays for every page walk",
                          "libvirt: <memoryBacking><hugepages/></memoryBacking>; QEMU: -object memory-backend-file,"
                          "mem-path=/dev/hugepages,share=on,..."});
    }
  }
}

void judge_clock(const machine::Facts& facts, std::vector<Finding>& findings) {
  if (!facts.clock) return;
  if (facts.clock->synchronised) {
    findings.push_back(
        {Level::ok, "clock", "",
         fmt::format("synchronised, error at most {} us, estimated {} us: so far a capture's times may be from UTC, "
                     "and at most 50 us more while it is slewed",
                     facts.clock->max_error_us, facts.clock->estimated_error_us),
         ""});
    return;
  }
  findings.push_back({Level::advice, "clock", "", "nothing keeps it at UTC: stamps are only as right as it is",
                      "apt-get install chrony   # or: timedatectl set-ntp true; PTP: phc2sys"});
}

}  // namespace wirespool::doctor
