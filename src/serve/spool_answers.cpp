// SPDX-License-Identifier: BSD-3-Clause
#include "serve/spool_answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "format/file_name.hpp"
#include "options/read.hpp"
#include "serve/extract_request.hpp"
#include "serve/ledger_lines.hpp"
#include "serve/page_files.hpp"
#include "serve/pins.hpp"
#include "storage/read_file.hpp"
#include "tools/estimate.hpp"
#include "tools/ls.hpp"
#include "tools/verify.hpp"
#include "wirespool/time_text.hpp"
#include "wirespool/version.hpp"

namespace wirespool::serve {
namespace {

constexpr const char* json_type = "application/json";
constexpr std::uint64_t most_lines = 100'000;  // of a ledger, if not all are asked for

// Of files and directories, which no client chose: whoever runs the machine can mend them.
Answer unreadable(const Error& error) { return error_answer(503, error); }

// nullopt: each parameter is known, and given once.
std::optional<Answer> wrong_parameters(const Request& request, const std::set<std::string_view>& known) {
  std::string_view before;
  for (const auto& [name, value] : request.parameters) {
    if (!known.contains(name)) return error_answer(400, {name, "there is no such parameter", "see /api/openapi.json"});
    if (name == before) return error_answer(400, {name, "it is given twice", "leave one of them out"});
    before = name;
  }
  return std::nullopt;
}

Answer needs_chunks() {
  return error_answer(505, {"HTTP/1.0", "an answer that is cut off would look whole", "ask with HTTP/1.1"});
}

// A parameter that is a number of ledger lines; 0: it is not given.
std::expected<std::uint64_t, Error> line_count(const Request& request, const std::string& name) {
  const auto given = request.parameters.find(name);
  if (given == request.parameters.end() || given->second.empty()) return 0;
  const auto count = options::parse_whole(given->second, most_lines);
  if (count && *count > 0) return *count;
  return std::unexpected(Error{name, given->second + " is no number of lines",
                               fmt::format("give one from 1 to {}, or leave it out", most_lines)});
}

// Which lines of a ledger are asked for.
std::expected<std::vector<Lines>, storage::IoError> wanted_lines(const storage::ReadFile& file, std::uint64_t spread,
                                                                 std::uint64_t last) {
  if (spread > 0) return spread_lines(file, spread);
  const auto lines = last > 0 ? last_lines(file, last) : all_lines(file);
  if (!lines) return std::unexpected(lines.error());
  return std::vector{*lines};
}

bool send_lines(const storage::ReadFile& file, const std::vector<Lines>& wanted, const SendPiece& send,
                AuditEntry& audit) {
  std::vector<std::byte> buffer(256 << 10);
  for (auto lines : wanted) {
    while (lines.begin < lines.end) {
      const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), lines.end - lines.begin));
      const auto got = file.read(lines.begin, piece);
      if (!got) return audit.broken_off = got.error().message(), false;
      if (*got == 0) return audit.broken_off = file.path() + ": it was cut meanwhile", false;
      if (!send(piece.first(*got))) return false;
      lines.begin += *got;
    }
  }
  return true;
}

// One piece after the other to whoever the answer is sent to, which is known only when it is.
struct Receiver {
  const SendPiece* send = nullptr;
  std::uint64_t left;  // bytes
  bool too_many = false;

  bool take(std::span<const std::byte> bytes) {
    too_many = bytes.size() > left;
    if (too_many) return false;
    left -= bytes.size();
    return (*send)(bytes);
  }
};

bool run_extraction(tools::Extraction& extraction, const Receiver& receiver, AuditEntry& audit) {
  const auto report = extraction.run();
  if (receiver.too_many) return audit.broken_off = "it is longer than --size-limit", false;
  if (!report) return audit.broken_off = report.error().message(), false;
  if (report->closed) return false;
  audit.packets = report->packets;
  if (report->problems.empty()) return true;
  audit.broken_off = report->problems.front().message();
  return false;
}

}  // namespace

