// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/spool_file.hpp"

#include <algorithm>
#include <utility>

#include "format/capture_decoder.hpp"
#include "format/pcap_records.hpp"
#include "format/pseudo_header.hpp"
#include "read/file_window.hpp"
#include "read/salvager.hpp"

namespace wirespool {

using format::CaptureDecoder;
using format::Decoded;
using read::FileWindow;
using read::Salvager;

namespace {

// Packets of foreign files may be in any order; where a file is damaged, a gap of a day is still believed.
constexpr std::uint64_t day_ns = 86'400'000'000'000;

Error error_of(const storage::IoError& error) {
  const auto colon = error.message().rfind(": ");
  return {error.message().substr(0, colon), error.message().substr(colon + 2), ""};
}

Error error_at(const std::string& path, std::uint64_t offset, const std::string& why) {
  return {path, "at byte " + std::to_string(offset) + " " + why, "`wirespool verify` tells all problems of a file"};
}

}  // namespace

// Decodes what a FileWindow shows. Strict reading is here, salvaging is the Salvager's.
class SpoolFile::Reader {
 public:
  Reader(FileWindow window, CaptureDecoder decoder, Options options);

  const StoredPacket* next();
  PacketRun run(const RunLimits& limits);

  std::uint32_t linktype() const { return decoder_.is_pcap() ? decoder_.pcap()->linktype() : packet_.linktype; }
  std::vector<std::string> passed_over() const { return decoder_.passed_over(); }

  FileWindow window;
  std::optional<Error> problem;
  const std::vector<Stretch>& skipped() const { return salvager_ ? salvager_->skipped() : nothing_skipped_; }

 private:
  const StoredPacket* in_host_order();
  const StoredPacket* next_strict();
  const StoredPacket* next_salvaged();
  bool fill(std::uint64_t wanted);
  bool begin_next_stretch();
  void read_front();
  void fail(const std::string& why) { problem = error_at(window.path(), window.offset(), why); }

