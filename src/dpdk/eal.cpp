// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/eal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_version.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>

#include "dpdk/memif_socket.hpp"
#include "options/exit.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::dpdk {

namespace {

// EAL answers wrong arguments with a hundred lines of help on standard output, where statistics are expected: while it
// starts, that output is discarded. Its error messages go to stderr.
class QuietOutput {
 public:
  QuietOutput() : kept_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) {
      ::dup2(nowhere, STDOUT_FILENO);
      ::close(nowhere);
    }
  }
  QuietOutput(const QuietOutput&) = delete;
  QuietOutput& operator=(const QuietOutput&) = delete;
  ~QuietOutput() {
    std::fflush(stdout);
    if (kept_ < 0) return;
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

// The log of DPDK and its drivers would block the logging thread while nobody reads standard error (rte_log.h).
void send_log_to(storage::Speaker& err) {
  cookie_io_functions_t functions{};
  functions.write = [](void* speaker, const char* text, std::size_t bytes) -> ssize_t {
    static_cast<storage::Speaker*>(speaker)->say({text, bytes});
    return static_cast<ssize_t>(bytes);
  };
  std::FILE* const log = ::fopencookie(&err, "w", functions);
  if (log == nullptr) return;
  std::setvbuf(log, nullptr, _IOLBF, BUFSIZ);
  (void)rte_openlog_stream(log);
}

// Since 25.11 EAL ends the process itself over arguments that it cannot read (rte_argparse.h: exit(3), with a code of
// its own). While this lives, such an end has our exit code and our line all the same.
class EndsInOrder {
 public:
  explicit EndsInOrder(storage::Speaker& err) {
    static const int registered = std::atexit(say_so);
    (void)registered;
    told_.store(&err);
  }
  EndsInOrder(const EndsInOrder&) = delete;
  EndsInOrder& operator=(const EndsInOrder&) = delete;
  ~EndsInOrder() { told_.store(nullptr); }

 private:
  static void say_so() {
    auto* const err = told_.load();
    if (err == nullptr) return;
    err->say("wirespool: EAL: DPDK refused its arguments and ended: see its messages above\n");
    (void)err->finish(std::chrono::milliseconds(300));
    ::_exit(options::Exit::wrong_use);
  }

  static inline std::atomic<storage::Speaker*> told_{nullptr};
};

// The devices among EAL's arguments: one of them may be why it refused to start.
std::string devices_of(const std::vector<std::string>& args) {
  std::vector<std::string> devices;
  for (const auto* option : {"--vdev", "-a", "--allow"}) {
    for (auto& device : plan::eal_option_values(args, option)) devices.push_back(std::move(device));
  }
  return fmt::format("{}", fmt::join(devices, ", "));
}

// EINVAL: wrong arguments (rte_eal_init in rte_eal.h); everything else is the machine's.
Error refusal(int error, const std::vector<std::string>& args) {
  auto why = fmt::format("DPDK did not start: {}", rte_strerror(error));
  if (const auto devices = devices_of(args); !devices.empty()) why += fmt::format(" (it was asked for {})", devices);
  return {"EAL", why, "see its messages above", error == EINVAL ? Error::Kind::wrong_use : Error::Kind::not_ready};
}

}  // namespace

std::expected<Eal, Error> Eal::start(const std::vector<std::string>& args, storage::Speaker& err) {
  // EAL keeps pointers into its arguments and permutes them (rte_eal_init): they live as long as the process.
  static std::vector<std::string> kept;
  static std::vector<char*> argv;
  kept = {"wirespool"};
  kept.insert(kept.end(), args.begin(), args.end());
  argv.clear();
  for (auto& arg : kept) argv.push_back(arg.data());
  argv.push_back(nullptr);
  send_log_to(err);
  const QuietOutput quiet;
  const EndsInOrder in_order(err);
  if (rte_eal_init(static_cast<int>(kept.size()), argv.data()) < 0) return std::unexpected(refusal(rte_errno, args));
  return Eal();
}

Eal::Eal(Eal&& other) noexcept : started_(std::exchange(other.started_, false)) {}

Eal::~Eal() {
  if (!started_) return;
  const std::string runtime = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  ::rmdir(runtime.c_str());  // only if it is empty: else another process of this --file-prefix runs
  (void)rte_openlog_stream(stderr);
}

std::vector<Error> check_args(const std::vector<std::string>& args, const std::vector<plan::HugepagePool>& pools) {
  auto problems = plan::check_eal_args(args, usable_cpus());
  for (const auto& device : plan::eal_option_values(args, "--vdev"))
    if (auto taken = memif_problem(plan::parse_device_args(device))) problems.push_back(std::move(*taken));
  if (auto none = plan::check_any_hugepages(args, pools)) problems.push_back(std::move(*none));
  return problems;
}

std::string version() { return rte_version(); }

namespace {

// sched_setaffinity(2): EINVAL if the mask has no CPU that the cpuset permits.
bool may_run_on(unsigned cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  return ::sched_setaffinity(0, sizeof(only), &only) == 0;
}

}  // namespace

std::vector<unsigned> usable_cpus() {
  std::vector<unsigned> usable;
  const auto configured = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
  std::thread([&] {
    for (unsigned cpu = 0; cpu < std::min<unsigned>(configured, CPU_SETSIZE); ++cpu) {
      if (may_run_on(cpu)) usable.push_back(cpu);
    }
  }).join();
  return usable;
}

std::vector<unsigned> own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::vector<unsigned> spare_cpus(const plan::CapturePlan& plan, const std::vector<unsigned>& cpus) {
  std::vector<unsigned> polling;
  for (const auto& rx : plan.rx_lcores) polling.push_back(rx.lcore);
  for (const auto& writer : plan.writers) polling.push_back(writer.lcore);
  std::vector<unsigned> spare;
  std::ranges::copy_if(cpus, std::back_inserter(spare), [&](unsigned cpu) {
    return std::ranges::none_of(polling, [cpu](unsigned lcore) {
      const rte_cpuset_t set = rte_lcore_cpuset(lcore);
      return CPU_ISSET(cpu, &set);
    });
  });
  return spare.empty() ? cpus : spare;
}

}  // namespace wirespool::dpdk
