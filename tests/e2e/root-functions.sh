#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Root file systems of a bare Debian, by debootstrap from this machine's own archive, and commands in them, in namespaces of their own.
# Read with `source` after e2e-functions.sh; does nothing by itself. Uses what its caller set: work, a directory, and root, where
# the file system is or will be.
# shellcheck disable=SC2154  # e2e_here, work and root

# shellcheck source=tests/e2e/guest/guest-functions.sh
source "$e2e_here/guest/guest-functions.sh"
skip() { skipped=$((skipped + 1)) && printf '   skipped: %s\n' "$*"; } # not that of a guest's scripts, which ends them

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

# make_root RELEASE
make_root() {
  [ ! -e "$root/etc/wirespool-made" ] || return 0
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase "$1" "$root" "$archive" >"$work/debootstrap.txt" 2>&1 ||
    { tail -n 5 "$work/debootstrap.txt"; return 1; }
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # packages start no services
  chmod 755 "$root/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/wirespool"
  touch "$root/etc/wirespool-made"
}

# inside COMMAND...: with the root as its own, in its /wirespool, with this machine's devices and hugepages, and nothing of our
# environment but the way to its packages. `cache`, if the caller set it, is ccache's there.
inside() {
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
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"' - "$root" "${cache:-}" ${http_proxy:+"http_proxy=$http_proxy"} "$@" </dev/null
}
