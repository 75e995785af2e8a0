#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The guest, for real: QEMU with a card that has SR-IOV (igb), an IOMMU and two NVMe drives (512 byte blocks with XFS, 4096 with
# ext4) boots; inside, wirespool makes, trusts and binds a VF and captures numbered frames on it, then on the PF passed
# through, then while a drive is pulled out. What is on the drives is read out here. Everything it makes, it removes.
# usage: tests/e2e/guest.sh        WIRESPOOL=PROGRAM not built for this CPU alone; WIRESPOOL_E2E_GUEST=DIR keeps the guest
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

vf_frames=50000 pf_frames=200000 unplug_frames=60000 rate=${WIRESPOOL_E2E_RATE:-5000}
work='' share='' guest_pid=''

clean_up() {
  local drive
  if [ -n "$guest_pid" ]; then kill "$guest_pid" 2>/dev/null && wait "$guest_pid" 2>/dev/null; fi
  for drive in 0 1; do put_away "$drive"; done
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "making a guest and reading its drives need root"
  for tool in debootstrap cpio mkfs.ext4 mkfs.xfs depmod python3 losetup; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install debootstrap cpio e2fsprogs xfsprogs kmod python3"
  done
  [ -x "${WIRESPOOL:-}" ] || skip_all "WIRESPOOL does not name the program"
}

make_guest() {
  guest=${WIRESPOOL_E2E_GUEST:-$work/guest}
  "$e2e_here/guest/make-guest.sh" "$guest" >"$work/make.txt" 2>&1
  case $? in
    0) ;;
    77) skip_all "$(tail -n 1 "$work/make.txt")" ;;
    *) tail -n 5 "$work/make.txt" && fail "the guest cannot be made" && count_up ;;
  esac
}

run_guest() {
  share=$work/share$1
  mkdir -p "$share"
  install -m 755 "$WIRESPOOL" "$share/wirespool"
  printf '#!/bin/bash\nexec bash /share/steps.sh %d %d %d\n' $vf_frames $pf_frames $unplug_frames >"$share/inside.sh"
  cp "$e2e_here/guest/inside.sh" "$share/steps.sh"
  "$e2e_here/guest/run-guest.sh" "$guest" "$share" "$work" 420 >"$work/guest.txt" 2>&1 &
  guest_pid=$!
}

running() { kill -0 "$guest_pid" 2>/dev/null; }
ready_or_ended() { [ -e "$share/$1-ready" ] || ! running; }
# ready NAME: the guest waits for frames; 1 if it ended instead
ready() {
  wait_for 240 ready_or_ended "$1"
  [ -e "$share/$1-ready" ]
}

# send NAME RUN FRAMES TO
send() {
  ready "$1" || { notice "$1: the guest does not get there: $(tail -n 3 "$share/output.txt" 2>/dev/null)"; return 1; }
  say "$1: $(numbered send --run "$2" --frames "$3" --to "$4" --rate "$rate" --from "$share/wire.sock" --card "$share/card.sock" 2>&1 | tail -n 1)"
  touch "$share/$1-sent"
}

# The monitor is QEMU's, and takes commands as lines.
monitor() { python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); time.sleep(0.3)
s.sendall((sys.argv[2] + "\n").encode()); time.sleep(0.5); print(s.recv(65536).decode(errors="replace"))' "$share/monitor.sock" "$1"; }

pull_drive_midway() {
  ready unplug || return
  sleep $((unplug_frames / 3 / rate))
  say "pulling out the second drive"
  monitor "device_del drive1" >"$work/monitor.txt"
}

# The guest's drives, as this machine's own: bring_out N; put_away N
bring_out() {
  local size=512
  [ "$1" = 0 ] || size=4096
  losetup -f --show --sector-size "$size" "$work/nvme$1.img" >"$work/loop$1" && mkdir -p "$work/drive$1" &&
    mount "$(cat "$work/loop$1")" "$work/drive$1"
}
put_away() {
  if mountpoint -q "$work/drive$1"; then umount "$work/drive$1"; fi
  if [ -s "$work/loop$1" ]; then losetup -d "$(cat "$work/loop$1")" && rm "$work/loop$1"; fi
}

# same NAME EXPRESSION FILE WANTED
same() { expect "$1" test "$(json_of "$2" "$3" 2>&1)" = "$4"; }

check_capture() {
  local ledger=$share/ledger-$1.jsonl
  expect "$1: exit code 0" test "$(cat "$share/exit-$1")" = 0
  same "$1: the ledger balances with nothing lost" \
    "j['final'] and j['totals']['received'] == j['totals']['stored'] and j['totals']['in_flight'] == 0" "$ledger" True
  expect "$1: $3 numbered frames, each once and in order, read outside the guest" \
    numbered check --run "$2" --frames "$3" "$work/drive0/$1" "$work/drive1/$1"
  expect "$1: both drives were written to" \
    test -n "$(ls "$work/drive0/$1"/*.pcap)" -a -n "$(ls "$work/drive1/$1"/*.pcap)"
}

