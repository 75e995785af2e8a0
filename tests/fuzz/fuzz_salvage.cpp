// SPDX-License-Identifier: BSD-3-Clause
// Whole files, read strictly and salvaged.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz/check.hpp"
#include "wirespool/spool_file.hpp"

using namespace wirespool;
using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  check(fd >= 0 && ::write(fd, data, size) == static_cast<ssize_t>(size), "a file in memory can be made");
  const auto path = "/proc/self/fd/" + std::to_string(fd);
  for (const auto mode : {SpoolFile::Mode::strict, SpoolFile::Mode::salvage}) {
    auto file = SpoolFile::open(path, {mode, 4096, true, {}});
    if (!file) continue;
    std::uint64_t end = 0;
    while (const auto* packet = file->next()) {
      check(packet->offset >= end, "packets come in the order of the file");
      end = packet->offset + packet->record.size();
      check(end <= size, "packets lie in the file");
    }
    for (const auto& stretch : file->skipped())
      check(stretch.begin < stretch.end && stretch.end <= size, "what is skipped lies in the file");
  }
  ::close(fd);
  return 0;
}
