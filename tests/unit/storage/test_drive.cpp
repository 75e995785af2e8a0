// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "storage/drive_parts.hpp"
#include "support/catch.hpp"
#include "support/open_files.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using Catch::Contains;
using wirespool::test::open_files;
using wirespool::test::skip;
using wirespool::test::TempDir;
namespace fs = std::filesystem;

namespace {

void write_line(const fs::path& file, const std::string& line) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << line << '\n';
}

// A picture of /sys with `number` as the device number of the device at `place`.
void add_device(const fs::path& sysfs, const std::string& number, const fs::path& place) {
  fs::create_directories(sysfs / place);
  fs::create_directories(sysfs / "dev/block");
  fs::create_directories(sysfs / "class/block");
  fs::create_directory_symlink(sysfs / place, sysfs / "dev/block" / number);
  fs::create_directory_symlink(sysfs / place, sysfs / "class/block" / place.filename());
}

}  // namespace

TEST_CASE("inspecting a directory leaves nothing in it and no descriptor open") {
  const TempDir dir;
  const std::size_t before = open_files();
  const auto drive = inspect_drive(dir.str());
  REQUIRE(drive);
  CHECK(fs::is_empty(dir.path()));
  CHECK(open_files() == before);
  CHECK(drive->total_bytes >= drive->free_bytes);
  CHECK(drive->free_bytes > 0);
  CHECK(drive->block_bytes >= 512);
  CHECK(free_bytes(*Directory::open(dir.str())) > 0);
}

TEST_CASE("one directory by two names has one real path") {
  const TempDir dir;
  fs::create_directory(dir / "data");
  fs::create_directory_symlink(dir / "data", dir / "link");
  const auto straight = inspect_drive(dir / "data");
  const auto around = inspect_drive(dir.str() + "/link/../data/.");
  const auto linked = inspect_drive(dir / "link");
  REQUIRE((straight && around && linked));
  CHECK(straight->real_path == (dir / "data").string());
  CHECK(around->real_path == straight->real_path);
  CHECK(linked->real_path == straight->real_path);
  CHECK(linked->path == (dir / "link").string());
  CHECK(linked->device == straight->device);
  CHECK(linked->inode == straight->inode);
}

