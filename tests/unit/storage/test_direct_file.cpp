// SPDX-License-Identifier: BSD-3-Clause
#include "storage/direct_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"
#include "support/file_content.hpp"
#include "support/open_files.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using Catch::Contains;
using wirespool::test::AlignedBuffer;
using wirespool::test::file_content;
using wirespool::test::open_files;
using wirespool::test::TempDir;
namespace fs = std::filesystem;

namespace {

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

DirectFile create(const Directory& directory, const std::string& name) {
  auto file = DirectFile::create(directory, name, DirectFile::Mode::direct);
  REQUIRE(file);
  return std::move(*file);
}

Directory opened(const TempDir& dir) {
  auto directory = Directory::open(dir.str());
  REQUIRE(directory);
  return std::move(*directory);
}

}  // namespace

TEST_CASE("a file is hidden until it is sealed, and then as long as it was sealed") {
  const TempDir dir;
  const Directory directory = opened(dir);
  DirectFile file = create(directory, ".a.pcap.open");
  REQUIRE(file.preallocate(0, 1 << 20));
  CHECK(fs::file_size(dir / ".a.pcap.open") == 1 << 20);
  const AlignedBuffer block(8192, 1);
  REQUIRE(::pwrite(file.fd(), block.data(), block.size(), 0) == 8192);
  CHECK(names_in(dir.path()) == std::set<std::string>{".a.pcap.open"});

  REQUIRE(file.seal(5000, "a.pcap"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"a.pcap"});
  CHECK(file_content(dir / "a.pcap") == std::string(reinterpret_cast<const char*>(block.data()), 5000));
}

TEST_CASE("sealing never replaces a file, and can be done again under another name") {
  const TempDir dir;
  const Directory directory = opened(dir);
  std::ofstream(dir / "a.pcap") << "older";
  DirectFile file = create(directory, ".a.pcap.open");

  const auto sealed = file.seal(0, "a.pcap");
  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().code == EEXIST);
  CHECK(sealed.error().message() == "sealing " + dir.str() + "/.a.pcap.open: renameat2 to a.pcap: File exists");
  CHECK(file_content(dir / "a.pcap") == "older");
  REQUIRE(file.seal(0, "b.pcap"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"a.pcap", "b.pcap"});
}

TEST_CASE("a hidden file that is there already is not opened") {
  const TempDir dir;
  const Directory directory = opened(dir);
  std::ofstream(dir / ".a.open") << "left by a crash";
  const auto file = DirectFile::create(directory, ".a.open", DirectFile::Mode::direct);
  REQUIRE_FALSE(file);
  CHECK(file.error().code == EEXIST);
  CHECK_THAT(file.error().what, Contains(dir.str() + "/.a.open") && Contains("open"));
  CHECK(file_content(dir / ".a.open") == "left by a crash");
}

