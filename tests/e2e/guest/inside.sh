#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the test guest does: doctor, a VF made, trusted and bound by wirespool, a capture on it, then on the PF passed through,
# then one that loses a drive. tests/e2e/guest.sh, outside, sends when a file NAME-ready appears here, leaves NAME-sent when
# it has, and looks at the drives afterwards. Ledgers, messages and JSON stay in this directory.
set -u
program=/usr/local/bin/wirespool
install -m 755 /share/wirespool $program

capture_pid=''
step() { echo "$(cut -d. -f1 /proc/uptime) s: $*"; }
received() { tail -n 1 "/share/ledger-$1.jsonl" 2>/dev/null | sed -n 's/.*"totals":{"received":\([0-9]*\).*/\1/p'; }
# drive BLOCK_BYTES: its name; waits, for the kernel looks for drives in the background
drive() {
  for _ in $(seq 50); do
    grep -lx "$1" /sys/block/nvme?n1/queue/logical_block_size 2>/dev/null | cut -d/ -f4 | grep . && return
    sleep 0.2
  done
}

mount_drives() {
  mkfs.xfs -q "/dev/$(drive 512)" && mkfs.ext4 -q "/dev/$(drive 4096)" || return 1
  mkdir -p /data/0 /data/1
  mount "/dev/$(drive 512)" /data/0 && mount "/dev/$(drive 4096)" /data/1
}

# capture NAME DEVICE FRAMES: until what was sent has arrived, or nothing does any more
capture() {
  local name=$1 before=-1 now
  mkdir -p "/data/0/$name" "/data/1/$name"
  step "capture $name on $2"
  $program capture --lcores 0@0,1@0,2@1 -a "$2" --in-memory --no-telemetry -- --output "/data/0/$name" --output "/data/1/$name" \
    --rx-desc 4096 --rotate-size 4MiB --block-size 256KiB --blocks 64 --stats json --stats-interval 500ms \
    >"/share/ledger-$name.jsonl" 2>"/share/messages-$name.txt" &
  capture_pid=$!
  until [ -s "/share/ledger-$name.jsonl" ] || ! kill -0 $capture_pid 2>/dev/null; do sleep 0.5; done
  sleep 3 # the link
  touch "/share/$name-ready"
  until [ -e "/share/$name-sent" ] || ! kill -0 $capture_pid 2>/dev/null; do sleep 0.5; done
  until now=$(received "$name"); [ "${now:-0}" -ge "$3" ] || [ "$now" = "$before" ]; do before=$now && sleep 3; done
  kill -INT $capture_pid 2>/dev/null
  wait $capture_pid
  echo $? >"/share/exit-$name"
  step "capture $name: exit code $(cat "/share/exit-$name"), received $(received "$name")"
}

step "doctor"
mount_drives || exit 1
$program doctor /data/0 /data/1 --json >/share/doctor.json
pf=$(basename "$(readlink /sys/class/net/eth0/device)")
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set eth0 up

set -x
$program vf create "$pf" 2 --no-probe || exit 1
$program vf trust "$pf:0" on --mac 52:54:00:00:00:10 || exit 1
$program vf bind "$pf:0" || exit 1
$program vf show --json >/share/vf.json
set +x
capture vf "$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")" "$1"
$program doctor /data/0 /data/1 --json >/share/doctor-bound.json

set -x
$program vf reset || exit 1
cat "/sys/bus/pci/devices/$pf/sriov_numvfs" >/share/vfs-after-reset
ip link set eth0 down
$program vf bind "$pf" || exit 1
set +x
capture pf "$pf" "$2"
capture unplug "$pf" "$3"
$program vf reset
umount /data/0
umount -l /data/1
step "done"
