// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "options/option.hpp"
#include "options/page.hpp"
#include "options/read.hpp"
#include "options/values.hpp"

namespace wirespool::options {

// An option and the field of `Config` it is kept in. Made by a Table's functions, which return it so that more can be
// said:
//   table.whole("--burst", &Config::burst, "most packets of one receive call").in(1, 1024);
template <typename Config>
struct Row : Option {
  std::function<Parsed<void>(Config&, const Words&)> read = {};  // sets the field
  std::function<Value(const Config&)> value = {};                // of the field
  std::vector<std::function<std::optional<Error>(const Config&)>> checks = {};

  Row& in(std::uint64_t least, std::uint64_t most) { return range = Range{least, most}, *this; }
  Row& at_least(std::uint64_t least) { return in(least, Range{}.most); }
  Row& without(std::string what_holds) { return otherwise = std::move(what_holds), *this; }
  Row& needed() { return required = true, *this; }
  Row& on_command_line_only() { return in_file = false, *this; }

  // A check of this option alone, though it sees the whole configuration: returns why and what to do, or nothing.
  // Checks across options belong to the planner.
  template <typename Check>
  Row& check(Check wrong) {
    checks.emplace_back(std::move(wrong));
    return *this;
  }
};

// What a field holds, if it holds anything.
template <typename T>
struct BareOf {
  using type = T;
};
template <typename T>
struct BareOf<std::optional<T>> {
  using type = T;
};
template <typename T>
using Bare = typename BareOf<T>::type;

// The table of a command's options, each described once: it fills, checks and shows a Config, and everything written
// about the command's options comes from its page().
template <typename Config>
class Table {
 public:
  explicit Table(Page about) : about_(std::move(about)) {}

  // Options from here on stand under this heading.
  void group(std::string heading) { group_ = std::move(heading); }

  template <typename Owner>
  Row<Config>& flag(std::string name, bool Owner::*field, std::string help, bool sets_to = true) {
    const auto parse = [sets_to](const Words& words) -> Parsed<bool> {
      const auto on = parse_flag(words);
      return on ? Parsed<bool>(*on == sets_to) : on;
    };
    return add({std::move(name), Type::flag, "", std::move(help)}, field, parse);
  }

  template <typename Owner>
  Row<Config>& on_off(std::string name, bool Owner::*field, std::string help) {
    return add_one({.name = std::move(name),
                    .type = Type::on_off,
                    .takes = "on|off",
                    .help = std::move(help),
                    .words = {"on", "off"}},
                   field, parse_on_off);
  }

  template <typename T, typename Owner>
  Row<Config>& whole(std::string name, T Owner::*field, std::string help) {
    using Number = Bare<T>;
    const auto parse = [](const std::string& text) -> Parsed<Number> {
      const auto number = parse_whole(text, std::numeric_limits<Number>::max());
      if (!number) return std::unexpected(number.error());
      return static_cast<Number>(*number);
    };
    return add_one({std::move(name), Type::whole, "N", std::move(help)}, field, parse);
  }

  template <typename T, typename Owner>
  Row<Config>& size(std::string name, T Owner::*field, std::string help) {
    return add_one({std::move(name), Type::size, "SIZE", std::move(help)}, field, parse_size);
  }

  // "10%" or a size; shown as text.
  template <typename Owner>
  Row<Config>& share(std::string name, std::optional<policy::Share> Owner::*field, std::string help) {
    const auto show = [](const policy::Share& held) -> Value { return format_share(held); };
    return add_one({std::move(name), Type::text, "PCT|SIZE", std::move(help)}, field, parse_share, show);
  }

  template <typename T, typename Owner>
  Row<Config>& rate(std::string name, T Owner::*field, std::string help) {
    return add_one({std::move(name), Type::rate, "RATE", std::move(help)}, field, parse_rate);
  }

  template <typename T, typename Owner>
  Row<Config>& time(std::string name, T Owner::*field, std::string help) {
    return add_one({std::move(name), Type::time, "TIME", std::move(help)}, field, parse_time);
  }

  template <typename T, typename Owner>
  Row<Config>& choice(std::string name, T Owner::*field, const Choices<Bare<T>>& choices, std::string help) {
    Option option{std::move(name), Type::choice, "", std::move(help)};
    for (const auto& [word, value] : choices) {
      option.takes += (option.words.empty() ? "" : "|") + word;
      option.words.push_back(word);
    }
    const auto parse = [choices, words = option.words](const std::string& text) -> Parsed<Bare<T>> {
      const auto which = parse_word(text, words);
      if (!which) return std::unexpected(which.error());
      return choices[*which].second;
    };
    const auto show = [choices](const Bare<T>& held) -> Value {
      for (const auto& [word, value] : choices) {
        if (value == held) return word;
      }
      return {};
    };
    return add_one(std::move(option), field, parse, show);
  }

