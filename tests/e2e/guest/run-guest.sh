#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Boots the guest that make-guest.sh made, with an igb card that has SR-IOV, an IOMMU and two NVMe drives (512 and 4096 byte
# blocks), runs SHARE/inside.sh in it, and gives that script's exit code. What it printed is in SHARE/output.txt. The card is
# one end of a pair of datagram sockets: SHARE/card.sock is the card's, a sender binds SHARE/wire.sock. SHARE/monitor.sock is
# QEMU's monitor. The drives stay as DRIVES/nvme0.img and nvme1.img.
# Exit code 120: the emulator died, which says nothing of what it ran; 121: the guest did not finish in time.
# usage: tests/e2e/guest/run-guest.sh GUEST_DIR SHARE DRIVES [TIMEOUT_SECONDS]
set -eu
# shellcheck source=tests/e2e/guest/guest-functions.sh
source "$(dirname "$0")/guest-functions.sh"

guest=$(cd "$1" && pwd)
share=$(cd "$2" && pwd)
drives=$(cd "$3" && pwd)
limit=${4:-120}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

qemu=$guest/qemu/usr
export LD_LIBRARY_PATH=$qemu/lib/x86_64-linux-gnu:$guest/qemu/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR=$qemu/lib/x86_64-linux-gnu/qemu

for drive in 0 1; do rm -f "$drives/nvme$drive.img" && truncate -s 1G "$drives/nvme$drive.img"; done
rm -f "$share"/{exit-code,output.txt,dmesg.txt,card.sock}

# shellcheck disable=SC2054  # commas are QEMU's
command=(timeout --kill-after=5 "$limit" "$qemu/bin/qemu-system-x86_64" -L "$qemu/share/qemu" -L "$qemu/share/seabios"
  -L "$qemu/lib/ipxe/qemu" -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -display none -no-reboot
  -serial "file:$work/console.txt" -monitor "unix:$share/monitor.sock,server,nowait"
  -kernel "$guest/kernel/vmlinuz" -initrd "$guest/initramfs.cpio"
  -append "console=ttyS0 quiet panic=-1 intel_iommu=on hugepagesz=2M hugepages=256 tsc=reliable nvme_core.multipath=N"
  -device intel-iommu,intremap=on,caching-mode=on
  -drive "file=$guest/root.img,if=none,id=root,format=raw,snapshot=on" -device virtio-blk-pci,drive=root
  -virtfs "local,path=$share,mount_tag=share,security_model=none"
  -netdev "dgram,id=wire,local.type=unix,local.path=$share/card.sock,remote.type=unix,remote.path=$share/wire.sock"
  -device pcie-root-port,id=slot1,chassis=1 -device igb,bus=slot1,netdev=wire,mac=52:54:00:00:00:01
  -device pcie-root-port,id=slot2,chassis=2 -device pcie-root-port,id=slot3,chassis=3
  -drive "file=$drives/nvme0.img,if=none,id=nvme0,format=raw" -device nvme,bus=slot2,id=drive0,serial=wirespool0,drive=nvme0
  -drive "file=$drives/nvme1.img,if=none,id=nvme1,format=raw"
  -device nvme,bus=slot3,id=drive1,serial=wirespool1,drive=nvme1,logical_block_size=4096,physical_block_size=4096)

say "booting the guest"
started=$SECONDS status=0
"${command[@]}" 2>"$work/qemu.txt" || status=$?
say "the guest ran for $((SECONDS - started)) s"
if [ ! -e "$share/exit-code" ]; then
  tail -n 20 "$work/console.txt" "$share/output.txt" 2>/dev/null || true
  case $status in
    0) complain "the guest switched itself off before it was done" && exit 121 ;;
    124 | 137) complain "the guest did not finish within $limit s" && exit 121 ;;
    *) complain "the emulator died with exit code $status: $(tail -n 1 "$work/qemu.txt")" && exit 120 ;;
  esac
fi
exit "$(cat "$share/exit-code")"
