// SPDX-License-Identifier: BSD-3-Clause
#include "support/spool_files.hpp"

#include <algorithm>
#include <functional>
#include <queue>

namespace wirespool::test {
namespace fs = std::filesystem;
namespace {

template <typename Wanted>
std::vector<fs::path> files_that(const std::vector<fs::path>& directories, Wanted wanted) {
  std::vector<fs::path> files;
  for (const auto& directory : directories)
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.is_regular_file() && wanted(entry.path())) files.push_back(entry.path());
  std::ranges::sort(files, {}, [](const fs::path& path) { return path.filename(); });
  return files;
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

}  // namespace

std::vector<fs::path> sealed_files(const std::vector<fs::path>& directories) {
  return files_that(directories, [](const fs::path& path) {
    return (path.extension() == ".pcap" || path.extension() == ".pcapng") && !is_hidden(path);
  });
}

std::vector<fs::path> hidden_files(const std::vector<fs::path>& directories) {
  return files_that(directories, is_hidden);
}

std::vector<SpoolFileContent> read_sealed_files(const std::vector<fs::path>& directories) {
  std::vector<SpoolFileContent> files;
  for (const auto& path : sealed_files(directories)) files.push_back({path, read_pcap(path)});
  return files;
}

Trace merge_by_time(const std::vector<SpoolFileContent>& files) {
  struct Head {
    Timestamp time;
    std::size_t file, packet;
    auto operator<=>(const Head&) const = default;
  };
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (std::size_t i = 0; i < files.size(); ++i)
    if (files[i].packets.size() > 0) heads.push({files[i].packets[0].time, i, 0});
  Trace merged;
  while (!heads.empty()) {
    const auto head = heads.top();
    heads.pop();
    const auto& packets = files[head.file].packets;
    merged.append(packets[head.packet]);
    if (const auto next = head.packet + 1; next < packets.size()) heads.push({packets[next].time, head.file, next});
  }
  return merged;
}

Trace read_spool(const std::vector<fs::path>& directories) { return merge_by_time(read_sealed_files(directories)); }

}  // namespace wirespool::test
