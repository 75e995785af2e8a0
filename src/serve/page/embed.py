#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""embed.py VERSION OUT.cpp FILE...: the files as constants of wirespool::serve, for page_files.hpp."""
import pathlib
import sys

version, out, *files = sys.argv[1:]
text = '// Made by src/serve/page/embed.py.\n#include "serve/page_files.hpp"\n\nnamespace wirespool::serve {\n\n'
text += "const std::vector<PageFile>& page_files() {\n  static const std::vector<PageFile> files = {\n"
for name in map(pathlib.Path, files):
    content = name.read_text(encoding="utf-8").replace("@VERSION@", version)
    # A literal of a few kilobytes each, as the standard promises 65536 characters of one and no more.
    pieces = [content[i : i + 8000] for i in range(0, len(content), 8000)]
    literals = "\n".join(f'R"~page~({piece})~page~"' for piece in pieces)
    text += f'      {{"{name.name}",\n{literals}}},\n'
text += "  };\n  return files;\n}\n\n}  // namespace wirespool::serve\n"
pathlib.Path(out).write_text(text, encoding="utf-8")
