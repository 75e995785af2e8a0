// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plan/eal_args.hpp"

namespace wirespool::plan {
namespace {

enum class Takes { nothing, value, perhaps_a_value };

struct EalOption {
  std::string_view name;
  Takes takes;
};

// The long options of DPDK 21.11 to 25.11, Linux, as "EAL parameters" of its guide and --help list them.
constexpr auto long_options = std::to_array<EalOption>({
    {"allow", Takes::value},
    {"base-virtaddr", Takes::value},
    {"block", Takes::value},
    {"coremask", Takes::value},
    {"create-uio-dev", Takes::nothing},
    {"driver-path", Takes::value},
    {"file-prefix", Takes::value},
    {"force-max-simd-bitwidth", Takes::value},
    {"help", Takes::nothing},
    {"huge-dir", Takes::value},
    {"huge-unlink", Takes::perhaps_a_value},
    {"huge-worker-stack", Takes::perhaps_a_value},
    {"in-memory", Takes::nothing},
    {"iova-mode", Takes::value},
    {"lcores", Takes::value},
    {"legacy-mem", Takes::nothing},
    {"log-color", Takes::perhaps_a_value},
    {"log-level", Takes::value},
    {"log-timestamp", Takes::perhaps_a_value},
    {"main-lcore", Takes::value},
    {"match-allocations", Takes::nothing},
    {"mbuf-pool-ops-name", Takes::value},
    {"memory-channels", Takes::value},
    {"memory-ranks", Takes::value},
    {"memory-size", Takes::value},
    {"no-hpet", Takes::nothing},
    {"no-huge", Takes::nothing},
    {"no-pci", Takes::nothing},
    {"no-shconf", Takes::nothing},
    {"no-telemetry", Takes::nothing},
    {"numa-limit", Takes::value},
    {"numa-mem", Takes::value},
    {"proc-type", Takes::value},
    {"remap-lcore-ids", Takes::perhaps_a_value},
    {"service-corelist", Takes::value},
    {"service-coremask", Takes::value},
    {"single-file-segments", Takes::nothing},
    {"socket-limit", Takes::value},
    {"socket-mem", Takes::value},
    {"syslog", Takes::perhaps_a_value},
    {"telemetry", Takes::nothing},
    {"trace", Takes::value},
    {"trace-bufsz", Takes::value},
    {"trace-dir", Takes::value},
    {"trace-mode", Takes::value},
    {"vdev", Takes::value},
    {"version", Takes::nothing},
    {"vfio-intr", Takes::value},
    {"vfio-vf-token", Takes::value},
    {"vmware-tsc-map", Takes::nothing},
});

constexpr std::string_view short_with_value = "abcdlmnrsS";
constexpr std::string_view short_alone = "hvR";

// By its whole name, or by a beginning no other has, as getopt_long(3) takes it.
const EalOption* find_long(std::string_view name) {
  const auto exact = std::ranges::find(long_options, name, &EalOption::name);
  if (exact != long_options.end()) return &*exact;
  const auto begins = [name](const EalOption& option) { return option.name.starts_with(name); };
  const auto first = std::ranges::find_if(long_options, begins);
  if (name.empty() || first == long_options.end()) return nullptr;
  return std::find_if(std::next(first), long_options.end(), begins) == long_options.end() ? &*first : nullptr;
}

class WordCheck {
 public:
  explicit WordCheck(const EalArgs& args) : args_(args) {}

  std::vector<Error> run() {
    for (; at_ < args_.size(); ++at_) check(args_[at_]);
    return std::move(problems_);
  }

 private:
  void check(std::string_view arg) {
    if (arg.starts_with("--")) return check_long(arg);
    if (arg.starts_with('-') && arg.size() > 1) return check_short(arg);
    refuse(fmt::format("\"{}\"", arg), "belongs to no option");
  }

  void check_long(std::string_view arg) {
    const auto equals = arg.find('=');
    const auto name = arg.substr(0, equals);
    const auto* option = find_long(name.substr(2));
    if (option == nullptr) return refuse(name, "no such option");
    if (option->takes == Takes::nothing && equals != std::string_view::npos) return refuse(name, "takes no value");
    if (option->takes == Takes::value && equals == std::string_view::npos) take_value(name);
  }

  void check_short(std::string_view arg) {
    const auto name = arg.substr(0, 2);
    if (short_alone.find(arg[1]) != std::string_view::npos) return;
    if (short_with_value.find(arg[1]) == std::string_view::npos) return refuse(name, "no such option");
    if (arg.size() == 2) take_value(name);
  }

  void take_value(std::string_view name) {
    if (++at_ >= args_.size()) refuse(name, "needs a value");
  }

  void refuse(std::string_view what, std::string why) {
    problems_.push_back({fmt::format("EAL's {}", what), std::move(why), "wirespool's own options come behind the --"});
  }

  const EalArgs& args_;
  std::size_t at_ = 0;
  std::vector<Error> problems_;
};

}  // namespace

std::vector<Error> check_eal_words(const EalArgs& args) { return WordCheck(args).run(); }

}  // namespace wirespool::plan
