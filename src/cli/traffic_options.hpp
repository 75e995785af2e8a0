// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "options/table.hpp"
#include "traffic/request.hpp"

namespace wirespool::cli {

// The options of an application of traffic/, as far as it has them.
options::Table<traffic::Request> traffic_table(traffic::Application application);

}  // namespace wirespool::cli
