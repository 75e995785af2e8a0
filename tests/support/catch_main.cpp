// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

// What our caller's environment says is no part of a test: a language for tools to speak, a place for their times, a
// service manager to talk to.
int main(int argc, char** argv) {
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("TZ", "UTC0", 1);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  return Catch::Session().run(argc, argv);
}
