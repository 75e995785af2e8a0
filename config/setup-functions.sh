#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What config/quickstart.sh and tests/run.sh share: packages, compiler, hugepages. Read with `source`; does nothing by itself.

# Debian 12 and 13 have all of these.
# shellcheck disable=SC2034  # used by the scripts that source this file
packages_build=(g++ meson ninja-build pkg-config libdpdk-dev libpcap-dev libseccomp-dev libcap-ng-dev libssl-dev liburing-dev libcpp-httplib-dev libfmt-dev libcli11-dev nlohmann-json3-dev)
# shellcheck disable=SC2034
packages_capture=(iproute2 tcpdump tcpreplay)
# shellcheck disable=SC2034
packages_test=(ccache catch2 curl openssl libfixbuf-tools python3-ipfix tshark wireshark-common xfsprogs e2fsprogs clang-format shellcheck)

# shellcheck disable=SC2034
packages_e2e=(podman runc debootstrap cpio kmod python3 rclone docker-compose podman-compose yamllint cloud-init libvirt-clients
  libvirt0 libxml2-utils systemd prometheus python3-prometheus-client curl)
# shellcheck disable=SC2034
packages_nfv=(python3 iproute2 iputils-ping ethtool util-linux tcpdump openvswitch-switch openvswitch-switch-dpdk)
# shellcheck disable=SC2034
packages_houses=(podman runc lxc)
packages_page=(chromium chromium-driver curl tshark)

say() { printf '== %s\n' "$*"; }
notice() { printf '   notice: %s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Starts the calling script again as root if it is not: become_root "$@"
become_root() {
  [ "$(id -u)" -eq 0 ] && return 0
  if ! command -v sudo >/dev/null; then
    notice "not root and no sudo: nothing can be installed, and what needs root is left out"
    return 0
  fi
  say "root is needed for packages, hugepages and network interfaces: starting again through sudo"
  exec sudo --preserve-env=CXX,CCACHE_DIR,TMPDIR "$0" "$@"
}

# Gives files made as root through sudo back to the user who called: give_back DIR...
give_back() {
  if [ -n "${SUDO_UID:-}" ] && [ -n "${SUDO_GID:-}" ]; then chown -R "$SUDO_UID:$SUDO_GID" "$@"; fi
}

package_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing_packages() {
  local package
  for package in "$@"; do package_installed "$package" || echo "$package"; done
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null; }

# install_packages PACKAGE...: installs those that are missing; 1 and a list if it could not.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && { say "all packages needed are installed"; return 0; }
  say "installing: ${missing[*]}"
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt update >/dev/null || { sleep 5; apt update; } || notice "apt-get update failed; trying with the lists there are"
    apt install --no-install-recommends "${missing[@]}" >/dev/null || true
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  complain "packages are missing: ${missing[*]}: could not be installed: as root, run: apt-get update && apt-get install ${missing[*]}"
  return 1
}

gcc_major() { "$1" -dumpversion 2>/dev/null | cut -d. -f1; }

# The same, but services that Debian starts when it installs them are not started, as each run starts its own.
install_without_services() {
  local policy=/usr/sbin/policy-rc.d made='' status=0
  if [ "$(id -u)" -eq 0 ] && [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=yes
  fi
  install_packages "$@" || status=1
  if [ -n "$made" ]; then rm -f "$policy"; fi
  return "$status"
}

# std::expected needs g++ 12; some systems have an older one by default and 12 beside it. Sets CXX unless the caller did.
choose_compiler() {
  [ -n "${CXX:-}" ] && { say "compiler: $CXX, as CXX says"; export CXX; return 0; }
  local compiler=g++ major
  major=$(gcc_major g++)
  if [ "${major:-0}" -lt 12 ]; then
    notice "g++ is version ${major:-unknown}; at least 12 is needed"
    install_packages g++-12 || return 1
    compiler=g++-12
  fi
  say "compiler: $("$compiler" --version | head -n 1)"
  CXX=$compiler
  if command -v ccache >/dev/null; then CXX="ccache $compiler"; fi
  export CXX
}

hugepage_folder=/sys/kernel/mm/hugepages/hugepages-2048kB
hugepages_before=
hugetlbfs_mounted=

free_hugepages() { cat "$hugepage_folder/free_hugepages" 2>/dev/null || echo 0; }

# set_up_hugepages MiB: tries to have that much free in 2 MiB pages. 1 if not; the caller then goes on with --no-huge.
set_up_hugepages() {
  local wanted=$(($1 / 2)) free
  free=$(free_hugepages)
  [ "$free" -ge "$wanted" ] && { say "hugepages: $free of 2 MiB are free already"; return 0; }
  if [ ! -w "$hugepage_folder/nr_hugepages" ]; then
    notice "hugepages cannot be set up here ($hugepage_folder/nr_hugepages is not writable)"
    return 1
  fi
  hugepages_before=$(cat "$hugepage_folder/nr_hugepages")
  say "hugepages: $wanted of 2 MiB (there were $hugepages_before, put back at the end)"
  { echo $((hugepages_before + wanted - free)) >"$hugepage_folder/nr_hugepages"; } 2>/dev/null || true
  if ! grep -qs ' /dev/hugepages hugetlbfs ' /proc/mounts && mkdir -p /dev/hugepages &&
    mount -t hugetlbfs nodev /dev/hugepages 2>/dev/null; then
    hugetlbfs_mounted=yes
  fi
  free=$(free_hugepages)
  [ "$free" -ge "$wanted" ] && return 0
  notice "the kernel found room for $free of $wanted hugepages only: memory is short or scattered"
  restore_hugepages
  return 1
}

restore_hugepages() {
  if [ -n "$hugetlbfs_mounted" ]; then umount /dev/hugepages; fi
  if [ -n "$hugepages_before" ]; then echo "$hugepages_before" >"$hugepage_folder/nr_hugepages"; fi
  hugetlbfs_mounted='' hugepages_before=''
}
