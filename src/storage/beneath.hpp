// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

// Names in a directory that others may write into too: what is opened or made there is in that directory, and was
// reached through no link.
namespace wirespool::storage {

// Whether `name` can only be an entry of the directory it is looked up in: not empty, ".", "..", without '/' and NUL.
bool is_plain_name(std::string_view name) noexcept;

// openat(2) of that entry; empty, with errno, if it was refused: ELOOP or EEXIST for a symbolic link, whatever it leads
// to, EINVAL for a name that is not plain. openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS (Linux 5.6); where
// that is not to be had (ENOSYS, or EPERM of a sandbox), O_NOFOLLOW, which does the same for a plain name.
FileDescriptor open_beneath(const Directory& directory, const std::string& name, int flags, mode_t mode = 0) noexcept;

// refused("creating", ...) for an open_beneath() that was; says so if a link or the name itself is why.
std::unexpected<IoError> not_opened(std::string_view doing, const Directory& directory, const std::string& name,
                                    std::string_view call, int code = errno);

// Whether this kernel, and the sandbox around this process, have openat2(2).
bool has_openat2() noexcept;

}  // namespace wirespool::storage
