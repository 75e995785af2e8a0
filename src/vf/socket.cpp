// SPDX-License-Identifier: BSD-3-Clause
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "storage/file_descriptor.hpp"
#include "vf/link.hpp"

namespace wirespool::vf {
namespace {

using storage::FileDescriptor;
using storage::IoError;
using storage::last_error;

std::expected<unsigned, IoError> index_of(const std::string& interface) {
  const auto index = if_nametoindex(interface.c_str());
  if (index == 0) return std::unexpected(last_error(interface));
  return index;
}

// Sends one request and reads its one answer: an NLMSG_ERROR (error 0 acknowledges) or what was asked for.
std::expected<Bytes, IoError> ask(const Bytes& request, const std::string& what) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return std::unexpected(last_error(what + ": netlink socket"));
  if (::send(socket.get(), request.data(), request.size(), 0) < 0) return std::unexpected(last_error(what));
  // MSG_TRUNC tells the true length (recv(2)): a PF with many VFs has a long answer.
  std::byte peek{};
  const auto length = ::recv(socket.get(), &peek, 1, MSG_PEEK | MSG_TRUNC);
  if (length < 0) return std::unexpected(last_error(what));
  Bytes answer(static_cast<std::size_t>(length));
  if (::recv(socket.get(), answer.data(), answer.size(), 0) < 0) return std::unexpected(last_error(what));
  nlmsghdr header{};
  nlmsgerr error{};
  if (answer.size() < sizeof header) return std::unexpected(IoError{what, EBADMSG});
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != NLMSG_ERROR) return answer;
  if (answer.size() < NLMSG_HDRLEN + sizeof error) return std::unexpected(IoError{what, EBADMSG});
  std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
  if (error.error != 0) return std::unexpected(IoError{what, -error.error});
  return answer;
}

// ioctl(SIOCETHTOOL) with a structure of linux/ethtool.h.
class Ethtool {
 public:
  explicit Ethtool(const std::string& interface)
      : interface_(interface), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

  std::expected<void, IoError> call(void* structure) const {
    ifreq request{};
    interface_.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(structure);
    if (::ioctl(socket_.get(), SIOCETHTOOL, &request) != 0)
      return std::unexpected(last_error(interface_ + ": ethtool"));
    return {};
  }

 private:
  std::string interface_;
  FileDescriptor socket_;
};

// A structure of linux/ethtool.h with `tail` bytes after it.
template <class Header>
std::vector<std::uint64_t> storage_for(std::size_t tail) {
  return std::vector<std::uint64_t>((sizeof(Header) + tail + 7) / 8);
}

std::expected<std::size_t, IoError> count_private_flags(const Ethtool& ethtool) {
  auto memory = storage_for<ethtool_sset_info>(sizeof(std::uint32_t));
  auto* info = reinterpret_cast<ethtool_sset_info*>(memory.data());
  info->cmd = ETHTOOL_GSSET_INFO;
  info->sset_mask = 1ull << ETH_SS_PRIV_FLAGS;
  if (auto called = ethtool.call(info); !called) return std::unexpected(called.error());
  return info->sset_mask == 0 ? 0 : std::min<std::size_t>(info->data[0], 32);  // the flags are one 32-bit word
}

std::expected<std::uint32_t, IoError> read_flag_word(const Ethtool& ethtool) {
  ethtool_value value{ETHTOOL_GPFLAGS, 0};
  if (auto called = ethtool.call(&value); !called) return std::unexpected(called.error());
  return value.data;
}

}  // namespace

std::expected<std::vector<VfLink>, IoError> read_vf_links(const std::string& interface) {
  const auto index = index_of(interface);
  if (!index) return std::unexpected(index.error());
  const auto answer = ask(vf_query(*index), interface);
  if (!answer) return std::unexpected(answer.error());
  return parse_vf_links(*answer);
}

std::expected<void, IoError> set_vf_link(const std::string& interface, unsigned number, const std::string& name,
                                         const std::string& value) {
  const auto index = index_of(interface);
  if (!index) return std::unexpected(index.error());
  const auto request = vf_request(*index, number, name, value);
  if (!request) return std::unexpected(IoError{request.error(), EINVAL});
  const auto what = interface + " vf " + std::to_string(number) + " " + name + " " + value;
  if (auto answer = ask(*request, what); !answer) return std::unexpected(answer.error());
  return {};
}

std::expected<std::vector<PrivateFlag>, IoError> read_private_flags(const std::string& interface) {
  const Ethtool ethtool(interface);
  const auto count = count_private_flags(ethtool);
  if (!count) return std::unexpected(count.error());
  std::vector<PrivateFlag> flags;
  if (*count == 0) return flags;
  auto memory = storage_for<ethtool_gstrings>(*count * ETH_GSTRING_LEN);
  auto* strings = reinterpret_cast<ethtool_gstrings*>(memory.data());
  strings->cmd = ETHTOOL_GSTRINGS;
  strings->string_set = ETH_SS_PRIV_FLAGS;
  strings->len = static_cast<std::uint32_t>(*count);
  if (auto called = ethtool.call(strings); !called) return std::unexpected(called.error());
  const auto word = read_flag_word(ethtool);
  if (!word) return std::unexpected(word.error());
  for (std::size_t i = 0; i < *count; ++i) {
    const auto* name = reinterpret_cast<const char*>(strings->data) + i * ETH_GSTRING_LEN;
    flags.push_back({std::string(name, strnlen(name, ETH_GSTRING_LEN)), (*word >> i & 1) != 0});
  }
  return flags;
}

std::expected<void, IoError> set_private_flag(const std::string& interface, const std::string& name, bool on) {
  const auto flags = read_private_flags(interface);
  if (!flags) return std::unexpected(flags.error());
  const auto found = std::ranges::find(*flags, name, &PrivateFlag::name);
  if (found == flags->end()) return std::unexpected(IoError{interface + ": flag " + name, EOPNOTSUPP});
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < flags->size(); ++i) word |= std::uint32_t{(*flags)[i].on} << i;
  const auto bit = 1u << (found - flags->begin());
  ethtool_value value{ETHTOOL_SPFLAGS, on ? word | bit : word & ~bit};
  return Ethtool(interface).call(&value);
}

}  // namespace wirespool::vf
