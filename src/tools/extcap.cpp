// SPDX-License-Identifier: BSD-3-Clause
#include "tools/extcap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "format/printable.hpp"
#include "wirespool/filter.hpp"
#include "wirespool/version.hpp"

namespace wirespool::tools {
namespace {

// A value ends at the first brace, and nothing escapes one.
std::string value_text(std::string_view text) {
  auto result = format::printable(text);
  std::ranges::replace_if(
      result, [](char c) { return c == '{' || c == '}'; }, '?');
  return result;
}

std::string name_of(const machine::CapturePlaces& capture) {
  auto name = "wirespool-" + capture.name;
  const auto unusual = [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; };
  std::ranges::replace_if(name, unusual, '_');
  return name;
}

// The questions that Wireshark asks before it captures, numbered as they come.
class Questions {
 public:
  void text(std::string_view call, std::string_view display, std::string_view tip, std::string_view more = "") {
    ask(call, display, "string", tip, more);
  }
  void file(std::string_view call, std::string_view display, std::string_view tip) {
    ask(call, display, "fileselect", tip, "{mustexist=true}");
  }
  void on_off(std::string_view call, std::string_view display, std::string_view tip, bool on) {
    ask(call, display, "selector", tip, fmt::format("{{default={}}}", on ? "on" : "off"));
    for (const std::string_view word : {"on", "off"})
      text_ += fmt::format("value {{arg={}}}{{value={}}}{{display={}}}{{default={}}}\n", count_ - 1, word, word,
                           (word == "on") == on);
  }
  std::string take() { return std::move(text_); }

 private:
  void ask(std::string_view call, std::string_view display, std::string_view type, std::string_view tip,
           std::string_view more) {
    text_ += fmt::format("arg {{number={}}}{{call={}}}{{display={}}}{{type={}}}{{tooltip={}}}{}\n", count_++, call,
                         display, type, tip, more);
  }

  std::string text_;
  int count_ = 0;
};

}  // namespace

std::vector<ExtcapInterface> extcap_interfaces(const std::vector<machine::CapturePlaces>& captures) {
  std::vector<ExtcapInterface> interfaces{{"wirespool", "wirespool: what a capture stored, here or elsewhere", {}}};
  for (const auto& capture : captures)
    interfaces.push_back({name_of(capture),
                          fmt::format("wirespool: {}capture {} in {}", capture.running ? "running " : "", capture.name,
                                      fmt::join(capture.directories, " ")),
                          capture.directories, capture.running});
  return interfaces;
}

std::string render_extcap_version() { return fmt::format("extcap {{version={}}}\n", version); }

std::string render_extcap_interfaces(const std::vector<ExtcapInterface>& interfaces) {
  std::string text;
  for (const auto& interface : interfaces)
    text += fmt::format("interface {{value={}}}{{display={}}}\n", interface.name, value_text(interface.display));
  return text;
}

// LINKTYPE_ETHERNET (tcpdump.org). Files of other makers may hold other types, and then the stream says which.
std::string render_extcap_dlts() { return "dlt {number=1}{name=EN10MB}{display=Ethernet}\n"; }

std::string render_extcap_config(const ExtcapInterface& interface) {
  Questions questions;
  if (interface.places.empty())
    questions.text("--spool", "Directories, files, services",
                   "With commas between several: output directories of captures, capture files, or wirespool serve "
                   "elsewhere, https://HOST:PORT",
                   "{required=true}");
  questions.text("--from", "From", "RFC 3339, seconds since the epoch, or -10m. Empty: the first packet",
                 interface.running ? "{default=-10s}" : "");
  questions.text("--to", "To", "The time before which to end, written alike. Empty: the last packet");
  questions.on_off("--follow", "Follow running captures",
                   "Also what they store from now on, until they end. Not of services elsewhere", true);
  questions.on_off("--inner", "Filter looks into tunnels", "GRE, VXLAN, Geneve, GTP-U, MPLS, PPPoE and IP in IP",
                   false);
  if (!interface.places.empty()) return questions.take();
  questions.file("--token-file", "Token file", "Its first token is shown to services elsewhere");
  questions.file("--ca", "CA file", "PEM file of the CAs whose services are believed. Empty: those of the system");
  questions.file("--client-cert", "Client certificate", "PEM file of the certificate that is shown to services");
  questions.file("--client-key", "Client key", "PEM file of its key, which others may not read");
  return questions.take();
}

std::string wrong_extcap_filter(const std::string& filter) {
  const auto compiled = Filter::compile(filter);
  return compiled ? "" : format::printable(compiled.error().why) + "\n";
}

}  // namespace wirespool::tools
