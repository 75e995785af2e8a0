// SPDX-License-Identifier: BSD-3-Clause
// Queries of stenographer's language. What is taken for one, libpcap takes too: host names are none, so nothing is
// looked up.
#include "serve/stenographer.hpp"

#include "fuzz/check.hpp"

using namespace wirespool;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 400) return 0;  // libpcap's compiler, and not ours, would be what takes long
  auto query = serve::stenographer_query(fuzz::text_of(data, size), Timestamp{1'800'000'000'000'000'000});
  if (!query) {
    const auto& error = query.error();
    fuzz::check(error.what == "query" && !error.why.empty(), "a refusal says why");
    fuzz::check(error.why.find("filter expression") == std::string::npos, "what is a query is one for libpcap");
    return 0;
  }
  if (query->filter) (void)query->filter->matches({PacketView{query->from, 0, {}}, 1, 0, {}});
  return 0;
}
