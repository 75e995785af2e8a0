// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/filter.hpp"

#include <array>
#include <map>
#include <memory>
#include <utility>

#include "filter/compiled.hpp"
#include "filter/filter_reader.hpp"
#include "filter/program.hpp"
#include "format/pcap.hpp"

namespace wirespool {

using filter::Compiled;

namespace filter {

namespace {

// libpcap's program of an expression for each link type, compiled at first use.
class Expression : public Matcher {
  using Outcome = std::expected<Program, Error>;
  using Programs = std::map<std::uint32_t, Outcome>;

 public:
  explicit Expression(std::string text, Programs programs = {})
      : text_(std::move(text)), programs_(std::move(programs)) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<Expression>(text_, programs_); }

  std::expected<void, Error> supports(std::uint32_t linktype) override {
    const auto& program = program_for(linktype);
    if (!program) return std::unexpected(program.error());
    return {};
  }

  bool matches(const PacketView& packet, std::uint32_t linktype) override {
    if (last_ == nullptr || linktype != last_linktype_) {
      last_ = &program_for(linktype);
      last_linktype_ = linktype;
    }
    return *last_ && (*last_)->matches(packet);
  }

 private:
  const Outcome& program_for(std::uint32_t linktype) {
    auto found = programs_.find(linktype);
    if (found == programs_.end()) found = programs_.emplace(linktype, Program::compile(text_, linktype)).first;
    return found->second;
  }

  std::string text_;
  Programs programs_;
  const Outcome* last_ = nullptr;  // for the packet before: most have the same link type
  std::uint32_t last_linktype_ = 0;
};

}  // namespace

Compiled expression(std::string text) {
  auto condition = FilterReader(text).read();
  auto matcher = std::make_unique<Expression>(text);
  return {std::move(text), std::move(condition), std::move(matcher)};
}

Error of_linktype(Error error, std::uint32_t linktype) {
  error.why = "for packets of link type " + name_of_linktype(linktype) + ": " + error.why;
  return error;
}

}  // namespace filter

std::expected<Filter, Error> Filter::compile(std::string expression) {
  constexpr std::array ethernet{format::linktype_ethernet};
  return compile(std::move(expression), ethernet);
}

std::expected<Filter, Error> Filter::compile(std::string expression, std::span<const std::uint32_t> linktypes) {
  auto compiled = filter::expression(std::move(expression));
  for (const auto linktype : linktypes) {
    const auto supported = compiled.matcher->supports(linktype);
    if (supported) continue;
    const bool usual = linktype == format::linktype_ethernet;
    return std::unexpected(usual ? supported.error() : filter::of_linktype(supported.error(), linktype));
  }
  return Filter(std::move(compiled));
}

std::expected<Filter, Error> Filter::flow(std::string_view text) {
  auto compiled = filter::flow(text);
  if (!compiled) return std::unexpected(compiled.error());
  return Filter(std::move(*compiled));
}

std::expected<Filter, Error> Filter::community_id(std::string_view text) {
  auto compiled = filter::community_id(text);
  if (!compiled) return std::unexpected(compiled.error());
  return Filter(std::move(*compiled));
}

Filter Filter::between(Timestamp from, Timestamp to) { return Filter(filter::between(from, to)); }
Filter Filter::all(Filter a, Filter b) { return Filter(filter::all(std::move(*a.compiled_), std::move(*b.compiled_))); }
Filter Filter::any(Filter a, Filter b) { return Filter(filter::any(std::move(*a.compiled_), std::move(*b.compiled_))); }
Filter Filter::inside_too() const { return Filter(filter::inside_too(compiled_->copy())); }

Filter::Filter(Compiled compiled) : compiled_(std::make_unique<Compiled>(std::move(compiled))) {}
Filter::Filter(const Filter& other) : Filter(other.compiled_->copy()) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(const Filter& other) { return *this = Filter(other); }
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

const std::string& Filter::expression() const& { return compiled_->expression; }

std::expected<void, Error> Filter::supports(std::uint32_t linktype) {
  const auto supported = compiled_->matcher->supports(linktype);
  if (!supported) return std::unexpected(filter::of_linktype(supported.error(), linktype));
  return {};
}

bool Filter::matches(const StoredPacket& packet) { return compiled_->matcher->matches(packet.view, packet.linktype); }

}  // namespace wirespool
