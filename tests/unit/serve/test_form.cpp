// SPDX-License-Identifier: BSD-3-Clause
#include "serve/exposition_text.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::serve;

TEST_CASE("a scraper gets OpenMetrics where it asks for it by name and wants it no less than text") {
  // As Prometheus 2.42 and 2.53 ask.
  CHECK(form_for("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == Form::openmetrics);
  CHECK(form_for("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,"
                 "*/*;q=0.2") == Form::openmetrics);
  CHECK(form_for("Application/OpenMetrics-Text ; Version = 1.0.0") == Form::openmetrics);
  CHECK(form_for("application/openmetrics-text;q=0.5, text/plain;q=0.5") == Form::openmetrics);
}

TEST_CASE("everybody else gets text") {
  for (const char* accept :
       {"", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "text/plain;version=0.0.4", "application/json",
        "application/openmetrics-text;q=0", "application/openmetrics-text;q=nonsense",
        "application/openmetrics-text;version=2.0.0", "application/openmetrics-text;q=0.4,text/plain;q=0.5",
        "application/openmetrics-text;q=1e999", ",;,=;q=,,", ";;;;", "=", "application/openmetrics-text;q=-1"}) {
    INFO(accept);
    CHECK(form_for(accept) == Form::text);
  }
}

TEST_CASE("the content type is the one the form is known by") {
  CHECK(content_type(Form::text) == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(content_type(Form::openmetrics) == "application/openmetrics-text; version=1.0.0; charset=utf-8");
}
