// SPDX-License-Identifier: BSD-3-Clause
#include "options/page.hpp"
#include "options/table.hpp"
#include "support/catch.hpp"

using namespace wirespool::options;
using Catch::Contains;
using Texts = std::vector<std::string>;

namespace {

enum class Colour { red, green };

struct Config {
  std::vector<std::string> directories;
  unsigned count = 3;
  std::optional<std::uint8_t> small;
  std::uint64_t bytes = 1 << 20;
  std::optional<std::uint64_t> age_ns;
  std::uint64_t speed = 2'000'000'000;
  Colour colour = Colour::green;
  bool light = true, loud = false, indexed = true;
  std::string name = "a b";
  std::vector<std::string> ports;
  std::vector<unsigned> lcores;
};

Table<Config> make_table() {
  Table<Config> table({.command = "paint",
                       .summary = "Paints.",
                       .examples = {{"wirespool paint /tmp", "paints there"}},
                       .closing = "That is all."});
  table.operands("DIR", &Config::directories, "where", Offers::directories).needed();
  table.group("How");
  table.whole("--count", &Config::count, "how often").in(1, 10);
  table.whole("--small", &Config::small, "a small number").without("none");
  table.size("--bytes", &Config::bytes, "how much").at_least(1024);
  table.time("--max-age", &Config::age_ns, "how long").in(1'000'000, 60'000'000'000).without("for ever");
  table.rate("--speed", &Config::speed, "how fast");
  table.choice("--colour", &Config::colour, {{"red", Colour::red}, {"green", Colour::green}}, "in which");
  table.group("Else");
  table.on_off("--light", &Config::light, "with light");
  table.flag("--loud", &Config::loud, "and loud");
  table.flag("--no-index", &Config::indexed, "without an index", false);
  table.text("--name", "NAME", &Config::name, "its name")
      .check([](const Config& config) -> std::optional<wirespool::Error> {
        if (!config.name.empty()) return std::nullopt;
        return wirespool::Error{"", "no name", "give one"};
      });
  table.list("--port", "ID", &Config::ports, "which").on_command_line_only();
  table.numbers("--lcores", &Config::lcores, "which lcores");
  return table;
}

const Row<Config>& row(const Table<Config>& table, const std::string& name) {
  const auto found = std::ranges::find(table.rows(), name, &Row<Config>::name);
  REQUIRE(found != table.rows().end());
  return *found;
}

// Reads, and says what is wrong with it; "" if nothing is.
std::string read(Config& config, const std::string& name, const Words& words) {
  static const auto table = make_table();
  const auto done = row(table, name).read(config, words);
  return done ? "" : done.error();
}

}  // namespace

TEST_CASE("words that a row understands end up in its field") {
  Config config;
  CHECK(read(config, "DIR", {"/a", "/b"}).empty());
  CHECK(read(config, "--count", {"7"}).empty());
  CHECK(read(config, "--small", {"255"}).empty());
  CHECK(read(config, "--bytes", {"4KiB"}).empty());
  CHECK(read(config, "--max-age", {"2s"}).empty());
  CHECK(read(config, "--speed", {"40G"}).empty());
  CHECK(read(config, "--colour", {"red"}).empty());
  CHECK(read(config, "--light", {"off"}).empty());
  CHECK(read(config, "--loud", {}).empty());
  CHECK(read(config, "--no-index", {}).empty());
  CHECK(read(config, "--name", {"x"}).empty());
  CHECK(read(config, "--port", {"0,1", "2"}).empty());
  CHECK(read(config, "--lcores", {"1", "3-4"}).empty());
  CHECK(config.directories == Texts{"/a", "/b"});
  CHECK(config.count == 7);
  CHECK(config.small == 255);
  CHECK(config.bytes == 4096);
  CHECK(config.age_ns == 2'000'000'000);
  CHECK(config.speed == 40'000'000'000);
  CHECK(config.colour == Colour::red);
  CHECK_FALSE(config.light);
  CHECK(config.loud);
  CHECK_FALSE(config.indexed);
  CHECK(config.name == "x");
  CHECK(config.ports == Texts{"0", "1", "2"});
  CHECK(config.lcores == std::vector<unsigned>{1, 3, 4});
}

TEST_CASE("words that a row does not understand leave its field alone") {
  Config config;
  CHECK(read(config, "--count", {"x"}) == "\"x\" is not a whole number");
  CHECK(read(config, "--small", {"256"}) == "\"256\" is too large");
  CHECK(read(config, "--colour", {"blue"}) == "\"blue\" is not one of red, green");
  CHECK(read(config, "--loud", {"perhaps"}) == "\"perhaps\" is not one of true, false");
  CHECK(config.count == 3);
  CHECK_FALSE(config.small);
  CHECK(config.colour == Colour::green);
}

TEST_CASE("a number out of its row's range is a problem that says the range") {
  const auto table = make_table();
  Config config;
  CHECK(table.problems(config).empty());
  config.count = 11;
  config.bytes = 1;
  config.age_ns = 3;
  config.name = "";
  const auto problems = table.problems(config);
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].message() == "--count: 11 is out of range: give 1 to 10");
  CHECK(problems[1].message() == "--bytes: 1 is out of range: give 1KiB or more");
  CHECK(problems[2].message() == "--max-age: 3ns is too short: give 1ms to 60s");
  CHECK(problems[3].message() == "--name: no name: give one");
}

TEST_CASE("what a command line would have to say for a value is read back as that value") {
  const auto table = make_table();
  Config config;
  config.directories = {"/my data"};
  config.bytes = 1'500'000;  // shown rounded elsewhere
  config.age_ns = 1500;
  config.loud = true;
  config.name = "it's";
  config.lcores = {1, 2, 3};
  const auto said = [&](const std::string& name) {
    const auto& option = row(table, name);
    return arguments_of(option, option.value(config));
  };
  CHECK(said("--count") == Texts{"--count 3"});
  CHECK(said("--small").empty());
  CHECK(said("--bytes") == Texts{"--bytes 1500000"});
  CHECK(said("--max-age") == Texts{"--max-age 1500ns"});
  CHECK(said("--speed") == Texts{"--speed 2G"});
  CHECK(said("--colour") == Texts{"--colour green"});
  CHECK(said("--light") == Texts{"--light on"});
  CHECK(said("--loud") == Texts{"--loud"});
  CHECK(said("--name") == Texts{"--name 'it'\\''s'"});
  CHECK(said("--lcores") == Texts{"--lcores 1-3"});
}

TEST_CASE("an option is named in files and in JSON after its name and unit") {
  const auto table = make_table();
  CHECK(row(table, "--max-age").key() == "max-age");
  CHECK(row(table, "--max-age").json_key() == "max_age_ns");
  CHECK(row(table, "--bytes").json_key() == "bytes");
  CHECK(row(table, "DIR").key().empty());
}

TEST_CASE("--help says what each option takes, may be and is without being given") {
  const auto text = help_text(make_table().page());
  CHECK_THAT(text, Catch::StartsWith("Paints.\nUsage: wirespool paint [OPTIONS] DIR...\n"));
  CHECK_THAT(text, Contains("\nHow:\n  --count N           how often, 1 to 10 [3]\n"));
  CHECK_THAT(text, Contains("  --max-age TIME      how long, 1ms to 60s [for ever]\n"));
  CHECK_THAT(text, Contains("  --speed RATE        how fast [2G]\n"));
  CHECK_THAT(text, Contains("  --colour red|green  in which [green]\n"));
  CHECK_THAT(text, Contains("\nElse:\n  --light on|off      with light [on]\n  --loud              and loud\n"));
  CHECK_THAT(text, Contains("TIME: seconds, or a number with"));
  CHECK_THAT(text, Catch::EndsWith("Examples:\n  wirespool paint /tmp\n      paints there\nThat is all.\n"));
}

TEST_CASE("items are packed into lines without breaking one") {
  CHECK(packed({}, 10).empty());
  CHECK(packed({"--a 1", "--b 2", "--long enough"}, 11) == Texts{"--a 1 --b 2", "--long enough"});
  CHECK(wrapped("one two three", 7, 2) == "one two\n  three");
}
