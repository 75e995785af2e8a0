#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# README's two commands on a bare Debian 13, as its user would give them: a root file system by debootstrap from this machine's own
# archive, a copy of the source in it, and there tests/run.sh --quick and config/quickstart.sh, which install what they need.
# In namespaces of its own; everything it makes, it removes.
# usage: tests/e2e/debian13.sh [SUITE...]        WIRESPOOL_E2E_DEBIAN=DIR keeps the root
# shellcheck disable=SC2317  # functions that trap and expect call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/guest/guest-functions.sh
source "$(dirname "$0")/guest/guest-functions.sh"

source_tree=$(cd "$e2e_here/../.." && pwd)
release=trixie
work='' root=''

clean_up() { if [ -n "$work" ]; then rm -rf --one-file-system "$work"; fi; }

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "making a root file system needs root"
  for tool in debootstrap unshare pivot_root; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install debootstrap util-linux"
  done
  archive=$(archive_of "$(codename)")
  [ -n "$archive" ] || skip_all "no Debian archive among this machine's apt sources"
  unshare --mount --pid --fork true || skip_all "no namespaces of mounts and processes can be made here"
}

make_root() {
  [ ! -e "$root/etc/wirespool-made" ] || return 0
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase "$release" "$root" "$archive" >"$work/debootstrap.txt" 2>&1 ||
    { tail -n 5 "$work/debootstrap.txt"; return 1; }
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # packages start no services
  chmod 755 "$root/usr/sbin/policy-rc.d"
  touch "$root/etc/wirespool-made"
}

# What is in the tree but for builds and captures; files that are the same keep their times, so that a kept root builds little.
copy_source() {
  mkdir -p "$root/wirespool"
  tar -C "$source_tree" --exclude='./build*' --exclude=./quickstart-output --exclude=./.git -cf - . | tar -C "$root/wirespool" -xf -
  cp /etc/resolv.conf "$root/etc/resolv.conf"
}

# The compilers differ, so nothing is shared but the place: a CI that keeps the one keeps the other.
cache_folder() {
  local folder
  folder=$(ccache --get-config cache_dir 2>/dev/null) || return 1
  mkdir -p "$folder/debian13" && echo "$folder/debian13"
}

# inside COMMAND...: with the root as its own, this machine's devices and hugepages, and nothing of our environment.
inside() {
  local cache
  cache=$(cache_folder) || cache=''
  # shellcheck disable=SC2016  # for the shell inside
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1 cache=$2
    shift 2
    mount --bind "$root" "$root"
    for tree in dev sys; do mount --rbind "/$tree" "$root/$tree"; done
    mount -t proc proc "$root/proc"
    mount -t tmpfs run "$root/run"
    if [ -n "$cache" ]; then mkdir -p "$root/root/.cache/ccache" && mount --bind "$cache" "$root/root/.cache/ccache"; fi
    cd "$root"
    pivot_root . mnt
    umount -l /mnt
    cd /wirespool
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"' - "$root" "$cache" "$@" </dev/null
}

run_tests() {
  local log=$work/run.txt counts
  say "in Debian $(cat "$root/etc/debian_version"): tests/run.sh --quick $*"
  inside ${http_proxy:+"http_proxy=$http_proxy"} tests/run.sh --quick "$@" 2>&1 | tee "$log"
  counts=$(tail -n 1 "$log")
  if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
  else
    fail "tests/run.sh did not end"
  fi
}

run_quickstart() {
  say "in Debian $(cat "$root/etc/debian_version"): config/quickstart.sh"
  inside ${http_proxy:+"http_proxy=$http_proxy"} config/quickstart.sh 2>&1 | tee "$work/quickstart.txt"
  expect "config/quickstart.sh" test "${PIPESTATUS[0]}" -eq 0
}

main() {
  work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" wirespool-test-XXXXXX)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  root=${WIRESPOOL_E2E_DEBIAN:-$work/root}
  check_machine
  expect "a root file system of Debian $release" make_root
  [ "$failed" -eq 0 ] || count_up
  copy_source
  run_tests "$@"
  run_quickstart
  say "there: $(inside sh -c 'g++ --version | head -n 1; pkg-config --modversion libdpdk catch2' | paste -sd' ')"
  count_up
}
main "$@"
