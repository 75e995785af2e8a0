// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "storage/directory.hpp"

namespace wirespool::record {

// Told of every file that is sealed. Called on the thread of the drive's keeper, so by several at once, and one that
// takes long holds up that drive's files and nobody else.
class SealListener {
 public:
  virtual ~SealListener() = default;

  // The file is about to get the name `pcap` in `directory`. Whoever must not miss it, should the machine die in
  // between, writes it down now. It may yet fail: then sealed() never comes.
  virtual void sealing(const storage::Directory& directory, const std::string& pcap) noexcept = 0;

  // It has its name, is synced, and has its index, if it gets one.
  virtual void sealed(const storage::Directory& directory, const std::string& pcap) = 0;
};

}  // namespace wirespool::record
