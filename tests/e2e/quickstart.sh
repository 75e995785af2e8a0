#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# README's first command, as it is, and once more; what is the machine's own is as before. usage: tests/e2e/quickstart.sh
# shellcheck disable=SC2154,SC2317  # e2e_here and hugepage_folder; a function that a trap calls
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

holder='' said=''
clean_up() {
  if [ -n "$holder" ]; then kill "$holder" 2>/dev/null; fi
  rm -f "$said"
}

# Interfaces, addresses, routes, namespaces, hugepages and where they are mounted.
own_things() {
  ip -o link show
  ip -o address show | awk '{ print $2, $3, $4 }'
  ip route show
  ip netns list | sort
  cat "$hugepage_folder/nr_hugepages"
  grep ' hugetlbfs ' /proc/mounts
}

# Takes so many of the free hugepages that the quickstart has to ask for more.
hold_hugepages() {
  local pages=$(($(free_hugepages) - 100))
  [ "$pages" -gt 0 ] || return 0
  python3 -c 'import mmap, sys, time
pages = mmap.mmap(-1, int(sys.argv[1]) << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)  # MAP_HUGETLB
for at in range(0, len(pages), 1 << 21): pages[at] = 1
print("held", flush=True)
time.sleep(600)' "$pages" >"$said" 2>&1 &
  holder=$!
  wait_for 20 grep -q held "$said" || notice "no hugepages can be held: $(tail -n 1 "$said")"
}

run() {
  local before
  before=$(own_things)
  "$e2e_here/../../config/quickstart.sh" </dev/null
  expect "$what" test $? -eq 0
  expect "$what: interfaces, addresses, routes, namespaces and hugepages are as before" diff <(echo "$before") <(own_things)
}

[ "$(id -u)" -eq 0 ] || skip_all "installing and capturing need root"
trap clean_up EXIT
trap 'exit 130' INT TERM
said=$(mktemp)
what="config/quickstart.sh"
run
hold_hugepages
what="config/quickstart.sh again, short of hugepages"
run
count_up
