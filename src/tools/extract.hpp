// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tools/extract_output.hpp"
#include "tools/missing.hpp"
#include "tools/pipe_inputs.hpp"
#include "wirespool/error.hpp"
#include "wirespool/follow.hpp"
#include "wirespool/merge.hpp"

namespace wirespool::tools {

struct ExtractProgress {
  std::uint64_t packets = 0;  // written
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_in_all = 0;
  Timestamp time;  // of the last packet
};

// `wirespool extract DIR|FILE... -w OUT`
struct ExtractOptions {
  std::vector<std::string> places;
  std::vector<std::string> outputs;  // "-": standard output
  storage::ByteSink sink = {};       // instead of `outputs`: who takes the one stream
  std::vector<std::string> filters;  // none, or one for each output, in order
  // What goes to every output.
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};  // not included
  std::string flow, community_id;                           // empty: none
  std::optional<Filter> filter;                             // the same, made already
  bool inner = false;                                       // filters, flow and ID also apply to packets inside others
  std::uint64_t packets = std::numeric_limits<std::uint64_t>::max();  // for each output
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();    // the same: with the packet that reaches it
  std::optional<std::uint64_t> split_bytes, split_ns;                 // Split
  std::optional<format::Slice> slice;
  OutputFormat format = OutputFormat::pcap;
  bool use_index = true;
  std::size_t buffer_bytes = Query{}.buffer_bytes;
  bool stored = false;                           // what running captures have stored in their open files is read too
  bool follow = false;                           // and what they store until they end, or `to` is over
  bool from_now = false;                         // with follow: only what is stored from now on
  bool stays = false;                            // with follow: it does not end with them, but waits for others
  std::function<void(const std::string&)> tell;  // with follow: what is to be known at once; empty: it is not told
  // Query::stop: then it ends with an Error; with follow, as if the capture had ended.
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const ExtractProgress&)> progress;  // empty: none; called a few times a second
};

struct ExtractReport {
  struct Output {
    std::string path;
    std::uint64_t packets = 0;
    std::uint64_t files = 0;  // of a split
  };
  std::vector<Output> outputs;
  std::uint64_t packets = 0;  // written, to all outputs
  std::uint64_t bytes = 0;    // caplen bytes, to all outputs
  bool closed = false;        // an output's reader left before the end
  Missing missing;
  bool ran = false;        // with follow: a capture ran there when it began
  Follow::Missed missed;   // with follow
  std::uint64_t late = 0;  // packets that came after later ones: the same
  Merge::Progress read;
  std::vector<std::string> notices;
  std::vector<Error> problems;  // what could not be read; everything else was
};

std::expected<ExtractReport, Error> extract(const ExtractOptions& options);

// What is wrong with these options whatever the files have.
std::optional<Error> wrong_options(const ExtractOptions& options);

// What a report says about places that `inputs` stand for, with the names that were given.
void name_as_given(ExtractReport& report, const PipeInputs& inputs);

// The same in two steps: what is wrong with options and filters is known before anything is written. Of files and
// directories, without pipes. Movable; one thread.
class Extraction {
 public:
  static std::expected<Extraction, Error> prepare(ExtractOptions options);

  const Spool& spool() const { return spool_; }
  const Query& query() const { return query_; }  // what is to be read
  std::expected<ExtractReport, Error> run();     // once

 private:
  std::expected<ExtractReport, Error> run_once();
  std::expected<ExtractReport, Error> run_following();
  template <class Source>
  void conclude(ExtractReport& report, const Source& source);
  Extraction(ExtractOptions options, Spool spool) : options_(std::move(options)), spool_(std::move(spool)) {}

  ExtractOptions options_;
  Spool spool_;
  std::vector<OutputRequest> requests_;
  Query query_;
};

}  // namespace wirespool::tools
