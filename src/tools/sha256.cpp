// SPDX-License-Identifier: BSD-3-Clause
#include "tools/sha256.hpp"

#include <array>
#include <string_view>

#ifdef WIRESPOOL_LIBCRYPTO
#include <openssl/evp.h>
#endif

namespace wirespool::tools {

#ifdef WIRESPOOL_LIBCRYPTO

namespace {

EVP_MD_CTX* of(const auto& context) { return static_cast<EVP_MD_CTX*>(context.get()); }

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

std::expected<Sha256, Error> Sha256::begin() {
  Sha256 sum;
  sum.context_.reset(EVP_MD_CTX_new());
  if (!sum.context_ || EVP_DigestInit_ex(of(sum.context_), EVP_sha256(), nullptr) != 1)
    return std::unexpected(Error{"SHA-256", "libcrypto refuses it", "see to OpenSSL's configuration (openssl.cnf)",
                                 Error::Kind::not_ready});
  return sum;
}

bool Sha256::add(std::span<const std::byte> bytes) {
  return EVP_DigestUpdate(of(context_), bytes.data(), bytes.size()) == 1;
}

std::string Sha256::finish() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 32> sum{};
  if (EVP_DigestFinal_ex(of(context_), sum.data(), nullptr) != 1) return {};
  std::string text;
  for (const auto byte : sum) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

#else

void Sha256::Free::operator()(void*) const {}

std::expected<Sha256, Error> Sha256::begin() {
  return std::unexpected(Error{"SHA-256", "this wirespool was built without OpenSSL's libcrypto",
                               "build it with -Dopenssl=enabled (libssl-dev), or use sha256sum",
                               Error::Kind::not_ready});
}

bool Sha256::add(std::span<const std::byte>) { return false; }

std::string Sha256::finish() { return {}; }

#endif

}  // namespace wirespool::tools
