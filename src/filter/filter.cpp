// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/filter.hpp"

#include <array>
#include <utility>

#include "filter/compiled.hpp"
#include "filter/filter_reader.hpp"
#include "format/pcap.hpp"

namespace wirespool {

using filter::Compiled;

namespace {

Error of_linktype(Error error, std::uint32_t linktype) {
  error.why = "for packets of link type " + filter::name_of_linktype(linktype) + ": " + error.why;
  return error;
}

}  // namespace

namespace filter {

Compiled::Compiled(std::string the_expression)
    : expression(std::move(the_expression)), condition(FilterReader(expression).read()) {}

const Compiled::Outcome& Compiled::program_for(std::uint32_t linktype) {
  auto found = programs_.find(linktype);
  if (found == programs_.end()) found = programs_.emplace(linktype, Program::compile(expression, linktype)).first;
  return found->second;
}

}  // namespace filter

std::expected<Filter, Error> Filter::compile(std::string expression) {
  constexpr std::array ethernet{format::linktype_ethernet};
  return compile(std::move(expression), ethernet);
}

std::expected<Filter, Error> Filter::compile(std::string expression, std::span<const std::uint32_t> linktypes) {
  auto compiled = std::make_unique<Compiled>(std::move(expression));
  for (const auto linktype : linktypes) {
    const auto& program = compiled->program_for(linktype);
    if (program) continue;
    const bool usual = linktype == format::linktype_ethernet;
    return std::unexpected(usual ? program.error() : of_linktype(program.error(), linktype));
  }
  return Filter(std::move(compiled));
}

Filter::Filter(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Filter::Filter(const Filter& other) : compiled_(std::make_unique<Compiled>(*other.compiled_)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(const Filter& other) { return *this = Filter(other); }
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

const std::string& Filter::expression() const& { return compiled_->expression; }

std::expected<void, Error> Filter::supports(std::uint32_t linktype) {
  const auto& program = compiled_->program_for(linktype);
  if (!program) return std::unexpected(of_linktype(program.error(), linktype));
  return {};
}

bool Filter::matches(const StoredPacket& packet) {
  const auto& program = compiled_->program_for(packet.linktype);
  return program && program->matches(packet.view);
}

}  // namespace wirespool
