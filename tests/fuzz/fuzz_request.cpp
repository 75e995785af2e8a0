// SPDX-License-Identifier: BSD-3-Clause
// What a client sends, to the parts of a service that take it apart: the request, an extraction's parameters, a token.
// All that is answered is one answer of HTTP.
#include <algorithm>
#include <cstring>
#include <string>

#include "fuzz/check.hpp"
#include "serve/audit.hpp"
#include "serve/exchange.hpp"
#include "serve/extract_request.hpp"
#include "serve/spool_answers.hpp"

using namespace wirespool;
using namespace wirespool::serve;

namespace {

class Memory final : public ByteStream {
 public:
  explicit Memory(std::string_view sent) : sent_(sent) {}
  bool readable() noexcept override { return !sent_.empty(); }
  bool writable() noexcept override { return true; }
  std::ptrdiff_t read(char* to, std::size_t size) noexcept override {
    const auto bytes = std::min(size, sent_.size());
    std::memcpy(to, sent_.data(), bytes);
    sent_.remove_prefix(bytes);
    return static_cast<std::ptrdiff_t>(bytes);
  }
  bool write_all(const char* from, std::size_t size) noexcept override {
    answer.append(from, size);
    return true;
  }
  int fd() const noexcept override { return -1; }

  std::string answer;

 private:
  std::string_view sent_;
};

std::size_t answers_in(const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find("HTTP/1."); at != std::string::npos; at = text.find("HTTP/1.", at + 1)) ++count;
  return count;
}

Answer answer(const Request& request) {
  (void)extract_options(request.parameters);
  AuditEntry entry;
  entry.asked = request.method + request.target + request.body;
  const auto line = audit_line(entry);
  fuzz::check(std::ranges::count(line, '\n') == 1 && line.ends_with('\n'), "a query is one line");
  fuzz::check(std::ranges::none_of(line, [](unsigned char letter) { return letter < ' ' && letter != '\n'; }),
              "a line has no control characters");
  return {200, "text/plain", "ok"};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most = 16 << 10;  // as a Connection bounds it
  Memory client(fuzz::text_of(data, std::min(size, most)));
  exchange(client, {answer, [](int status) { return error_answer(status); }, most});
  fuzz::check(client.answer.empty() || client.answer.starts_with("HTTP/1."), "what is sent is an answer");
  fuzz::check(answers_in(client.answer) <= 2, "there is one answer, after a 100 at most");
  return 0;
}