Answer error_answer(int status, const Error& error) {
  const nlohmann::ordered_json json = {{"what", error.what}, {"why", error.why}, {"what_to_do", error.what_to_do}};
  return {status, json_type, json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n"};
}

Answer error_answer(int status) {
  switch (status) {
    case 404:
      return error_answer(status, {"path", "there is nothing of this name", "see /api/openapi.json"});
    case 405:
      return error_answer(status, {"method", "this cannot be asked for so", "see /api/openapi.json"});
    case 413:
      return error_answer(status, {"request", "it is too long", "ask for less"});
    default:
      return error_answer(
          status, {"request", fmt::format("it cannot be answered (HTTP status {})", status), "see /api/openapi.json"});
  }
}

std::optional<Answer> SpoolAnswers::page(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  struct Place {
    std::string_view path, file, type;
  };
  static constexpr std::array<Place, 9> places{
      {{"/", "index.html", "text/html; charset=utf-8"},
       {"/page.css", "page.css", "text/css; charset=utf-8"},
       {"/page.js", "page.js", "text/javascript; charset=utf-8"},
       {"/ledgers.js", "ledgers.js", "text/javascript; charset=utf-8"},
       {"/timeline.js", "timeline.js", "text/javascript; charset=utf-8"},
       {"/uPlot.iife.min.js", "uPlot.iife.min.js", "text/javascript; charset=utf-8"},
       {"/uPlot.min.css", "uPlot.min.css", "text/css; charset=utf-8"},
       {"/uPlot.LICENSE", "uPlot.LICENSE", "text/plain; charset=utf-8"},
       {"/api/openapi.json", "openapi.json", "application/json"}}};
  const auto place = std::ranges::find(places, request.path, &Place::path);
  if (place == places.end()) return std::nullopt;
  const auto file = std::ranges::find(page_files(), place->file, &PageFile::name);
  Answer answer{200, std::string(place->type), file->content};
  // It asks nobody but this service, and nobody frames it.
  answer.headers = {{"Content-Security-Policy",
                     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}};
  return answer;
}

bool SpoolAnswers::reads_packets(const Request& request) {
  return request.path == "/api/extract" || request.path == "/api/verify" || request.path == "/query" ||
         (request.path == "/api/pins" && request.method == "POST");
}

Answer SpoolAnswers::answer(const Request& request, QueryRun& run) const {
  if (request.path == "/query") return request.method == "POST" ? stenographer(request, run) : error_answer(405);
  if (request.path == "/api/pins") return pins(request, run);
  if (request.method != "GET" && request.method != "HEAD") return error_answer(405);
  if (request.path == "/healthz") return {200, "text/plain; charset=utf-8", "ok\n"};
  if (request.path == "/api/service") return service(request);
  if (request.path == "/api/captures") return captures(request);
  if (request.path == "/api/ledger") return ledger(request, run);
  if (request.path == "/api/extract") return extract(request, run);
  if (request.path == "/api/estimate") return estimate(request, run);
  if (request.path == "/api/verify") return verify(request, run);
  return error_answer(404);
}

Answer SpoolAnswers::captures(const Request& request) const {
  if (auto wrong = wrong_parameters(request, {})) return std::move(*wrong);
  const auto report = tools::ls({.places = directories_});
  if (report && request.accept.starts_with("text/plain"))
    return {200, "text/plain; charset=utf-8", tools::render_table(*report)};
  return report ? Answer{200, json_type, tools::render_json(*report)} : unreadable(report.error());
}

Answer SpoolAnswers::ledger(const Request& request, QueryRun& run) const {
  if (auto wrong = wrong_parameters(request, {"capture", "last", "lines"})) return std::move(*wrong);
  const auto wanted = request.parameters.find("capture");
  if (wanted == request.parameters.end())
    return error_answer(400, {"capture", "it is missing", "give its name and start, as /api/captures has them"});
  const auto spread = line_count(request, "lines"), last = line_count(request, "last");
  if (!spread || !last) return error_answer(400, spread ? last.error() : spread.error());
  if (*spread > 0 && *last > 0) return error_answer(400, {"lines", "last is given as well", "leave one of them out"});
  const auto spool = Spool::open(directories_, Spool::Archives::named);
  if (!spool) return unreadable(spool.error());
  std::shared_ptr<storage::ReadFile> longest;  // each directory has one
  for (const auto& capture : spool->captures()) {
    if (format::capture_name(capture.stem, capture.start) != wanted->second || capture.ledger_path.empty()) continue;
    auto file = storage::ReadFile::open(capture.ledger_path);
    if (!file) return unreadable(storage::as_error(file.error(), "look after that directory"));
    if (!longest || file->size() > longest->size()) longest = std::make_shared<storage::ReadFile>(std::move(*file));
  }
  if (!longest) return error_answer(404, {wanted->second, "there is no ledger of such a capture", "see /api/captures"});
  auto lines = wanted_lines(*longest, *spread, *last);
  if (!lines) return unreadable(storage::as_error(lines.error(), "look after that file"));
  Answer answer{200, "application/x-ndjson", ""};
  answer.stream = [longest, lines = std::move(*lines), &audit = run.audit](const SendPiece& send) {
    return send_lines(*longest, lines, send, audit);
  };
  return answer;
}

Answer SpoolAnswers::extract(const Request& request, QueryRun& run) const {
  if (auto wrong = wrong_parameters(request, extract_parameters)) return std::move(*wrong);
  if (!request.has_chunks) return needs_chunks();
  auto options = extract_options(request.parameters);
  return options ? stream(std::move(*options), run) : error_answer(400, options.error());
}

Answer SpoolAnswers::stenographer(const Request& request, QueryRun& run) const {
  if (auto wrong = wrong_parameters(request, {"format"})) return std::move(*wrong);
  if (!request.has_chunks) return needs_chunks();
  auto options = stenographer_options(request, time_now());
  return options ? stream(std::move(*options), run) : error_answer(400, options.error());
}

Answer SpoolAnswers::stream(tools::ExtractOptions options, QueryRun& run) const {
  options.places = directories_;
  options.stored = true;
  options.stop = &run.stop;
  auto receiver = std::make_shared<Receiver>(nullptr, run.most_bytes);
  options.sink = [receiver](std::span<const std::byte> bytes) { return receiver->take(bytes); };
  const bool pcapng = options.format == tools::OutputFormat::pcapng;
  auto prepared = tools::Extraction::prepare(std::move(options));
  if (!prepared) return refused_extraction(prepared.error());
  Answer answer{200, pcapng ? "application/x-pcapng" : "application/vnd.tcpdump.pcap", ""};
  answer.headers = {
      {"Content-Disposition", std::string("attachment; filename=\"wirespool.") + (pcapng ? "pcapng\"" : "pcap\"")}};
  auto extraction = std::make_shared<tools::Extraction>(std::move(*prepared));
  answer.stream = [extraction, receiver, &audit = run.audit](const SendPiece& send) {
    receiver->send = &send;
    return run_extraction(*extraction, *receiver, audit);
  };
  return answer;
}

Answer SpoolAnswers::estimate(const Request& request, QueryRun& run) const {
  if (auto wrong = wrong_parameters(request, extract_parameters)) return std::move(*wrong);
  auto options = extract_options(request.parameters);
  if (!options) return error_answer(400, options.error());
  options->places = directories_;
  options->stored = true;
  options->stop = &run.stop;
  options->sink = [](std::span<const std::byte>) { return false; };  // nothing is extracted
  const auto limit = options->packets;
  const auto prepared = tools::Extraction::prepare(std::move(*options));
  if (!prepared) return refused_extraction(prepared.error());
  auto estimate = tools::estimate(prepared->spool(), prepared->query());
  if (estimate.packets) *estimate.packets = std::min(*estimate.packets, limit);
  return {200, json_type, tools::render_json(estimate)};
}

Answer SpoolAnswers::verify(const Request& request, QueryRun& run) const {
  if (auto wrong = wrong_parameters(request, {})) return std::move(*wrong);
  const auto report = tools::verify(directories_, {}, &run.stop);
  return report ? Answer{200, json_type, tools::render_json(*report)} : unreadable(report.error());
}

// What the page has to know of it.
Answer SpoolAnswers::service(const Request& request) const {
  if (auto wrong = wrong_parameters(request, {})) return std::move(*wrong);
  nlohmann::ordered_json json = {{"wirespool", version}, {"allow_keep", allow_keep_}, {"pcap_over_ip", nullptr}};
  if (pcap_over_ip_) json["pcap_over_ip"] = *pcap_over_ip_;
  return {200, json_type, json.dump() + "\n"};
}

Answer SpoolAnswers::pins(const Request& request, QueryRun& run) const {
  if (request.method == "GET" || request.method == "HEAD") {
    if (auto wrong = wrong_parameters(request, {})) return std::move(*wrong);
    return keep(tools::KeepOptions{.list = true}, run);
  }
  if (request.method != "POST" && request.method != "DELETE") return error_answer(405);
  if (!allow_keep_)
    return error_answer(403, {"pins", "this service changes nothing", "run wirespool serve with --allow-keep"});
  if (request.method == "DELETE") {
    if (auto wrong = wrong_parameters(request, release_parameters)) return std::move(*wrong);
    return keep(release_options(request.parameters), run);
  }
  if (auto wrong = wrong_parameters(request, {})) return std::move(*wrong);
  if (!is_pin_request(request))
    return error_answer(415, {"Content-Type", "it is not application/json", "send a JSON object of that type"});
  return keep(pin_options(request.body, run.audit), run);
}

// What could not be done is an error, whatever was done besides: GET tells that.
Answer SpoolAnswers::keep(const std::expected<tools::KeepOptions, Error>& wanted, QueryRun& run) const {
  if (!wanted) return error_answer(400, wanted.error());
  auto options = *wanted;
  options.directories = directories_;
  options.stop = &run.stop;
  const auto report = tools::keep(options);
  if (!report) return refused_extraction(report.error());
  if (report->complete() || options.list) return {200, json_type, tools::render_json(*report)};
  return error_answer(503, {"pins", report->problems.front(), "ask /api/pins what is pinned now"});
}

}  // namespace wirespool::serve
