// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Tests are written in the words of Catch2 2 (Debian 12); catch3.hpp gives them to Catch2 3 (Debian 13) too.
#if __has_include(<catch2/catch_all.hpp>)
#include "support/catch3.hpp"
#else
#include <catch2/catch.hpp>
#endif
