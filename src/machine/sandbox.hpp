// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// Whether this program was built with libseccomp; without it give_up_programs_and_network() is ENOSYS.
bool has_sandbox() noexcept;

// For good, for this thread and all it starts: no program is run, no socket made, nothing mounted, traced, loaded or
// signalled, no io_uring (which could do half of it), no new privileges (prctl(2), PR_SET_NO_NEW_PRIVS; seccomp(2)).
// Such calls give EPERM. For what reads bytes that somebody else may have made; before it has threads. An error: the
// kernel, or a sandbox around this one, has no seccomp, and nothing was given up but new privileges.
std::expected<void, storage::IoError> give_up_programs_and_network();

}  // namespace wirespool::machine
