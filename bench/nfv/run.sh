#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Measures what switches between namespaces and containers carry: installs what is needed, builds, makes each network, checks that it is
# exact, measures, takes it away. What it can be asked: bench/nfv/run.sh --help. WIRESPOOL=PROGRAM: this program, nothing is built.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-bench
hugepages_mib=1536 # eight pairs of applications with DPDK, and a switch

build_release() {
  say "building a release binary in $build (a few minutes the first time)"
  mkdir -p "$build"
  {
    [ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release -Dbench=enabled
    ninja -C "$build" src/wirespool
  } >"$build/nfv.log" 2>&1 || { tail -n 40 "$build/nfv.log"; complain "the build failed: see $build/nfv.log"; exit 2; }
}

clean_up() {
  restore_hugepages
  if [ -d "$build" ]; then give_back "$build"; fi
}

# Commands that measure need packages, a program and hugepages; the others only talk or undo.
measures() {
  local word
  case ${1:-} in local | sweep | chain | replay | probe) ;; *) return 1 ;; esac
  for word in "$@"; do
    case $word in --help | -h | --dry-run) return 1 ;; esac
  done
}

python() { PYTHONPATH=$here/bench PYTHONDONTWRITEBYTECODE=1 python3 -m nfv "$@"; }

main() {
  local program=${WIRESPOOL:-$build/src/wirespool} status=0
  if ! measures "$@"; then
    python --program "$program" "$@"
    return
  fi
  become_root "$@"
  trap clean_up EXIT
  install_without_services "${packages_nfv[@]}" || notice "switches that lack a package are skipped"
  case " $* " in *" podman "* | *" lxc "* | *=podman* | *=lxc*) install_without_services "${packages_houses[@]}" || true ;; esac
  if [ -z "${WIRESPOOL:-}" ]; then
    install_packages "${packages_build[@]}" catch2 "${packages_capture[@]}"
    choose_compiler
    build_release
  fi
  set_up_hugepages "$hugepages_mib" || notice "switches that need hugepages are skipped"
  python --program "$program" "$@" || status=$?
  return "$status"
}

# A function, so that bash has read all of this file before it begins.
main "$@"
