#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every network of bench/nfv that can be real on this machine is made, counts exactly at a low rate, and is gone afterwards, also if its run
# was killed. Nothing is measured. usage: [WIRESPOOL=PROGRAM] tests/e2e/nfv.sh
# shellcheck disable=SC2317  # functions that trap and expect call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

tree=$(cd "$e2e_here/../.." && pwd)
work=''

clean_up() {
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool program
  [ "$(id -u)" -eq 0 ] || skip_all "namespaces need root"
  for tool in python3 ip ping ethtool nsenter taskset; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install python3 iproute2 iputils-ping ethtool util-linux"
  done
  for program in "${WIRESPOOL:-}" "$tree/build-tests/release/src/wirespool" "$tree/build-quickstart/src/wirespool"; do
    if [ -x "$program" ]; then break; fi
  done
  [ -x "$program" ] || skip_all "WIRESPOOL does not name the program, and none is built"
  export WIRESPOOL=$program
  set_up_hugepages 800 || notice "switches that need hugepages are skipped"
}

export PYTHONPATH=$tree/bench PYTHONDONTWRITEBYTECODE=1
nfv() { python3 -m nfv --program "$WIRESPOOL" "$@"; }

# What a run may not change: the machine's own interfaces, routes and mounts, our namespaces and processes.
machine_now() {
  ip -o address | sed 's/ *valid_lft.*//'
  ip route
  awk '{ print $2, $3 }' /proc/mounts | grep -v '^/run/netns' | sort
  find /run/netns /run/wirespool-nfv -mindepth 1 2>/dev/null | sort
  find /sys/fs/cgroup -maxdepth 3 -type d \( -name 'lxc*' -o -name 'libpod*' \) 2>/dev/null | sort
  find /dev/hugepages -name '*map_*' 2>/dev/null
  pgrep -af 'wirespool-nfv/run-' | awk '{ print $1 }'
}
as_before() { diff <(echo "$before") <(machine_now); }

try_it() { nfv "$@" --check-only --out "$work/out" >"$work/said.txt" 2>&1; }

# What has three pollers on two CPUs may lose a packet when somebody else needs one of them: it has a second try, which is told.
try_twice() {
  try_it "$@" && return 0
  if grep -q 'SKIPPED' "$work/said.txt"; then return 1; fi
  notice "once more: $(tail -n 2 "$work/said.txt" | tr '\n' ' ')"
  try_it "$@"
}

# exact NAME ARGUMENT...: one set-up; what is not here is skipped with what it lacks.
exact() {
  local name=$1 skipped_why
  shift
  if try_twice "$@"; then
    pass "$name: $(sed -n 's/.*exact: .*: //p' "$work/said.txt" | tail -n 1)"
  elif skipped_why=$(sed -n 's/.*SKIPPED: //p' "$work/said.txt") && [ -n "$skipped_why" ]; then
    skip "$skipped_why"
  else
    fail "$name: $(tail -n 3 "$work/said.txt" | tr '\n' ' ')"
  fi
}

check_switches() {
  local switch
  for switch in $(nfv list | awk '/^[a-z]/ { print $1 }'); do exact "$switch" local --switch "$switch"; done
  exact "linux-bridge, four pairs" local --switch linux-bridge --pairs 4
  exact "linux-bridge, raw frames" local --switch linux-bridge --raw
  exact "linux-bridge, a chain of 3" chain --switch linux-bridge --lengths 3
  exact "memif, a chain of 2" chain --switch memif --lengths 2
  exact "linux-bridge in LXC" local --switch linux-bridge --in lxc
  exact "linux-bridge in podman" local --switch linux-bridge --in podman
}

# A run that is killed amid its work leaves everything; `clean` takes it away, and leaves what others made.
check_killed() {
  local pid
  python3 -m nfv --program "$WIRESPOOL" local --switch linux-bridge --seconds 60 --out "$work/out" >"$work/killed.txt" 2>&1 &
  pid=$!
  if ! wait_for 30 sh -c "ip netns pids wst$((pid % 100000))a0 | grep -q ."; then
    fail "a run to be killed does not start: $(tail -n 1 "$work/killed.txt")"
    kill "$pid"
    return
  fi
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null
  expect "what a killed run made is there until it is cleaned" sh -c "ip netns list | grep -q 'wst$((pid % 100000))s'"
  expect "clean undoes it" nfv clean
  expect "and nothing of it is left" as_before
}

check_refusals() {
  local said
  said=$(nfv local --sizes 63 2>&1 | tail -n 1)
  expect "a frame below 64 bytes is one line" grep -q '64 to 1514' <<<"$said"
  said=$(nfv local --switch snabb --out "$work/out" 2>&1 | grep -c 'snabb is not installed')
  expect "a switch that is not here is one line, and no success" test "$said" -eq 1 -o -n "$(command -v snabb)"
  expect "a dry run prints commands and does none" sh -c "python3 -m nfv --program '$WIRESPOOL' local --switch linux-bridge --dry-run | grep -q '^ip netns add'"
}

main() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/wirespool-test-XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  before=$(machine_now)
  check_switches
  expect "interfaces, routes, mounts, namespaces, cgroups and hugepages are as before" as_before
  check_killed
  check_refusals
  count_up
}
main