  template <typename T, typename Owner>
  Row<Config>& text(std::string name, std::string takes, T Owner::*field, std::string help,
                    Offers offers = Offers::nothing) {
    const auto parse = [](const std::string& text) -> Parsed<std::string> { return text; };
    return add_one({.name = std::move(name),
                    .type = Type::text,
                    .takes = std::move(takes),
                    .help = std::move(help),
                    .offers = offers},
                   field, parse);
  }

  // May be repeated.
  template <typename Owner>
  Row<Config>& texts(std::string name, std::string takes, std::vector<std::string> Owner::*field, std::string help,
                     Offers offers = Offers::nothing) {
    const auto parse = [](const Words& words) -> Parsed<Words> { return words; };
    return add({.name = std::move(name),
                .type = Type::texts,
                .takes = std::move(takes),
                .help = std::move(help),
                .offers = offers},
               field, parse);
  }

  // The same with commas between several.
  template <typename Owner>
  Row<Config>& list(std::string name, std::string takes, std::vector<std::string> Owner::*field, std::string help) {
    const auto parse = [](const Words& words) -> Parsed<Words> { return split_words(words); };
    return add({std::move(name), Type::list, std::move(takes), std::move(help)}, field, parse);
  }

  // Numbers and ranges, as 1,3-5.
  template <typename Owner>
  Row<Config>& numbers(std::string name, std::vector<unsigned> Owner::*field, std::string help) {
    return add({std::move(name), Type::numbers, "LIST", std::move(help)}, field, parse_numbers);
  }

  // Operands: all the rest of the command line, or its next word.
  template <typename Owner>
  Row<Config>& operands(std::string takes, std::vector<std::string> Owner::*field, std::string help,
                        Offers offers = Offers::nothing) {
    return texts(takes, takes, field, std::move(help), offers);
  }
  template <typename Owner>
  Row<Config>& operand(std::string takes, std::string Owner::*field, std::string help) {
    return text(takes, takes, field, std::move(help));
  }

  // A value of the command's own type. `parse` makes it from the text, or says why not. Shown only where the field is a
  // text.
  template <typename T, typename Owner, typename Parse>
  Row<Config>& parsed(std::string name, std::string takes, T Owner::*field, Parse parse, std::string help,
                      Offers offers = Offers::nothing) {
    const auto show = [](const Bare<T>& held) -> Value {
      if constexpr (std::same_as<Bare<T>, std::string>) return held;
      return {};
    };
    return add_one({.name = std::move(name),
                    .type = Type::text,
                    .takes = std::move(takes),
                    .help = std::move(help),
                    .offers = offers},
                   field, parse, show);
  }

  const std::vector<Row<Config>>& rows() const { return rows_; }

  // The command's page, with the defaults that a Config{} has.
  Page page() const {
    auto result = about_;
    const Config untouched{};
    for (const auto& row : rows_) {
      result.options.push_back(row);
      auto& option = result.options.back();
      if (option.otherwise.empty()) option.otherwise = text_of(option, row.value(untouched));
    }
    return result;
  }

  // What is wrong with each option by itself, under its name.
  std::vector<Error> problems(const Config& config) const {
    std::vector<Error> result;
    for (const auto& row : rows_) {
      auto wrong = range_error(row, row.value(config));
      for (const auto& check : row.checks) {
        if (!wrong) wrong = check(config);
      }
      if (!wrong) continue;
      wrong->what = row.name;
      result.push_back(std::move(*wrong));
    }
    return result;
  }

 private:
  // How most fields are shown: as they are.
  struct AsItIs {
    template <typename T>
    Value operator()(const T& value) const {
      if constexpr (std::unsigned_integral<T> && !std::same_as<T, bool>) {
        return static_cast<std::uint64_t>(value);
      } else {
        return Value(value);
      }
    }
  };

  // `parse` takes one word.
  template <typename T, typename Owner, typename Parse, typename Show = AsItIs>
  Row<Config>& add_one(Option option, T Owner::*field, Parse parse, Show show = {}) {
    const auto parse_first = [parse](const Words& words) { return parse(words.front()); };
    return add(std::move(option), field, parse_first, show);
  }

  // `parse` takes all words the option was given.
  template <typename T, typename Owner, typename Parse, typename Show = AsItIs>
  requires std::derived_from<Config, Owner> Row<Config>
  &add(Option option, T Owner::*field, Parse parse, Show show = {}) {
    option.group = group_;
    Row<Config> row{std::move(option)};
    row.read = [field, parse](Config& config, const Words& words) -> Parsed<void> {
      auto value = parse(words);
      if (!value) return std::unexpected(value.error());
      config.*field = std::move(*value);
      return {};
    };
    row.value = [field, show](const Config& config) -> Value {
      if constexpr (std::same_as<T, Bare<T>>) {
        return show(config.*field);
      } else {
        return config.*field ? show(*(config.*field)) : Value();
      }
    };
    return rows_.emplace_back(std::move(row));
  }

  Page about_;
  std::string group_;
  std::vector<Row<Config>> rows_;
};

}  // namespace wirespool::options
