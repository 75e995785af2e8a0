#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes a guest to test SR-IOV in: QEMU with the igb device (8.0 or newer), a kernel, and a root file system with DPDK, all
# from the machine's own Debian archive and all below DIR; installs nothing. What is there already is kept.
# usage: tests/e2e/guest/make-guest.sh DIR
set -eu
# shellcheck source=tests/e2e/guest/guest-functions.sh
source "$(dirname "$0")/guest-functions.sh"

# What the tests in the guest use, beside the libraries the program is linked with.
root_packages=(kmod iproute2 ethtool pciutils xfsprogs e2fsprogs util-linux procps dpdk)
modules=(virtio_pci virtio_blk ext4 9pnet_virtio 9p nvme igb igbvf e1000e vmxnet3 vfio-pci vfio_iommu_type1 xfs loop veth
  raid0 dm-mod dm-delay dm-flakey null_blk netdevsim)

# QEMU, unpacked: a newer one than the machine's own would upgrade other packages if it were installed.
make_qemu() {
  local packages archives=$dir/apt/archives
  [ -x "$dir/qemu/usr/bin/qemu-system-x86_64" ] && return 0
  say "fetching QEMU"
  mapfile -t packages < <(private_apt "$dir" -s install --no-install-recommends -t "$release-backports" qemu-system-x86 qemu-utils |
    sed -nE 's/^Inst ([^ ]+) .*\(([^ ]+) .*/\1=\2/p')
  (cd "$archives" && private_apt "$dir" download "${packages[@]}") >/dev/null
  mkdir -p "$dir/qemu"
  for package in "$archives"/*.deb; do dpkg -x "$package" "$dir/qemu"; done
  rm -f "$archives"/*.deb
}

make_kernel() {
  local package
  [ -e "$dir/kernel/vmlinuz" ] && return 0
  say "fetching a kernel"
  package=$(private_apt "$dir" -s install --no-install-recommends -t "$release" linux-image-amd64 |
    awk '/^Inst linux-image-[0-9]/ { print $2; exit }')
  mkdir -p "$dir/kernel"
  (cd "$dir/apt/archives" && private_apt "$dir" download "$package" busybox-static) >/dev/null
  dpkg -x "$dir"/apt/archives/linux-image-*.deb "$dir/kernel"
  dpkg -x "$dir"/apt/archives/busybox-static*.deb "$dir/kernel/busybox"
  rm -f "$dir"/apt/archives/*.deb
  version=$(basename "$dir"/kernel/boot/vmlinuz-*)
  version=${version#vmlinuz-}
  depmod -b "$dir/kernel" "$version"
  cp "$dir/kernel/boot/vmlinuz-$version" "$dir/kernel/vmlinuz"
}

# The files of modules and of all they need, in the order they have to be loaded.
module_files() {
  local module
  for module in "$@"; do
    modprobe -d "$dir/kernel" -S "$version" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++'
}

# Just enough to find the root file system.
make_initramfs() {
  local tree=$dir/initramfs file
  [ -e "$dir/initramfs.cpio" ] && return 0
  mkdir -p "$tree"/{bin,modules,root,dev,proc}
  cp "$dir"/kernel/busybox/bin/busybox "$tree/bin/"
  {
    echo '#!/bin/busybox sh'
    echo '/bin/busybox mount -t devtmpfs dev /dev'
    for file in $(module_files virtio_pci virtio_blk ext4); do
      cp "$file" "$tree/modules/"
      echo "/bin/busybox insmod /modules/$(basename "$file")"
    done
    echo 'while [ ! -e /dev/vda ]; do /bin/busybox sleep 0.1; done'
    echo '/bin/busybox mount -t ext4 /dev/vda /root && exec /bin/busybox switch_root /root /sbin/guest-init'
  } >"$tree/init"
  chmod 755 "$tree/init"
  (cd "$tree" && find . | cpio -o -H newc --quiet) >"$dir/initramfs.cpio"
}

# Packages that hold the libraries a program and DPDK's drivers need, as this machine has them.
library_packages() {
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' 'librte-*' 'libfmt*' 'liburing*' 'libpcap0.8*' 'libibverbs*' 2>/dev/null |
    awk '$1 == "installed" && $2 !~ /-dev$|-doc$|-dbg/ { print $2 }'
}

make_root() {
  local include
  [ -e "$dir/root.img" ] && return 0
  say "making the guest's root file system (a minute or two)"
  rm -rf "$dir/system"
  include=$({ printf '%s\n' "${root_packages[@]}"; library_packages; } | sort -u | paste -sd,)
  debootstrap --variant=minbase --include="$include" "$release" "$dir/system" "$archive" >"$dir/debootstrap.log" 2>&1 ||
    { tail -n 5 "$dir/debootstrap.log"; return 1; }
  rm -rf "$dir"/system/var/cache/apt/archives/*.deb "$dir"/system/var/lib/apt/lists/* "$dir"/system/usr/share/{doc,man,locale}
  local file
  for file in $(module_files "${modules[@]}"); do
    install -D -m 644 "$file" "$dir/system/lib/modules/$version/${file##*/lib/modules/"$version"/}"
  done
  cp "$dir"/kernel/lib/modules/"$version"/modules.{builtin,order}* "$dir/system/lib/modules/$version/" 2>/dev/null || true
  depmod -b "$dir/system" "$version"
  install -m 755 "$guest_here/guest-init.sh" "$dir/system/sbin/guest-init"
  truncate -s 1500M "$dir/root.part"
  mkfs.ext4 -q -F -d "$dir/system" "$dir/root.part"
  mv "$dir/root.part" "$dir/root.img"
  rm -rf "$dir/system"
}

[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 1; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
release=$(codename)
archive=$(archive_of "$release")
[ "$(id -u)" -eq 0 ] || skip "making a guest needs root"
[ -n "$archive" ] || skip "no Debian archive among this machine's apt sources"
for tool in debootstrap cpio mkfs.ext4 depmod dpkg; do
  command -v "$tool" >/dev/null || skip "$tool is not here: apt-get install debootstrap cpio e2fsprogs kmod"
done
if [ ! -x "$dir/qemu/usr/bin/qemu-system-x86_64" ] || [ ! -e "$dir/kernel/vmlinuz" ]; then
  private_apt_setup "$dir" "$release" "$archive" || skip "the Debian archive cannot be reached"
fi
make_qemu
make_kernel
version=$(basename "$dir"/kernel/boot/vmlinuz-*)
version=${version#vmlinuz-}
make_initramfs
make_root
say "the guest is in $dir"
