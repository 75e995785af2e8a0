// SPDX-License-Identifier: BSD-3-Clause
#include "serve/secrets.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "storage/read_file.hpp"

namespace wirespool::serve {
namespace {

constexpr const char* option = "--token-file";
constexpr std::size_t largest_file = 64 << 10;
constexpr std::size_t shortest_token = 16;

// In a time that depends on the length of `shown` alone, which whoever shows it knows.
bool same(std::string_view token, std::string_view shown) {
  std::size_t differences = token.size() ^ shown.size();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const volatile char ours = token[i % token.size()];
    differences |= static_cast<unsigned char>(ours ^ shown[i]);
  }
  return differences == 0;
}

// The scheme's name in any case (RFC 9110, 11.1).
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  const auto equal = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (authorization.size() < scheme.size() ||
      !std::ranges::equal(authorization.substr(0, scheme.size()), scheme, equal))
    return {};
  return authorization.substr(scheme.size());
}

std::unexpected<Error> refused(std::string why, const char* what_to_do) {
  return std::unexpected(Error{option, std::move(why), what_to_do, Error::Kind::not_ready});
}

}  // namespace

std::optional<Error> others_may_read(const std::string& of, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status))
    return Error{of, path + ": " + (error ? error.message() : "No such file or directory"), "give another file",
                 Error::Kind::not_ready};
  const auto others = fs::perms::others_read | fs::perms::others_write;
  if ((status.permissions() & others) == fs::perms::none) return std::nullopt;
  return Error{of, path + ": every user of this machine may read or write it", "chmod o= " + path,
               Error::Kind::not_ready};
}

std::expected<Tokens, Error> Tokens::read(const std::string& path) {
  if (auto wrong = others_may_read(option, path)) return std::unexpected(std::move(*wrong));
  const auto text = storage::read_small_file(path, largest_file);
  if (!text) return std::unexpected(storage::as_error(text.error(), "give a file that can be read"));
  Tokens tokens;
  std::istringstream lines{std::string(*text)};
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const bool plain = std::ranges::all_of(line, [](unsigned char letter) { return letter > ' ' && letter < 0x7f; });
    if (!plain || line.size() < shortest_token)
      return refused(path + ": line " + std::to_string(number) +
                         (plain ? " has fewer than 16 characters" : " has blanks or characters beyond ASCII"),
                     "make tokens by openssl rand -hex 32, one a line");
    tokens.tokens_.push_back({std::move(line), number});
  }
  if (tokens.tokens_.empty()) return refused(path + ": there is no token in it", "make one by openssl rand -hex 32");
  return tokens;
}

std::optional<unsigned> Tokens::line_of(std::string_view authorization) const {
  const auto shown = bearer(authorization);
  std::optional<unsigned> line;
  for (const auto& token : tokens_)
    if (same(token.text, shown)) line = token.line;
  return line;
}

}  // namespace wirespool::serve
