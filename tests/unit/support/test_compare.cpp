// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/spool_files.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

const Trace& sent() {
  static const Trace trace = make_trace({.kind = "imix", .packets = 100});
  return trace;
}

Trace pick(const std::vector<std::size_t>& indices) {
  Trace trace;
  for (const auto index : indices) trace.append(sent()[index]);
  return trace;
}

std::vector<std::size_t> all_indices() {
  std::vector<std::size_t> indices(sent().size());
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  return indices;
}

std::filesystem::path make_directory(const std::filesystem::path& path) {
  std::filesystem::create_directory(path);
  return path;
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a missing packet is named") {
  auto indices = all_indices();
  indices.erase(indices.begin() + 40);
  CHECK(mentions(compare_in_order(sent(), pick(indices)), "packet 40:"));
  CHECK(mentions(compare_as_set(sent(), pick(indices)), "packet 40 of the trace is missing"));
  CHECK(compare_as_subsequence(sent(), pick(indices)) == "");
}

TEST_CASE("missing packets at the end are named") {
  CHECK(mentions(compare_in_order(sent(), pick({0, 1})),
                 "packet 2 and all after it are missing; 100 packets expected, 2 found"));
}

TEST_CASE("a doubled packet is named") {
  auto indices = all_indices();
  indices.insert(indices.begin() + 40, 39);
  CHECK(mentions(compare_in_order(sent(), pick(indices)), "out of order or doubled"));
  CHECK(
      mentions(compare_as_set(sent(), pick(indices)), "found packet 40 is not in the trace, or there once too often"));
  CHECK(mentions(compare_as_subsequence(sent(), pick(indices)),
                 "found packet 40 is packet 39 of the trace, out of order or doubled"));
}

TEST_CASE("two packets that changed places are named") {
  auto indices = all_indices();
  std::swap(indices[10], indices[11]);
  CHECK(mentions(compare_in_order(sent(), pick(indices)), "packet 10:"));
  CHECK(mentions(compare_as_subsequence(sent(), pick(indices)), "found packet 11 is packet 10 of the trace"));
  CHECK(compare_as_set(sent(), pick(indices)) == "");
}

TEST_CASE("a changed byte is named with its place") {
  Trace changed;
  for (std::size_t i = 0; i < sent().size(); ++i) {
    std::vector<std::byte> bytes(sent()[i].bytes.begin(), sent()[i].bytes.end());
    if (i == 5) bytes[50] ^= std::byte{1};
    changed.append(sent()[i].time, bytes, sent()[i].wirelen);
  }
  CHECK(mentions(compare_in_order(sent(), changed), "packet 5:"));
  CHECK(mentions(compare_in_order(sent(), changed), "byte 50: expected"));
  CHECK(mentions(compare_as_set(sent(), changed), "found packet 5 is not in the trace"));
  CHECK(mentions(compare_as_subsequence(sent(), changed), "found packet 5 is not in the trace"));
}

TEST_CASE("a wrong wirelen is named") {
  Trace changed;
  changed.append(sent()[0].time, sent()[0].bytes, sent()[0].wirelen + 4);
  CHECK(mentions(compare_in_order(pick({0}), changed), "wirelen"));
  CHECK(compare_as_set(pick({0}), changed) != "");
}

TEST_CASE("with a snaplen the first bytes and the whole wirelen are expected") {
  Trace cut;
  for (std::size_t i = 0; i < sent().size(); ++i)
    cut.append(sent()[i].time, sent()[i].bytes.first(50), sent()[i].wirelen);
  CHECK(compare_in_order(sent(), cut, 50) == "");
  CHECK(compare_as_set(sent(), cut, 50) == "");
  CHECK(compare_as_subsequence(sent(), cut, 50) == "");
  CHECK(compare_in_order(sent(), cut) != "");
}

TEST_CASE("packets that are the same are counted") {
  CHECK(compare_as_set(pick({1, 1, 2}), pick({1, 2, 1})) == "");
  CHECK(compare_as_set(pick({1, 1, 2}), pick({1, 2, 2})) != "");
}

TEST_CASE("a time that goes back is named") {
  CHECK(mentions(check_times(pick({0, 2, 1})), "packet 2 is"));
  CHECK(check_times(pick({0, 0, 1})) == "");
}

TEST_CASE("sealed files of several directories are merged by time") {
  const TempDir dir;
  const auto one = make_directory(dir / "one"), two = make_directory(dir / "two");
  write_pcap(pick({0, 3, 4}), one / "a-1.pcap");
  write_pcap(pick({1, 2, 5}), two / "a-0.pcap");
  write_pcap(pick({9}), one / ".a-2.pcap.open");
  CHECK(sealed_files({one, two}) == std::vector<std::filesystem::path>{two / "a-0.pcap", one / "a-1.pcap"});
  CHECK(hidden_files({one, two}) == std::vector<std::filesystem::path>{one / ".a-2.pcap.open"});
  CHECK(compare_in_order(pick({0, 1, 2, 3, 4, 5}), read_spool({one, two})) == "");
}
