// SPDX-License-Identifier: BSD-3-Clause
#include "format/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace wirespool::format {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;

constexpr std::uint32_t one_byte(std::uint32_t crc) {
  for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  return crc;
}

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the state when k more zero bytes follow it ("slicing by eight").
constexpr Table make_tables() {
  Table tables{};
  for (std::uint32_t value = 0; value < 256; ++value) tables[0][value] = one_byte(value);
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t value = 0; value < 256; ++value) {
      const auto before = tables[k - 1][value];
      tables[k][value] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Table tables = make_tables();

// The product of two polynomials modulo CRC-32C's; bit 31 is the coefficient of x^0.
constexpr std::uint32_t times(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & 0x80000000) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? polynomial : 0);
  }
  return product;
}

// powers[k] is x^(8 * 2^k): the factor by which 2^k zero bytes multiply a state.
constexpr std::array<std::uint32_t, 64> make_powers() {
  std::array<std::uint32_t, 64> powers{0x00800000};
  for (std::size_t k = 1; k < powers.size(); ++k) powers[k] = times(powers[k - 1], powers[k - 1]);
  return powers;
}

constexpr std::array<std::uint32_t, 64> powers = make_powers();

// x^(8 * bytes)
constexpr std::uint32_t zero_bytes(std::uint64_t bytes) noexcept {
  std::uint32_t product = 0x80000000;
  for (std::size_t k = 0; bytes != 0; ++k, bytes >>= 1) {
    if ((bytes & 1) != 0) product = times(product, powers[k]);
  }
  return product;
}

std::uint64_t load64(const std::byte* from) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

std::uint32_t update_by_table(std::uint32_t state, const std::byte* at, std::size_t bytes) noexcept {
  for (; bytes >= 8; at += 8, bytes -= 8) {
    const auto word = load64(at) ^ state;
    state = 0;
    for (std::size_t k = 0; k < 8; ++k) state ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; bytes > 0; ++at, --bytes) state = (state >> 8) ^ tables[0][(state ^ static_cast<std::uint32_t>(*at)) & 0xff];
  return state;
}

// The processor's own instruction, where this compiler knows one: for eight bytes and for one byte.
#if defined(__x86_64__)
#define WIRESPOOL_CRC_TARGET "sse4.2"
__attribute__((target(WIRESPOOL_CRC_TARGET))) inline std::uint64_t step8(std::uint64_t state, std::uint64_t word) {
  return __builtin_ia32_crc32di(state, word);
}
__attribute__((target(WIRESPOOL_CRC_TARGET))) inline std::uint32_t step1(std::uint32_t state, std::uint8_t byte) {
  return __builtin_ia32_crc32qi(state, byte);
}
bool has_instruction() noexcept { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
#define WIRESPOOL_CRC_TARGET "+crc"
__attribute__((target(WIRESPOOL_CRC_TARGET))) inline std::uint64_t step8(std::uint64_t state, std::uint64_t word) {
  return __builtin_aarch64_crc32cx(static_cast<std::uint32_t>(state), word);
}
__attribute__((target(WIRESPOOL_CRC_TARGET))) inline std::uint32_t step1(std::uint32_t state, std::uint8_t byte) {
  return __builtin_aarch64_crc32cb(state, byte);
}
bool has_instruction() noexcept { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#endif

#if defined(WIRESPOOL_CRC_TARGET)

// The instruction has a latency of three cycles and a throughput of one, so three stretches of this length are summed
// at once and joined afterwards.
constexpr std::size_t stretch = 2048;

// What `stretch` zero bytes do to a state: a linear map, kept as one table a byte.
struct Shift {
  std::array<std::array<std::uint32_t, 256>, 4> table{};

  Shift() noexcept {
    std::array<std::uint32_t, 32> image{};
    for (std::size_t bit = 0; bit < 32; ++bit) image[bit] = times(zero_bytes(stretch), std::uint32_t{1} << bit);
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::size_t value = 0; value < 256; ++value) {
        for (std::size_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) table[k][value] ^= image[8 * k + bit];
        }
      }
    }
  }

  std::uint32_t operator()(std::uint32_t state) const noexcept {
    return table[0][state & 0xff] ^ table[1][(state >> 8) & 0xff] ^ table[2][(state >> 16) & 0xff] ^
           table[3][state >> 24];
  }
};

__attribute__((target(WIRESPOOL_CRC_TARGET))) std::uint32_t update_by_instruction(std::uint32_t state,
                                                                                  const std::byte* at,
                                                                                  std::size_t bytes) noexcept {
  static const Shift shift;
  for (; bytes >= 3 * stretch; at += 3 * stretch, bytes -= 3 * stretch) {
    std::uint64_t a = state, b = 0, c = 0;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < stretch; i += 8) {
      a = step8(a, load64(at + i));
      b = step8(b, load64(at + stretch + i));
      c = step8(c, load64(at + 2 * stretch + i));
    }
    state = shift(shift(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b)) ^ static_cast<std::uint32_t>(c);
  }
  std::uint64_t wide = state;
  for (; bytes >= 8; at += 8, bytes -= 8) wide = step8(wide, load64(at));
  state = static_cast<std::uint32_t>(wide);
  for (; bytes > 0; ++at, --bytes) state = step1(state, static_cast<std::uint8_t>(*at));
  return state;
}

#endif

using Update = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t) noexcept;

Update choose() noexcept {
#if defined(WIRESPOOL_CRC_TARGET)
  if (has_instruction()) return update_by_instruction;
#endif
  return update_by_table;
}

}  // namespace

std::uint32_t crc32c_join(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) noexcept {
  return times(zero_bytes(second_bytes), first) ^ second;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t previous) noexcept {
  static const Update update = choose();
  return ~update(~previous, bytes.data(), bytes.size());
}

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t previous) noexcept {
  return ~update_by_table(~previous, bytes.data(), bytes.size());
}

}  // namespace wirespool::format
