#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The first process of the test guest: mounts what there is, runs what the host shared, and switches the machine off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm /dev/hugepages /share
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t hugetlbfs nodev /dev/hugepages
for module in 9pnet_virtio 9p nvme igb igbvf vfio-pci xfs loop; do modprobe "$module"; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share
ip link set lo up
cd /share || exit 1
bash ./inside.sh >output.txt 2>&1
echo $? >exit-code
dmesg >dmesg.txt
sync
umount /share
mount -o remount,ro /
echo o >/proc/sysrq-trigger
sleep 60
