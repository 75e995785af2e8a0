// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wirespool/error.hpp"

namespace wirespool::options {

// What an option takes. Each has one way to be read, checked and shown: read.hpp, option.cpp.
enum class Type { flag, on_off, whole, size, rate, time, choice, text, texts, list, numbers };

// What a shell offers where the value stands.
enum class Offers { nothing, files, directories };

// Least and most of a number, both allowed: bytes of a size, nanoseconds of a time.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};

// An option, described once for every place that shows it: --help, man page, README, completion, configuration file,
// plan.
struct Option {
  std::string name;  // "--snaplen", "-w"; an operand's name as usage shows it: "DIR|FILE"
  Type type = Type::flag;
  std::string takes;           // "N", "SIZE", "drop|wait"; empty for a flag
  std::string help;            // half a sentence, without a full stop
  std::string otherwise = {};  // what holds without the option, as --help shows it in brackets; empty: that is obvious
  std::string group = {};      // its heading; empty: the command has too few options to need any
  std::vector<std::string> words = {};  // of a choice, as typed
  std::optional<Range> range = {};
  Offers offers = Offers::nothing;
  bool required = false;
  bool in_file = true;  // a configuration file may set it

  bool is_operand() const { return !name.starts_with('-'); }
  bool is_flag() const { return type == Type::flag; }
  bool is_number() const;  // a Range can be given
  bool repeats() const { return type == Type::texts || type == Type::list || type == Type::numbers; }
  std::string key() const;       // in a configuration file: "rotate-age"
  std::string json_key() const;  // in capture.json: "rotate_age_ns"
};

// An option's value in a configuration. monostate: not given, and not decided. Times in ns, sizes in bytes.
using Value =
    std::variant<std::monostate, bool, std::uint64_t, std::string, std::vector<std::string>, std::vector<unsigned>>;

// As it could be given on the command line: "4GiB", "60s", "1,3-5". Empty: nothing to give.
std::string text_of(const Option& option, const Value& value);
std::string text_of(const Option& option, std::uint64_t number);

// The words of a command line that give the value: "--rotate-size 4GiB", "--output '/my data'" and "--output /b",
// "--strict". Empty: none are needed.
std::vector<std::string> arguments_of(const Option& option, const Value& value);

// "1 to 1024", "10ms or more", "up to 64"; empty without a range.
std::string range_text(const Option& option);

// What is wrong with a value that is out of its option's range. `what` is the option's name.
std::optional<Error> range_error(const Option& option, const Value& value);

}  // namespace wirespool::options
