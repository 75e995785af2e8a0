// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

enum class FileFormat { pcap, pcapng };

// STEM-YYYYMMDDTHHMMSS.NNNNNNNNNZ-wWW-SSSSSS.pcap or .pcapng: UTC time of the first packet, writer, sequence of the
// writer's files in this capture. WW and SSSSSS are at least two and six digits. STEM may itself contain dashes.
struct FileName {
  std::string stem;
  Timestamp first;
  unsigned writer = 0;
  unsigned sequence = 0;
  FileFormat format = FileFormat::pcap;

  bool operator==(const FileName&) const = default;
};

std::string format_file_name(const FileName& name);
std::optional<FileName> parse_file_name(std::string_view text);  // the name alone, without a directory

// The name while the file is written: '.' in front, ".open" at the end, and the capture's start instead of the first
// packet's time.
std::string hidden_file_name(const FileName& name_with_capture_start);
std::optional<FileName> parse_hidden_file_name(std::string_view text);

std::string index_file_name(std::string_view pcap_name);  // ".idx" in place of ".pcap" or ".pcapng"
std::string hidden_index_file_name(std::string_view pcap_name);

// Beside a sealed file for which --on-seal has not succeeded yet: '.' in front, ".on-seal" at the end. Empty; nothing
// removes a pcap that has one.
std::string pending_file_name(std::string_view pcap_name);
std::optional<std::string> pcap_of_pending_file(std::string_view text);  // the pcap's name

// ".cut" at the end: the bytes of a file that `repair` found to belong to no whole record, at the offsets where they
// were.
std::string cut_file_name(std::string_view pcap_name);

// ".keep" at the end: a file of this name pins the pcap. ".removed.json": what retention removed of a capture here.
std::string keep_file_name(std::string_view pcap_name);
std::string removed_file_name(std::string_view stem, Timestamp start);
// STEM-<start>.archived.json: where files of a capture were moved that were here.
std::string archived_file_name(std::string_view stem, Timestamp start);

// STEM-<start>: what a capture is called, and all that is named after it begins with that.
struct CaptureName {
  std::string stem;
  Timestamp start;

  bool operator==(const CaptureName&) const = default;
};
std::string capture_name(std::string_view stem, Timestamp start);
std::optional<CaptureName> parse_capture_name(std::string_view text);  // nothing in front of it, nothing behind it

// STEM-<time of the first record>-fFF-SSSSSS and the suffix: FF the thread that writes flow records, SSSSSS its files.
// While it is written: '.' in front, ".open" behind, and the capture's start as the time.
inline constexpr std::string_view json_flows_suffix = ".jsonl", ipfix_flows_suffix = ".ipfix";
std::string flow_file_name(std::string_view stem, Timestamp time, unsigned writer, unsigned sequence,
                           std::string_view suffix);
std::string hidden_flow_file_name(std::string_view flow_file_name);

// STEM-<start>.capture.json and STEM-<start>.ledger.jsonl
std::string capture_file_name(std::string_view stem, Timestamp start);
std::string ledger_file_name(std::string_view stem, Timestamp start);

// "20261121T075430.123456789Z" and back: exactly that (time_text.cpp).
std::string format_compact_time(Timestamp time);
std::optional<Timestamp> parse_compact_time(std::string_view text);

// ".STEM.live": what a running capture tells readers of its open files here (live_file.hpp); and the STEM of one.
std::string live_file_name(std::string_view stem);
std::optional<std::string> parse_live_file_name(std::string_view text);

// A STEM is one or more of A-Z a-z 0-9 _ - and dots, not starting with a dot or dash; at most 64 characters.
bool valid_stem(std::string_view stem);

}  // namespace wirespool::format
