// SPDX-License-Identifier: BSD-3-Clause
#include "tools/record_check.hpp"

#include <fmt/format.h>

namespace wirespool::tools {

std::vector<std::string> RecordCheck::problems() const {
  std::vector<std::string> problems;
  const auto tell = [&problems](const Fault& fault, const char* what) {
    if (fault.count > 0)
      problems.push_back(fmt::format("{} {}, the first at byte {}", fault.count, what, fault.first_offset));
  };
  tell(backwards_, "timestamps go back");
  tell(longer_than_wire_, "packets were captured longer than they were on the wire");
  tell(longer_than_snaplen_, "packets are longer than the file's snaplen");
  tell(odd_nanoseconds_, "timestamps have more than a second in their fraction");
  return problems;
}

}  // namespace wirespool::tools
