#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Counts the instructions that one packet costs on its way from the receive call into a Block, with callgrind, and compares
# them with those kept in bench/instructions/baseline.json. Says the same on a busy machine as on a quiet one.
# usage: bench/instructions.sh [--update]
# Exit code 0: as many as kept, or fewer; 1: more; 2: could not be counted; 3: nothing is kept for this compiler and DPDK.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-instructions
cpu=x86-64-v3 # valgrind knows no AVX-512
counts=''

clean_up() {
  [ -z "$counts" ] || rm -rf "$counts"
  if [ -d "$build" ]; then give_back "$build"; fi
}

build_it() {
  say "building for $cpu in $build"
  mkdir -p "$build"
  {
    [ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release -Dbench=enabled -Dcapture=enabled -Dcpu=$cpu
    ninja -C "$build" bench/instructions/data_path tests/make_trace
  } >"$build.log" 2>&1 || { tail -n 40 "$build.log"; complain "the build failed: see $build.log"; return 1; }
  mv "$build.log" "$build/build.log"
}

# Its own file prefix and no hugepages: neither in the way of another DPDK program nor stopped by one.
count() {
  say "counting"
  valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$counts/callgrind.out" \
    "$build/bench/instructions/data_path" >"$counts/packets.txt" 2>"$counts/messages.txt" ||
    { tail -n 20 "$counts/messages.txt"; complain "data_path does not run under valgrind"; return 1; }
}

# The same filter in tcpdump, over a short and a long trace, so that what it does once is nobody's cost per packet.
count_tcpdump() {
  local frames kind packets filter
  command -v tcpdump >/dev/null || { notice "tcpdump is not here, and not counted"; return 0; }
  filter=$(sed -n 's/^constexpr const char\* filter_asked = "\(.*\)";$/\1/p' "$here/bench/instructions/data_path.cpp")
  [ -n "$filter" ] || { complain "data_path.cpp names no filter"; return 1; }
  for kind in 60 caida; do
    frames='64 B'
    [ $kind = 60 ] || frames='CAIDA-like'
    for packets in 2000 6000; do
      "$build/tests/make_trace" --kind $kind --packets $packets --out "$counts/trace.pcap" >"$counts/messages.txt" 2>&1 || return 1
      of_tcpdump "$counts/tcpdump-$frames-all-$packets.out"
      of_tcpdump "$counts/tcpdump-$frames-filter-$packets.out" "$filter"
    done
  done
}

# of_tcpdump OUT [FILTER]
of_tcpdump() {
  valgrind --tool=callgrind --callgrind-out-file="$1" tcpdump -Z root -r "$counts/trace.pcap" --count "${@:2}" \
    >"$counts/messages.txt" 2>&1 || { tail -n 5 "$counts/messages.txt"; complain "tcpdump does not run under valgrind"; return 1; }
}

toolchain() {
  echo "g++ $(gcc_major "${CXX##* }"), DPDK $(pkg-config --modversion libdpdk | cut -d. -f1,2), $cpu"
}

main() {
  become_root "$@"
  trap clean_up EXIT
  install_packages "${packages_build[@]}" catch2 valgrind python3 || return 2
  choose_compiler || return 2
  build_it || return 2
  counts=$(mktemp -d)
  count || return 2
  case " $* " in *" --update "*) say "counting tcpdump" && { count_tcpdump || return 2; } ;; esac
  PYTHONPATH=$here/bench PYTHONDONTWRITEBYTECODE=1 python3 -m measure.measures.instructions --counts "$counts" --toolchain "$(toolchain)" \
    --baseline "$here/bench/instructions/baseline.json" --readme "$here/bench/README.md" "$@"
}

main "$@"
