// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "format/pcap.hpp"
#include "tools/extract_copy.hpp"
#include "wirespool/spool_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

namespace {

// How long a reader of a running capture sleeps when it has everything.
constexpr auto nap = std::chrono::milliseconds(50);

// What the outputs and the filter need to know of the files before anything is written.
struct Inputs {
  std::vector<std::uint32_t> linktypes;  // each once, as far as the beginning of each file shows
  std::optional<Error> problem;          // of the first file that cannot be read
  bool none_readable(const Spool& spool) const { return linktypes.empty() && !spool.files().empty(); }
};

// Files that wirespool named are Ethernet: of those, reading one is enough.
Inputs look_at(const Spool& spool) {
  constexpr std::size_t buffer_bytes = 4096;
  Inputs inputs;
  for (const auto& entry : spool.files()) {
    if (entry.named && !inputs.linktypes.empty()) continue;
    auto file = SpoolFile::open(entry.path, {SpoolFile::Mode::strict, buffer_bytes, false, {}});
    if (!file && !inputs.problem) inputs.problem = file.error();
    if (!file) continue;
    (void)file->next();  // in pcapng, only a packet shows its link type; errors are reported when all is read
    const auto linktype = file->linktype();
    if (std::ranges::find(inputs.linktypes, linktype) == inputs.linktypes.end()) inputs.linktypes.push_back(linktype);
  }
  return inputs;
}

std::vector<std::uint32_t> linktypes_to_ask(const Inputs& inputs) {
  return inputs.linktypes.empty() ? std::vector{format::linktype_ethernet} : inputs.linktypes;
}

Error about(const char* option, Error error) { return {option, std::move(error.why), std::move(error.what_to_do)}; }

// With --inner, each filter is also applied to what is inside: one may match the tunnel, another what it carries.
std::expected<void, Error> demand(std::optional<Filter>& all, const char* option, std::expected<Filter, Error> one,
                                  const ExtractOptions& options, const Inputs& inputs) {
  if (!one) return std::unexpected(about(option, one.error()));
  auto filter = options.inner ? one->inside_too() : std::move(*one);
  for (const auto linktype : linktypes_to_ask(inputs)) {
    if (auto supported = filter.supports(linktype); !supported)
      return std::unexpected(about(option, supported.error()));
  }
  all = all ? Filter::all(std::move(*all), std::move(filter)) : std::move(filter);
  return {};
}

// What one output asks for; none: everything.
std::expected<std::optional<Filter>, Error> make_filter(const ExtractOptions& options, std::size_t output,
                                                        const Inputs& inputs) {
  std::optional<Filter> all;
  std::expected<void, Error> done;
  if (done && output < options.filters.size() && !options.filters[output].empty()) {
    auto filter = Filter::compile(options.filters[output], linktypes_to_ask(inputs));
    done = demand(all, "--filter", std::move(filter), options, inputs);
  }
  if (done && !options.flow.empty()) done = demand(all, "--flow", Filter::flow(options.flow), options, inputs);
  if (done && !options.community_id.empty())
    done = demand(all, "--community-id", Filter::community_id(options.community_id), options, inputs);
  if (done && options.filter) done = demand(all, "--filter", *options.filter, options, inputs);
  if (!done) return std::unexpected(done.error());
  return all;
}

std::expected<std::vector<OutputRequest>, Error> make_requests(const ExtractOptions& options, const Spool& spool,
                                                               const Inputs& inputs) {
  std::vector<std::string> paths;
  for (const auto& entry : spool.files()) paths.push_back(entry.path);
  std::vector<OutputRequest> requests;
  const auto outputs = options.sink ? std::vector<std::string>{"the stream"} : options.outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto filter = make_filter(options, i, inputs);
    if (!filter) return std::unexpected(filter.error());
    requests.push_back({.path = outputs[i],
                        .sink = options.sink,
                        .filter = std::move(*filter),
                        .format = options.format,
                        .split = {options.split_bytes, options.split_ns},
                        .slice = options.slice,
                        .linktype = linktypes_to_ask(inputs).front(),
                        .packets = options.packets,
                        .bytes = options.bytes,
                        .not_these = paths});
  }
  if (auto wrong = check_outputs(requests)) return std::unexpected(std::move(*wrong));
  return requests;
}

