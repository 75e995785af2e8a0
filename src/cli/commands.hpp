// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "cli/parse.hpp"

namespace wirespool::cli {

// One function a command, in cmd_<name>.cpp. `args` is what follows the command's name; gives the exit code.
int cmd_capture(const Args& args);
int cmd_disk_bench(const Args& args);
int cmd_doctor(const Args& args);
int cmd_extract(const Args& args);
int cmd_index(const Args& args);
int cmd_ls(const Args& args);
int cmd_repair(const Args& args);
int cmd_verify(const Args& args);
int cmd_plan(const Args& args);
int cmd_vf(const Args& args);

}  // namespace wirespool::cli
