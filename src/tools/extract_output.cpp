// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extract_output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <utility>

#include "format/pcap.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using storage::OutputFile;
using Result = PacketWriter::Result;

namespace {

constexpr const char* elsewhere = "write to another file with -w";

Error refusal(const std::string& path, const storage::IoError& error) {
  if (error.code == EEXIST) return Error{path, "it is one of the files to read", elsewhere};
  return storage::as_error(error, elsewhere);
}

std::expected<OutputFile, storage::IoError> open_stream(const OutputRequest& request) {
  if (request.sink) return OutputFile::to(request.sink, request.path);
  return request.path == "-" ? OutputFile::standard_output(request.not_these)
                             : OutputFile::create(request.path, request.not_these);
}

// Whether both names lead to one place, whether a file is there or not.
bool same_place(const std::string& a, const std::string& b) {
  if (a == b || storage::same_file(a, b)) return true;
  std::error_code ignored;
  return a != "-" && b != "-" && fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored);
}

// Devices and pipes take any number of streams.
bool takes_several(const std::string& path) {
  std::error_code ignored;
  return path != "-" && fs::is_character_file(path, ignored);
}

}  // namespace

std::optional<Error> check_outputs(const std::vector<OutputRequest>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& path = outputs[i].path;
    if (outputs[i].sink) continue;
    for (std::size_t other = 0; other < i; ++other) {
      if (same_place(path, outputs[other].path) && !takes_several(path))
        return Error{"-w " + path, "two outputs would go to one file", "give each a name of its own"};
    }
    const bool is_input = std::ranges::any_of(outputs[i].not_these,
                                              [&path](const auto& input) { return storage::same_file(path, input); });
    if (is_input) return Error{path, "it is one of the files to read", elsewhere};
    std::error_code ignored;
    const bool file = path != "-" && (fs::is_regular_file(path, ignored) || !fs::exists(path, ignored));
    if (outputs[i].split.any() && !file)
      return Error{"-w " + path, "only a file can be split", "give a name with -w, or leave --split-... out"};
  }
  return std::nullopt;
}

std::expected<ExtractOutput, Error> ExtractOutput::open(OutputRequest request) {
  ExtractOutput output(std::move(request));
  if (output.request_.split.any()) return output;  // a file's name has the time of its first packet
  auto file = open_stream(output.request_);
  if (!file) return std::unexpected(refusal(output.request_.path, file.error()));
  output.writer_.emplace(std::move(*file), output.request_.format, output.request_.linktype);
  output.files_ = 1;
  return output;
}

std::string ExtractOutput::next_name(std::optional<Timestamp> first) const {
  const fs::path path(request_.path);
  auto name = fmt::format("{}_{:05}", path.stem().string(), files_);
  if (first) name += fmt::format("_{:%Y%m%d%H%M%S}", fmt::gmtime(static_cast<std::time_t>(first->ns / 1'000'000'000)));
  return (path.parent_path() / (name + path.extension().string())).string();
}

bool ExtractOutput::is_full(const StoredPacket& packet) const {
  const auto& split = request_.split;
  return (split.ns && packet.view.time >= ends_) || (split.bytes && writer_->bytes_with(packet) > *split.bytes);
}

// Ends the current file, if there is one, and begins the next.
Result ExtractOutput::go_on(std::optional<Timestamp> first) {
  if (const auto ended = writer_ ? writer_->finish() : Result::ok; ended != Result::ok) return ended;
  const auto path = next_name(first);
  auto file = OutputFile::create_hidden(path, request_.not_these);
  if (!file) {
    refused_ = refusal(path, file.error());
    return Result::failed;
  }
  writer_.emplace(std::move(*file), request_.format, request_.linktype);
  ++files_;
  return Result::ok;
}

Result ExtractOutput::taken(Result result) {
  closed_ = closed_ || result == Result::closed;
  return closed_ ? Result::ok : result;
}

// Wirelen stays what it was.
StoredPacket ExtractOutput::sliced(StoredPacket packet) {
  auto& bytes = packet.view.bytes;
  const auto& slice = *request_.slice;
  if (slice.layer && packet.linktype != format::linktype_ethernet) {
    ++not_sliced_;
    return packet;
  }
  const auto kept = slice.layer ? format::header_end(bytes, *slice.layer) : slice.bytes;
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), kept));
  return packet;
}

Result ExtractOutput::write(const StoredPacket& whole) {
  StoredPacket cut;
  if (request_.slice) cut = sliced(whole);
  const auto& packet = request_.slice ? cut : whole;
  if (request_.split.any() && (!writer_ || is_full(packet))) {
    const auto time = packet.view.time;
    if (const auto begun = go_on(time); begun != Result::ok) return begun;
    if (files_ == 1) ends_ = time;
    if (const auto ns = request_.split.ns; ns && time >= ends_) ends_.ns += (1 + (time.ns - ends_.ns) / *ns) * *ns;
  }
  ++packets_;
  bytes_ += packet.view.caplen();
  return taken(writer_->write(packet));
}

Result ExtractOutput::write(const PacketRun& run, std::uint32_t linktype) {
  packets_ += run.packets;
  bytes_ += run.bytes;
  return taken(writer_->write_records(run.records, linktype));
}

Result ExtractOutput::show() {
  const auto result = !closed_ && writer_ ? writer_->show() : Result::ok;
  (void)taken(result);
  return result;
}

Result ExtractOutput::finish() {
  if (closed_) return Result::ok;
  if (!writer_) {
    if (const auto begun = go_on(std::nullopt); begun != Result::ok) return begun;
  }
  return taken(writer_->finish());
}

Error ExtractOutput::explain(Result result) const {
  if (refused_) return *refused_;
  if (result == Result::other_linktype) {
    return Error{"extract", "the files have several link types, and a pcap file has one", "use --format pcapng"};
  }
  if (result == Result::too_late) {
    return Error{"extract", "there are packets of a time after 2106, which a pcap file has no bits for",
                 "use --format pcapng, or --to 2106-01-01T00:00:00Z"};
  }
  return storage::as_error(writer_->error(), "make room there, or write to another place with -w");
}

}  // namespace wirespool::tools