# Frames stored on a drive that is gone are on it, in sealed files or in the one that was open, but for what the ledger
# says was in a file that could not be synced any more.
check_unplug() {
  local ledger=$share/ledger-unplug.jsonl lost unsynced there
  same "unplug: the ledger says which drive was lost" "[d['state'] for d in j['drives']]" "$ledger" "['ok', 'failed']"
  lost=$(json_of "j['totals']['drop_drive'] + j['totals']['drop_handoff'] + sum(p['nic_missed'] or 0 for p in j['ports'])" "$ledger")
  unsynced=$(json_of "sum(d['unsynced'] for d in j['drives'])" "$ledger")
  there=$(numbered check --run 3 --distinct $((unplug_frames - lost - unsynced)) --open "$work/drive0/unplug" "$work/drive1/unplug" 2>&1)
  if [ "$there" -le "$unplug_frames" ] 2>/dev/null; then
    pass "unplug: $there of $unplug_frames frames are on the two drives; the ledger: $lost lost, $unsynced not synced"
  else
    fail "unplug: $there; the ledger: $lost lost, $unsynced not synced"
  fi
  # A second's worth, and as much again for a sync that was under way.
  expect "unplug: no more is at risk than what came since the last sync" test "$unsynced" -le $((2 * rate))
  expect "unplug: wirespool repair makes whole files of what was left" "$WIRESPOOL" repair "$work/drive1/unplug"
  expect "unplug: wirespool verify finds nothing wrong with any file on either drive" \
    "$WIRESPOOL" verify "$work"/drive0/{vf,pf,unplug} "$work"/drive1/{vf,pf}
}

# finding TOPIC SUBJECT FILE: its levels and texts
finding() { json_of "' '.join(f['level'] + ' ' + f['text'] for f in j['findings'] if f['topic'] == '$1' and f['subject'].startswith('$2'))" "$3" 2>&1; }
says() { case $(finding "$2" "$3" "$4") in *"$5"*) pass "$1" ;; *) fail "$1: it says: $(finding "$2" "$3" "$4")" ;; esac; }

check_doctor() {
  local inside=$share/doctor.json outside=$work/doctor.json
  "$WIRESPOOL" doctor "$work" --json >"$outside"
  says "doctor inside: an emulated guest" platform "" "$inside" "emulated without KVM"
  says "doctor inside: 256 hugepages" hugepages "" "$inside" "256 of 256 pages of 2 MiB free"
  says "doctor inside: the IOMMU is on" IOMMU "" "$inside" "ok"
  says "doctor inside: XFS on the first drive" directory /data/0 "$inside" "xfs on nvme"
  says "doctor inside: ext4 on the second drive" directory /data/1 "$inside" "ext4 on nvme"
  says "doctor inside: 512 byte blocks" "drive blocks" /data/0 "$inside" "logical 512"
  says "doctor inside: 4096 byte blocks" "drive blocks" /data/1 "$inside" "logical 4096"
  says "doctor inside: the VF is with vfio-pci" port "" "$share/doctor-bound.json" "vfio-pci"
  if [ -z "$(ls /sys/class/iommu 2>/dev/null)" ]; then says "doctor outside: no IOMMU" IOMMU "" "$outside" "none"; fi
  expect "doctor outside: as many hugepages as the kernel has" grep -q \
    "of $(awk '/HugePages_Total/ { print $2 }' /proc/meminfo) pages of 2 MiB" "$outside"
}

check_vf() {
  same "vf create, trust: VF 0 is there, trusted, with the MAC that was given" \
    "[(v['number'], v['trust'], v['mac'], v['driver']) for p in j['physical_functions'] for v in p['vfs']][0]" "$share/vf.json" \
    "(0, True, '52:54:00:00:00:10', 'vfio-pci')"
  expect "capture says that this VF sees its own traffic only" grep -q "sees its own traffic only" "$share/messages-vf.txt"
  expect "vf reset: no VF is left" test "$(cat "$share/vfs-after-reset")" = 0
}

# One guest from its start to its end, and its frames; leaves its exit code in status.
once() {
  run_guest "$1"
  send vf 1 $vf_frames 52:54:00:00:00:10 &&
    send pf 2 $pf_frames any && {
    pull_drive_midway &
    send unplug 3 $unplug_frames any
    wait $!
  }
  wait "$guest_pid"
  status=$?
  guest_pid=''
}

# An emulator that dies says nothing of wirespool: it is started again, twice.
run_until_done() {
  local start
  for start in 1 2 3; do
    once "$start"
    tail -n 2 "$work/guest.txt"
    [ "$status" -eq 120 ] || return
  done
}

main() {
  work=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  make_guest
  say "booting; $vf_frames frames to the VF, $pf_frames to the PF, $unplug_frames while a drive is pulled, at $rate a second"
  run_until_done
  if [ "$status" -eq 120 ] || [ "$status" -eq 121 ]; then
    tail -n 40 "$share/output.txt" "$share"/messages-*.txt "$work/guest.txt" 2>/dev/null
    fail "no guest run came to its end: $(tail -n 1 "$work/guest.txt")"
    count_up
  fi
  expect "the guest ran to its end" test "$status" -eq 0
  if [ "$status" -ne 0 ]; then tail -n 40 "$share/output.txt" "$share"/messages-*.txt "$work/guest.txt"; fi
  if [ ! -e "$share/ledger-vf.jsonl" ]; then count_up; fi
  for drive in 0 1; do expect "drive $drive can be mounted out here" bring_out "$drive"; done
  check_vf
  check_capture vf 1 $vf_frames
  check_capture pf 2 $pf_frames
  check_unplug
  check_doctor
  if [ -n "${WIRESPOOL_E2E_SHOW:-}" ]; then cp -r "$share" "$WIRESPOOL_E2E_SHOW"; fi
  count_up
}
main
