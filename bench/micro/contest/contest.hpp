// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace wirespool::bench {

// Contestants of one kind in one process, measured in turns, so that whatever happens to the machine happens to all.
// The first is the baseline. Prints a line for each: median, smallest and largest nanoseconds per operation.
class Contest {
 public:
  struct Options {
    bool json = false;
    unsigned threads = 1;  // that a contestant keeps busy
    unsigned rounds = 11;
    double slice_s = 0.02;  // about what one turn takes
  };

  Contest(std::string name, const Options& options) : name_(std::move(name)), options_(options) {}

  // `body(n)` does it n times.
  void add(std::string name, std::function<void(std::uint64_t)> body);
  void run();

 private:
  struct Contestant {
    std::string name;
    std::function<void(std::uint64_t)> body;
    std::uint64_t times = 1;      // a turn
    std::vector<double> ns = {};  // per operation, a turn each
    double wall_s = 0, cpu_s = 0;
  };

  void calibrate(Contestant& contestant) const;
  void print(Contestant& contestant, double baseline_ns) const;

  std::string name_;
  Options options_;
  std::vector<Contestant> contestants_;
};

// "--json" among the arguments.
bool wants_json(std::span<char*> arguments);

// Keeps a value, and all memory, alive for the optimizer.
template <typename Value>
void keep(const Value& value) {
  asm volatile("" : : "g"(value) : "memory");
}

}  // namespace wirespool::bench
