#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# refresh-readme.sh [PROGRAM]: puts what `wirespool manual --format markdown` prints between README.md's two marks.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
program=${1:-$root/build/src/wirespool}
new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk '/^<!-- as printed -->$/ { exit } { print } /^<!-- wirespool manual --format markdown -->$/ { exit }' "$root/README.md" >"$new"
"$program" manual --format markdown >>"$new"
awk '/^<!-- as printed -->$/ { inside = 1 } inside { print }' "$root/README.md" >>"$new"
cat "$new" >"$root/README.md"
