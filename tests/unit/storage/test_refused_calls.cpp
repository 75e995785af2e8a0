// SPDX-License-Identifier: BSD-3-Clause
//
// What older kernels and other file systems refuse, refused here by a sandbox.
#include <fcntl.h>
#include <sys/syscall.h>

#include "storage/direct_file.hpp"
#include "storage/drive.hpp"
#include "storage/io_queue.hpp"
#include "support/catch.hpp"
#include "support/sandbox.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using namespace wirespool::test;
namespace fs = std::filesystem;
using When = Refusal::When;

namespace {

constexpr unsigned nameless_bit = O_TMPFILE & ~O_DIRECTORY;

// The child's verdict: 0 is right. Says so if there can be no sandbox.
void check_with(const Refusal& refusal, const std::function<int()>& body) {
  const int verdict = in_child([&] { return refuse(refusal) ? body() : no_sandbox; });
  if (verdict == no_sandbox) return skip("refused system calls", "no seccomp");
  CHECK(verdict == 0);
}

}  // namespace

TEST_CASE("where a rename cannot be told not to replace, sealing still never replaces") {
  const int code = GENERATE(EINVAL, ENOSYS);
  const TempDir dir;
  check_with({SYS_renameat2, code}, [&] {
    const auto directory = Directory::open(dir.str());
    auto file = DirectFile::create(*directory, ".a.open", DirectFile::Mode::direct);
    auto other = DirectFile::create(*directory, ".b.open", DirectFile::Mode::direct);
    if (!file || !other || !file->seal(0, "a.pcap")) return 1;
    const auto again = other->seal(0, "a.pcap");
    return !again && again.error().code == EEXIST ? 0 : 2;
  });
  CHECK(fs::exists(dir / "a.pcap"));
  CHECK_FALSE(fs::exists(dir / ".a.open"));
  CHECK(fs::exists(dir / ".b.open"));
}

TEST_CASE("a file system without O_DIRECT is told, takes buffered files, and keeps nothing") {
  const TempDir dir;
  check_with({SYS_openat, EINVAL, When::any_bit, 2, O_DIRECT}, [&] {
    if (!refuse({SYS_openat2, ENOSYS})) return no_sandbox;  // whose flags a sandbox cannot see
    const auto drive = inspect_drive(dir.str());
    if (!drive || drive->direct_io || !fs::is_empty(dir.path())) return 1;
    const auto directory = Directory::open(dir.str());
    const auto direct = DirectFile::create(*directory, ".a", DirectFile::Mode::direct);
    if (direct || direct.error().code != EINVAL) return 2;
    auto buffered = DirectFile::create(*directory, ".a", DirectFile::Mode::buffered);
    return buffered && buffered->discard() ? 0 : 3;
  });
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("a file system without nameless files is tried with a name that is gone at once") {
  const TempDir dir;
  check_with({SYS_openat, EOPNOTSUPP, When::any_bit, 2, nameless_bit}, [&] {
    const auto drive = inspect_drive(dir.str());
    return drive && drive->block_bytes >= 512 ? 0 : 1;
  });
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("without statx the block size is found by looking at the device and trying") {
  const TempDir dir;
  const auto with = inspect_drive(dir.str());
  REQUIRE(with);
  check_with({SYS_statx, ENOSYS}, [&] {
    const auto without = inspect_drive(dir.str());
    return without && without->block_bytes == with->block_bytes ? 0 : 1;
  });
}

TEST_CASE("a file system that cannot preallocate says EOPNOTSUPP") {
  const TempDir dir;
  const int code = GENERATE(EOPNOTSUPP, ENOSYS);
  check_with({SYS_fallocate, code}, [&] {
    const auto drive = inspect_drive(dir.str());
    if (!drive || drive->preallocation) return 1;
    const auto directory = Directory::open(dir.str());
    auto file = DirectFile::create(*directory, ".a", DirectFile::Mode::buffered);
    const auto allocated = file->preallocate(0, 4096);
    return !allocated && allocated.error().code == EOPNOTSUPP ? 0 : 2;
  });
}

TEST_CASE("a trial write that fails for another reason is an error") {
  const TempDir dir;
  const int code = GENERATE(ENOSPC, EDQUOT, EIO);
  check_with({SYS_pwrite64, code}, [&] {
    const auto drive = inspect_drive(dir.str());
    return !drive && drive.error().code == code ? 0 : 1;
  });
}

TEST_CASE("a sync that fails keeps the file hidden and says where") {
  const TempDir dir;
  check_with({SYS_fdatasync, EIO}, [&] {
    const auto directory = Directory::open(dir.str());
    auto file = DirectFile::create(*directory, ".a.open", DirectFile::Mode::direct);
    const auto sealed = file->seal(0, "a.pcap");
    return !sealed && sealed.error().what == "sealing " + dir.str() + "/.a.open: fdatasync" ? 0 : 1;
  });
  CHECK(fs::exists(dir / ".a.open"));
  CHECK_FALSE(fs::exists(dir / "a.pcap"));
}

TEST_CASE("a machine that forbids io_uring says so, and pwrite still works") {
  const int code = GENERATE(EPERM, ENOSYS);
  check_with({SYS_io_uring_setup, code}, [&] {
    const auto queue = make_uring_queue({});
    if (queue || queue.error().code != code) return 1;
    return make_pwrite_queue({}) ? 0 : 2;
  });
}
