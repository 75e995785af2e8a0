// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "options/table.hpp"
#include "plan/capture_config.hpp"

namespace wirespool::plan {

// Every option of `wirespool capture`, described once: read from the command line and from files, checked, shown by
// --dry-run and kept in capture.json by this table. A new option is a field of CaptureConfig, a row here, and its use.
const options::Table<CaptureConfig>& capture_table();

}  // namespace wirespool::plan
