// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/memif_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/file_descriptor.hpp"

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

// A line of /proc/net/unix ends with the name; its leading zero and those behind it are shown as "@".
bool abstract_name_taken(const std::string& path) {
  std::ifstream sockets("/proc/net/unix");
  const auto shown = " @" + path;
  for (std::string line; std::getline(sockets, line);) {
    const auto at = line.find(shown);
    if (at == std::string::npos) continue;
    if (line.find_first_not_of('@', at + shown.size()) == std::string::npos) return true;
  }
  return false;
}

// 0, or the errno of connect(2).
int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const storage::FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
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
  const int error = connect_to(path);
  if (error == ECONNREFUSED)
    return Error{what,
                 fmt::format("its socket {} is there, and nobody serves it: a program that was killed left it", path),
                 "rm " + path, Error::Kind::not_ready};
  if (error == EACCES)
    return Error{what, fmt::format("its socket {} is another user's", path),
                 "give another socket=", Error::Kind::not_ready};
  return Error{what, fmt::format("another program serves its socket {}", path), served_what_to_do,
               Error::Kind::not_ready};
}

}  // namespace

std::optional<Error> memif_problem(const plan::DeviceArgs& device) {
  if (!device.name.starts_with("net_memif") || !is_server(device)) return std::nullopt;
  const auto what = "--vdev " + device.name, path = path_of(device);
  if (!is_abstract(device)) return problem_of_path(what, path);
  if (!abstract_name_taken(path)) return std::nullopt;
  return Error{what, fmt::format("another program serves its abstract socket {}", path), served_what_to_do,
               Error::Kind::not_ready};
}

}  // namespace wirespool::dpdk
