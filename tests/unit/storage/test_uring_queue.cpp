// SPDX-License-Identifier: BSD-3-Clause
//
// What the kernel may do to an io_uring that a drive cannot: refuse to be entered, put off, run workers elsewhere.
#include <fcntl.h>
#include <liburing.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "storage/direct_file.hpp"
#include "storage/io_queue.hpp"
#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"
#include "support/open_files.hpp"
#include "support/sandbox.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using namespace wirespool::test;

namespace {

constexpr std::uint32_t block = 1 << 16;

std::vector<WriteResult> reap_within(IoQueue& queue, std::size_t count, std::chrono::milliseconds time) {
  std::vector<WriteResult> all;
  const auto end = std::chrono::steady_clock::now() + time;
  while (all.size() < count && std::chrono::steady_clock::now() < end) {
    WriteResult one;
    if (queue.reap({&one, 1}) == 1) all.push_back(one);
  }
  return all;
}

// A child's own ring and file; returns what `body` returned.
int with_ring_in_child(const std::function<int(IoQueue&, int, const AlignedBuffer&)>& body,
                       const IoQueueOptions& options = {.entries = 4}) {
  const TempDir dir;
  return in_child([&] {
    const AlignedBuffer buffer(4 * block, 1);
    const int fd = ::open((dir / "file").c_str(), O_CREAT | O_WRONLY | O_DIRECT, 0600);
    auto queue = make_uring_queue(options);
    return queue ? body(**queue, fd, buffer) : 78;
  });
}

std::string allowed_cpus(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Cpus_allowed_list:")) return line.substr(line.find('\t') + 1);
  return "";
}

// Where the workers of the thread `owner` may run: io_uring names them after it.
std::vector<std::string> cpus_of_workers(pid_t owner) {
  std::vector<std::string> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name == "iou-wrk-" + std::to_string(owner)) found.push_back(allowed_cpus(task.path()));
  }
  return found;
}

int last_cpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &cpus)) last = cpu;
  return last;
}

}  // namespace

TEST_CASE("writes are given back as failed when the kernel does not let the ring in any more") {
  const int status = with_ring_in_child([](IoQueue& queue, int fd, const AlignedBuffer& buffer) {
    queue.submit({fd, buffer.data(), block, 0, 1});
    if (reap_within(queue, 1, std::chrono::seconds(10)).size() != 1) return 1;
    if (!refuse({SYS_io_uring_enter, EPERM})) return no_sandbox;
    for (std::uint64_t tag = 2; tag < 6; ++tag)
      if (!queue.submit({fd, buffer.data(), block, 0, tag})) return 2;
    if (queue.submit({fd, buffer.data(), block, 0, 6})) return 3;
    const auto results = reap_within(queue, 5, std::chrono::milliseconds(300));
    if (results.size() != 4) return 4;
    for (std::size_t i = 0; i < 4; ++i)
      if (results[i].tag != i + 2 || results[i].result != -EPERM) return 5;
    return 0;
  });
  if (status == no_sandbox) return skip("a ring that cannot be entered", "no seccomp");
  CHECK(status == 0);
}

TEST_CASE("a write the kernel puts off is started later, once") {
  const int status = with_ring_in_child([](IoQueue& queue, int fd, const AlignedBuffer& buffer) {
    if (!refuse({SYS_io_uring_enter, EAGAIN, Refusal::When::equal, 1, 1})) return no_sandbox;
    if (!queue.submit({fd, buffer.data(), block, 0, 1})) return 1;
    if (!reap_within(queue, 1, std::chrono::milliseconds(50)).empty()) return 2;
    if (!queue.submit({fd, buffer.data(), block, block, 2})) return 3;  // now there are two to submit
    const auto results = reap_within(queue, 3, std::chrono::milliseconds(500));
    if (results.size() != 2 || results[0].tag + results[1].tag != 3) return 4;
    if (results[0].result != static_cast<int>(block) || results[1].result != static_cast<int>(block)) return 5;
    return 0;
  });
  if (status == no_sandbox) return skip("a ring that is put off", "no seccomp");
  CHECK(status == 0);
}

TEST_CASE("a kernel that puts off the ring for ever does not keep its writes for ever") {
  const auto body = [](IoQueue& queue, int fd, const AlignedBuffer& buffer) {
    queue.submit({fd, buffer.data(), block, 0, 1});
    if (reap_within(queue, 1, std::chrono::seconds(10)).size() != 1) return 1;
    if (!refuse({SYS_io_uring_enter, EAGAIN})) return no_sandbox;
    for (std::uint64_t tag = 2; tag < 4; ++tag)
      if (!queue.submit({fd, buffer.data(), block, 0, tag})) return 2;
    const auto results = reap_within(queue, 2, std::chrono::seconds(10));
    if (results.size() != 2 || results[0].tag + results[1].tag != 5) return 3;
    for (const auto& result : results)
      if (result.result != -ETIMEDOUT) return 4;
    return queue.submit({fd, buffer.data(), block, 0, 4}) && reap_within(queue, 1, std::chrono::seconds(10)).size() == 1
               ? 0
               : 5;
  };
  const int status = with_ring_in_child(body, {.entries = 4, .patience_ns = 20'000'000});
  if (status == no_sandbox) return skip("a ring that is put off for ever", "no seccomp");
  CHECK(status == 0);
}

