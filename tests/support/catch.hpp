// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Catch2 v2 (Debian 12, Ubuntu 22.04) and v3 name their headers differently.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
