// SPDX-License-Identifier: BSD-3-Clause
#include "support/trace_compare.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <unordered_map>

namespace wirespool::test {
namespace {

PacketView cut(PacketView packet, std::uint32_t snaplen) {
  packet.bytes = packet.bytes.first(std::min<std::size_t>(packet.bytes.size(), snaplen));
  return packet;
}

bool same(const PacketView& a, const PacketView& b) {
  return a.wirelen == b.wirelen && std::ranges::equal(a.bytes, b.bytes);
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  char digits[4];
  for (const auto byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string lengths(const PacketView& packet) {
  return "caplen " + std::to_string(packet.caplen()) + " wirelen " + std::to_string(packet.wirelen);
}

// "expected caplen 60 wirelen 60, got caplen 64 wirelen 60", or where the bytes part.
std::string difference(const PacketView& expected, const PacketView& actual) {
  if (expected.wirelen != actual.wirelen || expected.caplen() != actual.caplen())
    return "expected " + lengths(expected) + ", got " + lengths(actual);
  const auto parted = std::ranges::mismatch(expected.bytes, actual.bytes);
  const auto offset = static_cast<std::size_t>(parted.in1 - expected.bytes.begin());
  const auto some = std::min<std::size_t>(8, expected.bytes.size() - offset);
  return lengths(expected) + ", byte " + std::to_string(offset) + ": expected " +
         hex(expected.bytes.subspan(offset, some)) + ", got " + hex(actual.bytes.subspan(offset, some));
}

std::string counts(const Trace& expected, const Trace& actual) {
  return std::to_string(expected.size()) + " packets expected, " + std::to_string(actual.size()) + " found";
}

std::string nth(std::string_view what, std::size_t index) { return std::string(what) + " " + std::to_string(index); }

// Where in a trace a packet with these bytes is; each place is given out once, earliest first.
class Places {
 public:
  Places(const Trace& trace, std::uint32_t snaplen) : trace_(trace), snaplen_(snaplen), taken_(trace.size()) {
    for (std::size_t i = trace.size(); i > 0; --i) by_hash_[hash(cut(trace[i - 1], snaplen))].push_back(i - 1);
  }

  static constexpr std::size_t none = ~std::size_t{0};

  std::size_t take(const PacketView& packet, std::size_t at_least = 0) {
    const auto found = by_hash_.find(hash(packet));
    if (found == by_hash_.end()) return none;
    auto& places = found->second;
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      if (*place < at_least || !same(cut(trace_[*place], snaplen_), packet)) continue;
      const auto index = *place;
      places.erase(std::next(place).base());
      taken_[index] = true;
      return index;
    }
    return none;
  }

  std::size_t first_not_taken() const {
    const auto found = std::ranges::find(taken_, false);
    return found == taken_.end() ? none : static_cast<std::size_t>(found - taken_.begin());
  }

 private:
  static std::size_t hash(const PacketView& packet) {
    const auto* text = reinterpret_cast<const char*>(packet.bytes.data());
    return std::hash<std::string_view>()({text, packet.bytes.size()}) ^ packet.wirelen;
  }

  const Trace& trace_;
  std::uint32_t snaplen_;
  std::vector<bool> taken_;
  std::unordered_map<std::size_t, std::vector<std::size_t>> by_hash_;  // places, latest first
};

// What is known of a packet that is not where it should be.
std::string explain_stranger(const Trace& expected, const PacketView& packet, std::uint32_t snaplen) {
  const auto index = Places(expected, snaplen).take(packet);
  if (index == Places::none) return "is not in the trace (" + lengths(packet) + ")";
  return "is packet " + std::to_string(index) + " of the trace, out of order or doubled";
}

}  // namespace

std::string compare_in_order(const Trace& expected, const Trace& actual, std::uint32_t snaplen) {
  const auto both = std::min(expected.size(), actual.size());
  for (std::size_t i = 0; i < both; ++i) {
    const auto wanted = cut(expected[i], snaplen);
    if (same(wanted, actual[i])) continue;
    return nth("packet", i) + ": " + difference(wanted, actual[i]) + "; it " +
           explain_stranger(expected, actual[i], snaplen) + "; " + counts(expected, actual);
  }
  if (expected.size() > both) return nth("packet", both) + " and all after it are missing; " + counts(expected, actual);
  if (actual.size() > both) return nth("packet", both) + " and all after it are too many; " + counts(expected, actual);
  return "";
}

std::string compare_as_set(const Trace& expected, const Trace& actual, std::uint32_t snaplen) {
  Places places(expected, snaplen);
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (places.take(actual[i]) == Places::none)
      return nth("found packet", i) + " is not in the trace, or there once too often (" + lengths(actual[i]) + "); " +
             counts(expected, actual);
  const auto missing = places.first_not_taken();
  if (missing == Places::none) return "";
  return nth("packet", missing) + " of the trace is missing (" + lengths(expected[missing]) + "); " +
         counts(expected, actual);
}

std::string compare_as_subsequence(const Trace& expected, const Trace& actual, std::uint32_t snaplen) {
  Places places(expected, snaplen);
  std::size_t next = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto index = places.take(actual[i], next);
    if (index == Places::none)
      return nth("found packet", i) + " " + explain_stranger(expected, actual[i], snaplen) + "; " +
             counts(expected, actual);
    next = index + 1;
  }
  return "";
}

std::string check_times(const Trace& trace) {
  for (std::size_t i = 1; i < trace.size(); ++i)
    if (trace[i].time < trace[i - 1].time)
      return nth("packet", i) + " is " + std::to_string(trace[i - 1].time.ns - trace[i].time.ns) +
             " ns older than the one before it";
  return "";
}

}  // namespace wirespool::test
