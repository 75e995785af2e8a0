#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# README's two commands on a bare Debian 13, as its user would give them: a root file system by debootstrap from this machine's own
# archive, a copy of the source in it, and there tests/run.sh --quick and config/quickstart.sh, which install what they need.
# In namespaces of its own; everything it makes, it removes.
# usage: tests/e2e/debian13.sh [SUITE...]
# WIRESPOOL_E2E_DEBIAN=DIR keeps the root; WIRESPOOL_E2E_SUITES: the suites, for who can give no arguments. Default: unit, spool, eal.
# shellcheck disable=SC2317  # functions that trap and expect call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/root-functions.sh
source "$(dirname "$0")/root-functions.sh"

source_tree=$(cd "$e2e_here/../.." && pwd)
release=trixie
work='' root='' cache=''

clean_up() { if [ -n "$work" ]; then rm -rf --one-file-system "$work"; fi; }

# What is in the tree but for builds and captures; files that are the same keep their times, so that a kept root builds little.
copy_source() {
  mkdir -p "$root/wirespool"
  tar -C "$source_tree" --exclude='./build*' --exclude=./quickstart-output --exclude=./.git -cf - . | tar -C "$root/wirespool" -xf -
}

# The compilers differ, so nothing is shared but the place: a CI that keeps the one keeps the other.
set_cache() {
  local folder
  folder=$(ccache --get-config cache_dir 2>/dev/null) && mkdir -p "$folder/debian13" && cache=$folder/debian13
}

run_tests() {
  local log=$work/run.txt counts
  say "in Debian $(cat "$root/etc/debian_version"): tests/run.sh --quick $*"
  inside tests/run.sh --quick "$@" 2>&1 | tee "$log"
  counts=$(tail -n 1 "$log")
  if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
  else
    fail "tests/run.sh did not end"
  fi
}

run_quickstart() {
  say "in Debian $(cat "$root/etc/debian_version"): config/quickstart.sh"
  inside config/quickstart.sh 2>&1 | tee "$work/quickstart.txt"
  expect "config/quickstart.sh" test "${PIPESTATUS[0]}" -eq 0
}

main() {
  local wanted
  work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" wirespool-test-XXXXXX)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  root=${WIRESPOOL_E2E_DEBIAN:-$work/root}
  check_machine
  expect "a root file system of Debian $release" make_root "$release"
  [ "$failed" -eq 0 ] || count_up
  copy_source
  set_cache
  read -r -a wanted <<<"${WIRESPOOL_E2E_SUITES:-}"
  run_tests "$@" "${wanted[@]}"
  run_quickstart
  say "there: $(inside sh -c 'g++ --version | head -n 1; pkg-config --modversion libdpdk catch2' | paste -sd' ')"
  count_up
}
main "$@"
