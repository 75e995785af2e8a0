// SPDX-License-Identifier: BSD-3-Clause
// What stays of what was captured, in real directories.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "format/file_name.hpp"
#include "format/retention_files.hpp"
#include "keep/removals.hpp"
#include "keep/retainer.hpp"
#include "record/retention.hpp"
#include "spool/kept_capture.hpp"
#include "storage/directory.hpp"
#include "storage/small_file.hpp"
#include "support/catch.hpp"
#include "tools/keep.hpp"
#include "tools/ls.hpp"
#include "tools/retain.hpp"
#include "tools/verify.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr Timestamp start = KeptCapture::start;
constexpr std::uint64_t second = KeptCapture::second;

std::uint64_t room_of(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

struct Rig : KeptCapture {
  using KeptCapture::KeptCapture;

  // Keeps the newest `files` of them.
  tools::RetainReport keep_newest(std::size_t files, bool dry_run = false) const {
    const auto listing = tools::retain({.directories = {directory.string()}, .size = UINT64_MAX / 2});
    REQUIRE(listing);
    const auto dir = *storage::Directory::open(directory.string());
    keep::Shelf shelf(dir, "");
    const auto shelved = shelf.look();
    REQUIRE(shelved);
    std::vector<keep::ShelfFile> may_go;
    for (const auto& file : *shelved)
      if (file.hold == keep::Hold::none) may_go.push_back(file);
    std::ranges::sort(may_go, std::ranges::greater{}, &keep::ShelfFile::last);
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < std::min(files, may_go.size()); ++i) size += may_go[i].room_bytes;
    const auto report = tools::retain({.directories = {directory.string()}, .size = size, .dry_run = dry_run});
    REQUIRE(report);
    return *report;
  }
};

}  // namespace

TEST_CASE("retain takes the oldest files of a directory with what stands beside them, and nothing else") {
  Rig rig;
  touch(rig.directory / format::cut_file_name(rig.name(0)));
  touch(rig.directory / "notes.txt");
  const auto before = names_in(rig.directory);
  const auto report = rig.keep_newest(rig.paths.size() - 2);
  INFO(render_table(report));
  CHECK(report.complete());
  CHECK(report.removed.size() == 2);
  auto expected = before;
  for (std::size_t i = 0; i < 2; ++i) {
    expected.erase(rig.name(i));
    expected.erase(format::index_file_name(rig.name(i)));
  }
  expected.erase(format::cut_file_name(rig.name(0)));
  CHECK(names_in(rig.directory) == expected);
  CHECK(nlohmann::json::parse(render_json(report)).at("removed").size() == 2);
}

TEST_CASE("retain tells with --dry-run what would go, and changes nothing") {
  Rig rig;
  const auto before = names_in(rig.directory);
  const auto told = rig.keep_newest(2, true);
  CHECK(told.removed.size() == rig.paths.size() - 2);
  CHECK(names_in(rig.directory) == before);
  CHECK(rig.keep_newest(2).removed.size() == told.removed.size());
  CHECK_FALSE(rig.has(0));
}

