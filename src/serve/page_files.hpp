// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace wirespool::serve {

// A file of src/serve/page, as it was when wirespool was built.
struct PageFile {
  std::string name, content;
};

// Made by page/embed.py.
const std::vector<PageFile>& page_files();

}  // namespace wirespool::serve
