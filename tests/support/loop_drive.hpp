// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/process.hpp"
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

  explicit LoopDrive(const Options& options) : sector_bytes_(options.sector_bytes) {
    must({"truncate", "--size=" + std::to_string(options.bytes), image()});
    attach(image(), options.sector_bytes);
    try {
      make_file_system(options);
      std::filesystem::create_directory(base_ / "mount");
      must({"mount", "-t", options.file_system, device_, path()});
    } catch (...) {
      run_process({"losetup", "-d", device_});
      throw;
    }
  }
  LoopDrive(const LoopDrive&) = delete;
  LoopDrive& operator=(const LoopDrive&) = delete;
  ~LoopDrive() {
    if (!run_process({"umount", path()}).ok()) run_process({"umount", "--lazy", path()});
    run_process({"losetup", "-d", device_});
  }

  std::string path() const { return base_ / "mount"; }
  std::string image() const { return base_ / "image"; }  // what the device is on
  const std::string& device() const { return device_; }  // "/dev/loop3"
  // Takes all room but this many bytes, the part kept for root included.
  void leave_free(std::uint64_t bytes) {
    const auto room = std::filesystem::space(path()).free;
    must({"fallocate", "--length=" + std::to_string(room - bytes), path() + "/filler"});
  }
  // XFS only: nothing is read or written any more from this moment on, until it is mounted anew. What its journal has
  // in memory is written first, or lost (XFS_IOC_GOINGDOWN, see "shutdown" in xfs_io(8)).
  enum class Journal : std::uint32_t { written = 1, lost = 2 };
  void go_down(Journal journal) const {
    const int fd = ::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto how = static_cast<std::uint32_t>(journal);
    const bool down = fd >= 0 && ::ioctl(fd, _IOR('X', 125, std::uint32_t), &how) == 0;
    if (fd >= 0) ::close(fd);
    if (!down) throw std::runtime_error(path() + " does not go down");
  }
  void mount_again() const {
    must({"umount", path()});
    must({"mount", device_, path()});
  }
  // ext4 only: finds an error in itself, and can only be read from this moment on, until it is mounted anew.
  void find_an_error() const {
    must({"mount", "-o", "remount,errors=remount-ro", path()});
    const auto name = std::filesystem::path(device_).filename();
    std::ofstream trigger("/sys/fs/ext4" / name / "trigger_fs_error");
    if (!(trigger << "a test").flush()) throw std::runtime_error(path() + " does not find an error");
  }
  // Onto another device, as a drive that was pulled out and plugged in again may get. While it is not mounted.
  void replug() {
    const auto before = device_;
    attach(image(), sector_bytes_);
    must({"losetup", "-d", before});
  }
  void make_read_only() const { must({"mount", "-o", "remount,ro", path()}); }

 private:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  static std::string must(const Command& command) {
    const auto result = run_process(command);
    if (result.ok()) return first_line(result.out);
    throw std::runtime_error(command[0] + " failed: " + first_line(result.err));
  }

  // Direct I/O on the image, so that the page cache is not in the way; where the image's file system has none, without.
  void attach(const std::string& image, unsigned sector_bytes) {
    const std::string sectors = "--sector-size=" + std::to_string(sector_bytes);
    const auto direct = run_process({"losetup", "--find", "--show", "--direct-io=on", sectors, image});
    device_ = direct.ok() ? first_line(direct.out) : must({"losetup", "--find", "--show", sectors, image});
  }

  void make_file_system(const Options& options) const {
    if (options.file_system == "xfs")
      must({"mkfs.xfs", "-q", "-f", device_});
    else
      must({"mkfs." + options.file_system, "-q", "-F", device_});
  }

  TempDir base_;
  unsigned sector_bytes_;
  std::string device_;
};

}  // namespace wirespool::test
