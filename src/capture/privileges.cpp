// SPDX-License-Identifier: BSD-3-Clause
#include "capture/privileges.hpp"

#include <utility>

#include "storage/io_error.hpp"

namespace wirespool::capture {
namespace {

std::string unlimited(const machine::User& user, const storage::IoError& error) {
  return "--user: " + error.message() + ": it goes on as " + user.name + ", with all system calls";
}

}  // namespace

Privileges::Privileges(const machine::User* user, bool runs_commands, std::vector<std::string>& notices) : user_(user) {
  if (user_ == nullptr) return;
  auto process = machine::ThreadLimits::of_process(runs_commands);
  auto lcores = machine::ThreadLimits::of_lcores();
  if (process && lcores) {
    process_ = std::move(*process);
    lcores_ = std::move(*lcores);
  } else {
    notices.push_back(unlimited(*user_, process ? lcores.error() : process.error()));
  }
}

std::expected<void, Error> Privileges::give_up(std::vector<std::string>& notices) {
  if (user_ == nullptr) return {};
  if (auto done = machine::become(*user_); !done)
    return std::unexpected(
        Error{"--user", done.error().message(), "start it as root, or as " + user_->name, Error::Kind::not_ready});
  if (!process_) return {};
  if (auto done = process_->take_for_all_threads(); !done) {
    notices.push_back(unlimited(*user_, done.error()));
    lcores_.reset();
  }
  return {};
}

}  // namespace wirespool::capture
