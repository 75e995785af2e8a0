// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "storage/direct_file.hpp"
#include "storage/io_queue.hpp"
#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"
#include "support/file_content.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using wirespool::test::AlignedBuffer;
using wirespool::test::file_content;
using wirespool::test::TempDir;

namespace {

constexpr std::uint32_t block = 64 * 1024;

std::unique_ptr<IoQueue> make_queue(const std::string& kind, const IoQueueOptions& options) {
  if (kind == "pwrite") return make_pwrite_queue(options);
  auto queue = make_uring_queue(options);
  if (!queue) throw std::runtime_error(queue.error().message());
  return std::move(*queue);
}

// Polls only, as a writer lcore does, and gives up after a while.
std::vector<WriteResult> reap_all(IoQueue& queue, std::size_t count) {
  std::vector<WriteResult> all;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (all.size() < count && std::chrono::steady_clock::now() < end) {
    WriteResult some[4];
    const std::size_t taken = queue.reap(some);
    all.insert(all.end(), some, some + taken);
  }
  return all;
}

WriteRequest nth_block(const DirectFile& file, const AlignedBuffer& buffer, std::uint64_t n) {
  return {file.fd(), buffer.data() + n * block, block, n * block, 1000 + n};
}

}  // namespace

TEST_CASE("every byte lands where it was sent and every result carries its tag") {
  const std::string kind = GENERATE("uring", "pwrite");
  const bool registered = GENERATE(true, false);
  CAPTURE(kind, registered);
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  REQUIRE(file);
  const AlignedBuffer buffer(64 * block, 1);
  const auto queue =
      make_queue(kind, {.entries = 64, .registered = registered ? buffer.span() : std::span<std::byte>{}});
  REQUIRE(queue->notice() == "");

  std::vector<std::uint64_t> order(64);
  for (std::uint64_t n = 0; n < order.size(); ++n) order[n] = n;
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  for (const std::uint64_t n : order) REQUIRE(queue->submit(nth_block(*file, buffer, n)));

  auto results = reap_all(*queue, 64);
  REQUIRE(results.size() == 64);
  std::sort(results.begin(), results.end(), [](auto& a, auto& b) { return a.tag < b.tag; });
  for (std::uint64_t n = 0; n < 64; ++n) {
    CHECK(results[n].tag == 1000 + n);
    CHECK(results[n].result == static_cast<std::int32_t>(block));
  }
  REQUIRE(file->seal(buffer.size() - 17, "x.pcap"));
  const auto content = file_content(dir / "x.pcap");
  REQUIRE(content.size() == buffer.size() - 17);
  CHECK(std::memcmp(content.data(), buffer.data(), content.size()) == 0);
}

TEST_CASE("a full queue refuses and takes nothing") {
  const std::string kind = GENERATE("uring", "pwrite");
  CAPTURE(kind);
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(8 * block, 2);
  const auto queue = make_queue(kind, {.entries = 5});  // the kernel makes it 8 places; 5 were asked for

  for (std::uint64_t n = 0; n < 5; ++n) REQUIRE(queue->submit(nth_block(*file, buffer, n)));
  CHECK_FALSE(queue->submit(nth_block(*file, buffer, 5)));

  REQUIRE(reap_all(*queue, 5).size() == 5);
  WriteResult more[1];
  CHECK(queue->reap(more) == 0);
  CHECK(std::filesystem::file_size(dir / ".x.open") == 5 * block);
  CHECK(queue->submit(nth_block(*file, buffer, 5)));
  CHECK(reap_all(*queue, 1).size() == 1);
}

TEST_CASE("a bad descriptor is a failed write, not a failed queue") {
  const std::string kind = GENERATE("uring", "pwrite");
  CAPTURE(kind);
  const AlignedBuffer buffer(block);
  const auto queue = make_queue(kind, {.entries = 4});
  REQUIRE(queue->submit({987654, buffer.data(), block, 0, 42}));
  const auto results = reap_all(*queue, 1);
  REQUIRE(results.size() == 1);
  CHECK(results[0].tag == 42);
  CHECK(results[0].result == -EBADF);
}

TEST_CASE("a queue made on one thread is used on another, its workers kept to one CPU") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(8 * block, 3);
  const auto queue = make_queue("uring", {.entries = 8, .registered = buffer.span(), .worker_cpu = 0});
  REQUIRE(queue->notice() == "");
  std::size_t done = 0;
  std::thread owner([&] {
    for (std::uint64_t n = 0; n < 8; ++n) queue->submit(nth_block(*file, buffer, n));
    done = reap_all(*queue, 8).size();
  });
  owner.join();
  CHECK(done == 8);
}

TEST_CASE("a worker CPU the machine does not have is told and done without") {
  const auto queue = make_queue("uring", {.entries = 8, .worker_cpu = 1000});
  CHECK_THAT(queue->notice(), Catch::Contains("CPU 1000"));
}

TEST_CASE("memory the kernel will not register is told and written from all the same") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(block, 4);
  std::byte* const nowhere = reinterpret_cast<std::byte*>(4096);
  const auto queue = make_queue("uring", {.entries = 8, .registered = {nowhere, 4096}});
  CHECK_THAT(queue->notice(), Catch::Contains("not registered"));
  REQUIRE(queue->submit(nth_block(*file, buffer, 0)));
  const auto results = reap_all(*queue, 1);
  REQUIRE(results.size() == 1);
  CHECK(results[0].result == static_cast<std::int32_t>(block));
}
