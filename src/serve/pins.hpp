// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "serve/audit.hpp"
#include "serve/exchange.hpp"
#include "tools/keep.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// Whether a POST says of itself that it is JSON. A page of another site cannot have a browser send that, nor a DELETE,
// unless this service allowed it to, which it does not (https://fetch.spec.whatwg.org/, CORS-safelisted
// request-header).
bool is_pin_request(const Request& request);

// What POST /api/pins takes: a JSON object of texts, `from`, `to`, `filter` and `reason`, each as the option of
// `wirespool keep` of that name is written. The pin says who asked, as far as `audit` knows. Without directories.
std::expected<tools::KeepOptions, Error> pin_options(const std::string& body, const AuditEntry& audit);

// What DELETE /api/pins takes: `from` and `to`, or `file`, the name of one; at least one of these.
extern const std::set<std::string_view> release_parameters;
std::expected<tools::KeepOptions, Error> release_options(const std::multimap<std::string, std::string>& parameters);

}  // namespace wirespool::serve
