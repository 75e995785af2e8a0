// SPDX-License-Identifier: BSD-3-Clause
// Preloaded into a program: when it ends, its main thread tries to make the file that ELSEWHERE names.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

__attribute__((destructor)) static void make_elsewhere() {
  const char* path = std::getenv("ELSEWHERE");
  if (path != nullptr) ::close(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}
