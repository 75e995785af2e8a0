#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The matrix of faults by hand, as root: about five seconds a row. Rows that were run are kept in BUILD/faults.jsonl and not run
# again, so that it may be interrupted; remove that file to begin anew. Puts the table into tests/README.md.
# usage: tests/faults.sh BUILD [--all | --pairwise SEED | --some COUNT [SEED] | --only PART-OF-NAME]
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
if [ ! -x "${1:-}/tests/faults/faults" ]; then
  sed -n '/^# usage/s/^# //p' "$0" >&2
  exit 1
fi
build=$(cd "$1" && pwd)
shift
export WIRESPOOL=$build/src/wirespool FAULTY_CALLS_MODULE=$build/tests/eal/libfaulty_calls.so

table=$(mktemp)
trap 'rm -f "$table"' EXIT
status=0
"$build/tests/faults/faults" "$build/faults.jsonl" "$@" >"$table" || status=$?
tail -n 1 "$table"
[ "$status" -le 1 ] || exit "$status"
python3 - "$here/tests/README.md" "$table" <<'PYTHON'
import sys
page, table = sys.argv[1:]
begin, end = "<!-- tests/faults.sh: begin -->\n", "<!-- tests/faults.sh: end -->\n"
text = open(page).read()
head, rest = text.split(begin)
rows = "".join(line for line in open(table) if line.startswith("|"))
open(page, "w").write(head + begin + rows + end + rest.split(end)[1])
PYTHON
exit "$status"
