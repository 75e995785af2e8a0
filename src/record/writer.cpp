// SPDX-License-Identifier: BSD-3-Clause
#include "record/writer.hpp"

#include <algorithm>
#include <utility>

#include "format/index.hpp"
#include "record/index_listeners.hpp"
#include "record/null_sink.hpp"
#include "record/spool_writer.hpp"

namespace wirespool::record {
namespace {

// The index is where they are kept.
bool makes_checksums(const RecorderOptions& options) { return options.write_index && options.checksums; }

}  // namespace

policy::WriterShape shape_of(const RecorderOptions& options, const WriterOptions& writer) {
  return {.streams = options.streams,
          .drives = static_cast<std::uint32_t>(writer.drives.size()),
          .streams_append = options.streams_append,
          .block_bytes = options.block_bytes,
          .snaplen = options.snaplen,
          .front_bytes = policy::WriterShape::most_front_bytes(options.layout->tells_sources(), options.block_bytes),
          .carry_bytes = carry_capacity};
}

Writer::Writer(const RecorderOptions& options, const WriterOptions& own, std::vector<WriterDrive> drives,
               std::span<FileSlot> slots)
    : drive_counters(drives.size()),
      shape_(shape_of(options, own)),
      appender_options_{.drives = std::max(1u, shape_.drives),
                        .layout = options.layout,
                        .block_bytes = options.block_bytes,
                        .flush_age_ns = options.flush_age_ns,
                        .rotation = options.rotation,
                        .copy_chain = options.copy_chain},
      pool_(own.memory, options.block_bytes, options.layout->sources()) {
  for (const auto& drive : drives) seen_drives_.push_back(drive.drive);
  make_sink(options, own, std::move(drives), slots);
  if (options.streams_append) return;
  for (std::uint32_t stream = 0; stream < options.streams; ++stream)
    appenders_.push_back(std::make_unique<Appender>(appender_options(stream), sink_->dock(stream)));
}

void Writer::make_sink(const RecorderOptions& options, const WriterOptions& own, std::vector<WriterDrive> drives,
                       std::span<FileSlot> slots) {
  if (drives.empty()) {
    sink_ = std::make_unique<NullSink>(pool_, own.ended_early ? *own.ended_early : counters.ended_early);
    return;
  }
  for (std::size_t i = 0; i < drives.size(); ++i) drives[i].counters = &drive_counters[i];
  sink_ = std::make_unique<SpoolWriter>(SpoolWriterOptions{.shape = shape_,
                                                           .writer = own.number,
                                                           .depth = options.depth,
                                                           .layout = options.layout,
                                                           .flush_age_ns = options.flush_age_ns,
                                                           .grow_bytes = options.grow_bytes,
                                                           .rotation = options.rotation,
                                                           .patience_ns = options.patience_ns,
                                                           .checksums = makes_checksums(options)},
                                        std::move(drives), slots, make_listeners(options, own, slots), pool_,
                                        *own.queue, counters);
}

std::vector<BlockListener*> Writer::make_listeners(const RecorderOptions& options, const WriterOptions& own,
                                                   std::span<FileSlot> slots) {
  if (options.write_index) {
    const auto rows =
        policy::index_rows(options.rotation.size_bytes, options.block_bytes, format::max_open_index_entries);
    for (auto& slot : slots) slot.index.take_memory(rows, options.filter_bytes, options.checksums);
    if (makes_checksums(options)) own_listeners_.push_back(std::make_unique<ChecksumListener>());
    if (options.filter_bytes > 0)
      own_listeners_.push_back(std::make_unique<KeyListener>(shape_.lanes(), *options.layout));
    own_listeners_.push_back(std::make_unique<RowListener>());
  }
  if (options.layout->tells_sources()) {
    for (auto& slot : slots) slot.sources.resize(options.layout->sources());
    own_listeners_.push_back(std::make_unique<SourceListener>());
  }
  std::vector<BlockListener*> all;
  for (const auto& listener : own_listeners_) all.push_back(listener.get());
  all.insert(all.end(), own.listeners.begin(), own.listeners.end());
  return all;
}

AppenderOptions Writer::appender_options(std::uint32_t stream) const {
  auto options = appender_options_;
  options.first_lane = stream * options.drives;
  return options;
}

std::vector<const Drive*> Writer::drives() const { return seen_drives_; }

}  // namespace wirespool::record