  CaptureDecoder decoder_;
  std::vector<Stretch> stretches_;
  std::size_t stretch_ = 0;
  std::uint64_t taken_ = 0;
  bool grows_ = false;  // what is missing at its end may yet come
  StoredPacket packet_;
  std::vector<std::byte> turned_;  // view.bytes of a packet whose header had to be swapped
  std::unique_ptr<Salvager> salvager_;
  std::vector<Stretch> nothing_skipped_;
};

SpoolFile::Reader::Reader(FileWindow file, CaptureDecoder decoder, Options options)
    : window(std::move(file)), decoder_(std::move(decoder)), stretches_(std::move(options.stretches)) {
  grows_ = options.stored.has_value();
  if (stretches_.empty()) stretches_ = {{decoder_.first_record(), options.stored.value_or(window.size())}};
  if (options.mode == Mode::salvage && decoder_.is_pcap() && decoder_.pcap()->has_usual_records()) {
    format::TimeLimits limits;
    limits.not_before = Timestamp{};
    limits.may_go_back_ns = format::TimeLimits::any;
    limits.may_go_back_behind_damage_ns = limits.may_go_on_behind_damage_ns = day_ns;
    salvager_ = std::make_unique<Salvager>(window, format::RecordScanner(*decoder_.pcap(), limits), stretches_, false);
  } else {
    if (!decoder_.is_pcap() && stretches_.front().begin != 0) read_front();
    begin_next_stretch();
  }
}

// Reads the descriptions in front of the first packet of a pcapng file.
void SpoolFile::Reader::read_front() {
  window.restrict_to(0, stretches_.front().begin);
  while (!problem && window.remaining() > 0) {
    const auto decoded = decoder_.next(window.bytes());
    if (decoded.kind == Decoded::Kind::packet) return;
    if (decoded.kind == Decoded::Kind::damaged) return fail(decoded.why);
    if (decoded.kind == Decoded::Kind::more) {
      if (!fill(decoded.bytes)) return;
    } else if (decoded.bytes > window.remaining()) {
      return fail("the last block is cut short");
    } else {
      window.consume(decoded.bytes);
    }
  }
}

bool SpoolFile::Reader::begin_next_stretch() {
  if (stretch_ == stretches_.size()) return false;
  const auto& stretch = stretches_[stretch_++];
  window.restrict_to(stretch.begin, stretch.end);
  return true;
}

const StoredPacket* SpoolFile::Reader::next() { return salvager_ ? next_salvaged() : next_strict(); }

bool SpoolFile::Reader::fill(std::uint64_t wanted) {
  if (wanted > window.remaining()) {
    fail("the last record is cut short");
    return false;
  }
  if (const auto filled = window.fill(static_cast<std::size_t>(wanted)); !filled) {
    problem = error_of(filled.error());
    return false;
  }
  if (window.bytes().size() < wanted) fail("the file was cut while it was read");
  return !problem;
}

const StoredPacket* SpoolFile::Reader::in_host_order() {
  if (decoder_.is_swapped() && format::has_pseudo_header(packet_.linktype)) {
    turned_.assign(packet_.view.bytes.begin(), packet_.view.bytes.end());
    format::swap_pseudo_header(packet_.linktype, turned_);
    packet_.view.bytes = turned_;
  }
  return &packet_;
}

const StoredPacket* SpoolFile::Reader::next_strict() {
  window.consume(std::exchange(taken_, 0));
  while (!problem) {
    if (window.remaining() == 0) {
      if (window.was_cut()) return fail("the file was cut while it was read"), nullptr;
      if (!begin_next_stretch()) return nullptr;
      continue;
    }
    const auto decoded = decoder_.next(window.bytes());
    switch (decoded.kind) {
      case Decoded::Kind::packet:
        packet_ = {decoded.packet, decoded.linktype, window.offset(), window.bytes().first(decoded.bytes)};
        taken_ = decoded.bytes;
        return in_host_order();
      case Decoded::Kind::more:
        if (grows_ && decoded.bytes > window.remaining()) return nullptr;
        if (!fill(decoded.bytes)) return nullptr;
        break;
      case Decoded::Kind::other:
        if (grows_ && decoded.bytes > window.remaining()) return nullptr;
        if (decoded.bytes > window.remaining()) return fail("the last block is cut short"), nullptr;
        window.consume(decoded.bytes);
        break;
      case Decoded::Kind::damaged:
        return fail(decoded.why), nullptr;
    }
  }
  return nullptr;
}

// Goes from record header to record header without decoding each packet.
PacketRun SpoolFile::Reader::run(const RunLimits& limits) {
  const auto* pcap = decoder_.pcap();
  if (salvager_ || pcap == nullptr || !pcap->is_native()) return {};
  PacketRun run{packet_.record, 1, packet_.view.caplen(), packet_.view.time};
  const auto bytes = window.bytes();
  while (run.packets < limits.packets) {
    const auto record = format::PcapRecords::record_of(bytes.subspan(taken_));
    if (!record) break;
    const auto& packet = record->packet;
    if (packet.time < std::max(limits.earliest, run.last) || packet.time > limits.latest) break;
    taken_ += record->bytes;
    ++run.packets;
    run.bytes += packet.caplen();
    run.last = packet.time;
  }
  run.records = bytes.first(taken_);
  return run;
}

const StoredPacket* SpoolFile::Reader::next_salvaged() {
  if (problem) return nullptr;
  auto found = salvager_->next();
  if (!found) problem = error_of(found.error());
  if (!found || !*found) return nullptr;
  packet_ = **found;
  return in_host_order();
}

SpoolFile::SpoolFile(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
SpoolFile::SpoolFile(SpoolFile&&) noexcept = default;
SpoolFile& SpoolFile::operator=(SpoolFile&&) noexcept = default;
SpoolFile::~SpoolFile() = default;

std::expected<SpoolFile, Error> SpoolFile::open(const std::string& path, Options options) {
  auto window = FileWindow::open(path, {options.buffer_bytes, options.keep_open, options.stored});
  if (!window) return std::unexpected(error_of(window.error()));
  if (!options.stretches.empty()) window->restrict_to(0, CaptureDecoder::head_bytes);  // instead of a whole buffer
  if (const auto filled = window->fill(CaptureDecoder::head_bytes); !filled)
    return std::unexpected(error_of(filled.error()));
  auto decoder = CaptureDecoder::recognise(window->bytes());
  if (!decoder) return std::unexpected(Error{path, decoder.error(), ""});
  return SpoolFile(std::make_unique<Reader>(std::move(*window), std::move(*decoder), std::move(options)));
}

const StoredPacket* SpoolFile::next() { return reader_->next(); }
PacketRun SpoolFile::run(const RunLimits& limits) { return reader_->run(limits); }
void SpoolFile::extend(std::uint64_t stored) { reader_->window.extend_to(stored); }
const std::string& SpoolFile::path() const { return reader_->window.path(); }
std::uint32_t SpoolFile::linktype() const { return reader_->linktype(); }
std::vector<std::string> SpoolFile::passed_over() const { return reader_->passed_over(); }
std::uint64_t SpoolFile::size() const { return reader_->window.size(); }
const std::optional<Error>& SpoolFile::problem() const { return reader_->problem; }
const std::vector<Stretch>& SpoolFile::skipped() const { return reader_->skipped(); }

}  // namespace wirespool
