// SPDX-License-Identifier: BSD-3-Clause
// Files that are pinned and released through `wirespool serve`, the program as it is run, asked by curl.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "spool/kept_capture.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

struct Answer {
  std::string status;
  Json json;
};

struct Rig {
  KeptCapture capture;
  Serving serving;

  explicit Rig(const Command& options = {"--allow-keep"})
      : serving((capture.write_plan(), std::vector{capture.directory.string()}), options) {}

  Answer ask(const std::string& method, const std::string& path, const Command& options = {}) const {
    Command words{"curl", "-sS", "--max-time", "60", "-X", method, "-w", "\n%{http_code}", serving.url(path)};
    words.insert(words.end(), options.begin(), options.end());
    const auto result = run_process(words);
    INFO(result.describe() << serving.log());
    REQUIRE(result.ok());
    const auto end = result.out.rfind('\n');
    return {result.out.substr(end + 1), Json::parse(result.out.substr(0, end))};
  }
  Answer pin(const Json& wanted, const std::string& type = "application/json") const {
    return ask("POST", "/api/pins", {"-H", "Content-Type: " + type, "-d", wanted.dump()});
  }
  bool pinned(std::size_t i) const { return fs::exists(capture.paths[i] + ".keep"); }
  std::size_t pins() const {
    std::size_t count = 0;
    for (const auto& name : names_in(capture.directory)) count += name.ends_with(".keep");
    return count;
  }
  // The time of the first packet of a file, and of the one behind it.
  std::string begin_of(std::size_t i) const { return rfc3339(format::parse_file_name(capture.name(i))->first); }
};

bool no_curl() {
  if (have_program("curl")) return false;
  skip("pins through a service", "curl is not here: apt-get install curl");
  return true;
}

}  // namespace

TEST_CASE("who asks a service that allows it pins the files of a time, and the pins say who and why") {
  if (no_curl()) return;
  Rig rig;
  CHECK(rig.ask("GET", "/api/service").json["allow_keep"] == true);
  const auto made = rig.pin({{"from", rig.begin_of(2)}, {"to", rig.begin_of(3)}, {"reason", "ticket 4711"}});
  INFO(made.json.dump(1));
  CHECK(made.status == "200");
  CHECK(rig.pinned(2));
  CHECK_FALSE(rig.pinned(3));
  const auto count = rig.pins();
  CHECK(count == made.json["files"].size());
  const auto listed = rig.ask("GET", "/api/pins");
  CHECK(listed.status == "200");
  const auto by_program =
      run_process({std::getenv("WIRESPOOL"), "keep", "--list", "--json", rig.capture.directory.string()});
  CHECK(listed.json == Json::parse(by_program.out));
  const auto& pin = listed.json["files"].back()["pin"];
  CHECK(pin["reason"] == "ticket 4711");
  CHECK(pin["who"].get<std::string>().starts_with("anyone at 127.0.0.1:"));
  const auto again = rig.pin({{"from", rig.begin_of(2)}, {"to", rig.begin_of(3)}});
  CHECK(again.json["files"].back()["outcome"] == "pinned already");
  CHECK(rig.serving.line_with("POST /api/pins", "ticket 4711") != "");
}

TEST_CASE("pins are released by the file's name, or by time, and others stay") {
  if (no_curl()) return;
  const Rig rig;
  CHECK(rig.pin({{"from", rig.begin_of(0)}, {"to", rig.begin_of(4)}}).status == "200");
  const auto one = rig.ask("DELETE", "/api/pins?file=" + rig.capture.name(1));
  INFO(one.json.dump(1));
  CHECK(one.status == "200");
  CHECK(one.json["files"].size() == 1);
  CHECK_FALSE(rig.pinned(1));
  CHECK((rig.pinned(0) && rig.pinned(2)));
  CHECK(rig.ask("DELETE", "/api/pins?from=" + rig.begin_of(0) + "&to=%2B0s").status == "200");
  CHECK(rig.pins() == 0);
  CHECK(fs::exists(rig.capture.paths[0]));
}

TEST_CASE("a service that was not told to changes nothing") {
  if (no_curl()) return;
  const Rig rig{Command{}};
  CHECK(rig.ask("GET", "/api/service").json["allow_keep"] == false);
  const auto refused = rig.pin({{"from", "0"}});
  CHECK(refused.status == "403");
  CHECK(refused.json["what_to_do"].get<std::string>().find("--allow-keep") != std::string::npos);
  CHECK(rig.ask("DELETE", "/api/pins?from=0").status == "403");
  CHECK(rig.ask("GET", "/api/pins").status == "200");
  CHECK(rig.pins() == 0);
}

// What a form or a script of another site can have a browser send without asking first is refused, and what it has to
// ask for first is not allowed.
TEST_CASE("a page of another site pins nothing and releases nothing") {
  if (no_curl()) return;
  const Rig rig;
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded"})
    CHECK(rig.pin({{"from", "0"}}, type).status == "415");
  CHECK(rig.pin({{"from", "0"}}, "multipart/form-data; boundary=x").status == "400");
  const auto asked_first = run_process({"curl", "-sS", "-i", "-X", "OPTIONS", "-H", "Origin: http://elsewhere.example",
                                        "-H", "Access-Control-Request-Method: DELETE", rig.serving.url("/api/pins")});
  CHECK(asked_first.out.find("Access-Control-Allow") == std::string::npos);
  CHECK(asked_first.out.find(" 405 ") != std::string::npos);
  CHECK(rig.ask("POST", "/api/pins",
                {"-H", "Host: elsewhere.example", "-H", "Content-Type: application/json", "-d", "{}"})
            .status == "421");
  CHECK(rig.pins() == 0);
}

TEST_CASE("pins that make no sense are refused in one sentence, and none is made") {
  if (no_curl()) return;
  const Rig rig;
  const auto wrong = [&](const Answer& answer, const std::string& status, const std::string& what) {
    INFO(answer.json.dump());
    CHECK(answer.status == status);
    CHECK(answer.json["what"] == what);
  };
  const auto type = "Content-Type: application/json";
  wrong(rig.pin(Json::object()), "400", "from");
  wrong(rig.pin({{"from", "tomorrow"}}), "400", "from");
  wrong(rig.pin({{"filter", "port and"}}), "400", "filter");
  wrong(rig.pin({{"from", 7}}), "400", "body");
  wrong(rig.pin({{"from", "0"}, {"directory", "/etc"}}), "400", "body");
  wrong(rig.ask("POST", "/api/pins", {"-H", type, "-d", "["}), "400", "body");
  wrong(rig.ask("POST", "/api/pins", {"-H", type, "-d", "[]"}), "400", "body");
  wrong(rig.ask("POST", "/api/pins", {"-H", type, "-d", std::string(20'000, 'x')}), "413", "request");
  wrong(rig.ask("DELETE", "/api/pins"), "400", "from");
  wrong(rig.ask("DELETE", "/api/pins?file=../../etc/passwd"), "400", "file");
  wrong(rig.ask("PUT", "/api/pins"), "405", "method");
  CHECK(rig.pins() == 0);
}

TEST_CASE("what could not be pinned is no success") {
  if (no_curl()) return;
  const Rig rig;
  // A directory of that name is in the way of the pin.
  fs::create_directory(rig.capture.paths[2] + ".keep");
  const auto released = rig.ask("DELETE", "/api/pins?file=" + rig.capture.name(2));
  INFO(released.json.dump());
  CHECK(released.status == "503");
  CHECK(released.json["why"].get<std::string>().find("remove it by hand") != std::string::npos);
}
