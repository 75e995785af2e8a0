// SPDX-License-Identifier: BSD-3-Clause
#include "support/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "support/catch.hpp"
#include "support/network.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool::test;

TEST_CASE("a process gives back its exit code and what it printed") {
  const auto result = run_process({"sh", "-c", "echo to out; echo to err >&2; exit 3"});
  CHECK(result.exit_code == 3);
  CHECK(result.out == "to out\n");
  CHECK(result.err == "to err\n");
  CHECK_FALSE(result.ok());
}

TEST_CASE("a process has nothing of our caller's: no descriptor, no stdin, no ignored signal, no mode of new files") {
  const int next = ::fcntl(STDERR_FILENO, F_DUPFD, 3);  // descriptor 3 is open now, whoever opened it
  const auto handler = std::signal(SIGINT, SIG_IGN);
  const auto mode = ::umask(077);
  const auto result =
      run_process({"sh", "-c", "ls /proc/$$/fd; readlink /proc/$$/fd/0; umask; trap 'echo told' INT; kill -INT $$; :"});
  ::umask(mode);
  std::signal(SIGINT, handler);
  ::close(next);
  CHECK(result.out == "0\n1\n2\n/dev/null\n0022\ntold\n");
}

TEST_CASE("a process that takes too long is killed and says so") {
  const auto result = run_process({"sleep", "30"}, Seconds(0.1));
  CHECK(result.timed_out);
  CHECK(result.signal == SIGKILL);
}

TEST_CASE("a process is stopped by the signal asked for") {
  Process process({"sh", "-c", "trap 'echo stopping; exit 4' INT; echo ready; while :; do sleep 0.05; done"});
  REQUIRE(process.wait_for_output("ready", Seconds(10)));
  CHECK(process.running());
  const auto result = process.stop(SIGINT);
  CHECK(result.exit_code == 4);
  CHECK(result.out == "ready\nstopping\n");
}

TEST_CASE("waiting for words that never come ends with the process") {
  Process process({"true"});
  CHECK_FALSE(process.wait_for_output("words", Seconds(10)));
}

TEST_CASE("a process that is let go of does not live on") {
  pid_t pid = 0;
  {
    const Process process({"sleep", "30"});
    pid = process.pid();
    CHECK(kill(pid, 0) == 0);
  }
  CHECK(kill(pid, 0) == -1);
}

TEST_CASE("a program that is not there is an error") { CHECK_THROWS(Process({"no-such-program-anywhere"})); }

TEST_CASE("a veth pair carries every frame of a trace, and is gone afterwards") {
  if (const auto why = why_no_network(); !why.empty() || !have_program("tcpreplay") || !have_program("tcpdump")) {
    WARN("skipped: " + (why.empty() ? "needs tcpreplay and tcpdump" : why));
    return;
  }
  const TempDir dir;
  const auto trace = make_trace({.kind = "mixed", .packets = 500});
  write_pcap(trace, dir / "sent.pcap");
  std::string left;
  {
    const NetNamespace place;
    const VethPair pair(&place);
    left = pair.left();
    Process tcpdump(place.inside({"tcpdump", "-n", "-U", "-s", "2048", "-B", "16384", "-i", pair.right(), "-w",
                                  dir / "got.pcap", "--immediate-mode"}));
    REQUIRE(tcpdump.wait_for_output("listening on", Seconds(60)));
    const auto sent =
        run_process(place.inside({"tcpreplay", "-K", "--pps=5000", "-i", pair.left(), dir / "sent.pcap"}));
    INFO(sent.describe());
    REQUIRE(sent.ok());
    // -U: each packet is in the file as soon as it is taken.
    for (int i = 0; i < 3'000 && file_size(dir / "got.pcap") < file_size(dir / "sent.pcap"); ++i) ::usleep(10'000);
    tcpdump.stop(SIGINT);
  }
  CHECK(compare_in_order(trace, read_pcap(dir / "got.pcap")) == "");
  CHECK_FALSE(run_process({"ip", "link", "show", left}).ok());
}

TEST_CASE("a namespace is gone when its object is, with what was in it") {
  if (const auto why = why_no_network(); !why.empty()) {
    WARN("skipped: " + why);
    return;
  }
  std::string name;
  {
    const NetNamespace place;
    name = place.name();
    CHECK(std::filesystem::exists("/run/netns/" + name));
    CHECK(run_process(place.inside({"true"})).ok());
  }
  CHECK_FALSE(std::filesystem::exists("/run/netns/" + name));
}
