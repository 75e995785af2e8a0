// SPDX-License-Identifier: BSD-3-Clause
#include "format/crc32c.hpp"

#include <array>
#include <cstring>

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

#if defined(__x86_64__)

// The instruction has a latency of three cycles and a throughput of one, so three stretches of this length are summed
// at once and joined afterwards.
constexpr std::size_t stretch = 2048;

// What `stretch` zero bytes do to a state: a linear map, kept as one table a byte.
struct Shift {
  std::array<std::array<std::uint32_t, 256>, 4> table{};

  Shift() noexcept {
    std::array<std::uint32_t, 32> image{};
    for (std::size_t bit = 0; bit < 32; ++bit) image[bit] = zeros(std::uint32_t{1} << bit);
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::size_t value = 0; value < 256; ++value) {
        for (std::size_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) table[k][value] ^= image[8 * k + bit];
        }
      }
    }
  }

  static std::uint32_t zeros(std::uint32_t state) noexcept {
    for (std::size_t i = 0; i < stretch; ++i) state = (state >> 8) ^ tables[0][state & 0xff];
    return state;
  }

  std::uint32_t operator()(std::uint32_t state) const noexcept {
    return table[0][state & 0xff] ^ table[1][(state >> 8) & 0xff] ^ table[2][(state >> 16) & 0xff] ^
           table[3][state >> 24];
  }
};

__attribute__((target("sse4.2"))) std::uint32_t update_by_instruction(std::uint32_t state, const std::byte* at,
                                                                      std::size_t bytes) noexcept {
  static const Shift shift;
  for (; bytes >= 3 * stretch; at += 3 * stretch, bytes -= 3 * stretch) {
    std::uint64_t a = state, b = 0, c = 0;
    for (std::size_t i = 0; i < stretch; i += 8) {
      a = __builtin_ia32_crc32di(a, load64(at + i));
      b = __builtin_ia32_crc32di(b, load64(at + stretch + i));
      c = __builtin_ia32_crc32di(c, load64(at + 2 * stretch + i));
    }
    state = shift(shift(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b)) ^ static_cast<std::uint32_t>(c);
  }
  std::uint64_t wide = state;
  for (; bytes >= 8; at += 8, bytes -= 8) wide = __builtin_ia32_crc32di(wide, load64(at));
  state = static_cast<std::uint32_t>(wide);
  for (; bytes > 0; ++at, --bytes) state = __builtin_ia32_crc32qi(state, static_cast<std::uint8_t>(*at));
  return state;
}

#endif

using Update = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t) noexcept;

Update choose() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return update_by_instruction;
#endif
  return update_by_table;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t previous) noexcept {
  static const Update update = choose();
  return ~update(~previous, bytes.data(), bytes.size());
}

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t previous) noexcept {
  return ~update_by_table(~previous, bytes.data(), bytes.size());
}

}  // namespace wirespool::format
