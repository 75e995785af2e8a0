// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "format/pcap.hpp"
#include "format/pcapng.hpp"
#include "storage/directory.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

struct RepairContext {
  const storage::Directory& directory;
  bool dry_run = false;
  bool holes_known = false;             // storage::knows_holes()
  std::uint32_t block_bytes = 1 << 20;  // of the capture, for the index
  format::IndexLevel index_level = format::IndexLevel::time;
  std::uint32_t capture_mark = 0;                 // format::capture_mark()
  std::uint32_t snaplen = format::max_snaplen;    // of the capture, where a file's own header is lost
  std::optional<format::PcapngFront> front = {};  // pcapng: as another file of the capture has it
  bool on_seal = false;  // the capture had a command for sealed files: by markers, the next capture runs it for these
  Timestamp likely_from = {}, likely_to = {};  // when the capture can have run, by its own files
};

// A sealed file that came, or would come, out of a hidden one.
struct RescuedFile {
  std::string name;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first, last;
};

// What became, or would become, of a hidden file.
struct RepairedFile {
  enum class Outcome {
    sealed,      // into `files`: one, or two if there was a hole
    removed,     // there was nothing in it
    in_use,      // its capture is running, or another repair is
    unreadable,  // it holds bytes, but no whole record; it was left as it is
    failed       // see `why`; what is not sealed yet is still there
  };
  std::string hidden_name;
  Outcome outcome = Outcome::failed;
  std::string why = {};
  std::vector<RescuedFile> files = {};
  std::uint64_t skipped_bytes = 0;  // bytes of no whole record
  std::uint64_t skipped_places = 0;
  std::string kept_in = {};         // the file beside it with these bytes, if any were cut off or left out
  std::string index_problem = {};   // sealed, but without an index
  std::string marker_problem = {};  // sealed, but --on-seal will not be run for it
};

RepairedFile repair_file(const RepairContext& context, const std::string& hidden_name, const format::FileName& name);

}  // namespace wirespool::tools
