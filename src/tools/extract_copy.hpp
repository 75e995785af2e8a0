// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <utility>
#include <vector>

#include "tools/extract.hpp"
#include "tools/extract_output.hpp"
#include "wirespool/error.hpp"

namespace wirespool::tools {

// Calls the progress function now and then, without reading the clock for every packet.
class ExtractProgressTeller {
 public:
  explicit ExtractProgressTeller(const ExtractOptions& options) : options_(options) {}

  template <class Source>
  void packets(const ExtractReport& report, const Source& source, Timestamp time) {
    if (!options_.progress || report.packets < next_look_) return;
    next_look_ = report.packets + packets_between_looks;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < progress_interval) return;
    last_ = now;
    const auto read = source.progress();
    options_.progress({report.packets, read.bytes_read + read.bytes_left_out, read.bytes_in_all, time});
  }

 private:
  static constexpr auto progress_interval = std::chrono::milliseconds(250);
  static constexpr std::uint64_t packets_between_looks = 16384;

  const ExtractOptions& options_;
  std::uint64_t next_look_ = packets_between_looks;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Copies packets from a Merge or a Follow to one output or several, until it ends or all outputs are done.
template <class Source>
class ExtractCopy {
 public:
  using Result = PacketWriter::Result;
  // `go_on`: asked when there is no packet; false: there will be none.
  ExtractCopy(Source& source, std::vector<ExtractOutput>& outputs, std::function<bool()> go_on)
      : source_(source), outputs_(outputs), go_on_(std::move(go_on)) {}

  std::expected<void, Error> run(const ExtractOptions& options, ExtractReport& report) {
    ExtractProgressTeller teller(options);
    while (std::ranges::any_of(outputs_, &ExtractOutput::open_still)) {
      const auto* packet = source_.next();
      if (packet == nullptr) {
        if (go_on_()) continue;
        break;
      }
      const auto time = packet->view.time;
      const auto done = outputs_.size() == 1 ? to_the_one(*packet, report) : to_each(*packet, report);
      if (!done) return done;
      teller.packets(report, source_, time);
    }
    if (!options.follow && options.stop && *options.stop)
      return std::unexpected(Error{"extract", "it was stopped before its end", ""});
    for (auto& output : outputs_) {
      if (const auto result = output.finish(); result != Result::ok) return std::unexpected(output.explain(result));
    }
    return {};
  }

 private:
  // Copies the packet and as many after it as can be copied unchanged. With one output, the merge gives only what it
  // wants.
  std::expected<void, Error> to_the_one(const StoredPacket& packet, ExtractReport& report) {
    auto& output = outputs_.front();
    const auto run = output.takes_records() ? source_.run(output.room()) : PacketRun{};
    report.packets += run.packets > 0 ? run.packets : 1;
    report.bytes += run.packets > 0 ? run.bytes : packet.view.caplen();
    const auto result = run.packets > 0 ? output.write(run, packet.linktype) : output.write(packet);
    if (result != Result::ok) return std::unexpected(output.explain(result));
    return {};
  }

  std::expected<void, Error> to_each(const StoredPacket& packet, ExtractReport& report) {
    for (auto& output : outputs_) {
      if (!output.open_still() || !output.wants(packet)) continue;
      ++report.packets;
      report.bytes += packet.view.caplen();
      if (const auto result = output.write(packet); result != Result::ok)
        return std::unexpected(output.explain(result));
    }
    return {};
  }

  Source& source_;
  std::vector<ExtractOutput>& outputs_;
  std::function<bool()> go_on_;
};

}  // namespace wirespool::tools
