// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// Whether this program was built with libseccomp; without it confine() is ENOSYS.
bool has_sandbox() noexcept;

// What is left of files to a confined process. `read`: those that are open, and others for reading only. `write`:
// others for writing too, and their names made, changed and removed, as far as the user may.
enum class FilesLeft { read, write };

// What is left of the network: nothing, or the sockets that there are and those that a listening one accepts.
enum class Network { none, open_sockets };

// Irrevocably, for all threads of this process and those they start: files and sockets as said, memory, threads, pipes,
// clocks and the terminal's size and mode, and nothing else (seccomp(2), by a list of what is allowed): no program, no
// socket, no io_uring, no other process, nothing mounted, loaded or traced, nothing typed into the terminal; no new
// privileges (prctl(2), PR_SET_NO_NEW_PRIVS). Any other call gives EPERM, so that what is not foreseen is told as what
// it is, and a command ends in order. For commands that read bytes that somebody else may have made. An error: the
// kernel, or a sandbox around this one, has no seccomp, or a thread has a list of its own, and only new privileges were
// given up.
std::expected<void, storage::IoError> confine(FilesLeft files, Network network = Network::none);

}  // namespace wirespool::machine
