#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Measures wirespool beside testpmd, memcpy, fio and its peers on this machine: installs what is needed, builds a release binary,
# looks whether the machine is quiet, measures, reports. Safe to run twice. What it can be asked: bench/run.sh --help
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-bench
hugepages_mib=1024
packages_bench=(python3 dpdk-dev fio time util-linux)
packages_peers=(tcpdump tshark wireshark-common netsniff-ng tcpreplay)

build_release() {
  say "building a release binary in $build (a few minutes the first time)"
  mkdir -p "$build"
  {
    [ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release -Dbench=enabled
    ninja -C "$build" src/wirespool tests/make_trace bench
    # The same again, counting where its cycles go.
    [ -f "$build/stage-cycles/build.ninja" ] ||
      meson setup "$build/stage-cycles" "$here" --buildtype=release -Dtests=disabled -Dstage_cycles=true
    ninja -C "$build/stage-cycles" src/wirespool
  } >"$build.log" 2>&1 || { tail -n 40 "$build.log"; complain "the build failed: see $build.log"; exit 1; }
  mv "$build.log" "$build/build.log"
}

clean_up() {
  restore_hugepages
  if [ -d "$build" ]; then give_back "$build"; fi
}

# Nothing is installed or built to print help or an old report.
only_talks() {
  local word
  for word in "$@"; do
    case $word in --help | -h | --report | --report=*) return 0 ;; esac
  done
  return 1
}

python() { PYTHONPATH=$here/bench PYTHONDONTWRITEBYTECODE=1 python3 -m measure "$@"; }

main() {
  local options=(--build "$build") status=0
  if only_talks "$@"; then
    python "${options[@]}" "$@"
    return
  fi
  become_root "$@"
  trap clean_up EXIT
  install_packages "${packages_build[@]}" catch2 "${packages_capture[@]}" "${packages_bench[@]}"
  install_packages "${packages_peers[@]}" || notice "peers that are missing are left out"
  choose_compiler
  build_release
  if ! set_up_hugepages "$hugepages_mib"; then options+=(--no-huge); fi
  python "${options[@]}" "$@" || status=$?
  return "$status"
}

# A function, so that bash has read all of this file before it begins.
main "$@"
