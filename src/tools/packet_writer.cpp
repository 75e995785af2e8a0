// SPDX-License-Identifier: BSD-3-Clause
#include "tools/packet_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "format/pcap_records.hpp"
#include "format/pcapng.hpp"
#include "format/pcapng_records.hpp"

namespace wirespool::tools {
namespace {

constexpr std::size_t buffer_bytes = 1 << 20;
static_assert(buffer_bytes > format::max_snaplen + 1024);
// From this size on, a system call costs less than copying into the buffer first.
constexpr std::size_t worth_a_write = 64 << 10;
static_assert(worth_a_write <= buffer_bytes);

std::vector<std::byte> interface_block(std::uint32_t linktype) {
  return format::pcapng_interface_block({.linktype = linktype, .snaplen = format::max_snaplen});
}

}  // namespace

PacketWriter::PacketWriter(storage::OutputFile output, OutputFormat format, std::uint32_t linktype)
    : output_(std::move(output)),
      format_(format),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes)),
      linktype_(linktype) {}

PacketWriter::Result PacketWriter::checked(const std::expected<void, storage::IoError>& result) {
  if (result) return Result::ok;
  error_ = result.error();
  return error_.code == EPIPE ? Result::closed : Result::failed;
}

PacketWriter::Result PacketWriter::flush() {
  const auto result = checked(output_.write({buffer_.get(), used_}));
  flushed_ += std::exchange(used_, 0);
  return result;
}

PacketWriter::Result PacketWriter::room_for(std::size_t bytes) {
  return used_ + bytes <= buffer_bytes ? Result::ok : flush();
}

void PacketWriter::put(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::memcpy(buffer_.get() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

void PacketWriter::begin(std::uint32_t linktype) {
  begun_ = true;
  if (format_ == OutputFormat::pcap) {
    put(format::PcapRecords(format::max_snaplen, linktype).front());
    linktypes_ = {linktype};
  } else {
    put(format::pcapng_section_header({.hardware = {}, .os = {}, .application = "wirespool"}));
    interface_of(linktype);  // libpcap refuses a file without one
  }
}

PacketWriter::Result PacketWriter::write(const StoredPacket& packet) {
  if (!begun_) begin(packet.linktype);
  return format_ == OutputFormat::pcap ? write_pcap(packet) : write_pcapng(packet);
}

PacketWriter::Result PacketWriter::write_pcap(const StoredPacket& packet) {
  if (packet.linktype != linktypes_.front()) return Result::other_linktype;
  const auto& view = packet.view;
  if (view.time.ns / 1'000'000'000 > std::numeric_limits<std::uint32_t>::max()) return Result::too_late;
  using Records = format::PcapRecords;
  if (const auto room = room_for(Records::bytes_of(view.caplen())); room != Result::ok) return room;
  Records::Pen pen(buffer_.get() + used_, Records::Second::of(view.time));
  pen.put({view.time, view.caplen(), view.wirelen}, view.bytes.data());
  used_ += pen.bytes();
  return Result::ok;
}

PacketWriter::Result PacketWriter::write_records(std::span<const std::byte> records, std::uint32_t linktype) {
  if (!begun_) begin(linktype);
  if (linktype != linktypes_.front()) return Result::other_linktype;
  if (records.size() < worth_a_write) {
    if (const auto room = room_for(records.size()); room != Result::ok) return room;
    put(records);
    return Result::ok;
  }
  if (const auto written = flush(); written != Result::ok) return written;
  flushed_ += records.size();
  return checked(output_.write(records));
}

std::uint64_t PacketWriter::bytes_with(const StoredPacket& packet) const {
  const auto caplen = packet.view.caplen();
  if (format_ == OutputFormat::pcap) return bytes() + format::PcapRecords::bytes_of(caplen);
  const bool known = std::ranges::find(linktypes_, packet.linktype) != linktypes_.end();
  const auto interface = known ? 0 : interface_block(packet.linktype).size();
  return bytes() + interface + format::PcapngRecords::bytes_of(caplen);
}

std::uint32_t PacketWriter::interface_of(std::uint32_t linktype) {
  const auto known = std::ranges::find(linktypes_, linktype);
  const auto number = static_cast<std::uint32_t>(known - linktypes_.begin());
  if (known != linktypes_.end()) return number;
  linktypes_.push_back(linktype);
  put(interface_block(linktype));
  return number;
}

PacketWriter::Result PacketWriter::write_pcapng(const StoredPacket& packet) {
  const auto& view = packet.view;
  using Records = format::PcapngRecords;
  constexpr std::size_t longest_interface = 256;
  if (const auto room = room_for(longest_interface + Records::bytes_of(view.caplen())); room != Result::ok) return room;
  const auto source = interface_of(packet.linktype);
  Records::Pen pen(buffer_.get() + used_, {}, source);
  pen.put({view.time, view.caplen(), view.wirelen}, view.bytes.data());
  used_ += pen.bytes();
  return Result::ok;
}

PacketWriter::Result PacketWriter::show() {
  if (!begun_) begin(linktype_);
  if (output_.reader_has_gone()) return Result::closed;
  return used_ > 0 ? flush() : Result::ok;
}

PacketWriter::Result PacketWriter::finish() {
  if (!begun_) begin(linktype_);
  if (const auto result = flush(); result != Result::ok) return result;
  return checked(output_.close());
}

}  // namespace wirespool::tools
