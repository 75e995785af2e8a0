// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tools/pipe_inputs.hpp"
#include "wirespool/error.hpp"
#include "wirespool/merge.hpp"

namespace wirespool::traffic {

// A packet of a capture, as it is to be sent again.
struct FedPacket {
  std::uint64_t after_ns = 0;  // the capture's first packet; never less than the packet before
  std::span<const std::byte> bytes;
  bool cut = false;  // the capture kept less of it than there was
};

// The packets of captures in order of time, read ahead by a thread of its own into 64 MiB of memory, so that whoever
// sends them waits for no drive.
class PacketFeed {
 public:
  // Files, directories of a capture, "-" for standard input (which is read to its end first). Reads ahead as far as
  // memory goes before it returns.
  static std::expected<std::unique_ptr<PacketFeed>, Error> open(const std::vector<std::string>& places);
  ~PacketFeed();
  PacketFeed(const PacketFeed&) = delete;
  PacketFeed& operator=(const PacketFeed&) = delete;

  // The next packet, or nullptr at the end; stays valid until `take` was called and this is called again. One thread.
  const FedPacket* look();
  void take() noexcept { ++at_; }

  // At the end: what could not be read, or cannot be sent (other link types than Ethernet).
  std::vector<Error> problems() const;

 private:
  struct Chunk {
    std::vector<std::byte> bytes;
    std::vector<FedPacket> packets;  // into bytes
  };
  PacketFeed(tools::PipeInputs inputs, Merge merge);
  void read_all();
  std::unique_ptr<Chunk> read_chunk();
  bool put(std::unique_ptr<Chunk> chunk);  // false: nobody wants more

  tools::PipeInputs inputs_;
  Merge merge_;
  std::optional<Error> foreign_;  // link type
  std::optional<std::uint64_t> first_ns_;
  std::uint64_t last_after_ns_ = 0;

  mutable std::mutex mutex_;  // of the next three
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> ready_;
  bool ended_ = false, unwanted_ = false;

  std::unique_ptr<Chunk> now_;
  std::size_t at_ = 0;
  std::thread reader_;
};

}  // namespace wirespool::traffic
