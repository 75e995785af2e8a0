#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# README's first command, as it is. usage: tests/e2e/quickstart.sh
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

[ "$(id -u)" -eq 0 ] || skip_all "installing and capturing need root"
"$e2e_here/../../config/quickstart.sh" </dev/null
expect "config/quickstart.sh" test $? -eq 0
count_up
