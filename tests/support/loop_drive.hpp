// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/command.hpp"
#include "support/temp_dir.hpp"

namespace wirespool::test {

// A small drive of its own: a loop device on a sparse file, with a file system, mounted. All gone at the end. Root
// only.
class LoopDrive {
 public:
  struct Options {
    std::string file_system = "ext4";  // or "xfs", which needs 300 MiB at least
    std::uint64_t bytes = std::uint64_t{320} << 20;
    unsigned sector_bytes = 512;
  };

  // Why there can be none here, if so: for skip().
  static std::optional<std::string> missing() {
    if (::geteuid() != 0) return "not root";
    static const auto reason = []() -> std::optional<std::string> {
      try {
        const LoopDrive trial(Options{.bytes = 8U << 20});
        return std::nullopt;
      } catch (const std::exception& error) {
        return error.what();
      }
    }();
    return reason;
  }

  explicit LoopDrive(const Options& options) {
    const std::string image = base_ / "image";
    must({"truncate", "--size=" + std::to_string(options.bytes), image});
    attach(image, options.sector_bytes);
    try {
      make_file_system(options);
      std::filesystem::create_directory(base_ / "mount");
      must({"mount", "-t", options.file_system, device_, path()});
    } catch (...) {
      run({"losetup", "-d", device_});
      throw;
    }
  }
  LoopDrive(const LoopDrive&) = delete;
  LoopDrive& operator=(const LoopDrive&) = delete;
  ~LoopDrive() {
    if (run({"umount", path()}).status != 0) run({"umount", "--lazy", path()});
    run({"losetup", "-d", device_});
  }

  std::string path() const { return base_ / "mount"; }
  const std::string& device() const { return device_; }  // "/dev/loop3"
  void make_read_only() const { must({"mount", "-o", "remount,ro", path()}); }

 private:
  static std::string must(const std::vector<std::string>& command) {
    const auto result = run(command);
    if (result.status == 0) return result.output;
    throw std::runtime_error(command[0] + " failed (" + std::to_string(result.status) + "): " + result.output);
  }

  // Direct I/O on the image, so that the page cache is not in the way; where the image's file system has none, without.
  void attach(const std::string& image, unsigned sector_bytes) {
    const std::string sectors = "--sector-size=" + std::to_string(sector_bytes);
    const auto direct = run({"losetup", "--find", "--show", "--direct-io=on", sectors, image});
    device_ = direct.status == 0 ? direct.output : must({"losetup", "--find", "--show", sectors, image});
  }

  void make_file_system(const Options& options) const {
    if (options.file_system == "xfs")
      must({"mkfs.xfs", "-q", "-f", device_});
    else
      must({"mkfs." + options.file_system, "-q", "-F", device_});
  }

  TempDir base_;
  std::string device_;
};

}  // namespace wirespool::test
