// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace wirespool::test {

// A directory of its own for one test, gone with all its contents at the end. Under $TMPDIR, else where the tests run
// (the build directory: a real file system, which /tmp often is not).
class TempDir {
 public:
  TempDir() {
    const char* base = ::getenv("TMPDIR");
    std::string name = (base != nullptr && *base != '\0' ? std::string(base) : ".") + "/wirespool-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = std::filesystem::canonical(name);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string str() const { return path_.string(); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace wirespool::test
