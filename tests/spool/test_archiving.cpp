// SPDX-License-Identifier: BSD-3-Clause
// Sealed files that move into an archive, and how they are found there.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "format/retention_files.hpp"
#include "keep/mover.hpp"
#include "record/archiving.hpp"
#include "spool/kept_capture.hpp"
#include "storage/read_file.hpp"
#include "support/faulty_calls.hpp"
#include "support/file_content.hpp"
#include "support/trace_compare.hpp"
#include "tools/extract.hpp"
#include "tools/keep.hpp"
#include "tools/ls.hpp"
#include "tools/make_index.hpp"
#include "tools/retain.hpp"
#include "tools/verify.hpp"
#include "wirespool/spool.hpp"

using namespace wirespool;
using namespace wirespool::test;
using keep::NotMoved;
namespace fs = std::filesystem;

namespace {

bool always() { return true; }

// A capture that has ended, and an archive.
struct Rig : KeptCapture {
  fs::path archive = temp / "archive";
  storage::Directory opened = *storage::Directory::open(directory.string());
  keep::Shelf shelf{opened, "t"};
  fs::path place;  // of its files in the archive

  Rig() {
    write_plan();
    fs::create_directory(archive);
    REQUIRE(keep::claim_archive(archive.string()));
    const auto where = keep::place_of(directory.string(), "t", start);
    place = archive / where.capture / where.drive;
  }

  keep::ShelfFile file(std::size_t i) {
    const auto files = shelf.look();
    REQUIRE(files);
    const auto found = std::ranges::find(*files, name(i), &keep::ShelfFile::name);
    REQUIRE(found != files->end());
    return *found;
  }
  std::expected<void, NotMoved> move(std::size_t i, std::function<bool()> go_on = always) {
    return keep::Mover(std::move(go_on)).move(shelf, file(i), archive.string());
  }
  Names in_place() const { return fs::exists(place) ? names_in(place) : Names{}; }
  Names moved(std::size_t i) const { return {name(i), format::index_file_name(name(i))}; }
  Trace read() const { return query({directory.string()}); }
  std::size_t problems() const { return tools::verify({directory.string()})->problem_count(); }
};

bool same(const Trace& a, const Trace& b) {
  if (compare_in_order(a, b) != "") return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].time != b[i].time) return false;
  return true;
}

NotMoved::Why why(const std::expected<void, NotMoved>& moved) {
  REQUIRE_FALSE(moved);
  return moved.error().why;
}

bool within(std::chrono::milliseconds time, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!done() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return done();
}

}  // namespace

TEST_CASE("a file moves into the archive byte for byte, with its index and its time, and nothing is left behind") {
  Rig rig;
  const auto index = format::index_file_name(rig.name(0));
  const auto pcap_before = file_content(rig.directory / rig.name(0)),
             index_before = file_content(rig.directory / index);
  const auto time = fs::last_write_time(rig.directory / rig.name(0));
  auto home = names_in(rig.directory);
  REQUIRE(rig.move(0));
  CHECK(rig.in_place() == rig.moved(0));
  CHECK(file_content(rig.place / rig.name(0)) == pcap_before);
  CHECK(file_content(rig.place / index) == index_before);
  CHECK(fs::last_write_time(rig.place / rig.name(0)) == time);
  home.erase(rig.name(0));
  home.erase(index);
  home.insert(format::archived_file_name("t", Rig::start));
  CHECK(names_in(rig.directory) == home);
  const auto archived = format::decode_archived(
      *storage::read_small_file((rig.directory / format::archived_file_name("t", Rig::start)).string(), 4096));
  REQUIRE(archived);
  CHECK(archived->directories == std::vector{rig.place.string()});
}

TEST_CASE("every command given the drive finds what was moved: the same packets, the same books, the same order") {
  Rig rig;
  const auto before = rig.read();
  REQUIRE(before.size() == rig.trace.size());
  for (const std::size_t i : {0, 1, 3}) REQUIRE(rig.move(i));
  CHECK(same(rig.read(), before));
  CHECK(rig.problems() == 0);

  const auto ls = tools::ls({.places = {rig.directory.string()}});
  REQUIRE(ls);
  REQUIRE(ls->captures.size() == 1);
  CHECK(ls->captures[0].files.size() == rig.paths.size());
  CHECK(ls->captures[0].uncounted == 0);  // their indices are good there
  CHECK(std::ranges::count_if(ls->captures[0].files, [](const auto& file) { return file.entry.archived; }) == 3);
  CHECK(ls->captures[0].directories == std::vector{rig.directory.string()});
  CHECK_THAT(render_table(*ls), Catch::Contains("archived"));

  const auto indices = tools::make_indices({.places = {rig.directory.string()}, .again = true});
  REQUIRE(indices);
  CHECK(indices->complete());
  CHECK(rig.in_place().size() == 6);
  CHECK(same(rig.read(), before));

  const auto retained = tools::retain({.directories = {rig.directory.string()}, .age_ns = 1, .dry_run = true});
  REQUIRE(retained);
  CHECK(retained->removed.size() == rig.paths.size() - 3);  // no archive is its business
}

