#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Tests of bench/measure itself: Python's standard library only, some seconds, nothing is measured and nothing left behind.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 exec python3 -m unittest discover --start-directory "$here/tests" --top-level-directory "$here" "$@"