TEST_CASE("an open file is locked, a file left by a crash is not") {
  const TempDir dir;
  const Directory directory = opened(dir);
  const FileDescriptor other = [&] {
    const DirectFile file = create(directory, ".a.open");
    FileDescriptor fd(::open((dir / ".a.open").c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(::flock(fd.get(), LOCK_EX | LOCK_NB) == -1);
    return fd;
  }();
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  CHECK(names_in(dir.path()) == std::set<std::string>{".a.open"});
}

TEST_CASE("direct files take no unaligned write, buffered ones do") {
  const TempDir dir;
  const Directory directory = opened(dir);
  const AlignedBuffer block(4096);
  const DirectFile direct = create(directory, ".direct");
  const auto buffered = DirectFile::create(directory, ".buffered", DirectFile::Mode::buffered);
  REQUIRE(buffered);
  CHECK(::pwrite(direct.fd(), block.data(), 100, 0) == -1);
  CHECK(::pwrite(buffered->fd(), block.data(), 100, 0) == 100);
}

TEST_CASE("a discarded file leaves no name") {
  const TempDir dir;
  const Directory directory = opened(dir);
  REQUIRE(create(directory, ".a.open").discard());
  CHECK(names_in(dir.path()).empty());
}

TEST_CASE("captured traffic is not readable by everybody") {
  const TempDir dir;
  const Directory directory = opened(dir);
  REQUIRE(create(directory, ".a.open").seal(0, "a.pcap"));
  CHECK((fs::status(dir / "a.pcap").permissions() & fs::perms::others_all) == fs::perms::none);
}

TEST_CASE("a file outlives a move of its directory object") {
  const TempDir dir;
  Directory first = opened(dir);
  DirectFile file = create(first, ".a.open");
  const Directory second = std::move(first);
  REQUIRE(file.seal(0, "a.pcap"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"a.pcap"});
}

TEST_CASE("a preallocation beyond the drive is refused and says so") {
  const TempDir dir;
  const Directory directory = opened(dir);
  DirectFile file = create(directory, ".a.open");
  const auto allocated = file.preallocate(0, std::uint64_t{1} << 50);
  REQUIRE_FALSE(allocated);
  CHECK((allocated.error().code == ENOSPC || allocated.error().code == EFBIG));
  CHECK_THAT(allocated.error().what, Contains("allocating " + dir.str() + "/.a.open: fallocate"));
}

TEST_CASE("a directory that is not there, or is a file, does not open") {
  const TempDir dir;
  std::ofstream(dir / "file") << "x";
  CHECK(Directory::open(dir / "nothing").error().code == ENOENT);
  CHECK(Directory::open(dir / "file").error().code == ENOTDIR);
}

TEST_CASE("a small file is replaced whole and leaves no temporary name") {
  const TempDir dir;
  const Directory directory = opened(dir);
  std::ofstream(dir / ".plan.json.tmp") << "left by a crash";
  REQUIRE(write_small_file(directory, "plan.json", bytes_of("first")));
  REQUIRE(write_small_file(directory, "plan.json", bytes_of("second, longer")));
  CHECK(file_content(dir / "plan.json") == "second, longer");
  CHECK(names_in(dir.path()) == std::set<std::string>{"plan.json"});
}

TEST_CASE("a small file that cannot be put in place leaves the old one and no temporary name") {
  const TempDir dir;
  const Directory directory = opened(dir);
  fs::create_directory(dir / "plan.json");
  const auto written = write_small_file(directory, "plan.json", bytes_of("text"));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == EISDIR);
  CHECK_THAT(written.error().what, Contains("plan.json: renameat"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"plan.json"});
}

TEST_CASE("a line log grows by whole lines and starts only once") {
  const TempDir dir;
  const Directory directory = opened(dir);
  auto log = LineLog::create(directory, "ledger.jsonl");
  REQUIRE(log);
  REQUIRE(log->append("{\"a\":1}"));
  REQUIRE(log->append(""));
  REQUIRE(log->append("{\"a\":2}"));
  REQUIRE(log->sync());
  CHECK(file_content(dir / "ledger.jsonl") == "{\"a\":1}\n\n{\"a\":2}\n");
  CHECK(LineLog::create(directory, "ledger.jsonl").error().code == EEXIST);
}

TEST_CASE("a line log that is resumed has its whole lines and goes on after them") {
  const TempDir dir;
  const Directory directory = opened(dir);
  const auto resumed = [&](const std::string& before) {
    std::ofstream(dir / "log", std::ios::trunc) << before;
    auto log = LineLog::resume(directory, "log");
    REQUIRE(log);
    const auto bytes = log->bytes();
    REQUIRE(log->append("next"));
    const auto now = file_content(dir / "log");
    CHECK(now.size() == bytes + 5);
    return now;
  };
  CHECK(resumed("") == "next\n");
  CHECK(resumed("a\nb\n") == "a\nb\nnext\n");
  CHECK(resumed("a\nb") == "a\nnext\n");
  CHECK(resumed("torn") == "next\n");
  CHECK(resumed("a\n" + std::string(10'000, 'x')) == "a\nnext\n");
  CHECK(resumed(std::string(4095, 'x') + "\n" + std::string(4096, 'x')) == std::string(4095, 'x') + "\nnext\n");
  std::filesystem::remove(dir / "log");
  REQUIRE(LineLog::resume(directory, "log"));
  CHECK(file_content(dir / "log").empty());
  std::filesystem::create_hard_link(dir / "log", dir / "other");
  CHECK(LineLog::resume(directory, "log").error().code == EMLINK);
}

TEST_CASE("moving, failing, sealing and discarding leave no descriptor open") {
  const TempDir dir;
  const std::size_t before = open_files();
  {
    Directory directory = opened(dir);
    DirectFile file = create(directory, ".a.open");
    file = create(directory, ".b.open");
    DirectFile moved = std::move(file);
    REQUIRE(moved.seal(0, "b.pcap"));
    CHECK_FALSE(DirectFile::create(directory, "b.pcap", DirectFile::Mode::direct));
    DirectFile again = create(directory, ".c.open");
    CHECK_FALSE(again.seal(0, "b.pcap"));
    REQUIRE(again.discard());
    CHECK(LineLog::create(directory, "log"));
    CHECK_FALSE(LineLog::create(directory, "log"));
    directory = opened(dir);
  }
  CHECK(open_files() == before);
}
