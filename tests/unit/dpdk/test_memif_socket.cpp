// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/memif_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "storage/file_descriptor.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using Catch::Contains;
using wirespool::dpdk::memif_problem;
using wirespool::plan::parse_device_args;
using namespace wirespool::test;

namespace {

// Listens as net_memif does: at a path, or at an abstract name.
wirespool::storage::FileDescriptor serve(const std::string& path, bool abstract = false) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() + 1 < sizeof address.sun_path);
  std::memcpy(address.sun_path + (abstract ? 1 : 0), path.data(), path.size());
  wirespool::storage::FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 1) == 0);
  return socket;
}

std::string problem_of(const std::string& arguments) {
  const auto problem = memif_problem(parse_device_args(arguments));
  return problem ? problem->message() : "";
}

// Short enough for a socket, whose name has 107 bytes at most (unix(7)).
struct SocketPlace {
  SocketPlace() : path("/tmp/wirespool-memif-" + std::to_string(::getpid())) {}
  ~SocketPlace() { ::unlink(path.c_str()); }
  std::string server() const { return "net_memif0,role=server,socket-abstract=no,socket=" + path; }
  std::string path;
};

}  // namespace

TEST_CASE("a memif socket that another program serves is told with what to do") {
  const SocketPlace place;
  const auto listening = serve(place.path);
  CHECK_THAT(problem_of(place.server()),
             Contains("--vdev net_memif0: another program serves its socket " + place.path) &&
                 Contains("give this end role=client to join it, or another socket="));
  CHECK_THAT(problem_of("net_memif0,role=master,socket-abstract=no,socket=" + place.path), Contains("another program"));
}

TEST_CASE("a memif socket that a killed program left is to be removed") {
  const SocketPlace place;
  (void)serve(place.path);
  CHECK_THAT(problem_of(place.server()),
             Contains("nobody in this network namespace serves it") && Contains("rm " + place.path));
}

TEST_CASE("an abstract memif socket is in use by its whole name only") {
  const SocketPlace place;
  const auto listening = serve(place.path, true);
  CHECK_THAT(problem_of("net_memif0,role=server,socket=" + place.path), Contains("serves its abstract socket"));
  CHECK(problem_of("net_memif0,role=server,socket=" + place.path + "0").empty());
  CHECK(problem_of(place.server()).empty());
}

TEST_CASE("a memif socket without a directory, or with another file in its place, is told") {
  CHECK_THAT(problem_of("net_memif0,role=server,socket-abstract=no,socket=/nonexistent/wire"),
             Contains("there is no directory /nonexistent"));
  const SocketPlace place;
  std::ofstream(place.path) << "a file";
  CHECK_THAT(problem_of(place.server()), Contains("is no socket"));
}

TEST_CASE("a memif client, a free socket and other devices have no such problem") {
  const SocketPlace place;
  CHECK(problem_of(place.server()).empty());
  const auto listening = serve(place.path);
  CHECK(problem_of("net_memif0,role=client,socket-abstract=no,socket=" + place.path).empty());
  CHECK(problem_of("net_vhost0,iface=" + place.path).empty());
}
