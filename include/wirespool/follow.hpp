// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "wirespool/error.hpp"
#include "wirespool/merge.hpp"
#include "wirespool/query.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool {

// The packets of captures that run, as they are stored: what is there already, oldest first, then what comes.
//
//   auto follow = Follow::open({"/data/nvme0", "/data/nvme1"});
//   for (;;) {
//     while (const StoredPacket* packet = follow->next()) ...
//     if (follow->at_end()) break;
//     sleep; follow->look_again();
//   }
//
// Any number may read, none is seen by the capture. Packets come in order of time as far as the lanes of a capture (a
// Stream on a drive each) are stored side by side: a lane that has nothing new holds back later packets of others for
// as long as it may still have a packet on its way (the capture's --flush-age and a second). What comes later than that
// is given then, and counted.
//
// Files that are open are held open: they are read to their end, whatever happens to their names. Sealed files are
// opened when their time has come; those that are removed before are missed, and counted. A directory that cannot be
// listed any more, as of a drive that failed, is let go of, told in notices(), and looked at again and again: what it
// has when it is back goes on where it was. Movable; used by one thread at a time.
class Follow {
 public:
  enum class Begin { oldest, now };  // now: only what is stored from now on

  // `directories`: of captures, which may begin later.
  static std::expected<Follow, Error> open(const std::vector<std::string>& directories, Query query = {},
                                           Begin begin = Begin::oldest);
  Follow(Follow&&) noexcept;
  Follow& operator=(Follow&&) noexcept;
  ~Follow();

  // As of a Merge. nullptr: there is no packet for now.
  const StoredPacket* next();
  PacketRun run(std::uint64_t packets);

  void look_again();  // finds what was stored since

  bool running() const;  // a capture did, when it was looked at last
  // next() gave nothing, and nothing will come: no capture runs, or all that comes is later than the query asks for.
  bool at_end() const;

  // Files that were removed before they were read: this reader is slower than retention. Of files that it never saw,
  // what the captures tell of their sealed files.
  struct Missed {
    std::uint64_t files = 0, bytes = 0;
  };
  Missed missed() const;
  std::uint64_t late() const;  // packets that came after later ones

  const std::vector<Error>& problems() const&;
  const std::vector<Error>& problems() const&& = delete;  // it would dangle
  const std::vector<std::string>& notices() const&;
  const std::vector<std::string>& notices() const&& = delete;
  Merge::Progress progress() const;

 private:
  class Reader;
  explicit Follow(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_;
};

}  // namespace wirespool
