// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "serve/exchange.hpp"
#include "tools/extract.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// What /api/extract and /api/estimate take: from, to, filter, flow, community_id, format, slice, limit, each as the
// option of `wirespool extract` of that name is written; limit is --packets.
extern const std::set<std::string_view> extract_parameters;

// Without places and sink. The Error is about the parameter that is wrong.
std::expected<tools::ExtractOptions, Error> extract_options(const std::multimap<std::string, std::string>& parameters);

// POST /query: the body is a query in stenographer's language, and limits are headers of its; `format` may be given in
// the target.
std::expected<tools::ExtractOptions, Error> stenographer_options(const Request& request, Timestamp now);

// 400 where the request is wrong, in its words; 503 where the directories are.
Answer refused_extraction(const Error& error);

}  // namespace wirespool::serve
