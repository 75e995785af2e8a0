// SPDX-License-Identifier: BSD-3-Clause
// In place of what serves by HTTP where wirespool is built without cpp-httplib.
#include "serve/metrics_service.hpp"
#include "serve/probe.hpp"
#include "serve/spool_service.hpp"

namespace wirespool::serve {

namespace {

Error refusal(const char* what, const std::string& address) {
  return {what, address + ": this wirespool was built without cpp-httplib",
          "install libcpp-httplib-dev and build it with -Dmetrics=enabled", Error::Kind::not_ready};
}

}  // namespace

std::expected<std::unique_ptr<MetricsService>, Error> bind_metrics(const std::string& address, const ServiceLimits&) {
  return std::unexpected(refusal("--metrics", address));
}

std::expected<std::unique_ptr<SpoolService>, Error> bind_spool_service(const SpoolServiceOptions& options,
                                                                       storage::Speaker&) {
  return std::unexpected(refusal(options.option.c_str(), options.listen));
}

std::expected<std::unique_ptr<Probe>, Error> Probe::at(const std::string& url, const ProbeAccess&) {
  return std::unexpected(refusal("extract, ls", url));
}

}  // namespace wirespool::serve
