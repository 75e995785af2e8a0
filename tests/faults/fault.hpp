// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "eal/capture_run.hpp"
#include "support/loop_drive.hpp"

namespace wirespool::test {

// A running capture and the first of its two drives, which something happens to.
struct Scene {
  LoopDrive& drive;
  std::filesystem::path directory;  // on it: the capture's first output
  LiveCapture& capture;
};

// Something that happens to a capture, as a row of the matrix has it.
struct Fault {
  std::string name;                       // "stands still"
  std::string file_system = "ext4";       // of the first drive
  std::function<void(Scene&)> strike;     // after a third of the frames
  std::function<void(Scene&)> mend = {};  // after two thirds; empty: there is nothing to mend
  std::string state = "ok";               // the first drive's, until it is mended; "": it may be any
  bool other_goes_on = false;             // the other drive's bytes have to grow meanwhile
  bool holds_pwrite = false;              // the other drive with --io pwrite: the writer lcore waits in the call
  bool may_lose_unsynced = false;         // what was called unsynced may be missing
  bool ends_the_capture = false;          // nothing is sent after it, and nobody stops it
  std::string only_io = {};               // "": any
  std::string faulty_calls = {};          // see with_faulty_calls()
  std::function<std::optional<std::string>()> missing = {};  // what is lacking on this machine for it
};

const std::vector<Fault>& faults();

}  // namespace wirespool::test
