// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/loopback_client.hpp"
#include "support/process.hpp"

namespace wirespool::test {

// `wirespool serve`, the program as it is run, at a port of the loopback.
class Serving {
 public:
  explicit Serving(const std::vector<std::string>& directories, const Command& options = {},
                   const std::string& address = "127.0.0.1")
      : process_(command(address + ":" + std::to_string(port), directories, options)) {
    if (!process_.wait_for_output("listening at", Seconds(60)))
      throw std::runtime_error("wirespool serve: " + process_.err());
  }

  std::uint16_t port = free_port();

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port) + path; }
  std::string log() const { return process_.err(); }
  // A line of the log with both texts, once there is one; "" after a minute without.
  std::string line_with(const std::string& asked, const std::string& what) {
    for (int i = 0; i < 6'000; ++i) {
      const auto text = log();
      for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        auto line = text.substr(begin, end - begin);
        if (line.find(asked) != std::string::npos && line.find(what) != std::string::npos) return line;
      }
      ::usleep(10'000);
    }
    return "";
  }
  ProcessResult stop() { return process_.stop(SIGTERM, Seconds(60)); }
  pid_t pid() const { return process_.pid(); }

 private:
  static Command command(const std::string& listen, const std::vector<std::string>& directories,
                         const Command& options) {
    Command words{std::getenv("WIRESPOOL"), "serve", "--listen", listen};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), directories.begin(), directories.end());
    return words;
  }

  Process process_;
};

// curl -G URL with --data-urlencode for each of these, "filter=tcp".
inline Command curl(const std::string& url, const std::vector<std::string>& parameters = {},
                    const Command& options = {}) {
  Command words{"curl", "-sS", "-G", "--max-time", "120"};
  for (const auto& parameter : parameters) {
    words.emplace_back("--data-urlencode");
    words.push_back(parameter);
  }
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(url);
  return words;
}

}  // namespace wirespool::test
