// SPDX-License-Identifier: BSD-3-Clause
// Which files a Spool knows, and what refresh() finds.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "read/index_store.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/pcap_bytes.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

Trace trace_of(std::uint64_t packets, std::uint64_t first_number = 0) {
  TraceSpec spec;
  spec.packets = packets;
  spec.first_number = first_number;
  spec.start.ns += first_number * 1'000'000;
  return make_trace(spec);
}

// A directory into which a capture seals one file after the other.
class Fixture {
 public:
  TempDir directory;

  std::string seal(const Trace& trace, Layout::Index index = Layout::Index::time) {
    Layout layout;
    layout.directories = {directory.path()};
    layout.streams = 1;
    layout.block_bytes = 1 << 20;
    layout.blocks_per_file = 1000;
    layout.index = index;
    return lay_out(trace, layout).at(0);
  }

  Spool open() { return *Spool::open({directory.str()}); }
};

Trace packets_of(const std::vector<SpoolEntry>& files) {
  Merge merge(files);
  return read_all(merge);
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a file sealed since is found, alone, and can be read alone") {
  const auto old_packets = trace_of(100), new_packets = trace_of(100, 1000);
  seal(old_packets);
  auto spool = open();
  const auto path = seal(new_packets);
  REQUIRE(spool.files().size() == 1);
  const auto changes = spool.refresh();
  REQUIRE(changes);
  REQUIRE(changes->added.size() == 1);
  CHECK(changes->added[0].path == path);
  CHECK(changes->added[0].packets == 100);
  CHECK(changes->removed.empty());
  CHECK(spool.files().size() == 2);
  CHECK(compare_in_order(new_packets, packets_of(changes->added)) == "");
}

TEST_CASE_METHOD(Fixture, "where nothing happened, refresh finds nothing") {
  seal(trace_of(100));
  seal(trace_of(100, 1000), Layout::Index::none);
  auto spool = open();
  for (int round = 0; round < 3; ++round) {
    const auto changes = spool.refresh();
    REQUIRE(changes);
    CHECK(changes->added.empty());
    CHECK(changes->removed.empty());
    CHECK(spool.files().size() == 2);
  }
}

TEST_CASE_METHOD(Fixture, "a file that is gone is removed, and is gone once") {
  const auto path = seal(trace_of(100));
  seal(trace_of(100, 1000));
  auto spool = open();
  fs::remove(path);
  CHECK(spool.refresh()->removed == std::vector{path});
  CHECK(spool.files().size() == 1);
  CHECK(spool.refresh()->removed.empty());
}

TEST_CASE_METHOD(Fixture, "a file that was named and is gone is removed, and one that comes back is added") {
  const auto path = seal(trace_of(100));
  auto spool = *Spool::open({path});
  fs::rename(path, directory / "elsewhere");
  CHECK(spool.refresh()->removed == std::vector{path});
  CHECK(spool.files().empty());
  fs::rename(directory / "elsewhere", path);
  CHECK(spool.refresh()->added.size() == 1);
}

TEST_CASE_METHOD(Fixture, "after a directory is gone, refresh is an error and what was known stays") {
  seal(trace_of(100));
  auto spool = open();
  const auto aside = directory.str() + "-aside";
  fs::rename(directory.path(), aside);
  const auto changes = spool.refresh();
  fs::rename(aside, directory.path());
  REQUIRE_FALSE(changes);
  CHECK(changes.error().what == directory.str());
  CHECK(spool.files().size() == 1);
  CHECK(spool.refresh()->added.empty());
}

TEST_CASE_METHOD(Fixture, "of a directory that is gone for a while all stays known, if that is wanted, and is told") {
  seal(trace_of(100));
  auto spool = open();
  const auto elsewhere = directory.str() + "-away";
  fs::rename(directory.path(), elsewhere);
  const auto without = spool.refresh(Spool::Unlisted::kept);
  fs::rename(elsewhere, directory.path());
  REQUIRE(without);
  CHECK((without->added.empty() && without->removed.empty()));
  CHECK(spool.files().size() == 1);
  REQUIRE(spool.problems().size() == 1);
  CHECK(spool.problems().front().what == directory.str());
  const auto back = spool.refresh(Spool::Unlisted::kept);
  REQUIRE(back);
  CHECK((back->added.empty() && back->removed.empty()));
  CHECK(spool.problems().empty());
}

TEST_CASE_METHOD(Fixture, "what is known of a file that is the same is kept, its index not read again") {
  const auto path = seal(trace_of(100));
  auto spool = open();
  std::ofstream(read::index_path(path), std::ios::binary) << "no index any more";
  REQUIRE(spool.refresh());
  CHECK(spool.notices().empty());
  CHECK(spool.files()[0].packets == 100);
  const auto fresh = open();
  CHECK(fresh.notices().size() == 1);
}

TEST_CASE_METHOD(Fixture, "an index that was made since is used from then on, and its file is not new") {
  const auto path = seal(trace_of(100), Layout::Index::none);
  auto spool = open();
  CHECK(spool.files()[0].index == SpoolEntry::Index::none);
  make_index(path, format::IndexLevel::flow, 4096);
  CHECK(spool.refresh()->added.empty());
  CHECK(spool.files()[0].index == SpoolEntry::Index::flow);
  CHECK(spool.files()[0].packets == 100);
}

TEST_CASE_METHOD(Fixture, "a file with other content under its name is removed and added") {
  const auto path = seal(trace_of(100), Layout::Index::none);
  auto spool = open();
  const auto other = trace_of(50, 500);
  write_bytes(directory / "new", pcap_bytes(other));
  fs::rename(directory / "new", path);
  const auto changes = spool.refresh();
  REQUIRE(changes);
  CHECK(changes->removed == std::vector{path});
  REQUIRE(changes->added.size() == 1);
  CHECK(compare_in_order(other, packets_of(changes->added)) == "");
}

TEST_CASE_METHOD(Fixture, "a file that got another mode or name is the same file") {
  const auto path = seal(trace_of(100));
  auto spool = open();
  fs::permissions(path, fs::perms::owner_read);
  auto changes = spool.refresh();
  CHECK((changes->added.empty() && changes->removed.empty()));
  const auto renamed = path.substr(0, path.size() - std::string("000000.pcap").size()) + "000007.pcap";
  fs::rename(path, renamed);
  changes = spool.refresh();
  CHECK((changes->added.empty() && changes->removed.empty()));
  REQUIRE(spool.files().size() == 1);
  CHECK(spool.files()[0].path == renamed);
  CHECK(spool.files()[0].sequence == 7);
}

TEST_CASE_METHOD(Fixture, "a merge made before refresh reads what it was made of, and says what was removed under it") {
  const auto kept = trace_of(100), gone = trace_of(100, 1000);
  seal(kept);
  const auto path = seal(gone);
  auto spool = open();
  Merge merge(spool);
  fs::remove(path);
  seal(trace_of(100, 2000));
  REQUIRE(spool.refresh());
  CHECK(compare_in_order(kept, read_all(merge)) == "");
  REQUIRE(merge.problems().size() == 1);
  CHECK(merge.problems()[0].message().find(path) != std::string::npos);
  CHECK_FALSE(merge.outcome());
}
