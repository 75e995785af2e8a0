// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// Whether this program was built with libseccomp; without it give_up_programs_and_network() is ENOSYS.
bool has_sandbox() noexcept;

// What is left of the network: nothing, or the sockets that there are and those that a listening one accepts.
enum class Network { none, open_sockets };

// Irrevocably, for this thread and all it starts: no program is run, no socket made, nothing mounted, traced, loaded or
// signalled, no io_uring (which could do half of this), no new privileges (prctl(2), PR_SET_NO_NEW_PRIVS; seccomp(2)).
// Such calls give EPERM. For commands that read bytes that somebody else may have made; to be called before there are
// threads. An error: the kernel, or a sandbox around this one, has no seccomp, and only new privileges were given up.
std::expected<void, storage::IoError> give_up_programs_and_network(Network network = Network::none);

}  // namespace wirespool::machine
