// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "support/trace.hpp"

namespace wirespool::test {

// Each says "" if all is well, else one line about the first difference. Times are not compared: a capture stamps anew.
// What is expected of a packet is its first `snaplen` bytes and its own wirelen.

// The same packets in the same order.
std::string compare_in_order(const Trace& expected, const Trace& actual, std::uint32_t snaplen = 262144);

// The same packets, each as often, in any order.
std::string compare_as_set(const Trace& expected, const Trace& actual, std::uint32_t snaplen = 262144);

// `actual` is what is left of `expected` after leaving packets out: nothing changed, added, doubled or out of order.
// For one queue's or one file's share of a trace, and for captures that were allowed to lose packets.
std::string compare_as_subsequence(const Trace& expected, const Trace& actual, std::uint32_t snaplen = 262144);

// Timestamps never go back.
std::string check_times(const Trace& trace);

}  // namespace wirespool::test
