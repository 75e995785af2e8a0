// SPDX-License-Identifier: BSD-3-Clause
#include "format/record_form.hpp"

#include "format/bytes.hpp"
#include "format/pcap_records.hpp"

namespace wirespool::format {
namespace {

constexpr std::uint32_t longest_wirelen = 1 << 20;

bool lengths_can_be(std::uint32_t caplen, std::uint32_t wirelen) {
  return caplen <= wirelen && caplen <= max_snaplen && wirelen <= longest_wirelen;
}

std::optional<FoundRecord> found(const PcapDecoder& pcap, std::span<const std::byte> bytes) {
  const auto header = pcap.record_header(bytes);
  if (!lengths_can_be(header.caplen, header.wirelen) || header.nanoseconds >= 1'000'000'000) return std::nullopt;
  return FoundRecord{{time_of(header), header.caplen, header.wirelen}, PcapRecords::bytes_of(header.caplen)};
}

// The block's length has to be one that a capture writes, and to be repeated at its end, if `bytes` reach that far.
std::optional<FoundRecord> found(const PcapngFront& pcapng, std::span<const std::byte> bytes) {
  const auto head = PcapngRecords::head_of(bytes);
  if (!head || !lengths_can_be(head->caplen, head->wirelen) || head->source >= pcapng.interfaces) return std::nullopt;
  const auto length = load<PcapngPacketHeader>(bytes).length;
  auto with_missing = *head;
  with_missing.missing = 1;
  if (length != PcapngRecords::bytes_of(*head) && length != PcapngRecords::bytes_of(with_missing)) return std::nullopt;
  if (bytes.size() >= length && load<std::uint32_t>(bytes, length - 4) != length) return std::nullopt;
  return FoundRecord{*head, length};
}

}  // namespace

std::span<const std::byte> RecordForm::front() const {
  const auto* const pcapng = std::get_if<PcapngFront>(&form_);
  return pcapng ? std::span<const std::byte>(pcapng->bytes) : std::span<const std::byte>();
}

std::uint64_t RecordForm::first_record() const {
  const auto* const pcapng = std::get_if<PcapngFront>(&form_);
  return pcapng ? pcapng->bytes.size() : PcapRecords::file_header_bytes;
}

std::size_t RecordForm::front_bytes() const {
  return form_.index() == 0 ? PcapRecords::front_bytes : PcapngRecords::front_bytes;
}

std::uint32_t RecordForm::linktype() const {
  const auto* const pcap = std::get_if<PcapDecoder>(&form_);
  return pcap ? pcap->linktype() : linktype_ethernet;
}

std::uint32_t RecordForm::snaplen() const {
  const auto* const pcap = std::get_if<PcapDecoder>(&form_);
  return pcap ? pcap->snaplen() : std::get<PcapngFront>(form_).snaplen;
}

std::optional<FoundRecord> RecordForm::at(std::span<const std::byte> bytes) const noexcept {
  return std::visit([bytes](const auto& form) { return found(form, bytes); }, form_);
}

std::uint64_t RecordForm::other_block(std::span<const std::byte> bytes) const noexcept {
  constexpr std::uint32_t shortest = 24, longest = 4096;
  if (form_.index() == 0 || load<std::uint32_t>(bytes) != pcapng_interface_statistics) return 0;
  const auto length = load<std::uint32_t>(bytes, 4);
  return length % 4 == 0 && length >= shortest && length <= longest ? length : 0;
}

}  // namespace wirespool::format
