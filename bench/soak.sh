#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hours of everything at once, on drives and a wire of its own: rotation, retention, a scrape a second, queries of the files and of
# the service beside them, and a fault a minute; a table of what it took, and whether the books add up. As root. Nothing is left
# behind. What it can be asked: bench/soak.sh --help
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-bench

python() { PYTHONPATH=$here/bench PYTHONDONTWRITEBYTECODE=1 python3 -m soak --program "${WIRESPOOL:-$build/src/wirespool}" "$@"; }

# Another program than the release build's: WIRESPOOL=PROGRAM bench/soak.sh
build_release() {
  [ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release -Dbench=enabled >/dev/null
  say "building a release binary in $build (a few minutes the first time)"
  ninja -C "$build" src/wirespool >"$build/soak-build.log" || { tail -n 40 "$build/soak-build.log"; complain "the build failed"; exit 1; }
}

main() {
  local options=()
  case " $* " in *' --help '* | *' -h '*) python "$@" && exit 0 ;; esac
  become_root "$@"
  trap restore_hugepages EXIT
  install_packages "${packages_build[@]}" "${packages_capture[@]}" python3 xfsprogs util-linux
  choose_compiler
  [ -n "${WIRESPOOL:-}" ] || build_release
  set_up_hugepages 512 || options+=(--no-huge)
  python "${options[@]}" "$@"
}

main "$@"