namespace {

// The ring that this process has open.
int descriptor_of_ring() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:[io_uring]")
      return std::stoi(entry.path().filename().string());
  }
  return -1;
}

// The queue's own books do not know what was done past it, so it is not destroyed.
void end_with(bool right) { ::_exit(right ? 0 : 1); }

// What the ring behind `fd` makes of one request, past its owner. Its memory is laid out as that of a ring of our own.
int result_of(int fd, unsigned entries, const std::function<void(io_uring_sqe&)>& prepare) {
  io_uring twin{}, ring{};
  io_uring_params layout{};
  if (io_uring_queue_init_params(entries, &twin, &layout) != 0) return 1;
  io_uring_queue_exit(&twin);
  if (io_uring_queue_mmap(fd, &layout, &ring) != 0) return 2;
  prepare(*io_uring_get_sqe(&ring));
  io_uring_cqe* done = nullptr;
  if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &done) != 0) return 3;
  return done->res;
}

}  // namespace

TEST_CASE("a ring takes writes and nothing else, also from whoever has its owner's memory") {
  const auto open_a_file = [](io_uring_sqe& request) {
    io_uring_prep_openat(&request, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
  };
  const auto make_a_socket = [](io_uring_sqe& request) { io_uring_prep_rw(45, &request, AF_INET, nullptr, 0, 1); };
  const auto do_nothing = [](io_uring_sqe& request) { io_uring_prep_nop(&request); };
  for (const auto& prepare : std::vector<std::function<void(io_uring_sqe&)>>{open_a_file, make_a_socket, do_nothing}) {
    const int status = with_ring_in_child([&](IoQueue&, int, const AlignedBuffer&) {
      end_with(result_of(descriptor_of_ring(), 4, prepare) == -EACCES);
      return 1;
    });
    CHECK(status == 0);
  }
  const int writing = with_ring_in_child([](IoQueue&, int fd, const AlignedBuffer& buffer) {
    const auto write = [&](io_uring_sqe& request) { io_uring_prep_write(&request, fd, buffer.data(), block, 0); };
    end_with(result_of(descriptor_of_ring(), 4, write) == static_cast<int>(block));
    return 1;
  });
  CHECK(writing == 0);
  const int more_files = with_ring_in_child([](IoQueue&, int fd, const AlignedBuffer&) {
    return ::syscall(SYS_io_uring_register, descriptor_of_ring(), IORING_REGISTER_FILES, &fd, 1) < 0 && errno == EACCES
               ? 0
               : 1;
  });
  CHECK(more_files == 0);
}

TEST_CASE("the kernel's workers keep to the CPU they are given") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  const AlignedBuffer buffer(block, 2);
  const int cpu = last_cpu();
  auto queue = make_uring_queue({.entries = 8, .worker_cpu = cpu});
  REQUIRE(queue);
  std::vector<std::string> cpus;
  std::thread owner([&] {
    // A buffered write with O_DSYNC cannot be done without waiting, so a worker does it.
    const int fd = ::openat(directory->fd(), "file", O_CREAT | O_WRONLY | O_CLOEXEC | O_DSYNC, 0600);
    for (std::uint64_t n = 0; n < 4; ++n) (*queue)->submit({fd, buffer.data(), block, n * block, n});
    reap_within(**queue, 4, std::chrono::seconds(10));
    cpus = cpus_of_workers(::gettid());
    ::close(fd);
  });
  owner.join();
  if (cpus.empty()) return skip("CPU of io_uring workers", "this kernel did without workers");
  for (const auto& list : cpus) CHECK(list == std::to_string(cpu));
}

TEST_CASE("a queue that is destroyed with writes in flight waits for them") {
  const TempDir dir;
  const auto directory = Directory::open(dir.str());
  const std::size_t before = open_files();
  const auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  {
    const AlignedBuffer buffer(16 * block, 3);
    auto queue = make_uring_queue({.entries = 16, .registered = buffer.span()});
    for (std::uint64_t n = 0; n < 16; ++n)
      REQUIRE((*queue)->submit({file->fd(), buffer.data() + n * block, block, n * block, n}));
    queue->reset();
    CHECK(std::filesystem::file_size(dir / ".x.open") == 16 * block);
  }
  CHECK(open_files() == before + 1);
}

TEST_CASE("queues made and destroyed by the hundred leave no descriptor open") {
  const std::size_t before = open_files();
  for (int i = 0; i < 100; ++i) REQUIRE(make_uring_queue({.entries = 8, .worker_cpu = 0}));
  CHECK(open_files() == before);
}

TEST_CASE("nothing in flight is nothing to reap, without a system call") {
  const int status = with_ring_in_child([](IoQueue& queue, int fd, const AlignedBuffer& buffer) {
    queue.submit({fd, buffer.data(), block, 0, 1});
    if (reap_within(queue, 1, std::chrono::seconds(10)).size() != 1) return 1;
    if (!forbid_all_calls()) return no_sandbox;
    WriteResult results[4];
    std::size_t taken = 0;
    for (int i = 0; i < 1000; ++i) taken += queue.reap(results);
    ::syscall(SYS_exit_group, static_cast<int>(taken));  // not even what _exit(2) does under a sanitizer
    return 2;
  });
  if (status == no_sandbox) return skip("reaping without a system call", "no seccomp");
  CHECK(status == 0);
}
