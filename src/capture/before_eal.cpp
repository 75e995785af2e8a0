// SPDX-License-Identifier: BSD-3-Clause
#include "capture/before_eal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "capture/own_limits.hpp"
#include "dpdk/eal.hpp"
#include "format/pcap.hpp"
#include "plan/capture_plan.hpp"
#include "plan/eal_args.hpp"
#include "plan/limits.hpp"
#include "plan/route.hpp"
#include "storage/answers.hpp"
#include "storage/beneath.hpp"
#include "storage/directory.hpp"
#include "storage/drive.hpp"

namespace wirespool::capture {
namespace {

// A drive that hangs keeps a capture from starting for no longer than this.
constexpr auto told_after = std::chrono::milliseconds(800);
constexpr auto drive_patience = std::chrono::seconds(4);

std::vector<Error> find_hanging_drives(const char* option, const std::vector<std::string>& directories,
                                       storage::Speaker& err) {
  std::vector<Error> problems;
  for (const auto& directory : directories) {
    if (storage::answers_within(directory, told_after)) continue;
    err.say(fmt::format("wirespool: {}: {}: it does not answer: waiting {} s for it\n", option, directory,
                        std::chrono::seconds(drive_patience).count()));
    if (!storage::answers_within(directory, drive_patience))
      problems.push_back({option, fmt::format("{}: a write into it hangs", directory),
                          "see to the drive (frozen? gone?), or leave it out", Error::Kind::not_ready});
  }
  return problems;
}

std::vector<Error> look_at_archives(const plan::CaptureConfig& config) {
  std::vector<Error> problems;
  for (const auto& archive : config.archives) {
    const auto opened = storage::Directory::open(archive);
    std::error_code unknown;
    const bool an_output = std::ranges::any_of(
        config.outputs, [&](const auto& output) { return std::filesystem::equivalent(output, archive, unknown); });
    if (!opened)
      problems.push_back(
          {"--archive", opened.error().message(), "make the directory, or mount it", Error::Kind::not_ready});
    else if (an_output)
      problems.push_back({"--archive", archive + " is an --output as well", "give a directory on another drive",
                          Error::Kind::wrong_use});
  }
  return problems;
}

Error explain(const storage::IoError& error, const std::string& path, const machine::User* user) {
  const std::string why = path + ": " + std::strerror(error.code);
  switch (error.code) {
    case ENOENT:
      return {"--output", why, "create the directory first, on the drive that is to take the packets",
              Error::Kind::not_ready};
    case ENOTDIR:
      return {"--output", why, "give a directory, not a file", Error::Kind::not_ready};
    case EACCES:
    case EPERM:
      if (user != nullptr)
        return {"--output", fmt::format("{}: user {} may not write into it", why, user->name),
                fmt::format("chown {} {} (and let it through what is above), or give another --user", user->name, path),
                Error::Kind::not_ready};
      return {"--output", why, "give write permission on the directory, or run as a user who has it",
              Error::Kind::not_ready};
    case EROFS:
      return {"--output", why, "remount the file system read-write, or give another directory", Error::Kind::not_ready};
    default:
      return {"--output", error.message(), "check the drive, or give another directory", Error::Kind::not_ready};
  }
}

// What others could plant or take away there is refused or noticed later; that they can is told at once.
void tell_of_strangers(const storage::DriveInfo& drive, storage::Speaker& err) {
  if (drive.for_everybody)
    err.say(
        fmt::format("wirespool: --output: {}: every user may write into it: chmod o-w {}\n", drive.path, drive.path));
}

std::expected<std::vector<plan::MachineDrive>, std::vector<Error>> look_at_drives(
    const std::vector<std::string>& outputs, const machine::User* user, storage::Speaker& err) {
  const machine::FilesAs as_user(user);
  std::vector<plan::MachineDrive> drives;
  std::vector<Error> problems;
  for (const auto& path : outputs) {
    const auto drive = storage::inspect_drive(path);
    if (!drive) {
      problems.push_back(explain(drive.error(), path, user));
      continue;
    }
    tell_of_strangers(*drive, err);
    drives.push_back({drive->path, drive->real_path, drive->device, drive->device_name, drive->file_system,
                      drive->block_bytes, drive->direct_io, drive->free_bytes, drive->total_bytes, drive->numa_node});
  }
  if (!problems.empty()) return std::unexpected(problems);
  return drives;
}

// The program of --filter, if there is one: libpcap's words if there can be none.
std::expected<std::optional<filter::Program>, Error> compile_filter(const plan::CaptureConfig& config) {
  if (config.filter.empty()) return std::nullopt;
  auto program = filter::Program::compile(config.filter, format::linktype_ethernet);
  if (program) return std::move(*program);
  auto error = program.error();
  error.why = fmt::format("{}: {}", error.what, error.why);
  error.what = "--filter";
  return std::unexpected(std::move(error));
}

std::expected<std::optional<machine::User>, Error> user_of(const plan::CaptureConfig& config) {
  if (config.user.empty()) return std::nullopt;
  auto user = machine::find_user(config.user);
  if (!user) return std::unexpected(std::move(user.error()));
  return std::move(*user);
}

std::expected<std::unique_ptr<serve::MetricsService>, Error> take_address(const plan::CaptureConfig& config) {
  if (config.metrics.empty()) return nullptr;
  return serve::bind_metrics(config.metrics);
}

std::expected<std::unique_ptr<serve::SpoolService>, Error> take_address_for_queries(const plan::CaptureConfig& config,
                                                                                    storage::Speaker& err) {
  if (config.serve.empty()) return nullptr;
  return serve::bind_spool_service({.directories = config.outputs, .listen = config.serve, .option = "--serve"}, err);
}

}  // namespace

std::expected<Ground, std::vector<Error>> look_before_eal(const plan::CaptureConfig& config,
                                                          const std::vector<std::string>& eal_args,
                                                          storage::Speaker& err) {
  if (auto wrong = plan::validate(config); !wrong.empty()) return std::unexpected(std::move(wrong));
  auto filter = compile_filter(config);
  if (!filter) return std::unexpected(std::vector{std::move(filter.error())});
  auto user = user_of(config);
  if (!user) return std::unexpected(std::vector{std::move(user.error())});
  auto metrics = take_address(config);
  if (!metrics) return std::unexpected(std::vector{std::move(metrics.error())});
  auto queries = take_address_for_queries(config, err);
  if (!queries) return std::unexpected(std::vector{std::move(queries.error())});
  if (auto hanging = find_hanging_drives("--output", config.outputs, err); !hanging.empty())
    return std::unexpected(std::move(hanging));
  if (auto hanging = find_hanging_drives("--archive", config.archives, err); !hanging.empty())
    return std::unexpected(std::move(hanging));
  if (auto wrong = look_at_archives(config); !wrong.empty()) return std::unexpected(std::move(wrong));
  if (auto limits = plan::check_file_size(config, own_limits()); !limits.empty())
    return std::unexpected(std::move(limits));
  auto drives = look_at_drives(config.outputs, *user ? &**user : nullptr, err);
  if (!storage::has_openat2())
    err.say(
        "wirespool: --output: openat2: not in this kernel, or forbidden here: O_NOFOLLOW keeps links from being "
        "followed\n");
  if (!drives) return std::unexpected(std::move(drives.error()));
  Ground ground{std::move(*drives),  plan::read_hugepages(), {}, std::move(*filter), std::move(*metrics),
                std::move(*queries), std::move(*user)};
  if (auto wrong = dpdk::check_args(eal_args, ground.hugepages); !wrong.empty())
    return std::unexpected(std::move(wrong));
  if (!plan::to_drives(config)) ground.drives.clear();
  ground.cpus = dpdk::own_cpus();
  return ground;
}

}  // namespace wirespool::capture
