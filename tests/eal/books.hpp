// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "capture_run.hpp"

namespace wirespool::test {

// Each says "" if all is well, else the first thing that is not.

// Every line of stdout is JSON; on each one received = ended_early + filtered + cut + stored + drop_handoff +
// drop_drive + in_flight, no stage misses anything and no counter goes back; the last one alone is final, and nothing
// is in flight then.
std::string check_ledger(const CaptureResult& result);

// Only sealed files, each with its index, one capture.json and one ledger.jsonl that agree with stdout; nothing hidden.
std::string check_directory(const std::filesystem::path& directory, const CaptureResult& result);

// What is on disk is what the ledger calls stored: packets and bytes, as libpcap reads them.
std::string check_stored(const Paths& directories, const CaptureResult& result);

// Each index beside a file: its packets, bytes and times are the file's. Files that a failing drive cut may have none.
std::string check_indexes(const Paths& directories);

// Each file as tcpdump and capinfos see it: whole, nanoseconds, in time order, as many packets as libpcap finds.
std::string ask_outside(const Paths& directories, bool tshark_too = false);

// All of these, for a capture that ended as it should: "", or the first complaint.
std::string check_capture(const CaptureResult& result, const Paths& directories);

}  // namespace wirespool::test
