#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The guest of wirespool.xml as a QEMU command line, for hosts without libvirt. VF and drive must be with vfio-pci on the host:
# wirespool vf bind VF NVME. Prints the command with --dry-run, else becomes it. Run as root.
# usage: config/guest/qemu.sh [--dry-run] --vf ADDRESS --disk IMAGE [--nvme ADDRESS]... [--virtio BLOCK_DEVICE]... [--seed ISO]
#                             [--memory 8G] [--vcpus 4] [--hugepages /dev/hugepages] [--cpus LIST]
# --cpus 2,4,6,8 pins QEMU's vCPU threads once it runs, one each, in this order.
set -eu

complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
usage() { sed -n '5,7s/^# //p' "$0"; }

dry='' vfs=() nvmes=() virtios=() disk='' seed='' memory=8G vcpus=4 hugepages=/dev/hugepages cpus=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes && shift && continue ;;
    --help | -h) usage && exit 0 ;;
  esac
  [ $# -ge 2 ] || { usage >&2 && exit 1; }
  case $1 in
    --vf) vfs+=("$2") ;;
    --nvme) nvmes+=("$2") ;;
    --virtio) virtios+=("$2") ;;
    --disk) disk=$2 ;;
    --seed) seed=$2 ;;
    --memory) memory=$2 ;;
    --vcpus) vcpus=$2 ;;
    --hugepages) hugepages=$2 ;;
    --cpus) cpus=$2 ;;
    *) complain "unknown option $1" && usage >&2 && exit 1 ;;
  esac
  shift 2
done
if [ -z "$disk" ] || [ ${#vfs[@]} -eq 0 ]; then complain "--disk and --vf are needed" && exit 1; fi

# shellcheck disable=SC2054  # commas are QEMU's
command=(qemu-system-x86_64 -name wirespool,debug-threads=on -machine q35,accel=kvm,kernel-irqchip=split
  -cpu host,migratable=off,+invtsc -smp "$vcpus,sockets=1,cores=$vcpus,threads=1" -m "$memory"
  -object "memory-backend-file,id=memory,size=$memory,mem-path=$hugepages,share=on,prealloc=on"
  -numa node,memdev=memory -overcommit mem-lock=on -rtc base=utc
  -device intel-iommu,intremap=on,caching-mode=on -object iothread,id=io
  -drive "file=$disk,if=none,id=root,discard=unmap" -device virtio-blk-pci,drive=root
  -nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:2222-:22 -display none -serial mon:stdio)
slot=1
# Behind a root port of its own each, so that it can be pulled and put back.
port() { command+=(-device "pcie-root-port,id=slot$slot,chassis=$slot") && slot=$((slot + 1)); }
for address in "${vfs[@]}" ${nvmes[@]+"${nvmes[@]}"}; do
  port
  command+=(-device "vfio-pci,host=$address,bus=slot$((slot - 1))")
done
for device in ${virtios[@]+"${virtios[@]}"}; do
  port
  command+=(-drive "file=$device,if=none,id=data$slot,format=raw,cache=none,aio=native"
    -device "virtio-blk-pci,bus=slot$((slot - 1)),drive=data$slot,iothread=io,num-queues=$vcpus")
done
if [ -n "$seed" ]; then command+=(-drive "file=$seed,if=virtio,format=raw,readonly=on"); fi

if [ -n "$dry" ]; then printf '%q ' "${command[@]}" && echo && exit 0; fi

# vCPU threads are called "CPU 0/KVM" and so on (debug-threads=on).
pin() {
  local list number=0 cpu thread
  IFS=, read -r -a list <<<"$cpus"
  for cpu in "${list[@]}"; do
    for _ in $(seq 100); do
      thread=$(grep -l "^CPU $number/KVM$" /proc/"$1"/task/*/comm 2>/dev/null | cut -d/ -f5)
      [ -z "$thread" ] || break
      sleep 0.1
    done
    taskset -cp "$cpu" "$thread" >/dev/null || complain "vCPU $number could not be pinned to CPU $cpu"
    number=$((number + 1))
  done
}
if [ -n "$cpus" ]; then pin $$ & fi
exec "${command[@]}"
