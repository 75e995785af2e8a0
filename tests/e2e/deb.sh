#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The Debian package of config/make-deb.sh, built here, installed as its user would in a bare root file system of this machine's
# release, used there, and removed. Everything it makes, it removes, but for build-deb/.
# usage: tests/e2e/deb.sh        WIRESPOOL_E2E_DEB=FILE: this package, built before
# shellcheck disable=SC2317  # functions that trap and expect call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/root-functions.sh
source "$(dirname "$0")/root-functions.sh"

source_tree=$(cd "$e2e_here/../.." && pwd)
work='' root='' package=${WIRESPOOL_E2E_DEB:-}
frames=5000

clean_up() { if [ -n "$work" ]; then rm -rf --one-file-system "$work"; fi; }

make_package() {
  "$source_tree/config/make-deb.sh" "$work" >"$work/make-deb.txt" 2>&1 || { tail -n 5 "$work/make-deb.txt"; return 1; }
}

field() { dpkg-deb --field "$package" "$1"; }

# What can be seen from outside.
check_package() {
  local depends library
  depends=$(field Depends)
  expect "the version is that of meson.build" grep -q "^  version: '$(field Version)'" "$source_tree/meson.build"
  for library in libc6 libfmt libpcap liburing librte-ethdev librte-meta-net; do
    expect "it depends on $library" grep -Eq "(^|, )${library}[0-9.a-z-]*( |,|$)" <<<"$depends"
  done
  if ! command -v lintian >/dev/null; then
    skip "lintian is not here"
  else
    expect "lintian finds no error" lintian --allow-root --no-tag-display-limit --fail-on error "$package"
  fi
}

# An apt that asks nothing; what is missing comes from the archive that the root was made from.
install_package() {
  cp "$package" "$root/wirespool/wirespool.deb"
  inside sh -c 'apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install ./wirespool.deb man-db' \
    >"$work/install.txt" 2>&1 || { tail -n 5 "$work/install.txt"; return 1; }
}

# Wireshark's directory of programs that it asks for interfaces.
check_extcap() {
  local found
  found=$(cd "$root" && find usr/lib -path '*/wireshark/extcap/wirespool')
  expect "Wireshark finds captures as interfaces: /$found" grep -q '{value=wirespool}' <(inside "/$found" --extcap-interfaces)
}

check_program() {
  local version code=0
  version=$(inside wirespool --version)
  expect "wirespool --version says $(field Version)" grep -q "^wirespool $(field Version)" <<<"$version"
  inside wirespool doctor >"$work/doctor.txt" 2>&1 || code=$?
  # 2: something of this machine is not ready for a capture, which is not the package's.
  expect "wirespool doctor looks at the machine" test "$code" -eq 0 -o "$code" -eq 2
  expect "and has findings" grep -qi hugepages "$work/doctor.txt"
  expect "man finds wirespool-capture" inside man -w wirespool-capture
  expect "no file differs from what was packed" inside dpkg --verify wirespool
}

# From a trace, by DPDK's own reader of traces: a driver that is loaded at start, from a package of its own.
check_capture() {
  numbered make --frames "$frames" "$root/wirespool/in.pcap"
  mkdir -p "$root/wirespool/spool"
  inside wirespool capture --lcores "$(two_cpus)" --no-huge -m 256 --no-pci --no-telemetry \
    --vdev=net_pcap0,rx_pcap=in.pcap -- --output spool --when-full wait --packets "$frames" --stats json >"$work/ledger.txt" 2>"$work/capture.txt"
  expect "a capture from net_pcap ends well" test $? -eq 0
  tail -n 3 "$work/capture.txt"
  expect "all packets are stored" test "$(total stored "$work/ledger.txt")" = "$frames"
  expect "and each is there once and in order" numbered check --frames "$frames" "$root/wirespool/spool"
  expect "wirespool verify" inside wirespool verify spool
}

# The example, built against what the package holds and run where it is installed: ldconfig has to know the library there.
check_library() {
  local files=$work/files flags
  command -v pkg-config >/dev/null || { skip "the library: pkg-config is not here"; return; }
  dpkg-deb --extract "$package" "$files"
  read -r -a flags < <(PKG_CONFIG_SYSROOT_DIR=$files PKG_CONFIG_LIBDIR=$(dirname "$(find "$files" -name wirespool.pc)") pkg-config --cflags --libs wirespool)
  expect "the example builds against the package" "${CXX:-g++}" -o "$root/wirespool/count" "$source_tree/include/wirespool/example/count.cpp" "${flags[@]}"
  expect "and counts what was captured" grep -q "^$frames packets" <(inside ./count spool 'ether proto 0x88b5')
}

check_unit() {
  local units=$root/usr/lib/systemd/system unit file
  unit=$units/wirespool@.service
  expect "the service's unit starts the packaged program" grep -q '^ExecStart=/usr/bin/wirespool serve ' "$units/wirespool-serve.service"
  expect "and has a file of its arguments" grep -q '^WIRESPOOL_SERVE=' "$root/etc/wirespool/serve.env"
  expect "the unit starts the packaged program" grep -q '^ExecStart=/usr/bin/wirespool ' "$unit"
  for file in bash-completion/completions/wirespool zsh/vendor-completions/_wirespool fish/vendor_completions.d/wirespool.fish; do
    expect "completion is where the shell looks: $file" test -s "$root/usr/share/$file"
  done
}

# A configuration that somebody changed is his.
check_removal() {
  local configuration=$root/etc/wirespool/one-drive.toml
  echo '# mine' >>"$configuration"
  expect "it can be installed again" inside dpkg --force-confold -i wirespool.deb
  expect "a changed configuration is kept then" grep -q '^# mine' "$configuration"
  expect "it can be removed" inside dpkg --remove wirespool
  expect "the program is gone then" test ! -e "$root/usr/bin/wirespool"
  expect "the configuration is kept then" grep -q '^# mine' "$configuration"
  expect "it can be purged" inside dpkg --purge wirespool
  expect "nothing of it is left then" test ! -e "$root/etc/wirespool" -a ! -e "$root/usr/include/wirespool" -a ! -e "$root/usr/share/doc/wirespool"
}

main() {
  work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" wirespool-test-XXXXXX)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  root=$work/root
  check_machine
  if [ -z "$package" ]; then
    expect "the package is built" make_package
    [ "$failed" -eq 0 ] || count_up
    package=$(tail -n 1 "$work/make-deb.txt")
  fi
  check_package
  expect "a root file system of Debian $(codename)" make_root "$(codename)"
  [ "$failed" -eq 0 ] || count_up
  expect "apt installs it there" install_package
  if [ "$failed" -gt 0 ]; then count_up; fi
  check_unit
  check_program
  check_extcap
  check_capture
  check_library
  check_removal
  count_up
}
main "$@"
