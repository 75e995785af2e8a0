// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <span>

#include "storage/direct_file.hpp"
#include "storage/directory_lock.hpp"
#include "storage/extents.hpp"
#include "storage/output_file.hpp"
#include "storage/prefetcher.hpp"
#include "storage/read_file.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using wirespool::test::TempDir;

namespace {

std::vector<std::byte> some_bytes(std::size_t count, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

void put(const std::string& path, const std::vector<std::byte>& bytes) {
  auto output = OutputFile::create(path, {});
  REQUIRE(output);
  REQUIRE(output->write(bytes));
  REQUIRE(output->close());
}

std::vector<std::byte> prefetched(const std::string& path, PrefetchOptions options, std::size_t keep) {
  auto prefetcher = Prefetcher::start(path, options);
  REQUIRE(prefetcher);
  std::vector<std::byte> all;
  std::size_t kept = 0;
  while (true) {
    const auto part = (*prefetcher)->next(kept);
    REQUIRE(part);
    if (part->size() == kept) break;
    // What was kept comes again, unchanged.
    REQUIRE(std::equal(part->begin(), part->begin() + static_cast<std::ptrdiff_t>(kept),
                       all.end() - static_cast<std::ptrdiff_t>(kept)));
    all.insert(all.end(), part->begin() + static_cast<std::ptrdiff_t>(kept), part->end());
    kept = std::min(keep, part->size());
  }
  return all;
}

}  // namespace

TEST_CASE("a file is read ahead whole, whatever its size is to that of the chunks") {
  TempDir directory;
  const auto path = (directory / "x").string();
  const PrefetchOptions options{.chunk_bytes = 8192, .chunks = 3, .threads = 2, .headroom_bytes = 4096};
  for (const std::size_t size : {0u, 1u, 4096u, 8191u, 8192u, 8193u, 24576u, 24577u, 100'000u}) {
    INFO(size << " bytes");
    const auto bytes = some_bytes(size);
    put(path, bytes);
    CHECK(prefetched(path, options, 0) == bytes);
    CHECK(prefetched(path, options, 100) == bytes);
    CHECK(prefetched(path, options, 4096) == bytes);
  }
}

TEST_CASE("a read-ahead nobody waits for ends when it is thrown away") {
  TempDir directory;
  const auto path = (directory / "x").string();
  put(path, some_bytes(200'000));
  for (int round = 0; round < 20; ++round) {
    auto prefetcher = Prefetcher::start(path, {.chunk_bytes = 4096, .chunks = 4, .threads = 3, .headroom_bytes = 4096});
    REQUIRE(prefetcher);
    for (int i = 0; i < round; ++i) REQUIRE((*prefetcher)->next(0));
  }
}

TEST_CASE("only regular files are read, and a FIFO does not hold anybody up") {
  TempDir directory;
  CHECK(ReadFile::open(directory.str()).error().code == EISDIR);
  CHECK(ReadFile::open((directory / "none").string()).error().code == ENOENT);
  CHECK(ReadFile::open("/dev/null").error().code == EINVAL);
  CHECK(read_small_file((directory / "none").string(), 10).error().code == ENOENT);
  put((directory / "big").string(), some_bytes(11));
  CHECK(read_small_file((directory / "big").string(), 10).error().code == EFBIG);
  CHECK(read_small_file((directory / "big").string(), 11)->size() == 11);
}

TEST_CASE("reading past the end is a short read") {
  TempDir directory;
  const auto bytes = some_bytes(5000);
  put((directory / "x").string(), bytes);
  const auto file = ReadFile::open((directory / "x").string());
  std::vector<std::byte> into(4000);
  CHECK(*file->read(4000, into) == 1000);
  CHECK(*file->read(9000, into) == 0);
}

TEST_CASE("allocated parts that were never written are told from written ones, where the file system knows") {
  TempDir directory;
  const auto opened = Directory::open(directory.str());
  if (!knows_holes(*opened)) {
    WARN("this file system does not tell");
    return;
  }
  const auto path = (directory / "x").string();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(::posix_fallocate(fd, 0, 1 << 20) == 0);
  const auto bytes = some_bytes(65536);
  REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), 131072) == 65536);
  REQUIRE(::pwrite(fd, bytes.data(), 4096, 524288) == 4096);
  ::close(fd);
  const std::vector<Extent> written{{131072, 196608}, {524288, 528384}};
  CHECK(*ReadFile::open(path)->written_parts() == written);
  std::vector<std::byte> all(1 << 20);
  CHECK(*ReadFile::open(path)->read(0, all) == all.size());
  CHECK(*ReadFile::open(path)->written_parts() == written);  // although all of it is in the page cache now
}

TEST_CASE("a hidden file can be taken over once its capture is gone, and not before") {
  TempDir directory;
  const auto opened = Directory::open(directory.str());
  const auto path = (directory / ".x.open").string();
  {
    auto running = DirectFile::create(*opened, ".x.open", DirectFile::Mode::buffered);
    REQUIRE(running);
    REQUIRE(::pwrite(running->fd(), "x", 1, 0) == 1);
    CHECK(use_of_hidden_file(directory.str(), ".x.open", "x") == HiddenFileUse::in_use);
    CHECK(DirectFile::adopt(*opened, ".x.open").error().code == EWOULDBLOCK);
  }
  CHECK(use_of_hidden_file(directory.str(), ".x.open", "x") == HiddenFileUse::left_behind);
  auto adopted = DirectFile::adopt(*opened, ".x.open");
  REQUIRE(adopted);
  CHECK(use_of_hidden_file(directory.str(), ".x.open", "x") == HiddenFileUse::in_use);
  REQUIRE(adopted->seal(1, "x"));
  CHECK(DirectFile::adopt(*opened, ".x.open").error().code == ENOENT);
  CHECK(use_of_hidden_file(directory.str(), ".x.open", "x") == HiddenFileUse::cannot_tell);
}

TEST_CASE("an empty hidden file is in use as long as a capture of its name runs there, locked or not") {
  TempDir directory;
  const auto opened = Directory::open(directory.str());
  put((directory / ".y.open").string(), {});
  {
    const auto running = DirectoryLock::take(*opened, "y");
    REQUIRE(running);
    CHECK(use_of_hidden_file(directory.str(), ".y.open", "y") == HiddenFileUse::in_use);
    CHECK(use_of_hidden_file(directory.str(), ".y.open", "other") == HiddenFileUse::left_behind);
  }
  CHECK(use_of_hidden_file(directory.str(), ".y.open", "y") == HiddenFileUse::left_behind);
}

TEST_CASE("an output is never one of the inputs, by any of its names") {
  TempDir directory;
  const auto bytes = some_bytes(100);
  put((directory / "in").string(), bytes);
  std::filesystem::create_symlink(directory / "in", directory / "link");
  const std::vector<std::string> inputs{(directory / "none").string(), (directory / "in").string()};
  CHECK(OutputFile::create((directory / "in").string(), inputs).error().code == EEXIST);
  CHECK(OutputFile::create((directory / "link").string(), inputs).error().code == EEXIST);
  const auto kept = read_small_file((directory / "in").string(), 1000);
  REQUIRE(kept);
  CHECK(std::ranges::equal(std::as_bytes(std::span(*kept)), bytes));
  CHECK(OutputFile::create("/dev/full", inputs)->write(bytes).error().code == ENOSPC);
}
