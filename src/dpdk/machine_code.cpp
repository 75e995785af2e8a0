// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/machine_code.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wirespool::dpdk {
namespace {

enum class Kind { unknown, plain, jump };

// Lengths in bytes, as in volume 2 of Intel's manual, chapter 2 and appendix A.
struct Operation {
  Kind kind = Kind::unknown;
  bool has_modrm = false;
  unsigned immediate = 0;
};

constexpr Operation operands{Kind::plain, true, 0};

// Those that begin with 0x0f.
Operation long_operation(std::uint8_t opcode) {
  if (opcode >= 0x80 && opcode <= 0x8f) return {Kind::jump, false, 4};
  if (opcode >= 0x40 && opcode <= 0x4f) return operands;                 // cmov
  if (opcode == 0xb6 || opcode == 0xb7) return operands;                 // movzx
  if (opcode >= 0xc8 && opcode <= 0xcf) return {Kind::plain, false, 0};  // bswap
  return {};
}

Operation operation(std::uint8_t opcode, bool wide, std::uint8_t next) {
  if (opcode >= 0x70 && opcode <= 0x7f) return {Kind::jump, false, 1};
  if (opcode >= 0xb8 && opcode <= 0xbf) return {Kind::plain, false, wide ? 8u : 4u};  // mov
  switch (opcode) {
    case 0xeb:
      return {Kind::jump, false, 1};
    case 0xe9:
      return {Kind::jump, false, 4};
    case 0xc3:
      return {Kind::plain, false, 0};
    case 0x83:
    case 0xc1:
      return {Kind::plain, true, 1};
    case 0x81:
    case 0xc7:
      return {Kind::plain, true, 4};
    case 0xf7:  // test, if the middle of ModRM is 0
      return {Kind::plain, true, (next & 0x38) == 0 ? 4u : 0u};
    case 0x01:
    case 0x09:
    case 0x21:
    case 0x29:
    case 0x31:
    case 0x39:
    case 0x85:
    case 0x87:
    case 0x89:
    case 0x8b:
    case 0xd3:
    case 0xff:
      return operands;
    default:
      return {};
  }
}

// ModRM, SIB and displacement.
std::size_t length_of_operands(std::uint8_t modrm) {
  const unsigned mode = modrm >> 6;
  const std::size_t sib = mode != 3 && (modrm & 7) == 4;
  return 1 + sib + (mode == 1 ? 1u : mode == 2 ? 4u : 0u);
}

// Reads one instruction after another; after the end there are only zeros.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> code) : code_(code) {}

  bool all_land() {
    while (at_ < code_.size()) {
      starts_.push_back(at_);
      if (!step()) return false;
    }
    return at_ == code_.size() && std::ranges::all_of(targets_, [this](std::size_t target) {
             return std::ranges::binary_search(starts_, target);
           });
  }

 private:
  std::uint8_t byte(std::size_t at) const { return at < code_.size() ? code_[at] : std::uint8_t{0}; }

  bool step() {
    if (byte(at_) == 0x66) ++at_;
    const bool has_rex = (byte(at_) & 0xf0) == 0x40;
    const bool wide = has_rex && (byte(at_) & 8) != 0;
    at_ += has_rex;
    const bool is_long = byte(at_) == 0x0f;
    at_ += is_long;
    const auto found = is_long ? long_operation(byte(at_)) : operation(byte(at_), wide, byte(at_ + 1));
    ++at_;
    if (found.has_modrm) at_ += length_of_operands(byte(at_));
    if (found.kind == Kind::jump) return jump(found.immediate);
    at_ += found.immediate;
    return found.kind == Kind::plain;
  }

  bool jump(unsigned bytes) {
    std::uint32_t distance = 0;
    for (unsigned i = 0; i < bytes; ++i) distance |= std::uint32_t{byte(at_ + i)} << 8 * i;
    if (bytes == 1 && (distance == 126 || distance == 127)) return false;
    const auto signed_distance = bytes == 1 ? static_cast<std::int8_t>(distance) : static_cast<std::int32_t>(distance);
    at_ += bytes;
    targets_.push_back(at_ + static_cast<std::size_t>(std::ptrdiff_t{signed_distance}));
    return true;
  }

  std::span<const std::uint8_t> code_;
  std::size_t at_ = 0;
  std::vector<std::size_t> starts_, targets_;
};

}  // namespace

bool jumps_land([[maybe_unused]] std::span<const std::uint8_t> code) {
#if defined(__x86_64__)
  return Reader(code).all_land();
#else
  return true;
#endif
}

}  // namespace wirespool::dpdk