TEST_CASE("retain leaves alone what only looks like a file of a capture") {
  Rig rig;
  const auto foreign = rig.temp / "foreign";
  fs::create_directory(foreign);
  touch(foreign / "precious");
  const auto planted = [&](unsigned sequence) {
    return rig.directory / format::format_file_name({"t", Timestamp{start.ns}, 0, sequence});
  };
  fs::create_symlink(foreign / "precious", planted(900'000));
  fs::create_directory(planted(900'001));
  touch(planted(900'001) / "inside");
  touch(planted(900'002));  // no index: nobody knows how old it is
  touch(foreign / "dear");
  fs::create_hard_link(foreign / "dear", planted(900'003));
  fs::create_symlink(foreign, planted(900'004));
  const auto hidden = rig.directory / format::hidden_file_name({"t", start, 0, 7});
  touch(hidden);
  fs::create_symlink(foreign / "precious", rig.directory / format::cut_file_name(rig.name(0)));
  fs::create_hard_link(rig.paths[1], foreign / "kept-elsewhere.pcap");
  touch(rig.directory / format::pending_file_name(rig.name(2)));

  const auto report = rig.keep_newest(0);
  INFO(render_table(report));
  for (unsigned i = 900'000; i <= 900'004; ++i) CHECK(fs::exists(fs::symlink_status(planted(i))));
  CHECK(fs::exists(planted(900'001) / "inside"));
  CHECK(fs::exists(foreign / "precious"));
  CHECK(fs::exists(hidden));
  CHECK(fs::is_symlink(rig.directory / format::cut_file_name(rig.name(0))));
  CHECK_FALSE(rig.has(0));
  CHECK(rig.has(1));
  CHECK(rig.has(2));
  for (std::size_t i = 3; i < rig.paths.size(); ++i) CHECK_FALSE(rig.has(i));
  const auto held = [&report](keep::Hold hold) { return report.held_files[static_cast<std::size_t>(hold)]; };
  CHECK(held(keep::Hold::age_unknown) == 1);
  CHECK(held(keep::Hold::other_names) == 2);
  CHECK(held(keep::Hold::on_seal) == 1);
}

TEST_CASE("how old a file is its packets say, whatever its times are") {
  Rig rig;
  for (const auto& path : rig.paths) {  // as a copy that keeps no times of its own has them; its index still is its own
    const auto modified = fs::last_write_time(path);
    fs::permissions(path, fs::perms::owner_read);
    REQUIRE(fs::last_write_time(path) == modified);
  }
  const auto age = time_now().ns - start.ns;
  const auto nothing = tools::retain({.directories = {rig.directory.string()}, .age_ns = age + 3600 * second});
  REQUIRE(nothing);
  CHECK(nothing->removed.empty());
  const auto all = tools::retain({.directories = {rig.directory.string()}, .age_ns = second});
  REQUIRE(all);
  CHECK(all->removed.size() == rig.paths.size());
}

TEST_CASE("a file that was changed in place has no index of its own any more, and stays") {
  Rig rig;
  std::ofstream(rig.paths[0], std::ios::app) << "more";
  const auto report = rig.keep_newest(0);
  CHECK(rig.has(0));
  CHECK(report.held_files[static_cast<std::size_t>(keep::Hold::age_unknown)] == 1);
  CHECK_THAT(render_table(report), Catch::Contains("unknown age"));
}

TEST_CASE("a directory that is named twice is looked after once, and one that is none is told of") {
  Rig rig;
  const auto twice = tools::retain(
      {.directories = {rig.directory.string(), rig.directory.string() + "/."}, .age_ns = second, .dry_run = true});
  REQUIRE(twice);
  CHECK(twice->removed.size() == rig.paths.size());
  CHECK_FALSE(tools::retain({.directories = {rig.directory.string()}}));
  CHECK_FALSE(tools::retain({.directories = {rig.paths[0]}, .age_ns = second}));
}

TEST_CASE("a pinned file stays until it is released, whatever pins it") {
  Rig rig;
  const auto dir = rig.directory.string();
  const auto spool = Spool::open({dir});
  REQUIRE(spool);
  const auto& second_file = spool->files().at(1);
  const auto pinned = tools::keep({.directories = {dir},
                                   .from = second_file.first,
                                   .to = Timestamp{second_file.first.ns + 1},
                                   .reason = "ticket 4711"});
  REQUIRE(pinned);
  INFO(render_table(*pinned));
  CHECK(pinned->complete());
  std::set<std::string> by_keep;
  for (const auto& file : pinned->files) by_keep.insert(file.path);
  CHECK(by_keep.contains(second_file.path));
  CHECK(by_keep.size() <= 2);  // a time that is both one's last packet and the next one's first
  touch(rig.directory / format::keep_file_name(rig.name(4)));  // by somebody else
  fs::create_symlink("nowhere", rig.directory / format::keep_file_name(rig.name(5)));

  const auto list = tools::keep({.directories = {dir}, .list = true});
  REQUIRE(list);
  CHECK(list->files.size() == by_keep.size() + 2);
  CHECK_THAT(render_table(*list), Catch::Contains("ticket 4711"));
  const auto listed = tools::ls({.places = {dir}});
  REQUIRE(listed);
  CHECK_THAT(render_table(*listed), Catch::Contains("pinned"));
  const auto json = nlohmann::json::parse(render_json(*listed));
  std::size_t in_json = 0;
  for (const auto& capture : json.at("captures"))
    for (const auto& file : capture.at("files")) in_json += file.at("pinned").get<bool>();
  CHECK(in_json == by_keep.size() + 2);

  rig.keep_newest(0);
  for (const auto& path : by_keep) CHECK(fs::exists(path));
  CHECK(rig.has(4));
  CHECK(rig.has(5));
  CHECK_FALSE(rig.has(0));

  const auto released = tools::keep({.directories = {dir}, .release = true});
  REQUIRE(released);
  CHECK_FALSE(released->complete());  // the link is nobody's pin, and is left to who made it
  rig.keep_newest(0);
  CHECK(rig.has(5));
  CHECK_FALSE(rig.has(4));
  for (const auto& path : by_keep) CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a pin says who made it, when, why and for what") {
  Rig rig;
  const auto from = Timestamp{start.ns}, to = Timestamp{start.ns + 3600 * second};
  REQUIRE(tools::keep({.directories = {rig.directory.string()},
                       .from = from,
                       .to = to,
                       .filter = "ip or ip6 or arp",
                       .reason = "r\xff"}));
  const auto bytes = read_bytes(rig.directory / format::keep_file_name(rig.name(0)));
  const auto pin = format::decode_pin({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  REQUIRE(pin);
  CHECK(pin->from == from);
  CHECK(pin->to == to);
  CHECK(pin->filter == "ip or ip6 or arp");
  CHECK_THAT(pin->who, Catch::Contains("@"));
  CHECK(pin->when > from);
  CHECK(*format::decode_pin(format::encode_pin(*pin)) == *pin);
}

TEST_CASE("a keep without any limit, or with contrary ones, is refused") {
  Rig rig;
  const std::vector<std::string> dir{rig.directory.string()};
  CHECK_FALSE(tools::keep({.directories = dir}));
  CHECK_FALSE(tools::keep({.directories = dir, .list = true, .release = true}));
  CHECK_FALSE(tools::keep({.directories = dir, .from = start, .to = start}));
  CHECK_FALSE(tools::keep({.directories = dir, .from = start, .filter = "no such word"}));
  CHECK(names_in(rig.directory).size() == 2 * rig.paths.size());
}

TEST_CASE("of a pin and a removal at the same moment one comes first, and the other one knows") {
  for (int round = 0; round < 20; ++round) {
    Rig rig(Layout::Index::time, 800);
    const auto dir = rig.directory.string();
    std::optional<tools::KeepReport> pins;
    std::thread pinner([&] {
      if (auto done = tools::keep({.directories = {dir}, .from = start})) pins = std::move(*done);
    });
    if (round % 2 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(round / 2));
    const auto removed = tools::retain({.directories = {dir}, .age_ns = second});
    pinner.join();
    REQUIRE(removed);
    REQUIRE(pins);
    std::set<std::string> gone;
    for (const auto& file : removed->removed) gone.insert(file.path);
    for (const auto& file : pins->files) {
      const bool pinned = file.outcome == tools::PinnedFile::Outcome::pinned;
      CHECK(pinned == fs::exists(file.path));
      CHECK(pinned != gone.contains(file.path));
    }
    for (const auto& name : names_in(rig.directory))
      if (name.ends_with(".keep")) CHECK(fs::exists(rig.directory / name.substr(0, name.size() - 5)));
  }
}

TEST_CASE("a capture of which retention removed files still counts up, and a missing one is still missed") {
  Rig rig;
  rig.write_plan();
  rig.keep_newest(3);
  auto report = tools::verify({rig.directory.string()});
  REQUIRE(report);
  INFO(render_table(*report));
  CHECK(report->problem_count() == 0);
  CHECK_THAT(render_table(*report), Catch::Contains("retention removed"));
  fs::remove(rig.paths.back());
  report = tools::verify({rig.directory.string()});
  REQUIRE(report);
  CHECK(report->problem_count() == 1);
}

TEST_CASE("the ledger and the plan of a capture go with its last file, unless it is the newest or left an open one") {
  Rig rig;
  rig.write_plan();
  const auto ledger = rig.directory / format::ledger_file_name("t", start);
  rig.keep_newest(0);
  CHECK(fs::exists(ledger));  // the newest of its name

  Rig later;
  later.write_plan();
  const Timestamp next{start.ns + 3600 * second};
  const auto json = capture_json({.drives = 1}, "null");
  write_bytes(later.directory / format::capture_file_name("t", next), std::as_bytes(std::span(json)));
  const auto open = later.directory / format::hidden_file_name({"t", start, 0, 7});
  touch(open);
  later.keep_newest(1);
  CHECK(fs::exists(later.directory / format::ledger_file_name("t", start)));
  later.keep_newest(0);
  CHECK(fs::exists(later.directory / format::ledger_file_name("t", start)));  // for `repair`
  fs::remove(open);
  Layout layout;
  layout.directories = {later.directory};
  layout.stem = "u";
  lay_out(later.trace, layout);
  CHECK(later.keep_newest(0).removed.size() > 1);
  const auto left = names_in(later.directory);
  CHECK(left == Names{format::capture_file_name("t", next)});
}

namespace {

// Notes what it is told, on whichever thread.
struct NotingListener final : record::SealListener {
  void sealing(const storage::Directory&, const std::string&) noexcept override {}
  void sealed(const storage::Directory&, const std::string&, const record::SealedFile&) override {}
  void removed(const storage::Directory& directory, const std::string& pcap) override {
    gone.insert(pcap);
    there |= fs::exists(directory.path_of(pcap));
  }
  std::set<std::string> gone;
  bool there = false;
};

template <typename Met>
bool within(std::chrono::seconds time, Met met) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!met() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return met();
}

}  // namespace

TEST_CASE(
    "a running capture's retention removes by itself what is too much, tells of it, and looks once more at the end") {
  Rig rig;
  const auto directory = *storage::Directory::open(rig.directory.string());
  const auto size = room_of(rig.directory) / 2;
  NotingListener told;
  record::Retention retention({.limits = {.size_bytes = size}, .stem = "t", .capture_start = start}, {&directory});
  const auto soon = [] { return std::chrono::steady_clock::now() + std::chrono::seconds(20); };
  retention.start({&told});
  retention.wait_for_first_look(soon());
  CHECK(within(std::chrono::seconds(20), [&] { return room_of(rig.directory) <= size; }));
  CHECK_FALSE(rig.has(0));
  CHECK(rig.has(rig.paths.size() - 1));

  // A file that is sealed without an index, which could not be written: the capture knows how old it is.
  const std::string name = format::format_file_name({"t", Timestamp{start.ns}, 0, 900'000});
  write_bytes(rig.directory / name, std::vector<std::byte>(size));
  retention.sealed(directory, name, {{start.ns}, {start.ns}, {10, 100}, size});
  CHECK(within(std::chrono::seconds(20), [&] { return !fs::exists(rig.directory / name); }));
  retention.ask_to_stop();
  CHECK(retention.wait_for_end(soon()));
  CHECK(told.gone.contains(rig.name(0)));
  CHECK(told.gone.contains(name));
  CHECK_FALSE(told.there);
  CHECK(retention.counts(0).files == told.gone.size());
  CHECK(retention.take_complaints().empty());
}

TEST_CASE("a running capture's retention leaves files of other names alone") {
  Rig rig;
  const auto directory = *storage::Directory::open(rig.directory.string());
  record::Retention retention({.limits = {.age_ns = second}, .stem = "other", .capture_start = start}, {&directory});
  retention.start({});
  retention.ask_to_stop();
  CHECK(retention.wait_for_end(std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  for (std::size_t i = 0; i < rig.paths.size(); ++i) CHECK(rig.has(i));
}
