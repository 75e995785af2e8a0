// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/io_queue.hpp"
#include "support/random.hpp"

namespace wirespool::test {

// Probabilities are per write, 0 to 1.
struct FaultOptions {
  std::uint64_t seed = 1;
  unsigned entries = 64;
  unsigned delay = 0;             // a write stays in flight for 0..delay further reap() calls, so results change order
  double refused = 0;             // submit() says "no room" though there is
  double short_write = 0;         // a multiple of `alignment`, at least one and not all of it, is written
  std::uint32_t alignment = 512;  //
  double io_error = 0;            // -EIO, and part of the data may be on the drive all the same
  double no_space = 0;            // -ENOSPC, nothing written
  double try_again = 0;           // -EAGAIN, nothing written

  // Chosen writes, counted from 0 over the whole queue, get this result: {{17, -EIO}, {30, 4096}}; a positive one is
  // short.
  struct Chosen {
    std::uint64_t nth = 0;
    std::int32_t result = 0;
  };
  std::vector<Chosen> chosen = {};

  // "The drive died": from its `from`th write on (from 0), all writes to `fd`, or to files below `directory`, get
  // `result`.
  struct Death {
    int fd = -1;
    std::string directory = {};
    std::uint64_t from = 0;
    std::int32_t result = -EIO;
    std::uint64_t seen = 0;
  };
  std::vector<Death> deaths = {};
};

struct FaultCounts {
  std::uint64_t writes = 0, refused = 0, out_of_order = 0;
  std::uint64_t short_writes = 0, io_errors = 0, no_space = 0, try_again = 0, torn = 0;
};

// An IoQueue over pwrite(2) that misbehaves as drives and kernels may, by plan or by seed. A write happens either in
// submit() or, as likely, not before its result is reaped: whoever touches the buffer or closes the file too early is
// found out.
class FaultyIoQueue final : public storage::IoQueue {
 public:
  explicit FaultyIoQueue(FaultOptions options) : options_(std::move(options)), random_(options_.seed) {
    flying_.reserve(options_.entries);
  }

  bool submit(const storage::WriteRequest& request) noexcept override {
    if (flying_.size() >= options_.entries) return false;
    if (happens(options_.refused)) {
      ++counts_.refused;
      return false;
    }
    Flight flight{request, plan(request), counts_.writes++, up_to(options_.delay), false};
    if (happens(0.5)) land(flight);
    flying_.push_back(flight);
    return true;
  }

  std::size_t reap(std::span<storage::WriteResult> results) noexcept override {
    std::size_t taken = 0;
    for (auto flight = flying_.begin(); flight != flying_.end() && taken < results.size();) {
      if (flight->delay > 0) {
        --flight->delay;
        ++flight;
        continue;
      }
      land(*flight);
      if (flight != flying_.begin()) ++counts_.out_of_order;
      results[taken++] = {flight->request.tag, flight->result};
      flight = flying_.erase(flight);
    }
    return taken;
  }

  void add_death(FaultOptions::Death death) { options_.deaths.push_back(std::move(death)); }
  std::size_t in_flight() const { return flying_.size(); }
  const FaultCounts& counts() const { return counts_; }

  // For CAPTURE or INFO: what to run again.
  std::string describe() const {
    return "seed " + std::to_string(options_.seed) + ", writes " + std::to_string(counts_.writes) + ", refused " +
           std::to_string(counts_.refused) + ", out of order " + std::to_string(counts_.out_of_order) + ", short " +
           std::to_string(counts_.short_writes) + ", EIO " + std::to_string(counts_.io_errors) + " (torn " +
           std::to_string(counts_.torn) + "), ENOSPC " + std::to_string(counts_.no_space) + ", EAGAIN " +
           std::to_string(counts_.try_again);
  }

 private:
  struct Flight {
    storage::WriteRequest request;
    std::int32_t result = 0;  // planned before it landed, what came of it after
    std::uint64_t nth = 0;
    unsigned delay = 0;
    bool landed = false;
  };

  bool happens(double probability) {
    return probability > 0 && static_cast<double>(random_.below(1U << 30)) < probability * (1U << 30);
  }
  unsigned up_to(unsigned most) { return random_.between(0, most); }

  static bool lies_below(int fd, const std::string& directory) {
    std::array<char, 4096> path{};
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
    const std::string name(path.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    return name.starts_with(directory + "/");
  }

  // The result this write is to have.
  std::int32_t plan(const storage::WriteRequest& request) {
    for (auto& death : options_.deaths) {
      const bool meant = death.directory.empty() ? death.fd == request.fd : lies_below(request.fd, death.directory);
      if (meant && death.seen++ >= death.from) return death.result;
    }
    for (const auto& [nth, result] : options_.chosen)
      if (nth == counts_.writes) return std::min(result, static_cast<std::int32_t>(request.bytes));
    if (happens(options_.io_error)) return -EIO;
    if (happens(options_.no_space)) return -ENOSPC;
    if (happens(options_.try_again)) return -EAGAIN;
    const std::uint32_t units = request.bytes / options_.alignment;
    if (units > 1 && happens(options_.short_write))
      return static_cast<std::int32_t>((1 + up_to(units - 2)) * options_.alignment);
    return static_cast<std::int32_t>(request.bytes);
  }

  void count(const Flight& flight) {
    if (flight.result == -EIO) ++counts_.io_errors;
    if (flight.result == -ENOSPC) ++counts_.no_space;
    if (flight.result == -EAGAIN) ++counts_.try_again;
    if (flight.result >= 0 && static_cast<std::uint32_t>(flight.result) < flight.request.bytes) ++counts_.short_writes;
  }

  void land(Flight& flight) {
    if (flight.landed) return;
    flight.landed = true;
    const std::uint32_t units = flight.request.bytes / options_.alignment;
    if (flight.result == -EIO && units > 0 && happens(0.5)) {
      ++counts_.torn;
      write(flight.request, up_to(units) * options_.alignment);
    } else if (flight.result > 0) {
      flight.result = write(flight.request, static_cast<std::uint32_t>(flight.result));
    }
    count(flight);
  }

  static std::int32_t write(const storage::WriteRequest& request, std::uint32_t bytes) {
    const ssize_t written = ::pwrite(request.fd, request.data, bytes, static_cast<off_t>(request.offset));
    return written < 0 ? -errno : static_cast<std::int32_t>(written);
  }

  FaultOptions options_;
  Random random_;
  std::vector<Flight> flying_;
  FaultCounts counts_;
};

}  // namespace wirespool::test
