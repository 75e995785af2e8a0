// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "format/flow_record.hpp"

namespace wirespool::format {

// Flow records as bytes of a file. One for each file, one thread.
class FlowEncoder {
 public:
  virtual ~FlowEncoder() = default;

  // Appends to `out` what is whole by now: maybe nothing, maybe more than this record.
  virtual void add(const FlowRecord& record, std::string& out) = 0;
  // And what is not yet. What follows, if anything does, is a new part of the same file.
  virtual void flush(std::string& out) = 0;
};

// A line of JSON each (README.md).
std::unique_ptr<FlowEncoder> make_json_flows();

// IPFIX messages (RFC 7011) as a file of them (RFC 5655), the direction back in reverse elements (RFC 5103).
std::unique_ptr<FlowEncoder> make_ipfix_flows();

}  // namespace wirespool::format