TEST_CASE("what is no directory to write into is told with the right errno") {
  const TempDir dir;
  std::ofstream(dir / "file") << "x";
  const auto missing = inspect_drive(dir / "nothing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ENOENT);
  CHECK_THAT(missing.error().what, Contains((dir / "nothing").string()));
  CHECK(inspect_drive(dir / "file").error().code == ENOTDIR);
  CHECK(inspect_drive("").error().code == ENOENT);
}

TEST_CASE("a directory without write permission is EACCES") {
  if (::geteuid() != 0) return skip("EACCES as another user", "not root");
  const TempDir dir;  // mkdtemp(3) makes it 0700
  fs::permissions(dir.path(), fs::perms(0555));
  const pid_t child = ::fork();
  if (child == 0) {
    // The way to the directory may be closed to others, so go there first.
    if (::chdir(dir.str().c_str()) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(99);
    const auto directory = Directory::open(".");
    const auto trial = directory ? try_writing(*directory, 512) : std::unexpected(directory.error());
    ::_exit(trial ? 0 : trial.error().code);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == EACCES);
}

TEST_CASE("a file system without a device is told by its name") {
  const auto drive = inspect_drive("/dev/shm");
  if (!drive) return skip("tmpfs", drive.error().message());
  if (drive->file_system != "tmpfs") return skip("tmpfs", "/dev/shm is " + drive->file_system);
  CHECK(drive->device_name == "");
  CHECK(drive->numa_node == -1);
}

TEST_CASE("a partition takes its block size from its disk and its node from the bus") {
  const TempDir sysfs;
  const fs::path disk = "devices/pci0000:3a/0000:3b:00.0/nvme/nvme3/nvme3n1";
  write_line(sysfs.path() / disk / "queue/logical_block_size", "4096");
  write_line(sysfs.path() / "devices/pci0000:3a/0000:3b:00.0/numa_node", "1");
  write_line(sysfs.path() / disk / "nvme3n1p2/partition", "2");
  add_device(sysfs.path(), "259:7", disk / "nvme3n1p2");
  const auto device = block_device(sysfs.path(), 259, 7);
  REQUIRE(device);
  CHECK(device->name == "nvme3n1p2");
  CHECK(device->logical_block_bytes == 4096);
  CHECK(device->numa_node == 1);
}

TEST_CASE("a node of -1 is no node") {
  const TempDir sysfs;
  const fs::path disk = "devices/pci0000:00/0000:00:02.0/virtio1/block/vda";
  write_line(sysfs.path() / "devices/pci0000:00/0000:00:02.0/numa_node", "-1");
  add_device(sysfs.path(), "254:0", disk);
  const auto device = block_device(sysfs.path(), 254, 0);
  REQUIRE(device);
  CHECK(device->numa_node == -1);
  CHECK(device->logical_block_bytes == 0);
}

TEST_CASE("a device mapper or RAID volume is on the node of what it stands on") {
  const TempDir sysfs;
  const fs::path disk = "devices/pci0000:80/0000:81:00.0/nvme/nvme0/nvme0n1";
  write_line(sysfs.path() / "devices/pci0000:80/0000:81:00.0/numa_node", "2");
  fs::create_directories(sysfs.path() / disk);
  fs::create_directories(sysfs.path() / "devices/virtual/block/md0/slaves");
  fs::create_directories(sysfs.path() / "devices/virtual/block/dm-0/slaves");
  fs::create_directory_symlink(sysfs.path() / disk, sysfs.path() / "devices/virtual/block/md0/slaves/nvme0n1");
  fs::create_directory_symlink(sysfs.path() / "devices/virtual/block/md0",
                               sysfs.path() / "devices/virtual/block/dm-0/slaves/md0");
  add_device(sysfs.path(), "253:0", "devices/virtual/block/dm-0");
  CHECK(block_device(sysfs.path(), 253, 0)->numa_node == 2);
}

TEST_CASE("an NVMe namespace with several paths is on the node of its controller") {
  const TempDir sysfs;
  const fs::path controller = "devices/pci0000:80/0000:81:00.0/nvme/nvme5";
  const fs::path subsystem = "devices/virtual/nvme-subsystem/nvme-subsys5";
  write_line(sysfs.path() / "devices/pci0000:80/0000:81:00.0/numa_node", "1");
  fs::create_directories(sysfs.path() / controller);
  fs::create_directories(sysfs.path() / subsystem);
  fs::create_directory_symlink(sysfs.path() / controller, sysfs.path() / subsystem / "nvme5");
  add_device(sysfs.path(), "259:0", subsystem / "nvme5n1");
  CHECK(block_device(sysfs.path(), 259, 0)->numa_node == 1);
}

TEST_CASE("a device is found by its name in /dev") {
  const TempDir sysfs;
  add_device(sysfs.path(), "8:2", "devices/pci0000:00/ata1/sdz/sdz2");
  CHECK(block_device(sysfs.path(), "/dev/sdz2")->name == "sdz2");
  CHECK_FALSE(block_device(sysfs.path(), "/dev/sdz3"));
  CHECK_FALSE(block_device(sysfs.path(), "overlay"));
  CHECK_FALSE(block_device(sysfs.path(), 8, 3));
}

TEST_CASE("a mount is found by its id, with any number of optional fields and with blanks in its names") {
  std::istringstream mountinfo(
      "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
      "36 22 0:31 /@data /data\\040one rw,noatime shared:7 master:1 - btrfs /dev/mapper/a\\040b rw,ssd\n"
      "236 22 0:40 / /other rw - tmpfs none rw\n");
  const auto mount = find_mount(mountinfo, 36);
  REQUIRE(mount);
  CHECK(mount->type == "btrfs");
  CHECK(mount->source == "/dev/mapper/a b");
}

TEST_CASE("a mount that is not listed is not found") {
  std::istringstream mountinfo("22 1 254:0 / / rw - ext4 /dev/root rw\nnonsense\n\n36 22 0:31 / /x rw\n");
  CHECK_FALSE(find_mount(mountinfo, 23));
  std::istringstream cut("36 22 0:31 / /x rw\n");
  CHECK_FALSE(find_mount(cut, 36));
}

TEST_CASE("a directory that was let go of takes no names, and is opened again by its path") {
  const TempDir base;
  const auto path = base / "drive";
  fs::create_directory(path);
  const auto directory = Directory::open(path.string());
  REQUIRE(directory);
  const auto make = [&](const char* name) {
    const int fd = ::openat(directory->fd(), name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    const int code = fd < 0 ? errno : 0;
    if (fd >= 0) ::close(fd);
    return code;
  };
  CHECK(make("before") == 0);
  REQUIRE(directory->let_go());
  CHECK(make("meanwhile") == ENOTDIR);
  fs::rename(path, base / "away");
  CHECK(directory->open_again("witness").error().code == ENOENT);
  fs::create_directory(path);  // another directory of the same file system
  REQUIRE(directory->open_again("witness"));
  CHECK(make("after") == 0);
  CHECK(fs::exists(path / "after"));
  CHECK(prove_writing(*directory, 4096, false));
}

TEST_CASE("a directory is not opened again where a link has taken its place") {
  const auto where = GENERATE(values({"/proc", "elsewhere"}));  // another file system, and the same one
  const TempDir base;
  fs::create_directory(base / "elsewhere");
  const auto path = base / "drive";
  fs::create_directory(path);
  const auto directory = Directory::open(path.string());
  REQUIRE(directory);
  REQUIRE(directory->let_go());
  fs::remove(path);
  fs::create_directory_symlink(where, path);
  const auto again = directory->open_again("witness");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ESTALE);
}
