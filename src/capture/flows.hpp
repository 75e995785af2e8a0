// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "flow/flow_ring.hpp"
#include "flow/flow_table.hpp"
#include "format/ledger_line.hpp"
#include "machine/user.hpp"
#include "plan/capture_plan.hpp"
#include "record/flow_files.hpp"
#include "storage/directory.hpp"
#include "storage/directory_lock.hpp"
#include "wirespool/error.hpp"

namespace wirespool::capture {

// The flows of a capture: a table for each RX lcore in hugepages of its node, and with --flows the thread that writes
// records, on the main lcore's CPU. Control thread, but for the tables.
class Flows {
 public:
  // nullptr if nothing asks for flows. Files belong to `user`, if there is one.
  static std::expected<std::unique_ptr<Flows>, Error> make(const plan::CapturePlan& plan, Timestamp start,
                                                           const machine::User* user);
  ~Flows();
  Flows(const Flows&) = delete;

  flow::FlowTable& table(std::size_t rx) { return *lanes_[rx]->table; }  // for that RX lcore

  void start();
  void end_file() { end_file_.store(true, std::memory_order_relaxed); }  // and go on with another one

  // Once no RX lcore runs: what the tables have is written, and the last file sealed. False: it hangs.
  bool finish(std::chrono::steady_clock::time_point end);

  void collect(format::FlowsLine& line) const;  // but for what RX lcores count themselves
  std::optional<std::string> take_complaint();

 private:
  struct FreeMemory {
    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte, FreeMemory>;
  struct Lane {
    Memory table_memory, ring_memory;
    std::optional<flow::FlowRing> ring;
    std::optional<flow::FlowTable> table;
  };

  Flows() = default;
  static std::expected<Memory, Error> take(std::size_t bytes, int numa_node);
  std::expected<void, Error> add_lane(const plan::CapturePlan& plan, const plan::PlannedRxLcore& rx,
                                      std::uint64_t seed);
  std::expected<void, Error> open_directory(const plan::CapturePlan& plan, Timestamp start);
  void run();
  std::size_t write_some();
  void write_rest();

  std::vector<std::unique_ptr<Lane>> lanes_;  // by RX lcore
  std::optional<storage::Directory> directory_;
  std::optional<storage::DirectoryLock> lock_;
  std::optional<record::FlowFiles> files_;
  std::atomic<bool> stop_{false}, end_file_{false};
  std::mutex complaint_mutex_;
  std::optional<std::string> complaint_;
  std::thread thread_;
};

}  // namespace wirespool::capture
