// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <span>

namespace wirespool::test {

// Memory that O_DIRECT takes: starts at a multiple of 4096.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t bytes) : bytes_(bytes) {
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096)));
    if (!data_) throw std::bad_alloc();
  }
  AlignedBuffer(std::size_t bytes, std::uint64_t seed) : AlignedBuffer(bytes) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < bytes_; ++i) data_.get()[i] = static_cast<std::byte>(random());
  }

  std::byte* data() const { return data_.get(); }
  std::size_t size() const { return bytes_; }
  std::span<std::byte> span() const { return {data_.get(), bytes_}; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t bytes_;
};

}  // namespace wirespool::test
