// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "wirespool/error.hpp"

namespace wirespool::tools {

// A running SHA-256 (FIPS 180-4), by OpenSSL's libcrypto (EVP_DigestInit(3ssl)), which uses the processor's own
// instructions where there are any. One thread.
class Sha256 {
 public:
  // The error says why there is none: the program was built without libcrypto, or libcrypto refuses SHA-256 (by a
  // policy of the machine).
  static std::expected<Sha256, Error> begin();

  bool add(std::span<const std::byte> bytes);  // false: libcrypto failed, and there will be no sum
  std::string finish();                        // 64 hexadecimal digits; empty: there is none. Once

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace wirespool::tools
