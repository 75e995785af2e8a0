// SPDX-License-Identifier: BSD-3-Clause
#include "cli/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan/lists.hpp"

namespace wirespool::cli {

CLI::Option* add_repeated(CLI::App& app, const std::string& name, const std::string& kind,
                          std::vector<std::string>& target, const std::string& help) {
  const auto read = [&target](const std::vector<std::string>& values) { target = values; };
  return app.add_option_function<std::vector<std::string>>(name, read, help)->type_name(kind)->allow_extra_args(false);
}

CLI::Option* add_list(CLI::App& app, const std::string& name, const std::string& kind, std::vector<std::string>& target,
                      const std::string& help) {
  return add_repeated(app, name, kind, target, help)->delimiter(',');
}

CLI::Option* add_number_list(CLI::App& app, const std::string& name, std::vector<unsigned>& target,
                             const std::string& help) {
  const auto read = [name, &target](const std::vector<std::string>& values) {
    const auto numbers = plan::parse_number_list(fmt::format("{}", fmt::join(values, ",")));
    if (!numbers) throw UsageError{name, numbers.error(), ""};
    target = *numbers;
  };
  auto* option = app.add_option_function<std::vector<std::string>>(name, read, help)->type_name("LIST");
  return option->delimiter(',')->allow_extra_args(false);
}

Parsed<bool> parse_on_off(const std::string& text) {
  return parse_choice<bool>(text, {{"on", true}, {"off", false}, {"true", true}, {"false", false}});
}

}  // namespace wirespool::cli
