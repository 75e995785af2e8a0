#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the end-to-end tests share. Read with `source`; does nothing by itself.

e2e_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=config/setup-functions.sh
source "$e2e_here/../../config/setup-functions.sh"

passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)) && printf '   passed: %s\n' "$*"; }
fail() { failed=$((failed + 1)) && printf '   FAILED: %s\n' "$*"; }
skip() { skipped=$((skipped + 1)) && printf '   skipped: %s\n' "$*"; }

# expect WHAT COMMAND...: passed if the command succeeds; else what it said.
expect() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then pass "$what"; else fail "$what: $(tail -n 3 <<<"$said" | tr '\n' ' ')"; fi
}

# The last line. Meson and CI count exit code 77 as skipped.
count_up() {
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  if [ "$failed" -gt 0 ]; then exit 1; fi
  if [ "$passed" -eq 0 ]; then exit 77; fi
  exit 0
}
skip_all() { skip "$*" && count_up; }

numbered() { python3 "$e2e_here/numbered.py" "$@"; }

# json_of 'EXPRESSION' FILE: of a JSON document, or of the last line of JSON lines, as Python; `j` is the object.
json_of() {
  python3 -c 'import json, sys
text = open(sys.argv[2]).read().strip()
try: j = json.loads(text)
except ValueError: j = json.loads(text.splitlines()[-1])
print(eval(sys.argv[1]))' "$@"
}

# total NAME LEDGER: from the totals of its last line, 0 if there is none yet.
total() { json_of "j['totals']['$1']" "$2" 2>/dev/null || echo 0; }

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# Main and RX lcore on the first CPU, the writer on the second, of those this shell may use.
two_cpus() {
  local cpus
  mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); ++i) print i }')
  echo "0@${cpus[0]},1@${cpus[0]},2@${cpus[1]:-${cpus[0]}}"
}

# A veth pair between two namespaces of its own, without IPv6 and its stray frames: make_wire SENDER_SPACE a CAPTURE_SPACE b
make_wire() {
  local space
  for space in "$1" "$3"; do
    ip netns add "$space"
    ip netns exec "$space" sh -c 'test ! -e /proc/sys/net/ipv6 || echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
  done
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
  sleep 1.5 # frames do not flow before
}