// What any of the outputs asks for.
Query make_query(const ExtractOptions& options, const std::vector<OutputRequest>& requests) {
  Query query;
  query.from = options.from;
  query.to = options.to;
  query.use_index = options.use_index;
  query.buffer_bytes = options.buffer_bytes;
  query.stop = options.stop;
  for (const auto& request : requests) {
    if (!request.filter) {
      query.filter.reset();
      break;
    }
    query.filter = query.filter ? Filter::any(std::move(*query.filter), *request.filter) : *request.filter;
  }
  return query;
}

// A notice, by the indices, if no file covers the time asked for: a time like -10m counts from this machine's clock,
// which may differ from the capture's.
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

// What a reader of running captures does when it has all there is: shows it, sleeps, looks again.
class Waiting {
 public:
  Waiting(const ExtractOptions& options, Follow& follow, std::vector<ExtractOutput>& outputs)
      : options_(options), follow_(follow), outputs_(outputs) {}

  // false: there will be no more, or nobody wants it.
  bool go_on() {
    tell_missed();
    if (options_.stop && *options_.stop) return false;
    if (follow_.at_end() && !(options_.stays && !follow_.running())) return false;
    for (auto& output : outputs_)
      if (output.show() != PacketWriter::Result::ok) return false;  // its end says why
    std::this_thread::sleep_for(nap);
    follow_.look_again();
    return true;
  }

 private:
  void tell_missed() {
    const auto missed = follow_.missed();
    if (missed.files <= told_.files || !options_.tell) return;
    options_.tell(fmt::format("too slow: {} files ({} bytes) were removed before they were read",
                              missed.files - told_.files, missed.bytes - std::min(missed.bytes, told_.bytes)));
    told_ = missed;
  }

  const ExtractOptions& options_;
  Follow& follow_;
  std::vector<ExtractOutput>& outputs_;
  Follow::Missed told_;
};

std::expected<std::vector<ExtractOutput>, Error> open_outputs(std::vector<OutputRequest> requests) {
  std::vector<ExtractOutput> outputs;
  for (auto& request : requests) {
    auto output = ExtractOutput::open(std::move(request));
    if (!output) return std::unexpected(output.error());
    outputs.push_back(std::move(*output));
  }
  return outputs;
}

void count(ExtractReport& report, const std::vector<ExtractOutput>& outputs) {
  for (const auto& output : outputs) {
    report.outputs.push_back({output.path(), output.packets(), output.files()});
    report.closed = report.closed || output.closed();
    if (output.not_sliced() > 0)
      report.notices.push_back(
          fmt::format("{}: {} packets of other link types than Ethernet are whole, as --slice knows "
                      "no layers of theirs: --slice N cuts them too",
                      output.path(), output.not_sliced()));
  }
}

}  // namespace

std::optional<Error> wrong_options(const ExtractOptions& options) {
  if (options.follow && std::ranges::find(options.places, "-") != options.places.end())
    return Error{"--follow", "standard input is no directory", "name the output directories of captures"};
  if (options.from >= options.to)
    return Error{"--to", "it is not later than --from", "give a later time, or leave it out"};
  const auto filters = options.filters.size(), outputs = options.outputs.size();
  if (options.sink && outputs == 0 && filters <= 1) return std::nullopt;
  if (outputs == 0) return Error{"-w", "is required", "give a file, or - for standard output"};
  if (filters != outputs && (filters > 0 || outputs > 1))
    return Error{"-w", fmt::format("{} outputs and {} filters are no pairs", outputs, filters),
                 "give --filter EXPR -w OUT as often as there are files to be made"};
  return std::nullopt;
}

