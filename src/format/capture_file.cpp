// SPDX-License-Identifier: BSD-3-Clause
#include "format/capture_file.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "wirespool/time_text.hpp"

namespace wirespool::format {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string encode_capture_file(const CaptureFile& file) {
  auto text = fmt::format(R"({{"wirespool":{},"dpdk":{},"start":"{}","name":{},"plan":{},"ledger":{})",
                          quoted(file.wirespool), quoted(file.dpdk), rfc3339(file.start), quoted(file.name), file.plan,
                          file.ledger ? encode_ledger_line(*file.ledger) : "null");
  for (const auto& [name, value] : file.others) fmt::format_to(std::back_inserter(text), ",{}:{}", quoted(name), value);
  return text + "}\n";
}

std::expected<CaptureFile, std::string> decode_capture_file(std::string_view written) {
  JsonText text(written);
  JsonFields fields(text);
  CaptureFile file;
  file.wirespool = fields.text("wirespool");
  file.dpdk = fields.text("dpdk");
  file.start = fields.time("start");
  file.name = fields.text("name");
  file.plan = fields.json("plan");
  if (auto ledger = fields.object_or_null("ledger")) file.ledger = decode_ledger_line(*ledger);
  file.others = fields.others();
  if (!text.problem().empty()) return std::unexpected(text.problem());
  return file;
}

std::expected<PlanFacts, std::string> decode_plan_facts(std::string_view plan) {
  JsonText text(plan);
  JsonFields fields(text);
  PlanFacts facts;
  facts.drives = fields.objects("drives").size();
  facts.block_bytes = fields.count("block_bytes");
  facts.snaplen = fields.count("snaplen");
  facts.flow_index = fields.text("index") == "flow";
  facts.on_seal = !fields.text_or_null("on_seal").empty();
  if (!text.problem().empty()) return std::unexpected("plan: " + text.problem());
  return facts;
}

}  // namespace wirespool::format