TEST_CASE("a pin on an archived file is put beside it there, listed and released") {
  Rig rig;
  REQUIRE(rig.move(0));
  const auto dir = rig.directory.string();
  const auto pinned = tools::keep({.directories = {dir}, .from = Timestamp{0}, .to = rig.file(1).first});
  REQUIRE(pinned);
  INFO(render_table(*pinned));
  CHECK(pinned->complete());
  CHECK(fs::exists(rig.place / format::keep_file_name(rig.name(0))));
  const auto listed = tools::keep({.directories = {dir}, .list = true});
  REQUIRE(listed->files.size() == 1);
  CHECK(listed->files[0].path == (rig.place / rig.name(0)).string());
  CHECK(tools::keep({.directories = {dir}, .release = true})->files.size() == 1);
  CHECK(rig.in_place() == rig.moved(0));
}

TEST_CASE("a move that dies at any of its calls leaves every packet once, and the next one ends it") {
  const auto* const call = GENERATE("mkdirat", "openat", "pwrite", "fdatasync", "ftruncate", "renameat2", "futimens",
                                    "fsync", "renameat", "unlinkat");
  CAPTURE(call);
  unsigned deaths = 0;
  for (bool dies = true; dies; ++deaths) {
    CAPTURE(deaths);
    REQUIRE(deaths < 100);
    Rig rig;
    const auto before = rig.read();
    const auto bytes = file_content(rig.directory / rig.name(0));
    const auto file = rig.file(0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      fail_calls(std::string(call) + ":" + std::to_string(deaths) + ":1:-1");
      const auto moved = keep::Mover(always).move(rig.shelf, file, rig.archive.string());
      ::_exit(moved ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    dies = WEXITSTATUS(status) == died_in_a_call;
    CHECK((dies || WEXITSTATUS(status) == 0));
    CHECK(same(rig.read(), before));
    CHECK(rig.problems() == 0);
    if (rig.has(0)) REQUIRE(rig.move(0));
    CHECK_FALSE(rig.has(0));
    CHECK(file_content(rig.place / rig.name(0)) == bytes);
    for (const auto& name : rig.in_place()) CHECK_FALSE(name.starts_with('.'));
    CHECK(same(rig.read(), before));
    CHECK(rig.problems() == 0);
  }
  CHECK(deaths > 1);  // the last round ran through
}

TEST_CASE("a move of which any call fails leaves every packet once, and nothing hidden in the archive") {
  const auto* const call =
      GENERATE("mkdirat", "openat", "pwrite", "fdatasync", "ftruncate", "renameat2", "futimens", "fsync", "renameat");
  const auto code = GENERATE(ENOSPC, EIO);
  CAPTURE(call, code);
  unsigned failures = 0;
  for (bool failed = true; failed; ++failures) {
    CAPTURE(failures);
    REQUIRE(failures < 100);
    Rig rig;
    const auto before = rig.read();
    const auto file = rig.file(0);
    std::expected<void, NotMoved> moved;
    {
      const FailingCalls failing(std::string(call) + ":" + std::to_string(failures) + ":1:" + std::to_string(code));
      moved = keep::Mover(always).move(rig.shelf, file, rig.archive.string());
      failed = failed_calls() > 0;
    }
    CHECK(rig.has(0) == !moved);
    CHECK(same(rig.read(), before));
    CHECK(rig.problems() == 0);
    for (const auto& name : rig.in_place()) CHECK_FALSE(name.starts_with('.'));
  }
  CHECK(failures > 1);
}

TEST_CASE("what the archive gives back otherwise than it was written is not taken for the file") {
  Rig rig;
  const auto home = names_in(rig.directory);
  const auto hidden = rig.place / ("." + rig.name(0) + ".moving");
  const auto spoil = [&] {
    if (!fs::exists(hidden) || fs::file_size(hidden) != fs::file_size(rig.paths[0])) return true;
    std::fstream file(hidden, std::ios::in | std::ios::out | std::ios::binary);  // one bit, the same length
    file.seekg(1000);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(1000);
    file.put(byte);
    return true;
  };
  const auto moved = rig.move(0, spoil);
  CHECK(why(moved) == NotMoved::Why::archive);
  CHECK_THAT(moved.error().error.message(), Catch::Contains("not what was written"));
  CHECK(names_in(rig.directory) == home);
  CHECK(rig.in_place().empty());
}

TEST_CASE("a file that is pinned or removed while it is copied is not moved, and the copy goes") {
  Rig rig;
  const auto keep = rig.directory / format::keep_file_name(rig.name(0));
  CHECK(why(rig.move(0, [&] { return touch(keep), true; })) == NotMoved::Why::held);
  CHECK(rig.has(0));
  CHECK(fs::exists(keep));
  CHECK(rig.in_place().empty());
  CHECK(rig.problems() == 0);

  const auto gone = rig.move(1, [&] { return fs::remove(rig.paths[1]), true; });
  CHECK(why(gone) == NotMoved::Why::gone);
  CHECK(rig.in_place().empty());

  CHECK(why(rig.move(2, [] { return false; })) == NotMoved::Why::stopped);
  CHECK(rig.has(2));
  CHECK(rig.in_place().empty());
}

TEST_CASE("a file never goes over another one of its name in the archive") {
  Rig rig;
  REQUIRE(rig.move(0));
  touch(rig.place / rig.name(1));
  touch(rig.place / format::index_file_name(rig.name(1)));
  const auto moved = rig.move(1);
  CHECK(why(moved) == NotMoved::Why::taken);
  CHECK(rig.has(1));
  CHECK(file_content(rig.place / rig.name(1)).size() == 1);
  CHECK(file_content(rig.place / format::index_file_name(rig.name(1))).size() == 1);
}

TEST_CASE("an archive that is not there is told of once by each command, and what is read without it is not whole") {
  Rig rig;
  REQUIRE(rig.move(0));
  REQUIRE(rig.move(1));
  const auto dir = rig.directory.string();
  fs::rename(rig.archive, rig.temp / "elsewhere");
  fs::create_directory(rig.archive);  // a mount point
  CHECK(why(rig.move(2)) == NotMoved::Why::archive);
  CHECK(rig.has(2));
  CHECK(fs::is_empty(rig.archive));
  const auto verified = tools::verify({dir});
  REQUIRE(verified);
  CHECK_THAT(render_table(*verified), Catch::Contains(rig.place.string()) && Catch::Contains("mount the archive"));
  CHECK(verified->problem_count() == 2);  // that, and packets that are missing
  tools::ExtractOptions options;
  options.places = {dir};
  options.outputs = {(rig.temp / "out.pcap").string()};
  const auto extracted = tools::extract(options);
  REQUIRE(extracted);
  REQUIRE(extracted->problems.size() == 1);
  CHECK(extracted->problems[0].what == rig.place.string());
  CHECK(extracted->packets < rig.trace.size());
  const auto ls = tools::ls({.places = {dir}});
  CHECK(std::ranges::count_if(ls->notices,
                              [](const auto& line) { return line.find("mount the archive") != line.npos; }) == 1);
  CHECK_FALSE(tools::make_indices({.places = {dir}})->complete());
  CHECK_FALSE(tools::keep({.directories = {dir}, .list = true})->complete());
  fs::remove(rig.archive);
  fs::rename(rig.temp / "elsewhere", rig.archive);
  CHECK(rig.read().size() == rig.trace.size());
  CHECK(rig.problems() == 0);
}

TEST_CASE("a Spool that looks again calls a file that was moved neither new nor gone") {
  Rig rig;
  auto spool = Spool::open({rig.directory.string()});
  REQUIRE(spool);
  REQUIRE(rig.move(0));
  const auto changes = spool->refresh();
  REQUIRE(changes);
  CHECK(changes->added.empty());
  CHECK(changes->removed.empty());
  CHECK(spool->files().front().archived);
  CHECK(spool->files().front().directory == rig.directory.string());
}

TEST_CASE("a query that began before files moved reads them where they are by then") {
  Rig rig;
  const auto before = rig.read();
  const auto spool = Spool::open({rig.directory.string()});
  REQUIRE(spool);
  Merge merge(*spool, Query{});
  for (std::size_t i = 0; i < rig.paths.size(); ++i) REQUIRE(rig.move(i));
  CHECK(same(read_all(merge), before));
  CHECK(merge.problems().empty());
}

TEST_CASE("an archived.json that names a directory of another sort leads nowhere") {
  Rig rig;
  const auto elsewhere = rig.temp / "private";
  fs::create_directory(elsewhere);
  fs::copy(rig.paths[0], elsewhere / format::format_file_name({"t", Timestamp{Rig::start.ns + 7}, 9, 9}));
  for (const auto& place : {elsewhere.string(), std::string("private")}) {
    const auto text = format::encode_archived({.directories = {place}});
    write_bytes(rig.directory / format::archived_file_name("t", Rig::start), std::as_bytes(std::span(text)));
    const auto spool = Spool::open({rig.directory.string()});
    REQUIRE(spool);
    CHECK(spool->problems().size() == 1);
    CHECK(spool->files().size() == rig.paths.size());
  }
}

TEST_CASE("a capture of which all files are in the archive keeps its ledger and capture.json") {
  Rig rig;
  for (std::size_t i = 0; i + 1 < rig.paths.size(); ++i) REQUIRE(rig.move(i));
  const Timestamp later{Rig::start.ns + 3600 * Rig::second};
  const auto json = capture_json({.drives = 1}, "null");
  write_bytes(rig.directory / format::capture_file_name("t", later), std::as_bytes(std::span(json)));
  const auto retained = tools::retain({.directories = {rig.directory.string()}, .age_ns = 1});
  REQUIRE(retained);
  CHECK(retained->removed.size() == 1);
  CHECK(fs::exists(rig.directory / format::capture_file_name("t", Rig::start)));
  CHECK(fs::exists(rig.directory / format::ledger_file_name("t", Rig::start)));
  CHECK(rig.problems() == 0);
}

TEST_CASE("files move while the drives are calm and never otherwise, the oldest first, but for pinned ones") {
  Rig rig;
  touch(rig.directory / format::keep_file_name(rig.name(2)));
  std::atomic<std::uint64_t> waits{0};
  std::atomic<bool> busy{true};
  record::Archiving archiving(
      {.stem = "t", .archives = {rig.archive.string()}, .quiet = std::chrono::milliseconds(500)}, {&rig.opened});
  REQUIRE(archiving.claim());
  archiving.start([&] { return std::vector{policy::DriveLook{.waits = busy ? ++waits : waits.load()}}; });
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  CHECK(archiving.counts()[0].files == 0);
  CHECK(rig.in_place().empty());
  busy = false;
  const auto all = rig.paths.size() - 1;
  CHECK(within(std::chrono::seconds(20), [&] { return archiving.counts()[0].files == all; }));
  archiving.ask_to_stop();
  CHECK(archiving.wait_for_end(std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  const auto counts = archiving.counts()[0];
  CHECK(counts.state == "ok");
  CHECK(archiving.take_complaints().empty());
  CHECK(rig.has(2));
  CHECK(counts.packets + rig.file(2).packets == rig.trace.size());
  CHECK(rig.read().size() == rig.trace.size());
  CHECK(rig.problems() == 0);
}

TEST_CASE("an archive that goes away is told of in one line, and takes files again when it is back") {
  Rig rig;
  CHECK(record::ArchivingOptions{}.again_after == std::chrono::seconds(30));  // a capture's; here it is shorter
  const auto away = rig.temp / "away";
  fs::rename(rig.archive, away);
  record::Archiving archiving({.stem = "t",
                               .archives = {rig.archive.string()},
                               .quiet = std::chrono::milliseconds(1),
                               .again_after = std::chrono::milliseconds(100)},
                              {&rig.opened});
  archiving.start([] { return std::vector<policy::DriveLook>(1); });
  CHECK(within(std::chrono::seconds(20), [&] { return archiving.counts()[0].state == "failed"; }));
  std::this_thread::sleep_for(std::chrono::seconds(1));  // looked at several times more
  const auto told = archiving.take_complaints();
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], Catch::Contains("sealed files stay on the drives"));
  CHECK(rig.has(0));
  fs::rename(away, rig.archive);
  CHECK(within(std::chrono::seconds(20), [&] { return archiving.counts()[0].files == rig.paths.size(); }));
  CHECK(archiving.counts()[0].state == "ok");
  CHECK_THAT(archiving.take_complaints().at(0), Catch::Contains("takes files again"));
  CHECK(rig.problems() == 0);
}
