#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel command line of a capture machine: the IOMMU on, and CPUs kept for polling lcores alone. Prints it; with --install
# gives it to GRUB (Debian, Ubuntu), for the next start. `wirespool doctor` says which CPUs.
# usage: config/bare-metal/kernel-options.sh [--install] [--huge-1g N] CPUS      CPUS as 2-7,10
#        config/bare-metal/kernel-options.sh --undo
set -eu

file=/etc/default/grub.d/wirespool.cfg
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
usage() { sed -n '5,6s/^# //p' "$0"; }
update() { if command -v update-grub >/dev/null; then update-grub; else complain "no update-grub here: make GRUB's menu anew" && exit 2; fi; }

install='' huge='' cpus=''
while [ $# -gt 0 ]; do
  case $1 in
    --install) install=yes ;;
    --huge-1g) huge=$2 && shift ;;
    --undo) rm -f "$file" && update && exit 0 ;;
    --help | -h) usage && exit 0 ;;
    -*) complain "unknown option $1" && usage >&2 && exit 1 ;;
    *) cpus=$1 ;;
  esac
  shift
done
[[ $cpus =~ ^[0-9]+([-,][0-9]+)*$ ]] || { usage >&2 && exit 1; }

iommu='intel_iommu=on iommu=pt'
if grep -qs AuthenticAMD /proc/cpuinfo; then iommu='iommu=pt'; fi # AMD's is on by itself
# isolcpus, nohz_full, rcu_nocbs: Documentation/admin-guide/kernel-parameters.txt
options="$iommu isolcpus=managed_irq,domain,$cpus nohz_full=$cpus rcu_nocbs=$cpus"
if [ -n "$huge" ]; then options+=" default_hugepagesz=2M hugepagesz=1G hugepages=$huge"; fi
echo "$options"

if [ -n "$install" ]; then
  [ -d /etc/default/grub.d ] || { complain "no /etc/default/grub.d here: put the line above on the kernel command line" && exit 2; }
  # shellcheck disable=SC2016  # GRUB's script expands it
  printf '# written by %s\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT %s"\n' "${0##*/}" "$options" >"$file"
  update
  echo "$file is written; it holds from the next start"
fi
