// SPDX-License-Identifier: BSD-3-Clause
#include "cli/cli.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "machine/sandbox.hpp"
#include "machine/write_places.hpp"
#include "serve/probe.hpp"
#include "tools/terminal.hpp"
#include "wirespool/version.hpp"

#ifdef WIRESPOOL_CAPTURE
#include "dpdk/eal.hpp"
#endif

namespace wirespool::cli {
namespace {

using machine::FilesLeft;

std::string dpdk_words() {
#ifdef WIRESPOOL_CAPTURE
  return dpdk::version();
#else
  return "built without DPDK: no capture";
#endif
}

std::string version_text() {
  return fmt::format(
      "wirespool {}\n{}\nliburing {}\n{}{}", version, dpdk_words(), WIRESPOOL_LIBURING_VERSION,
      machine::has_sandbox() ? "" : "built without libseccomp: readers have no sandbox\n",
      machine::has_write_places() ? "" : "no Landlock here: readers may write wherever their user may\n");
}

std::string help_text() {
  auto text = fmt::format("{}\nUsage: wirespool COMMAND ...\n\nCommands:\n", summary);
  for (const auto& command : commands()) text += fmt::format("  {:<15}{}\n", command.name, command.title);
  text += "\nwirespool COMMAND --help says more, with examples; wirespool --version names DPDK's and liburing's too.\n";
  return text + std::string(exit_codes) + "\n";
}

Stop unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  const auto match = closest(name, names);
  return {Exit::wrong_use, "",
          error_line(name, "unknown command",
                     match.empty() ? "see wirespool --help" : fmt::format("did you mean {}?", match))};
}

bool asks_probe(const Args& args) { return std::ranges::any_of(args, serve::is_probe); }

int dispatch(const std::string& name, const Args& args) {
  if (name == "--help" || name == "-h" || name == "help") return finish({Exit::done, help_text(), ""});
  if (name == "--version" || name == "-V") return finish({Exit::done, version_text(), ""});
  const auto command = std::ranges::find(commands(), name, &Command::name);
  if (command == commands().end()) return finish(unknown_command(name));
  if (command->files_left && !(command->asks_probes && asks_probe(args)))
    confine(std::string(command->name), *command->files_left);
  return command->run(args);
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      {"capture", "receive from DPDK ports and write every packet to disk", cmd_capture, capture_pages},
      {"ls", "what was captured, when, where, and what was lost meanwhile", cmd_ls, ls_pages, FilesLeft::read, true},
      {"watch", "a running capture on this terminal, as the one it was started on shows it", cmd_watch, watch_pages,
       FilesLeft::read},
      {"extract", "one time-ordered stream out of all files, filtered if need be", cmd_extract, extract_pages,
       FilesLeft::write, true},
      {"extcap", "captures as interfaces of Wireshark and tshark", cmd_extcap, extcap_pages},
      {"serve", "answers queries over HTTP from what was captured", cmd_serve, serve_pages},
      {"verify", "reads every record and tells all that is wrong", cmd_verify, verify_pages, FilesLeft::read},
      {"keep", "pins files, so that no retention removes them", cmd_keep, keep_pages, FilesLeft::write},
      {"retain", "removes the oldest files until the rest is within limits", cmd_retain, retain_pages,
       FilesLeft::write},
      {"repair", "makes whole files of those that a crash left open", cmd_repair, repair_pages, FilesLeft::write},
      {"index", "makes the indices beside files, so that extract reads less", cmd_index, index_pages, FilesLeft::write},
      {"manifest", "a SHA-256 of every file, as sha256sum -c checks it", cmd_manifest, manifest_pages, FilesLeft::read},
      {"plan", "how many lcores, queues and drives and how much memory a rate takes", cmd_plan, plan_pages},
      {"doctor", "what stands between this machine and a capture without loss", cmd_doctor, doctor_pages},
      {"disk-bench", "how fast drives take what a capture writes", cmd_disk_bench, disk_bench_pages},
      {"vf", "SR-IOV: make, bind, trust and mirror virtual functions", cmd_vf, vf_pages},
      {"send", "packets at a rate, or a capture once more, by sockets", cmd_send, send_pages},
      {"recv", "counts what send sent, and what is missing of it", cmd_recv, recv_pages},
      {"client", "how long packets take to a server and back", cmd_client, client_pages},
      {"clientst", "the same in one thread", cmd_clientst, clientst_pages},
      {"server", "sends packets of a client back", cmd_server, server_pages},
      {"forward", "gives frames of one interface to another", cmd_forward, forward_pages},
      {"dpdk-send", "send on a port of DPDK", cmd_dpdk_send, dpdk_send_pages},
      {"dpdk-recv", "recv on a port of DPDK", cmd_dpdk_recv, dpdk_recv_pages},
      {"dpdk-client", "client on a port of DPDK", cmd_dpdk_client, dpdk_client_pages},
      {"dpdk-clientst", "the same on one lcore", cmd_dpdk_clientst, dpdk_clientst_pages},
      {"dpdk-server", "server on a port of DPDK", cmd_dpdk_server, dpdk_server_pages},
      {"dpdk-forward", "gives frames of one port of DPDK to another", cmd_dpdk_forward, dpdk_forward_pages},
      {"manual", "this program's manual pages", cmd_manual, manual_pages},
      {"completion", "scripts with which shells complete all this", cmd_completion, completion_pages},
  };
  return table;
}

std::vector<options::Chapter> chapters() {
  std::vector<options::Chapter> result;
  for (const auto& command : commands()) result.push_back({command.name, command.title, command.pages()});
  return result;
}

int run(int argc, char** argv) {
  tools::hold_standard_streams();
  (void)std::signal(SIGXFSZ, SIG_IGN);  // a write beyond RLIMIT_FSIZE then gives EFBIG
  const Args args(argv + std::min(argc, 1), argv + argc);
  if (args.empty()) return finish({Exit::wrong_use, "", error_line("no command", "", "see wirespool --help")});
  try {
    return dispatch(args.front(), {args.begin() + 1, args.end()});
  } catch (const std::exception& error) {
    // Only running out of memory gets here: every expected error is a value. Still one line, and no core file.
    tell(error_line(args.front(), error.what(), ""));
    return Exit::machine_not_ready;
  }
}

}  // namespace wirespool::cli
