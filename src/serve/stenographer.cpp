// SPDX-License-Identifier: BSD-3-Clause
#include "serve/stenographer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "format/address_text.hpp"
#include "options/read.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

constexpr unsigned deepest = 64;  // parentheses

// Words, and signs that need no blanks around them.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  const auto is_blank = [](char letter) { return std::isspace(static_cast<unsigned char>(letter)) != 0; };
  while (!text.empty()) {
    if (is_blank(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    std::size_t length = 1;
    if (text.starts_with("&&") || text.starts_with("||"))
      length = 2;
    else if (std::string_view("()/&|").find(text.front()) == std::string_view::npos)
      while (length < text.size() && !is_blank(text[length]) &&
             std::string_view("()/&|").find(text[length]) == std::string_view::npos)
        ++length;
    tokens.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return tokens;
}

// A part of a query: packets of [from, to) that match its condition. That is a pcap-filter(7) expression for as long as
// times allow it, because an index can make more of that than of several.
struct Part {
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};
  std::string expression = {};                    // empty: none
  std::optional<Filter> compiled = std::nullopt;  // instead of an expression

  bool has_condition() const { return !expression.empty() || compiled; }
  bool same_time(const Part& other) const { return from == other.from && to == other.to; }
};

using Parsed = std::expected<Part, Error>;

// The condition as a Filter. What was parsed is what libpcap understands; it refuses what no packet can match, as
// "icmp and tcp", which is a query like others.
std::expected<Filter, Error> filter_of(const Part& part) {
  if (part.compiled) return *part.compiled;
  auto filter = Filter::compile(part.expression);
  if (!filter && filter.error().why.find("rejects all packets") != std::string::npos)
    return Filter::between(Timestamp{0}, Timestamp{0});
  return filter;
}

std::expected<Filter, Error> with_time(const Part& part) {
  auto time = Filter::between(part.from, part.to);
  if (!part.has_condition()) return time;
  auto condition = filter_of(part);
  return condition ? Filter::all(std::move(*condition), std::move(time)) : condition;
}

Parsed join_conditions(Part a, const Part& b, const char* word, Filter (*join)(Filter, Filter)) {
  if (!a.compiled && !b.compiled) {
    a.expression += fmt::format(" {} {}", word, b.expression);
    return a;
  }
  auto first = filter_of(a), second = filter_of(b);
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  a.compiled = join(std::move(*first), std::move(*second));
  a.expression.clear();
  return a;
}

Parsed both(Part a, const Part& b) {
  a.from = std::max(a.from, b.from);
  a.to = std::min(a.to, b.to);
  if (a.has_condition() && b.has_condition()) return join_conditions(std::move(a), b, "and", Filter::all);
  if (b.has_condition()) {
    a.expression = b.expression;
    a.compiled = b.compiled;
  }
  return a;
}

Parsed either(Part a, const Part& b) {
  if (a.same_time(b) && a.has_condition() && b.has_condition())
    return join_conditions(std::move(a), b, "or", Filter::any);
  auto first = with_time(a), second = with_time(b);
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  return Part{.from = std::min(a.from, b.from),
              .to = std::max(a.to, b.to),
              .compiled = Filter::any(std::move(*first), std::move(*second))};
}

Part expression(std::string text) { return {.expression = std::move(text)}; }

class Parser {
 public:
  Parser(std::string_view text, Timestamp now) : tokens_(tokens_of(text)), now_(now) {}

  Parsed parse() {
    auto part = sequence(0);
    if (part && next_ < tokens_.size()) return wrong("and, or, && or || is expected");
    return part;
  }

 private:
  std::string_view peek() const { return next_ < tokens_.size() ? tokens_[next_] : std::string_view(); }
  std::string_view take() { return next_ < tokens_.size() ? tokens_[next_++] : std::string_view(); }
  bool take_if(std::string_view token) {
    if (peek() != token) return false;
    ++next_;
    return true;
  }

  // About the next token.
  std::unexpected<Error> wrong(std::string why) const {
    const auto where = next_ < tokens_.size() ? fmt::format("at '{}'", peek()) : std::string("at its end");
    return std::unexpected(
        Error{"query", fmt::format("{} {}", where, why),
              "write host A, net A/BITS, net A mask M, port N, ip proto N, tcp, udp, icmp, before T, "
              "after T, joined by and, or and parentheses; other filters are for /api/extract"});
  }
  // About the one that was taken.
  std::unexpected<Error> wrong_before(std::string why) {
    next_ -= next_ > 0 && next_ <= tokens_.size() ? 1 : 0;
    return wrong(std::move(why));
  }

  Parsed sequence(unsigned depth) {
    auto part = term(depth);
    while (part) {
      const bool is_and = take_if("and") || take_if("&&");
      if (!is_and && !take_if("or") && !take_if("||")) break;
      auto other = term(depth);
      if (!other) return other;
      part = is_and ? both(std::move(*part), *other) : either(std::move(*part), *other);
    }
    return part;
  }

  Parsed term(unsigned depth) {
    if (take_if("(")) return group(depth + 1);
    if (take_if("host")) return host();
    if (take_if("net")) return net();
    if (take_if("port")) return number("port", 65535, "a port is a number up to 65535");
    if (take_if("ip")) return protocol();
    if (take_if("before")) return time(true);
    if (take_if("after")) return time(false);
    for (const char* name : {"tcp", "udp", "icmp"})
      if (take_if(name)) return expression(name);
    return wrong("a term is expected");
  }

  Parsed group(unsigned depth) {
    if (depth > deepest) return wrong("there are too many parentheses");
    auto part = sequence(depth);
    if (!part) return part;
    if (!take_if(")")) return wrong("a ) is missing");
    if (!part->expression.empty()) part->expression = "(" + part->expression + ")";
    return part;
  }

  Parsed number(const char* of, std::uint64_t most, const char* why) {
    const auto value = options::parse_whole(peek(), most);
    if (!value) return wrong(why);
    ++next_;
    return expression(fmt::format("{} {}", of, *value));
  }

  Parsed protocol() {
    if (!take_if("proto")) return wrong("proto is expected");
    return number("ip proto", 255, "a protocol is a number up to 255");
  }

  Parsed host() {
    const auto text = peek();
    const auto ipv4 = format::parse_ipv4(text);
    if ((!ipv4 || ipv4->bits != 32) && !format::parse_ipv6(text)) return wrong("an address is expected, and no name");
    ++next_;
    return expression(fmt::format("host {}", text));
  }

  Parsed net() {
    const auto address = take();
    const auto ipv4 = format::parse_ipv4(address);
    const bool is_ipv4 = ipv4 && ipv4->bits == 32;
    const auto ipv6 = format::parse_ipv6(address);
    if (!is_ipv4 && !ipv6) return wrong_before("an address is expected");
    const unsigned longest = is_ipv4 ? 32 : 128;
    std::optional<unsigned> bits;
    if (take_if("/")) {
      const auto value = options::parse_whole(peek(), longest);
      if (!value) return wrong(fmt::format("a number of bits up to {} is expected", longest));
      bits = static_cast<unsigned>(*value);
    } else if (take_if("mask")) {
      bits = bits_of_mask(peek(), is_ipv4);
      if (!bits) return wrong("a mask of the address's kind, of ones and then zeros, is expected");
    } else {
      return wrong("/ or mask is expected");
    }
    ++next_;
    return expression(is_ipv4 ? ipv4_net(ipv4->address, *bits) : ipv6_net(*ipv6, *bits));
  }

  // How many ones a mask begins with, if there are only zeros behind them.
  static std::optional<unsigned> bits_of_mask(std::string_view text, bool is_ipv4) {
    std::uint64_t high = 0, low = 0;
    if (is_ipv4) {
      const auto mask = format::parse_ipv4(text);
      if (!mask || mask->bits != 32) return std::nullopt;
      high = std::uint64_t{mask->address} << 32;
    } else {
      const auto mask = format::parse_ipv6(text);
      if (!mask) return std::nullopt;
      high = mask->high;
      low = mask->low;
    }
    const auto ones = static_cast<unsigned>(std::countl_one(high));
    const auto bits = ones == 64 ? 64 + static_cast<unsigned>(std::countl_one(low)) : ones;
    const bool whole = high == ones_of(bits) && low == ones_of(bits > 64 ? bits - 64 : 0);
    return whole ? std::optional(bits) : std::nullopt;
  }

  // The first `bits` of 64, at most all.
  static std::uint64_t ones_of(unsigned bits) {
    return bits == 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(bits, 64u));
  }

  static std::string ipv4_net(std::uint32_t address, unsigned bits) {
    const auto net = address & static_cast<std::uint32_t>(ones_of(bits) >> 32);
    return fmt::format("net {}.{}.{}.{}/{}", net >> 24, net >> 16 & 255, net >> 8 & 255, net & 255, bits);
  }

  static std::string ipv6_net(format::Ipv6Address address, unsigned bits) {
    const auto high = address.high & ones_of(bits), low = address.low & ones_of(bits > 64 ? bits - 64 : 0);
    std::string text;
    for (unsigned i = 0; i < 8; ++i)
      text += fmt::format("{}{:x}", i == 0 ? "" : ":", (i < 4 ? high : low) >> (48 - 16 * (i % 4)) & 0xffff);
    return fmt::format("net {}/{}", text, bits);
  }

  // "2012-11-03T11:05:00Z", "45m ago".
  Parsed time(bool before) {
    const auto text = std::string(take());
    const bool ago = take_if("ago");
    const bool relative = !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) &&
                          std::isalpha(static_cast<unsigned char>(text.back()));
    const auto moment = !ago ? from_rfc3339(text) : relative ? parse_time("-" + text, now_) : parse_time("", now_);
    if (!moment) {
      next_ -= ago ? 1 : 0;
      return wrong_before("a time is expected: RFC 3339, or 45m ago");
    }
    return before ? Part{.to = *moment} : Part{.from = *moment};
  }

  std::vector<std::string_view> tokens_;
  std::size_t next_ = 0;
  Timestamp now_;
};

}  // namespace

std::expected<StenographerQuery, Error> stenographer_query(std::string_view text, Timestamp now) {
  auto part = Parser(text, now).parse();
  if (!part) return std::unexpected(std::move(part.error()));
  StenographerQuery query{.from = part->from, .to = part->to};
  if (!part->has_condition()) return query;
  auto filter = filter_of(*part);
  if (!filter) return std::unexpected(Error{"query", filter.error().why, filter.error().what_to_do});
  query.filter = std::move(*filter);
  return query;
}

}  // namespace wirespool::serve
