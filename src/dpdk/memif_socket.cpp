// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/memif_socket.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wirespool::dpdk {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_path = "/run/memif.sock";
constexpr const char* served_what_to_do =
    "give this end role=client to join it, or another socket=; if it is of an earlier run, end that first";

bool is_server(const plan::DeviceArgs& device) {
  const auto roles = device.all("role");
  return !roles.empty() && (roles.back() == "server" || roles.back() == "master");
}

std::string path_of(const plan::DeviceArgs& device) {
  const auto given = device.all("socket");
  return given.empty() ? default_path : given.back();
}

// Names of this network namespace, which end with the kernel's process: none is left behind (unix(7)).
bool is_abstract(const plan::DeviceArgs& device) {
  const auto given = device.all("socket-abstract");
  return given.empty() || given.back() == "yes";
}

// A socket of this network namespace is bound to this name; abstract ones are shown with "@" for their leading zero and
// those behind it (proc(5), /proc/net/unix).
bool is_bound(const std::string& shown_name) {
  std::ifstream sockets("/proc/net/unix");
  const auto shown = " " + shown_name;
  for (std::string line; std::getline(sockets, line);) {
    const auto at = line.find(shown);
    if (at == std::string::npos) continue;
    if (line.find_first_not_of('@', at + shown.size()) == std::string::npos) return true;
  }
  return false;
}

std::optional<Error> problem_of_path(const std::string& what, const std::string& path) {
  std::error_code ignored;
  const auto folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    return Error{what, fmt::format("there is no directory {} for its socket", folder.string()), "make it",
                 Error::Kind::not_ready};
  if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
  if (!fs::is_socket(path, ignored))
    return Error{what, fmt::format("{} is there, and is no socket", path),
                 "give another socket=", Error::Kind::not_ready};
  if (is_bound(path))
    return Error{what, fmt::format("another program serves its socket {}", path), served_what_to_do,
                 Error::Kind::not_ready};
  return Error{what,
               fmt::format("its socket {} is there, and nobody in this network namespace serves it: a program that was "
                           "killed left it",
                           path),
               "rm " + path + ", if none elsewhere does", Error::Kind::not_ready};
}

}  // namespace

std::optional<Error> memif_problem(const plan::DeviceArgs& device) {
  if (!device.name.starts_with("net_memif") || !is_server(device)) return std::nullopt;
  const auto what = "--vdev " + device.name, path = path_of(device);
  if (!is_abstract(device)) return problem_of_path(what, path);
  if (!is_bound("@" + path)) return std::nullopt;
  return Error{what, fmt::format("another program serves its abstract socket {}", path), served_what_to_do,
               Error::Kind::not_ready};
}

}  // namespace wirespool::dpdk