// Nothing is written before one of the files could be read.
std::expected<Extraction, Error> Extraction::prepare(ExtractOptions options) {
  if (auto wrong = wrong_options(options)) return std::unexpected(std::move(*wrong));
  auto spool = Spool::open(options.places, Spool::Archives::searched,
                           options.stored ? Spool::OpenFiles::included : Spool::OpenFiles::left_out);
  if (!spool) return std::unexpected(spool.error());
  Extraction extraction(std::move(options), std::move(*spool));
  const auto inputs = look_at(extraction.spool_);
  if (!extraction.options_.follow && inputs.none_readable(extraction.spool_)) return std::unexpected(*inputs.problem);
  auto requests = make_requests(extraction.options_, extraction.spool_, inputs);
  if (!requests) return std::unexpected(requests.error());
  extraction.query_ = make_query(extraction.options_, *requests);
  extraction.requests_ = std::move(*requests);
  return extraction;
}

std::expected<ExtractReport, Error> Extraction::run() { return options_.follow ? run_following() : run_once(); }

std::expected<ExtractReport, Error> Extraction::run_once() {
  Merge merge(spool_, query_);
  auto outputs = open_outputs(std::move(requests_));
  if (!outputs) return std::unexpected(outputs.error());
  ExtractReport report;
  report.notices = spool_.notices();
  const auto copied = ExtractCopy(merge, *outputs, [] { return false; }).run(options_, report);
  if (!copied) return std::unexpected(copied.error());
  count(report, *outputs);
  if (auto outside = outside_of_all_files(spool_, options_); !outside.empty())
    report.notices.push_back(std::move(outside));
  report.problems = spool_.problems();
  conclude(report, merge);
  return report;
}

std::expected<ExtractReport, Error> Extraction::run_following() {
  const auto begin = options_.from_now ? Follow::Begin::now : Follow::Begin::oldest;
  auto follow = Follow::open(options_.places, query_, begin);
  if (!follow) return std::unexpected(follow.error());
  auto outputs = open_outputs(std::move(requests_));
  if (!outputs) return std::unexpected(outputs.error());
  ExtractReport report;
  report.ran = follow->running();
  Waiting waiting(options_, *follow, *outputs);
  const auto copied = ExtractCopy(*follow, *outputs, [&waiting] { return waiting.go_on(); }).run(options_, report);
  if (!copied) return std::unexpected(copied.error());
  count(report, *outputs);
  report.missed = follow->missed();
  report.late = follow->late();
  conclude(report, *follow);
  return report;
}

template <class Source>
void Extraction::conclude(ExtractReport& report, const Source& source) {
  report.read = source.progress();
  report.problems.insert(report.problems.end(), source.problems().begin(), source.problems().end());
  report.notices.insert(report.notices.end(), source.notices().begin(), source.notices().end());
  if (options_.follow) (void)spool_.refresh();  // for the ledgers of captures that began since
  report.missing = missing_between(spool_, options_.from, options_.to);
}

std::expected<ExtractReport, Error> extract(const ExtractOptions& options) {
  if (auto wrong = wrong_options(options)) return std::unexpected(std::move(*wrong));
  const auto inputs = PipeInputs::take(options.places);
  if (!inputs) return std::unexpected(inputs.error());
  auto of_files = options;
  of_files.places = inputs->places();
  auto extraction = Extraction::prepare(std::move(of_files));
  if (!extraction) return std::unexpected(inputs->as_given(extraction.error()));
  auto report = extraction->run();
  if (!report) return std::unexpected(inputs->as_given(report.error()));
  name_as_given(*report, *inputs);
  return report;
}

void name_as_given(ExtractReport& report, const PipeInputs& inputs) {
  for (auto& notice : report.notices) notice = inputs.as_given(notice);
  for (auto& problem : report.problems) problem = inputs.as_given(problem);
}

}  // namespace wirespool::tools
