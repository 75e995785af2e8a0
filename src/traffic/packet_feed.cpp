// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/packet_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "format/pcap.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::traffic {
namespace {

constexpr std::size_t chunk_bytes = 1 << 20, chunks_ahead = 64;

}  // namespace

std::expected<std::unique_ptr<PacketFeed>, Error> PacketFeed::open(const std::vector<std::string>& places) {
  auto inputs = tools::PipeInputs::take(places);
  if (!inputs) return std::unexpected(inputs.error());
  auto spool = Spool::open(inputs->places());
  if (!spool) return std::unexpected(inputs->as_given(spool.error()));
  Merge merge(*spool);
  std::unique_ptr<PacketFeed> feed(new PacketFeed(std::move(*inputs), std::move(merge)));
  std::unique_lock lock(feed->mutex_);
  feed->changed_.wait(lock, [&] { return feed->ended_ || feed->ready_.size() == chunks_ahead; });
  return feed;
}

PacketFeed::PacketFeed(tools::PipeInputs inputs, Merge merge)
    : inputs_(std::move(inputs)), merge_(std::move(merge)), reader_([this] { read_all(); }) {}

PacketFeed::~PacketFeed() {
  {
    const std::lock_guard lock(mutex_);
    unwanted_ = true;
  }
  changed_.notify_all();
  reader_.join();
}

void PacketFeed::read_all() {
  for (auto chunk = read_chunk(); !chunk->packets.empty(); chunk = read_chunk()) {
    if (!put(std::move(chunk))) break;
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool PacketFeed::put(std::unique_ptr<Chunk> chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return unwanted_ || ready_.size() < chunks_ahead; });
  ready_.push_back(std::move(chunk));
  changed_.notify_all();
  return !unwanted_;
}

// The spans are made when all bytes are in their place.
std::unique_ptr<PacketFeed::Chunk> PacketFeed::read_chunk() {
  auto chunk = std::make_unique<Chunk>();
  std::vector<std::size_t> lengths;
  while (chunk->bytes.size() < chunk_bytes) {
    const auto* packet = merge_.next();
    if (packet == nullptr) break;
    if (packet->linktype != format::linktype_ethernet) {
      if (!foreign_)
        foreign_ = Error{"--pcap", fmt::format("packets of link type {} are no Ethernet frames", packet->linktype),
                         "these were not sent", Error::Kind::failed};
      continue;
    }
    const auto& view = packet->view;
    if (!first_ns_) first_ns_ = view.time.ns;
    last_after_ns_ = std::max(last_after_ns_, view.time.ns > *first_ns_ ? view.time.ns - *first_ns_ : 0);
    chunk->bytes.insert(chunk->bytes.end(), view.bytes.begin(), view.bytes.end());
    chunk->packets.push_back({last_after_ns_, {}, view.caplen() < view.wirelen});
    lengths.push_back(view.bytes.size());
  }
  std::span<const std::byte> rest = chunk->bytes;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    chunk->packets[i].bytes = rest.first(lengths[i]);
    rest = rest.subspan(lengths[i]);
  }
  return chunk;
}

const FedPacket* PacketFeed::look() {
  if (now_ && at_ < now_->packets.size()) return &now_->packets[at_];
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_ || !ready_.empty(); });
  if (ready_.empty()) return nullptr;
  now_ = std::move(ready_.front());
  ready_.pop_front();
  at_ = 0;
  changed_.notify_all();
  return now_->packets.data();
}

std::vector<Error> PacketFeed::problems() const {
  std::vector<Error> result;
  const std::lock_guard lock(mutex_);
  if (!ended_) return result;
  for (const auto& problem : merge_.problems()) result.push_back(inputs_.as_given(problem));
  for (auto& problem : result) problem.kind = Error::Kind::failed;
  if (foreign_) result.push_back(*foreign_);
  return result;
}

}  // namespace wirespool::traffic
