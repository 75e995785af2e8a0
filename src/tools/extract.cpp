// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "format/pcap.hpp"
#include "tools/pipe_inputs.hpp"
#include "wirespool/spool_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

using storage::OutputFile;

namespace {

constexpr auto progress_interval = std::chrono::milliseconds(250);
constexpr std::uint64_t packets_between_looks = 16384;

std::expected<OutputFile, Error> open_output(const std::string& path, const Spool& spool) {
  if (path == "-") {
    auto output = OutputFile::standard_output();
    if (!output) return std::unexpected(storage::as_error(output.error(), ""));
    return std::move(*output);
  }
  std::vector<std::string> inputs;
  for (const auto& entry : spool.files()) inputs.push_back(entry.path);
  auto output = OutputFile::create(path, inputs);
  if (output) return std::move(*output);
  if (output.error().code == EEXIST) {
    return std::unexpected(Error{path, "it is one of the files to read", "write to another file with -w"});
  }
  return std::unexpected(storage::as_error(output.error(), "write to another file with -w"));
}

// What the output and the filter have to know of the files before anything is written.
struct Inputs {
  std::vector<std::uint32_t> linktypes;  // each once, as far as a look at each file's beginning tells
  std::optional<Error> problem;          // of the first file that cannot be read
  bool none_readable(const Spool& spool) const { return linktypes.empty() && !spool.files().empty(); }
};

// Files that wirespool named are Ethernet: of those, one that can be read is enough.
Inputs look_at(const Spool& spool) {
  constexpr std::size_t buffer_bytes = 4096;
  Inputs inputs;
  for (const auto& entry : spool.files()) {
    if (entry.named && !inputs.linktypes.empty()) continue;
    auto file = SpoolFile::open(entry.path, {SpoolFile::Mode::strict, buffer_bytes, false, {}});
    if (!file && !inputs.problem) inputs.problem = file.error();
    if (!file) continue;
    (void)file->next();  // of pcapng, only a packet tells; what it cannot read is told by who reads all of it
    const auto linktype = file->linktype();
    if (std::ranges::find(inputs.linktypes, linktype) == inputs.linktypes.end()) inputs.linktypes.push_back(linktype);
  }
  return inputs;
}

std::expected<Query, Error> make_query(const ExtractOptions& options, const Inputs& inputs) {
  Query query;
  query.from = options.from;
  query.to = options.to;
  query.use_index = options.use_index;
  if (options.filter.empty()) return query;
  auto filter =
      inputs.linktypes.empty() ? Filter::compile(options.filter) : Filter::compile(options.filter, inputs.linktypes);
  if (!filter) return std::unexpected(Error{"--filter", filter.error().why, filter.error().what_to_do});
  query.filter = std::move(*filter);
  return query;
}

// Calls the user's function now and then, without asking the clock for every packet.
class Reporter {
 public:
  explicit Reporter(const ExtractOptions& options) : options_(options) {}

  void packets(const ExtractReport& report, const Merge& merge, Timestamp time) {
    if (!options_.progress || report.packets < next_look_) return;
    next_look_ = report.packets + packets_between_looks;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < progress_interval) return;
    last_ = now;
    const auto read = merge.progress();
    options_.progress({report.packets, read.bytes_read + read.bytes_left_out, read.bytes_in_all, time});
  }

