#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes a systemd unit, wirespool-ports.service, that sets up ports at every start of the machine as `wirespool vf` does by hand,
# and puts them back when it is stopped. Run as root.
# usage: config/bare-metal/ports-at-boot.sh [--vfs PF=N]... [--trust PF:NUMBER]... [--mirror PF:NUMBER]... [--bind DEVICE]...
#        config/bare-metal/ports-at-boot.sh --undo
# PF and DEVICE are best given as PCI addresses: names of interfaces may change.
# example: config/bare-metal/ports-at-boot.sh --vfs 0000:3b:00.0=1 --trust 0000:3b:00.0:0 --bind 0000:3b:00.0:0
set -eu

unit=/etc/systemd/system/wirespool-ports.service
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
usage() { sed -n '5,8s/^# //p' "$0"; }

undo() {
  systemctl disable --now wirespool-ports.service 2>/dev/null || true
  rm -f "$unit" /etc/modules-load.d/wirespool.conf
  systemctl daemon-reload 2>/dev/null || true
}

program=$(command -v wirespool || echo /usr/local/bin/wirespool)
steps=()
[ $# -gt 0 ] || { usage >&2 && exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    --undo) undo && exit 0 ;;
    --help | -h) usage && exit 0 ;;
    --vfs) steps+=("$program vf create ${2%=*} ${2##*=} --no-probe") ;;
    --trust) steps+=("$program vf trust $2 on") ;;
    --mirror) steps+=("$program vf mirror ${2%:*} --to ${2##*:}") ;;
    --bind) steps+=("$program vf bind $2") ;;
    *) complain "unknown option $1" && usage >&2 && exit 1 ;;
  esac
  [ $# -ge 2 ] || { complain "$1 needs a value" && exit 1; }
  shift 2
done
[ -w /etc/systemd/system ] || { complain "not allowed to write $unit: run as root" && exit 2; }

{
  echo '[Unit]'
  echo 'Description=Ports for wirespool: virtual functions and their drivers'
  echo 'After=systemd-udev-settle.service systemd-modules-load.service'
  echo 'Wants=systemd-udev-settle.service'
  echo 'Before=network-pre.target'
  echo
  echo '[Service]'
  echo 'Type=oneshot'
  echo 'RemainAfterExit=yes'
  for step in "${steps[@]}"; do echo "ExecStart=$step"; done
  echo "ExecStop=$program vf reset"
  echo
  echo '[Install]'
  echo 'WantedBy=multi-user.target'
} >"$unit"
echo vfio-pci >/etc/modules-load.d/wirespool.conf
echo "$unit is written"
if systemctl daemon-reload 2>/dev/null; then
  systemctl enable wirespool-ports.service
  echo "now: systemctl start wirespool-ports.service"
else
  complain "systemd does not run here: enable wirespool-ports.service on the machine it is for"
fi
