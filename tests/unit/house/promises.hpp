// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/house/house_rules.hpp"

namespace wirespool::test {

// Gives the text of a file by its path in the source tree, "" if there is none.
using ReadFile = std::function<std::string(const std::filesystem::path&)>;

// Names of the tests in the text of a C++ file (of any TEST_CASE, its literals joined), of a Python file (its functions
// test_...), or of a script (what stands in quotation marks behind expect, same, says and pass, and what=).
std::vector<std::string> names_of_tests(const std::filesystem::path& file, std::string_view text);

// What of a page like tests/PROMISES.md is not so: a README section that is not there, a row without a test or a
// reason, a test that its file has not under that name.
Findings check_promises(std::string_view page, const ReadFile& read);

// How many rows of that page name tests.
std::size_t count_promises(std::string_view page);

}  // namespace wirespool::test
