// SPDX-License-Identifier: BSD-3-Clause
// EAL's telemetry socket of a running capture, asked as dpdk-telemetry.py asks it (DPDK's howto/telemetry).
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "storage/file_descriptor.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t packets = 5'000;

// The socket says who it is, and then answers one command after the other, each in one message.
class Asker {
 public:
  explicit Asker(const fs::path& path) : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    (void)hear();
  }

  Json ask(const std::string& command) const {
    REQUIRE(::send(socket_.get(), command.data(), command.size(), MSG_NOSIGNAL) > 0);
    return hear();
  }

 private:
  Json hear() const {
    std::string text(1 << 18, '\0');
    const auto got = ::recv(socket_.get(), text.data(), text.size(), 0);
    REQUIRE(got > 0);
    text.resize(static_cast<std::size_t>(got));
    INFO(text);
    auto json = Json::parse(text, nullptr, false);
    REQUIRE_FALSE(json.is_discarded());
    return json;
  }

  storage::FileDescriptor socket_;
};

// The tests' usual command line has --no-telemetry.
Command with_telemetry(Command command) {
  std::erase(command, "--no-telemetry");
  return command;
}

std::string prefix_of(const Command& command) {
  return *std::next(std::ranges::find(command, std::string("--file-prefix")));
}

// Asks until the ledger has all packets stored.
Json ledger_of_all(const Asker& asker) {
  Json ledger;
  for (int i = 0; i < 600; ++i) {
    const auto answer = asker.ask("/wirespool/ledger").at("/wirespool/ledger");
    if (!answer.is_null() && answer.contains("stored")) ledger = answer;
    if (!ledger.is_null() && ledger.at("stored") == packets) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return ledger;
}

}  // namespace

TEST_CASE("EAL's telemetry socket has the ledger, the drives and the plan of a running capture") {
  const Bench bench(2);
  write_trace({.kind = "60", .packets = packets}, bench.trace());
  const auto command = with_telemetry(command_line({.vdevs = {replay_of({bench.trace()})},
                                                    .outputs = bench.outputs,
                                                    .options = {"--stats-interval", "50ms", "--flush-age", "50ms"}}));
  const auto directory = fs::path("/run/dpdk") / prefix_of(command);
  Process process(command);
  REQUIRE(process.wait_for_output("\"final\":false", Seconds(60)));
  {
    const Asker asker(directory / "dpdk_telemetry.v2");
    const auto ledger = ledger_of_all(asker);
    INFO(ledger);
    REQUIRE(ledger.is_object());
    CHECK(ledger.at("received") == packets);
    CHECK(ledger.at("in_flight") == 0);
    CHECK(ledger.at("imbalance") == "");
    CHECK(ledger.at("lost").at("drop_handoff") == 0);
    const auto drives = asker.ask("/wirespool/drives").at("/wirespool/drives");
    INFO(drives);
    REQUIRE(drives.size() == 2);
    CHECK(drives.at("1").at("state") == "ok");
    CHECK(asker.ask("/wirespool/drives,0").at("/wirespool/drives").at("bytes") == drives.at("0").at("bytes"));
    for (const char* wrong :
         {"/wirespool/drives,2", "/wirespool/drives,x", "/wirespool/drives,0x", "/wirespool/drives,-1"})
      CHECK(asker.ask(wrong).at("/wirespool/drives").is_null());
    const auto plan = asker.ask("/wirespool/plan").at("/wirespool/plan");
    INFO(plan);
    CHECK(plan.at("stats_interval") == "50ms");
    CHECK(plan.at("rx_lcores") == "1");
    CHECK(plan.at("io") == "uring");
  }
  const auto result = read_capture(process.stop(SIGINT, Seconds(60)));
  fs::remove(directory);  // DPDK takes its socket away as the process exits, and nobody the directory
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == packets);
}
