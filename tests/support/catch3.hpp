// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <catch2/catch_all.hpp>
#include <string>

// What Catch2 3 calls otherwise than Catch2 2, as tests know it. Included by catch.hpp only.
using Catch::Approx;
namespace Catch {
using Matchers::EndsWith;
using Matchers::StartsWith;
inline auto Contains(const std::string& part) { return Matchers::ContainsSubstring(part); }
}  // namespace Catch
