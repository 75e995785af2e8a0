// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace wirespool::test {

inline const std::string token = "0123456789abcdef0123456789abcdef", other_token = "a-second-token-of-another-one";

// One CA, what it signed for the service and for a client, and a stranger that signed itself.
struct Papers {
  TempDir directory;

  Papers() {
    make({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca", "-keyout",
          path("ca.key"), "-out", path("ca.pem")});
    sign("service", "subjectAltName=DNS:probe.test,IP:127.0.0.1");
    sign("alice", "extendedKeyUsage=clientAuth");
    make({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stranger", "-keyout",
          path("stranger.key"), "-out", path("stranger.pem")});
    write("tokens", "# for tests\n" + token + "\n\n" + other_token + "\n");
  }

  std::string path(const std::string& name) const { return (directory / name).string(); }
  void write(const std::string& name, const std::string& text, std::filesystem::perms mode = private_file) const {
    std::ofstream(directory / name) << text;
    std::filesystem::permissions(directory / name, mode);
  }
  Command tls() const { return {"--tls-cert", path("service.pem"), "--tls-key", path("service.key")}; }
  Command tls_and_tokens() const { return joined(tls(), {"--token-file", path("tokens")}); }
  Command tls_and_certificates() const { return joined(tls(), {"--client-ca", path("ca.pem")}); }

  static Command joined(Command words, const Command& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  static constexpr std::filesystem::perms private_file =
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;

  void sign(const std::string& name, const std::string& extension) const {
    make({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", path(name + ".key"), "-out",
          path(name + ".csr")});
    write(name + ".ext", extension + "\n");
    make({"x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
          "-CAcreateserial", "-days", "2", "-extfile", path(name + ".ext"), "-out", path(name + ".pem")});
    std::filesystem::permissions(path(name + ".key"), private_file);
  }
  static void make(const Command& words) {
    const auto result = run_process(joined({"openssl"}, words));
    INFO(result.describe());
    REQUIRE(result.ok());
  }
};

}  // namespace wirespool::test
