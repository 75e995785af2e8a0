#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Reserves hugepages, now and, with --at-boot, at every start of the machine. Run as root; can be run again with other numbers.
# usage: config/bare-metal/hugepages.sh [--node N] [--size 2M|1G] [--at-boot] AMOUNT      AMOUNT as 2G or 512M
#        config/bare-metal/hugepages.sh --undo                                            no more at boot; what is reserved stays
set -eu

at_boot_file=/etc/tmpfiles.d/wirespool-hugepages.conf
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
usage() { sed -n '4,5s/^# //p' "$0"; }

node='' size=2M at_boot='' amount=''
while [ $# -gt 0 ]; do
  case $1 in
    --node) node=$2 && shift ;;
    --size) size=$2 && shift ;;
    --at-boot) at_boot=yes ;;
    --undo) rm -f "$at_boot_file" && exit 0 ;;
    --help | -h) usage && exit 0 ;;
    -*) complain "unknown option $1" && usage >&2 && exit 1 ;;
    *) amount=$1 ;;
  esac
  shift
done

case $size in
  2M) page_kib=2048 ;;
  1G) page_kib=1048576 ;;
  *) complain "--size $size: 2M or 1G" && exit 1 ;;
esac
case $amount in
  *[!0-9GM]* | '' | [GM]*) usage >&2 && exit 1 ;;
  *G) amount_kib=$((${amount%G} * 1048576)) ;;
  *M) amount_kib=$((${amount%M} * 1024)) ;;
  *) complain "AMOUNT $amount: needs a unit, as 2G or 512M" && exit 1 ;;
esac
pages=$(((amount_kib + page_kib - 1) / page_kib))

folder=/sys/kernel/mm/hugepages/hugepages-${page_kib}kB
if [ -n "$node" ]; then folder=/sys/devices/system/node/node$node/hugepages/hugepages-${page_kib}kB; fi
[ -e "$folder/nr_hugepages" ] || { complain "$folder: no such node or page size here" && exit 2; }
[ -w "$folder/nr_hugepages" ] || { complain "not allowed to reserve hugepages: run as root" && exit 2; }

echo "$pages" >"$folder/nr_hugepages"
got=$(cat "$folder/nr_hugepages")
echo "$got pages of $size${node:+ on node $node} are reserved"
if [ "$got" -lt "$pages" ]; then
  complain "$pages were asked for: memory is short or scattered: with --at-boot they are reserved early in the next start"
fi

if ! grep -qs ' hugetlbfs ' /proc/mounts; then
  mkdir -p /dev/hugepages
  mount -t hugetlbfs nodev /dev/hugepages # at boot systemd does it: dev-hugepages.mount
fi

if [ -n "$at_boot" ]; then
  # tmpfiles.d(5): one line a file, written early in every start; a line for the same file is replaced.
  touch "$at_boot_file"
  { grep -vF " $folder/nr_hugepages " "$at_boot_file" || true; } >"$at_boot_file.new"
  echo "w $folder/nr_hugepages - - - - $pages" >>"$at_boot_file.new"
  mv "$at_boot_file.new" "$at_boot_file"
  echo "and will be at every start ($at_boot_file)"
fi
[ "$got" -ge "$pages" ] || [ -n "$at_boot" ] || exit 2
