// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Tests are written in the words of Catch2 2 (Debian 12); where Catch2 3 (Debian 13) has others, these are made its
// own.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

#include <string>

using Catch::Approx;
namespace Catch {
using Matchers::EndsWith;
using Matchers::StartsWith;
inline auto Contains(const std::string& part) { return Matchers::ContainsSubstring(part); }
}  // namespace Catch
#else
#include <catch2/catch.hpp>
#endif
