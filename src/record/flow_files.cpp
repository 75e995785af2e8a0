// SPDX-License-Identifier: BSD-3-Clause
#include "record/flow_files.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace wirespool::record {
namespace {

constexpr std::size_t enough = 256 << 10;  // bytes of one write

}  // namespace

void FlowFiles::add(const format::FlowRecord& record) {
  if (waiting_ == 0) waits_since_ = Clock::now();
  if (!encoder_) encoder_ = options_.ipfix ? format::make_ipfix_flows() : format::make_json_flows();
  if (in_file_ + waiting_ == 0) first_ = record.first;
  encoder_->add(record, bytes_);
  ++waiting_;
  waiting_packets_ += record.packets[0] + record.packets[1];
  if (bytes_.size() >= enough) write();
  if (length_ >= options_.rotation.size_bytes) end_file();
}

void FlowFiles::tend() {
  const auto now = Clock::now();
  if (waiting_ && now - waits_since_ >= options_.flush_age) write();
  if (file_ && now - began_ >= std::chrono::nanoseconds(options_.rotation.age_ns)) end_file();
}

void FlowFiles::end_file() {
  if (waiting_) write();
  if (!file_) return;
  if (auto done = length_ ? seal() : file_->discard(); !done) take_back(done.error());
  file_.reset();
  encoder_.reset();
  length_ = in_file_ = packets_in_file_ = 0;
}

FlowFiles::Done FlowFiles::open() {
  const auto name = format::flow_file_name(options_.stem, options_.capture_start, 0, sequence_, suffix());
  auto file =
      storage::DirectFile::create(directory_, format::hidden_flow_file_name(name), storage::DirectFile::Mode::buffered);
  if (!file) return std::unexpected(file.error());
  file_.emplace(std::move(*file));
  began_ = Clock::now();
  return {};
}

// All that waits, or nothing of it: a file never ends in half a record or message.
void FlowFiles::write() {
  encoder_->flush(bytes_);
  Done done;
  if (!file_) done = open();
  if (done) done = file_->write(length_, std::as_bytes(std::span(bytes_)));
  if (done) {
    length_ += bytes_.size();
    in_file_ += waiting_;
    packets_in_file_ += waiting_packets_;
    counters_.written.add(waiting_);
    counters_.written_packets.add(waiting_packets_);
  } else {
    counters_.unwritten.add(waiting_);
  }
  bytes_.clear();
  waiting_ = waiting_packets_ = 0;
  if (!done) fail(done.error());
}

// What the file had before is sealed; the next record begins another one.
void FlowFiles::fail(const storage::IoError& why) {
  complaint_ = why.message() + ": records of flows are lost until it can be written to";
  if (file_)
    end_file();
  else
    encoder_.reset();
}

// Cut to what was written whole, synced, named.
FlowFiles::Done FlowFiles::seal() {
  if (auto done = file_->truncate(length_); !done) return done;
  if (auto done = file_->sync(); !done) return done;
  constexpr unsigned most_names = 100;  // of an earlier capture that began at the same nanosecond
  for (unsigned i = 0; i < most_names; ++i) {
    const auto done = name_it(format::flow_file_name(options_.stem, first_, 0, sequence_++, suffix()));
    if (!done && done.error().code == EEXIST) continue;
    if (done) ++counters_.files;
    return done;
  }
  return std::unexpected(storage::IoError{"naming a file of flow records", EEXIST});
}

FlowFiles::Done FlowFiles::name_it(const std::string& name) {
  auto done = file_->rename_to(name);
  if (!done && done.error().code == ENOENT) done = file_->rescue(directory_, length_, name);
  return done ? file_->sync_directory() : done;
}

// It stays hidden, and may not be whole.
void FlowFiles::take_back(const storage::IoError& why) {
  complaint_ = why.message() + ": the file stays hidden, its records may be lost";
  counters_.written.set(counters_.written.get() - in_file_);
  counters_.written_packets.set(counters_.written_packets.get() - packets_in_file_);
  counters_.unwritten.add(in_file_);
  ++sequence_;
}

std::optional<std::string> FlowFiles::take_complaint() { return std::exchange(complaint_, std::nullopt); }

}  // namespace wirespool::record
