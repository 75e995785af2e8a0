// SPDX-License-Identifier: BSD-3-Clause
#include "keep/retainer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "keep/removals.hpp"
#include "storage/file_descriptor.hpp"

namespace wirespool::keep {
namespace {

std::vector<policy::KeptFile> in_numbers(const std::vector<ShelfFile>& files, const std::vector<unsigned>& drives) {
  std::vector<policy::KeptFile> numbers;
  for (std::size_t i = 0; i < files.size(); ++i)
    numbers.push_back({drives[i], files[i].last, files[i].room_bytes, files[i].hold == Hold::none});
  return numbers;
}

Error in_turn(const storage::IoError& error) {
  if (error.code == EWOULDBLOCK)
    return {error.what, "another retention, or a keep, is at work there", "it is tried again", Error::Kind::not_ready};
  return storage::as_error(error, "see to the drive");
}

void count(RetainPass::Held& held, const ShelfFile& file) {
  ++held.files;
  held.bytes += file.room_bytes;
}

}  // namespace

Retainer::Retainer(const std::vector<const storage::Directory*>& directories, const std::string& stem,
                   policy::RetainLimits limits, Timestamp running)
    : limits_(limits), running_(running) {
  for (const auto* directory : directories) shelves_.emplace_back(*directory, stem);
}

std::expected<Retainer::Listing, Error> Retainer::list() {
  Listing listing;
  for (unsigned drive = 0; drive < shelves_.size(); ++drive) {
    auto files = shelves_[drive].look();
    if (!files) return std::unexpected(files.error());
    listing.drives.insert(listing.drives.end(), files->size(), drive);
    std::ranges::move(*files, std::back_inserter(listing.files));
  }
  return listing;
}

std::expected<RetainPass, Error> Retainer::pass(Timestamp now, Mode mode, storage::Directory::Turn turn,
                                                const Told& told) {
  std::vector<storage::FileDescriptor> turns;
  for (const auto& shelf : shelves_) {
    auto mine = shelf.directory().take_turn(turn);
    if (!mine) return std::unexpected(in_turn(mine.error()));
    turns.push_back(std::move(*mine));
  }
  const auto listing = list();
  if (!listing) return std::unexpected(listing.error());
  const auto space = storage::file_system_of(shelves_.front().directory());
  if (!space) return std::unexpected(storage::as_error(space.error(), "see to the drive"));
  const auto going =
      policy::what_goes(in_numbers(listing->files, listing->drives), limits_, now, {space->free, space->total});
  auto pass = survey(*listing, going, {space->free, space->total});
  if (mode == Mode::remove) {
    remove(*listing, going, told, pass);
    if (!pass.removed.empty()) tidy(pass);
  } else {
    for (const auto& one : going)
      pass.removed.push_back({&shelves_[listing->drives[one.file]].directory(), listing->files[one.file], one.why});
  }
  return pass;
}

// What there will be when all that goes has gone.
RetainPass Retainer::survey(const Listing& listing, const std::vector<policy::Going>& going,
                            policy::Space space) const {
  RetainPass pass;
  pass.left.resize(shelves_.size());
  const auto wanted = policy::bytes_to_stay_free(limits_, space.total);
  pass.missing_bytes = wanted - std::min(wanted, space.free);
  std::vector<bool> goes(listing.files.size());
  for (const auto& one : going) {
    goes[one.file] = true;
    pass.missing_bytes -= std::min(pass.missing_bytes, listing.files[one.file].room_bytes);
  }
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    const auto& file = listing.files[i];
    const bool stays = file.hold != Hold::none || !goes[i];
    if (stays && (file.capture == running_ || file.capture == Timestamp{}))
      pass.first = std::min(pass.first, file.first);
    if (file.hold != Hold::none) count(pass.held[static_cast<std::size_t>(file.hold)], file);
    if (file.hold == Hold::age_unknown)
      pass.of_unknown_age.push_back(shelves_[listing.drives[i]].directory().path_of(file.name));
    if (file.hold != Hold::none || !stays) continue;
    count(pass.left[listing.drives[i]], file);
    if (pass.oldest == Timestamp{} || file.last < pass.oldest) pass.oldest = file.last;
  }
  return pass;
}

void Retainer::remove(const Listing& listing, const std::vector<policy::Going>& going, const Told& told,
                      RetainPass& pass) {
  for (const auto& one : going) {
    auto& shelf = shelves_[listing.drives[one.file]];
    const auto& file = listing.files[one.file];
    const auto removed = shelf.remove(file);
    if (!removed && removed.error().code == ENOENT) continue;  // somebody else was faster
    if (!removed) {
      if (removed.error().code != EBUSY) pass.problems.push_back(removed.error().message());
      continue;
    }
    pass.removed.push_back({&shelf.directory(), file, one.why});
    if (told) told(shelf.directory(), file.name);
  }
}

// What went is on the drive for good, and written down; what a capture left of which nothing is there any more goes
// too.
void Retainer::tidy(RetainPass& pass) {
  for (auto& shelf : shelves_) {
    Removals removals(shelf.directory());
    for (const auto& removed : pass.removed)
      if (removed.directory == &shelf.directory()) removals.add(removed.file);
    if (auto done = shelf.directory().sync(); !done) pass.problems.push_back(done.error().message());
    removals.write(pass.problems);
    auto left = shelf.look();
    if (left) clear_remains(shelf, *left, running_, pass.problems);
  }
}

}  // namespace wirespool::keep
