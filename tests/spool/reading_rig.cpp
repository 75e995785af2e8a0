// SPDX-License-Identifier: BSD-3-Clause
#include "spool/reading_rig.hpp"

#include <algorithm>
#include <stdexcept>

#include "format/file_name.hpp"
#include "format/pcap_decoder.hpp"
#include "read/index_builder.hpp"
#include "read/index_store.hpp"
#include "support/pcap_bytes.hpp"
#include "support/random.hpp"

namespace wirespool::test {
namespace {

// One Stream's packets, cut into Blocks that go to one open file a directory.
class StreamWriter {
 public:
  StreamWriter(const Layout& layout, unsigned writer)
      : layout_(layout), writer_(writer), files_(layout.directories.size()) {}

  void append(const PacketView& packet) {
    auto& file = files_[drive_];
    if (file.packets.size() == 0) file.sequence = sequence_++;
    file.packets.append(packet);
    bytes_ += 16 + packet.caplen();
    if (bytes_ < layout_.block_bytes) return;
    bytes_ = 0;
    if (++file.blocks == layout_.blocks_per_file) write(drive_);
    drive_ = (drive_ + 1) % files_.size();
  }

  void finish() {
    for (std::size_t drive = 0; drive < files_.size(); ++drive) write(drive);
  }

  std::vector<std::string> paths;

 private:
  struct File {
    Trace packets;
    unsigned sequence = 0;
    unsigned blocks = 0;
  };

  void write(std::size_t drive) {
    auto& file = files_[drive];
    if (file.packets.size() == 0) return;
    const auto name = format::format_file_name({layout_.stem, file.packets[0].time, writer_, file.sequence});
    const auto path = layout_.directories[drive] / name;
    write_bytes(path, pcap_bytes(file.packets));
    if (layout_.index == Layout::Index::time) make_index(path, format::IndexLevel::time, layout_.block_bytes);
    if (layout_.index == Layout::Index::flow) make_index(path, format::IndexLevel::flow, layout_.block_bytes);
    paths.push_back(path.string());
    file = {};
  }

  const Layout& layout_;
  unsigned writer_;
  std::vector<File> files_;
  std::size_t drive_ = 0;
  unsigned sequence_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::vector<std::string> lay_out(const Trace& trace, const Layout& layout) {
  Random random(layout.seed);
  std::vector<StreamWriter> writers;
  for (unsigned writer = 0; writer < layout.streams; ++writer) writers.emplace_back(layout, writer);
  std::size_t writer = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (random.below(4) == 0) writer = random.below(writers.size());
    writers[writer].append(trace[i]);
  }
  std::vector<std::string> paths;
  for (auto& each : writers) {
    each.finish();
    paths.insert(paths.end(), each.paths.begin(), each.paths.end());
  }
  return paths;
}

void make_index(const std::filesystem::path& pcap, format::IndexLevel level, std::uint32_t block_bytes) {
  auto file = SpoolFile::open(pcap.string());
  if (!file) throw std::runtime_error(file.error().message());
  read::IndexBuilder builder({level, block_bytes, true});
  while (const auto* packet = file->next()) builder.add(*packet);
  write_bytes(read::index_path(pcap),
              builder.finish(std::span<const std::byte>(read_bytes(pcap)).first(24), file->size()));
}

Trace read_all(Merge& merge) {
  Trace trace;
  while (const auto* packet = merge.next()) trace.append(packet->view);
  return trace;
}

namespace {

// The same, in runs of as many packets as there happen to be.
Trace read_runs(Merge& merge) {
  Trace trace;
  Random random(trace.size());
  while (const auto* packet = merge.next()) {
    const auto run = merge.run(1 + random.below(200));
    if (run.packets == 0) trace.append(packet->view);
    for (auto left = run.records; !left.empty();) {
      const auto decoded = format::PcapDecoder::native().next(left);
      trace.append(decoded.packet);
      left = left.subspan(decoded.bytes);
    }
  }
  return trace;
}

bool same_packets(const Trace& a, const Trace& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].time != b[i].time || a[i].wirelen != b[i].wirelen || !std::ranges::equal(a[i].bytes, b[i].bytes))
      return false;
  }
  return true;
}

}  // namespace

Trace query(const std::vector<std::string>& places, Query query) {
  const auto spool = Spool::open(places);
  if (!spool) throw std::runtime_error(spool.error().message());
  Merge in_runs(*spool, query);
  Merge merge(*spool, std::move(query));
  const auto trace = read_all(merge);
  if (!same_packets(trace, read_runs(in_runs))) throw std::runtime_error("runs of packets are other packets");
  return trace;
}

}  // namespace wirespool::test
