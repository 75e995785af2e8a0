// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cli/parse.hpp"
#include "machine/sandbox.hpp"
#include "options/documents.hpp"

namespace wirespool::cli {

struct Command {
  std::string_view name;
  std::string_view title;                 // half a sentence
  int (*run)(const Args& args);           // `args` is what follows the command's name; gives the exit code
  std::vector<options::Page> (*pages)();  // one, or one a verb
  // It reads files that somebody else may have made, and this is all it needs for that. nullopt: it is not confined.
  std::optional<machine::FilesLeft> files_left = std::nullopt;
  bool asks_probes = false;  // places may be services elsewhere: then it confines itself when they have answered
};

// All commands, in the order in which --help lists them.
const std::vector<Command>& commands();

// The same commands for documents.
std::vector<options::Chapter> chapters();

// What wirespool is and what its exit codes mean, in whole sentences.
inline constexpr std::string_view summary =
    "wirespool puts every packet a DPDK port receives on disk as pcap, and reads it back.";
inline constexpr std::string_view exit_codes =
    "Exit codes: 0 done, 1 wrong use, 2 the machine is not ready, 3 the capture failed, 4 packets lost with --strict.";

// One function for each command, in cmd_<name>.cpp, and one for its pages.
int cmd_capture(const Args& args);
int cmd_client(const Args& args);
int cmd_clientst(const Args& args);
int cmd_completion(const Args& args);
int cmd_disk_bench(const Args& args);
int cmd_doctor(const Args& args);
int cmd_dpdk_client(const Args& args);
int cmd_dpdk_clientst(const Args& args);
int cmd_dpdk_forward(const Args& args);
int cmd_dpdk_recv(const Args& args);
int cmd_dpdk_send(const Args& args);
int cmd_dpdk_server(const Args& args);
int cmd_extcap(const Args& args);
int cmd_extract(const Args& args);
int cmd_forward(const Args& args);
int cmd_index(const Args& args);
int cmd_keep(const Args& args);
int cmd_ls(const Args& args);
int cmd_manifest(const Args& args);
int cmd_manual(const Args& args);
int cmd_plan(const Args& args);
int cmd_recv(const Args& args);
int cmd_repair(const Args& args);
int cmd_retain(const Args& args);
int cmd_send(const Args& args);
int cmd_serve(const Args& args);
int cmd_server(const Args& args);
int cmd_verify(const Args& args);
int cmd_vf(const Args& args);
int cmd_watch(const Args& args);

std::vector<options::Page> capture_pages();
std::vector<options::Page> client_pages();
std::vector<options::Page> clientst_pages();
std::vector<options::Page> completion_pages();
std::vector<options::Page> disk_bench_pages();
std::vector<options::Page> doctor_pages();
std::vector<options::Page> dpdk_client_pages();
std::vector<options::Page> dpdk_clientst_pages();
std::vector<options::Page> dpdk_forward_pages();
std::vector<options::Page> dpdk_recv_pages();
std::vector<options::Page> dpdk_send_pages();
std::vector<options::Page> dpdk_server_pages();
std::vector<options::Page> extcap_pages();
std::vector<options::Page> extract_pages();
std::vector<options::Page> forward_pages();
std::vector<options::Page> index_pages();
std::vector<options::Page> keep_pages();
std::vector<options::Page> ls_pages();
std::vector<options::Page> manifest_pages();
std::vector<options::Page> manual_pages();
std::vector<options::Page> plan_pages();
std::vector<options::Page> recv_pages();
std::vector<options::Page> repair_pages();
std::vector<options::Page> retain_pages();
std::vector<options::Page> send_pages();
std::vector<options::Page> serve_pages();
std::vector<options::Page> server_pages();
std::vector<options::Page> verify_pages();
std::vector<options::Page> vf_pages();
std::vector<options::Page> watch_pages();

}  // namespace wirespool::cli
