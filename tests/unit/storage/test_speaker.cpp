// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "storage/speaker.hpp"
#include "support/catch.hpp"

using namespace wirespool::storage;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  std::array<int, 2> ends{};
  explicit Pipe(int flags = 0) {
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | flags) == 0);
    (void)::fcntl(ends[1], F_SETPIPE_SZ, 4096);
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  void lose_reader() { ::close(std::exchange(ends[0], -1)); }
  std::string read(std::size_t bytes) const {
    std::string text(bytes, ' ');
    std::size_t got = 0;
    while (got < bytes) {
      const auto some = ::read(ends[0], text.data() + got, bytes - got);
      if (some <= 0) break;
      got += static_cast<std::size_t>(some);
    }
    text.resize(got);
    return text;
  }
};

}  // namespace

TEST_CASE("what is said gets out whole and in order, however slowly it is read") {
  const auto flags = GENERATE(0, O_NONBLOCK);
  const Pipe pipe(flags);
  ::fcntl(pipe.ends[0], F_SETFL, 0);
  Speaker speaker(pipe.ends[1]);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto line = std::string(1000, static_cast<char>('a' + i % 26)) + "\n";
    speaker.say(line);
    all += line;
  }
  CHECK(pipe.read(all.size()) == all);
  CHECK(speaker.finish(10s));
  CHECK(speaker.take_unsaid(0s).none());
}

TEST_CASE("a reader that does not read keeps no speaker, and what he did not take is unsaid once") {
  const auto flags = GENERATE(0, O_NONBLOCK);
  const Pipe pipe(flags);
  Speaker speaker(pipe.ends[1]);
  for (int i = 0; i < 50; ++i) speaker.say(std::string(2000, 'x') + "\n");
  CHECK_FALSE(speaker.finish(50ms));
  const auto unsaid = speaker.take_unsaid(0s);
  CHECK(unsaid.texts.size() == 16);
  CHECK(unsaid.texts.size() + unsaid.more >= 47);  // 4 KiB of 100 KiB got out
  CHECK(speaker.take_unsaid(0s).none());
}

TEST_CASE("a reader that has gone, a full disk and a closed descriptor end nobody") {
  Pipe pipe;
  pipe.lose_reader();
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  for (const int fd : {pipe.ends[1], full, 1'000'000}) {
    Speaker speaker(fd);
    speaker.say("a word\n");
    CHECK_FALSE(speaker.finish(10s));
    const auto unsaid = speaker.take_unsaid(0s);
    REQUIRE(unsaid.texts.size() == 1);
    CHECK(unsaid.texts[0] == "a word");
  }
  ::close(full);
}

TEST_CASE("what is said while a speaker is held comes out afterwards, in order, and is never unsaid meanwhile") {
  const Pipe pipe(O_NONBLOCK);
  Speaker speaker(pipe.ends[1]);
  speaker.hold();
  for (const char* text : {"one\n", "two\n", "three\n"}) speaker.say(text);
  CHECK_FALSE(speaker.finish(50ms));
  CHECK(pipe.read(1).empty());
  CHECK(speaker.take_unsaid(0s).none());
  CHECK(speaker.latest(2) == std::vector<std::string>{"two", "three"});
  speaker.release();
  CHECK(speaker.finish(10s));
  CHECK(pipe.read(14) == "one\ntwo\nthree\n");
  CHECK(speaker.idle());
}
