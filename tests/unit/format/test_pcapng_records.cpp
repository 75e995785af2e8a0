// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcapng_records.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "format/pcap_records.hpp"
#include "format/record_form.hpp"
#include "support/catch.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::format;
using namespace wirespool::test;
using Bytes = std::vector<std::byte>;

namespace {

constexpr std::byte untouched{0xa5};
constexpr std::size_t margin = 64;

// Sets the 32 bits at `offset`.
void damage(Bytes& bytes, std::size_t offset, std::uint32_t number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

Bytes record_of(const PacketView& packet, std::uint32_t source, std::uint64_t missing) {
  const RecordHead head{packet.time, packet.caplen(), packet.wirelen, source, missing};
  Bytes record(PcapngRecords::bytes_of(head));
  std::ranges::copy(packet.bytes, record.begin() + PcapngRecords::front_bytes);
  PcapngRecords::enclose(record.data(), head);
  return record;
}

}  // namespace

TEST_CASE(
    "a pcapng record that is put is the one that is enclosed, whatever its length, and touches nothing beside it") {
  const auto trace = make_trace({.kind = "lengths", .packets = 1514});
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    CAPTURE(packet.caplen());
    Bytes put(PcapngRecords::bytes_of(packet.caplen()) + margin, untouched);
    PcapngRecords::Pen pen(put.data(), {}, 7);
    pen.put({packet.time, packet.caplen(), packet.wirelen}, packet.bytes.data());
    REQUIRE(pen.bytes() == put.size() - margin);
    REQUIRE(pen.frame_bytes(1) == packet.caplen());
    REQUIRE(std::ranges::equal(std::span(put).first(pen.bytes()), record_of(packet, 7, 0)));
    REQUIRE(std::ranges::all_of(std::span(put).last(margin), [](auto byte) { return byte == untouched; }));
  }
}

TEST_CASE("what a pcapng record says is read back: time, lengths, source and what is missing") {
  const auto trace = make_trace({.kind = "mixed", .packets = 100});
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const std::uint64_t missing = i % 3 == 0 ? 0 : i << 33;
    const auto bytes = record_of(trace[i], static_cast<std::uint32_t>(i), missing);
    const auto record = PcapngRecords::record_of(bytes);
    REQUIRE(record);
    CHECK(record->bytes == bytes.size());
    CHECK(record->packet.time == trace[i].time);
    CHECK(record->packet.wirelen == trace[i].wirelen);
    CHECK(std::ranges::equal(record->packet.bytes, trace[i].bytes));
    CHECK(record->source == i);
    CHECK(record->missing == missing);
    CHECK_FALSE(PcapngRecords::record_of(std::span(bytes).first(bytes.size() - 1)));
  }
}

TEST_CASE("a pcapng record whose lengths cannot be is none") {
  const auto trace = make_trace({.kind = "60", .packets = 1});
  const auto good = record_of(trace[0], 0, 5);
  REQUIRE(PcapngRecords::record_of(good));
  const auto offset = GENERATE(0u, 4u, 20u);  // type, length, caplen
  const auto number = GENERATE(0u, 5u, 0xffffffffu);
  CAPTURE(offset, number);
  auto bytes = good;
  damage(bytes, offset, number);
  const bool shorter = offset == 20 && number < 60;  // leaves room for what could be options
  CHECK(PcapngRecords::record_of(bytes).has_value() == shorter);
  auto end = good;
  damage(end, good.size() - 4, 1);
  CHECK_FALSE(PcapngRecords::record_of(end));
}

TEST_CASE("who looks for records takes only those that a capture can have written") {
  const auto trace = make_trace({.kind = "60", .packets = 1});
  PcapngFront front;
  front.interfaces = 3;
  front.snaplen = max_snaplen;
  const RecordForm form(front);
  CHECK(form.at(record_of(trace[0], 2, 0)));
  CHECK(form.at(record_of(trace[0], 2, 9)));
  CHECK_FALSE(form.at(record_of(trace[0], 3, 0)));  // of no interface
  auto cut = record_of(trace[0], 0, 0);
  damage(cut, 20, 20);  // 40 bytes of what no capture writes
  CHECK_FALSE(form.at(cut));
}

TEST_CASE("what stands in front of a pcapng file and behind it is read back") {
  auto file = pcapng_section_header({.hardware = "a CPU", .os = "an OS", .application = "a test"});
  for (const auto* name : {"a", "b"}) {
    const auto block =
        pcapng_interface_block({.linktype = 1, .snaplen = 96, .name = name, .filter = "tcp", .comment = "c"});
    file.insert(file.end(), block.begin(), block.end());
  }
  const auto front_bytes = file.size();
  const SourceTally tally{100, {.nic_missed = 7, .nic_errors = 1, .nic_other = 2, .no_mbuf = 3, .drop_handoff = 4}, 5};
  const std::vector<SourceTally> tallies{{}, tally};
  const auto statistics = pcapng_statistics(tallies, Timestamp{1ull << 60}, Timestamp{(1ull << 60) + 5}, 12);
  file.insert(file.end(), statistics.begin(), statistics.end());

  const auto front = pcapng_front(file);
  REQUIRE(front);
  CHECK(front->bytes.size() == front_bytes);
  CHECK(front->interfaces == 2);
  CHECK(front->snaplen == 96);
  CHECK_FALSE(pcapng_front(std::span(file).first(front_bytes - 4)));

  const auto told = read_pcapng_statistics(statistics);
  REQUIRE(told);
  CHECK(told->interface == 1);
  CHECK(told->tally.packets == 100);
  CHECK(told->tally.missing == tally.missing);
  CHECK(told->tally.behind_last == 5);
  CHECK(told->received == 117);
  CHECK(told->filter_accepted == 104);
}

TEST_CASE(
    "a packet takes 16 bytes more in pcapng than in pcap, what pads it to four, and as many where some are missing") {
  for (std::size_t caplen = 0; caplen < 2000; ++caplen) {
    const auto more = PcapngRecords::bytes_of(caplen) - PcapRecords::bytes_of(caplen);
    REQUIRE(more == 16 + (4 - caplen % 4) % 4);
  }
  CHECK(16 * 100 / PcapRecords::bytes_of(std::size_t{60}) == 21);
  CHECK(16 * 100 / PcapRecords::bytes_of(std::size_t{780}) == 2);
  const RecordHead after_a_loss{Timestamp{1}, 60, 60, 0, 5};
  CHECK(PcapngRecords::bytes_of(after_a_loss) == PcapngRecords::bytes_of(std::size_t{60}) + 16);
}
