// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "format/ledger_line.hpp"

namespace wirespool::stats {

// The ledger as text for people. Rates are since the line `before`.

std::string short_number(double n);  // 12.30M, 45.60k, 789: three digits are enough for a rate
std::string rates_line(const format::LedgerLine& line, const format::LedgerLine& before);  // short: a service manager's
std::string console_line(const format::LedgerLine& line, const format::LedgerLine& before);  // no newline
std::string console_summary(const format::LedgerLine& line);  // at the end: a table of everything

}  // namespace wirespool::stats
