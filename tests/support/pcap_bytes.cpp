// SPDX-License-Identifier: BSD-3-Clause
#include "support/pcap_bytes.hpp"

#include <fstream>
#include <stdexcept>

namespace wirespool::test {
namespace {

class Writer {
 public:
  explicit Writer(bool big_endian) : big_endian_(big_endian) {}

  void put(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) {
      const auto shift = 8 * (big_endian_ ? bytes - 1 - i : i);
      out.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }
  void u16(std::uint64_t value) { put(value, 2); }
  void u32(std::uint64_t value) { put(value, 4); }
  void u64(std::uint64_t value) { put(value, 8); }
  void bytes(std::span<const std::byte> more) { out.insert(out.end(), more.begin(), more.end()); }
  void pad() { out.resize((out.size() + 3) / 4 * 4); }

  void block(std::uint32_t type, const Writer& body) {
    u32(type);
    u32(body.out.size() + 12);
    bytes(body.out);
    u32(body.out.size() + 12);
  }

  std::vector<std::byte> out;

 private:
  bool big_endian_;
};

Writer section_body(const PcapngDialect& dialect) {
  Writer body(dialect.big_endian);
  body.u32(0x1a2b3c4d);
  body.u16(1);
  body.u16(0);
  body.u64(~std::uint64_t{0});
  return body;
}

Writer interface_body(const PcapngDialect& dialect) {
  Writer body(dialect.big_endian);
  body.u16(dialect.linktype);
  body.u16(0);
  body.u32(0);
  body.u16(9);
  body.u16(1);
  body.put(dialect.tsresol, 1);
  body.pad();
  body.u16(14);
  body.u16(8);
  body.u64(static_cast<std::uint64_t>(dialect.tsoffset));
  body.u32(0);
  return body;
}

std::uint64_t units_of(Timestamp time, const PcapngDialect& dialect) {
  __extension__ using Wide = unsigned __int128;
  const auto ns = Wide{time.ns} - static_cast<Wide>(Wide{1'000'000'000} * static_cast<Wide>(dialect.tsoffset));
  const auto exponent = dialect.tsresol & 0x7f;
  Wide per_second = 1;
  for (unsigned i = 0; i < exponent; ++i) per_second *= (dialect.tsresol & 0x80) != 0 ? 2 : 10;
  return static_cast<std::uint64_t>(ns * per_second / 1'000'000'000);
}

Writer packet_body(const PacketView& packet, const PcapngDialect& dialect) {
  Writer body(dialect.big_endian);
  if (dialect.block_type == 6) body.u32(0);
  if (dialect.block_type == 2) body.u32(0);  // interface 0, no drops
  if (dialect.block_type != 3) {
    const auto units = units_of(packet.time, dialect);
    body.u32(units >> 32);
    body.u32(units & 0xffffffff);
    body.u32(packet.caplen());
  }
  body.u32(packet.wirelen);
  body.bytes(packet.bytes);
  body.pad();
  return body;
}

}  // namespace

std::vector<std::byte> pcap_bytes(const Trace& trace, const PcapDialect& dialect) {
  Writer file(dialect.big_endian);
  file.u32(dialect.microseconds ? 0xa1b2c3d4 : 0xa1b23c4d);
  file.u16(2);
  file.u16(4);
  file.u64(0);
  file.u32(dialect.snaplen);
  file.u32(dialect.linktype);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto packet = trace[i];
    file.u32(packet.time.seconds());
    file.u32(packet.time.nanoseconds() / (dialect.microseconds ? 1000 : 1));
    file.u32(packet.caplen());
    file.u32(packet.wirelen);
    file.bytes(packet.bytes);
  }
  return file.out;
}

std::vector<std::byte> pcapng_bytes(const Trace& trace, const PcapngDialect& dialect) {
  Writer file(dialect.big_endian);
  file.block(0x0a0d0d0a, section_body(dialect));
  file.block(1, interface_body(dialect));
  for (std::size_t i = 0; i < trace.size(); ++i) file.block(dialect.block_type, packet_body(trace[i], dialect));
  return file.out;
}

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("writing " + path.string());
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("reading " + path.string());
  return bytes;
}

}  // namespace wirespool::test