 private:
  const ExtractOptions& options_;
  std::uint64_t next_look_ = packets_between_looks;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// The packet, and as many behind it as can be copied as they are.
PacketWriter::Result write_some(Merge& merge, const StoredPacket& packet, PacketWriter& writer,
                                const ExtractOptions& options, ExtractReport& report) {
  const auto run = writer.takes_records() ? merge.run(options.packets - report.packets) : PacketRun{};
  report.packets += run.packets > 0 ? run.packets : 1;
  report.bytes += run.packets > 0 ? run.bytes : packet.view.caplen();
  return run.packets > 0 ? writer.write_records(run.records, packet.linktype) : writer.write(packet);
}

// Packets from the merge to the output until one of them ends.
PacketWriter::Result copy(Merge& merge, PacketWriter& writer, const ExtractOptions& options, ExtractReport& report) {
  Reporter reporter(options);
  while (report.packets < options.packets) {
    const auto* packet = merge.next();
    if (packet == nullptr) break;
    if (const auto result = write_some(merge, *packet, writer, options, report); result != PacketWriter::Result::ok)
      return result;
    reporter.packets(report, merge, packet->view.time);
  }
  return writer.finish();
}

// Told by the indices. A time like -10m counts from the clock of this machine now, which need not be that of the
// capture.
std::string outside_of_all_files(const Spool& spool, const ExtractOptions& options) {
  Timestamp first = options.to, last = options.from;
  bool any = false;
  for (const auto& file : spool.files()) {
    if (file.index == SpoolEntry::Index::none) return {};
    if (file.packets == 0) continue;
    first = any ? std::min(first, file.first) : file.first;
    last = any ? std::max(last, file.last) : file.last;
    any = true;
  }
  if (!any || (options.from <= last && options.to > first)) return {};
  return fmt::format(
      "no packet is of the time asked for: the files hold {} to {} (a time like -10m counts from this "
      "machine's clock, which need not be the capture's)",
      rfc3339(first), rfc3339(last));
}

Error explain(const PacketWriter& writer, PacketWriter::Result result) {
  if (result == PacketWriter::Result::other_linktype) {
    return Error{"extract", "the files have several link types, and a pcap file has one", "use --format pcapng"};
  }
  if (result == PacketWriter::Result::too_late) {
    return Error{"extract", "there are packets of a time after 2106, which a pcap file has no bits for",
                 "use --format pcapng, or --to 2106-01-01T00:00:00Z"};
  }
  return storage::as_error(writer.error(), "make room there, or write to another place with -w");
}

// Of files only. Nothing is written before one of them could be read.
std::expected<ExtractReport, Error> extract_from(const std::vector<std::string>& places,
                                                 const ExtractOptions& options) {
  const auto spool = Spool::open(places);
  if (!spool) return std::unexpected(spool.error());
  const auto inputs = look_at(*spool);
  if (inputs.none_readable(*spool)) return std::unexpected(*inputs.problem);
  auto query = make_query(options, inputs);
  if (!query) return std::unexpected(query.error());
  auto output = open_output(options.output, *spool);
  if (!output) return std::unexpected(output.error());

  ExtractReport report;
  report.notices = spool->notices();
  Merge merge(*spool, std::move(*query));
  const auto linktype = inputs.linktypes.empty() ? format::linktype_ethernet : inputs.linktypes.front();
  PacketWriter writer(std::move(*output), options.format, linktype);
  const auto result = copy(merge, writer, options, report);
  report.closed = result == PacketWriter::Result::closed;
  if (result != PacketWriter::Result::ok && !report.closed) return std::unexpected(explain(writer, result));
  if (auto outside = outside_of_all_files(*spool, options); !outside.empty())
    report.notices.push_back(std::move(outside));
  report.read = merge.progress();
  report.problems = merge.problems();
  report.notices.insert(report.notices.end(), merge.notices().begin(), merge.notices().end());
  return report;
}

}  // namespace

std::expected<ExtractReport, Error> extract(const ExtractOptions& options) {
  if (options.from >= options.to) {
    return std::unexpected(Error{"--to", "it is not later than --from", "give a later time, or leave it out"});
  }
  const auto inputs = PipeInputs::take(options.places);
  if (!inputs) return std::unexpected(inputs.error());
  auto report = extract_from(inputs->places(), options);
  if (!report) return std::unexpected(inputs->as_given(report.error()));
  for (auto& notice : report->notices) notice = inputs->as_given(notice);
  for (auto& problem : report->problems) problem = inputs->as_given(problem);
  return report;
}

}  // namespace wirespool::tools
