// SPDX-License-Identifier: BSD-3-Clause
// In place of http_metrics.cpp where wirespool is built without cpp-httplib.
#include "serve/metrics_service.hpp"

namespace wirespool::serve {

std::expected<std::unique_ptr<MetricsService>, Error> bind_metrics(const std::string& address, const ServiceLimits&) {
  return std::unexpected(Error{"--metrics", address + ": this wirespool was built without cpp-httplib",
                               "install libcpp-httplib-dev and build it with -Dmetrics=enabled",
                               Error::Kind::not_ready});
}

}  // namespace wirespool::serve
