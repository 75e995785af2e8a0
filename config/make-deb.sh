#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds wirespool as a Debian package for this machine's release and any x86-64 CPU: program, library with headers and
# pkg-config file, manual pages, completion, extcap program, systemd unit, a first configuration. Leaves build-deb/ behind (ignored by git).
# usage: config/make-deb.sh [OUTPUT_DIRECTORY]        default: the current one; the last line is the package's path
# DEBFULLNAME and DEBEMAIL say who maintains the package (deb-control(5)).
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-deb
work=''
clean_up() { if [ -n "$work" ]; then rm -rf "$work"; fi; }

# What Meson has no say in: the places are those of a Debian package (file-hierarchy(7), Debian Policy 9.1, 12.5).
build_program() {
  local options=(--prefix=/usr --buildtype=release --strip -Dcpu=generic -Dcapture=enabled -Dtests=disabled -Dbench=disabled)
  if [ -f "$build/build.ninja" ]; then
    meson configure "$build" "${options[@]}"
  else
    meson setup "$build" "$here" "${options[@]}"
  fi
  ninja -C "$build"
  meson install -C "$build" --no-rebuild --destdir "$work/root"
}

install_around() {
  local doc=$work/root/usr/share/doc/wirespool units=$work/root/usr/lib/systemd/system unit etc=$work/root/etc/wirespool
  install -d -m 755 "$units" "$etc" "$doc/examples"
  for unit in wirespool@.service wirespool-serve.service; do
    sed 's#/usr/local/bin/wirespool#/usr/bin/wirespool#' "$here/config/systemd/$unit" >"$units/$unit"
  done
  sed 's#config/capture/one-drive.toml#/etc/wirespool/one-drive.toml#' "$here/config/capture/one-drive.toml" >"$etc/one-drive.toml"
  echo 'WIRESPOOL_DIRECTORIES=/data/nvme0' >"$etc/one-drive.env"
  echo 'WIRESPOOL_SERVE=/data/nvme0' >"$etc/serve.env"
  cp -r "$here"/config/{bare-metal,capture,metrics,on-seal} "$doc/examples/"
  cp "$here/README.md" "$doc/"
  # The page of `wirespool serve` draws with uPlot, whose licence goes with it.
  { cat "$here/LICENSE" && printf '\nuPlot, in the page of wirespool serve:\n\n' && cat "$here/src/serve/page/uPlot.LICENSE"; } >"$doc/copyright"
  gzip -9nc "$here/CHANGELOG.md" >"$doc/changelog.gz"
  find "$work/root/usr/share/man" -name '*.1' -exec gzip -9n {} +
  find "$work/root" -type d -exec chmod 755 {} +
  find "$work/root/usr/share" "$work/root/etc" "$work/root/usr/lib/systemd" -type f ! -name '*.sh' -exec chmod 644 {} +
}

# The packages of the shared libraries, and those with the drivers that DPDK loads at start, which nothing is linked with.
depends() {
  mkdir -p "$work/debian"
  printf 'Source: wirespool\n\nPackage: wirespool\nArchitecture: any\n' >"$work/debian/control"
  (cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$work/root/usr/bin/wirespool" "$1") | sed -n 's/^shlibs:Depends=//p'
}

# A service that is stopped by hand when it is removed, not when it is upgraded: a capture goes on with what it was started as.
write_scripts() {
  cat >"$work/root/DEBIAN/prerm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl stop 'wirespool@*.service' wirespool-serve.service || true; fi
TEXT
  cat >"$work/root/DEBIAN/postinst" <<'TEXT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
TEXT
  cp "$work/root/DEBIAN/postinst" "$work/root/DEBIAN/postrm"
  chmod 755 "$work/root/DEBIAN"/{prerm,postinst,postrm}
}

write_control() {
  local version=$1 library=$2 soname shlibs
  soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
  shlibs=$(depends "$library")
  [ -n "$shlibs" ] || { complain "dpkg-shlibdeps found no packages of the program's libraries"; return 1; }
  install -d -m 755 "$work/root/DEBIAN"
  cat >"$work/root/DEBIAN/control" <<TEXT
Package: wirespool
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: ${DEBFULLNAME:-wirespool} <${DEBEMAIL:-wirespool@localhost}>
Installed-Size: $(du -sk --exclude=DEBIAN "$work/root" | cut -f1)
Depends: $shlibs, librte-meta-bus, librte-meta-mempool, librte-meta-net
Recommends: iproute2
Suggests: ethtool, tcpdump, wireshark-common
Section: net
Priority: optional
Description: network probe that writes what a DPDK port receives to drives
 wirespool takes every frame that a port receives, stamps it in UTC nanoseconds
 and writes it as standard pcap onto one or many drives. What does not make it
 is counted under its cause. Its files are read back by time and filter with
 the same program, or with libwirespool, whose headers are in this package.
TEXT
  echo "${soname%.so.*} ${soname#*.so.} wirespool (>= $version)" >"$work/root/DEBIAN/shlibs"
  echo 'activate-noawait ldconfig' >"$work/root/DEBIAN/triggers"
  printf '/etc/wirespool/%s\n' one-drive.env one-drive.toml serve.env >"$work/root/DEBIAN/conffiles"
  (cd "$work/root" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) >"$work/root/DEBIAN/md5sums"
  write_scripts
}

main() {
  local output version library package
  output=$(cd "${1:-.}" && pwd)
  install_packages "${packages_build[@]}" dpkg-dev binutils
  choose_compiler
  work=$(mktemp -d)
  trap clean_up EXIT
  umask 022
  say "building in $build"
  build_program >"$work/build.txt" 2>&1 || { tail -n 40 "$work/build.txt" && return 1; }
  install_around
  version=$(meson introspect --projectinfo "$build" | sed 's/.*"version": "\([^"]*\)".*/\1/')
  library=$(find "$work/root/usr/lib" -name "libwirespool.so.$version")
  write_control "$version" "$library"
  package=$output/wirespool_${version}_$(dpkg --print-architecture).deb
  dpkg-deb --root-owner-group --build "$work/root" "$package" >/dev/null
  echo "$package"
}
main "$@"
