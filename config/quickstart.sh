#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh machine to a capture of real traffic: installs, builds, sets up hugepages, makes a wire of its own between two
# network namespaces, captures what goes over it onto two directories, and compares. Touches no interface of the machine.
# Safe to run twice. usage: config/quickstart.sh
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=config/setup-functions.sh
source "$here/config/setup-functions.sh"

build=$here/build-quickstart
output=$here/quickstart-output/$(date -u +%Y%m%dT%H%M%SZ)-$$
sender_space=wsq$$s capture_space=wsq$$c
sender=wsq$$a port=wsq$$b
capture_pid=''
hugepages_mib=512

clean_up() {
  if [ -n "$capture_pid" ]; then kill -KILL "$capture_pid" 2>/dev/null || true; fi
  ip netns delete "$sender_space" 2>/dev/null || true
  ip netns delete "$capture_space" 2>/dev/null || true
  restore_hugepages
  rmdir "/run/dpdk/wsq$$" 2>/dev/null || true # DPDK leaves it
  if [ -d "$here/quickstart-output" ]; then give_back "$here/quickstart-output"; fi
  if [ -d "$build" ]; then give_back "$build"; fi
}
build_release() {
  say "building a release binary in $build (a few minutes the first time)"
  mkdir -p "$build"
  {
    [ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release
    ninja -C "$build" src/wirespool tests/make_trace tests/compare_trace
  } >"$build.log" 2>&1 || { tail -n 40 "$build.log"; complain "the build failed: see $build.log"; exit 1; }
  mv "$build.log" "$build/build.log"
  "$build/src/wirespool" --version
}

# A veth pair between two namespaces of its own, without IPv6, so that what is sent is what is counted.
make_wire() {
  say "making a wire: $sender in namespace $sender_space <-> $port in namespace $capture_space"
  ip netns add "$sender_space"
  ip netns add "$capture_space"
  for space in "$sender_space" "$capture_space"; do
    ip netns exec "$space" sh -c 'test ! -e /proc/sys/net/ipv6 || echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
  done
  ip link add "$sender" netns "$sender_space" type veth peer name "$port" netns "$capture_space"
  # 192.0.2.0/24 is for documentation (RFC 5737); nobody outside these two namespaces sees it.
  ip -n "$sender_space" addr add 192.0.2.1/30 dev "$sender"
  ip -n "$capture_space" addr add 192.0.2.2/30 dev "$port"
  ip -n "$sender_space" link set "$sender" up
  ip -n "$capture_space" link set "$port" up
}

# Main and RX lcore, writer lcore: on two CPUs if there are two.
lcores() {
  local cpus
  mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); ++i) print i }')
  echo "0@${cpus[0]},1@${cpus[0]},2@${cpus[1]:-${cpus[0]}}"
}

memory_options() { if [ "$hugepages" = yes ]; then echo "--in-memory"; else echo "--no-huge -m $hugepages_mib"; fi; }

# O_DIRECT where the file system has it; tmpfs and some overlays have not.
io_options() {
  if dd if=/dev/zero of="$output/drive0/.trial" bs=4096 count=1 oflag=direct status=none 2>/dev/null; then :; else
    echo "--io pwrite"
  fi
  rm -f "$output/drive0/.trial"
}

start_capture() {
  local eal own
  mkdir -p "$output/drive0" "$output/drive1"
  read -r -a eal <<<"--lcores $(lcores) $(memory_options) --no-pci --no-telemetry --file-prefix wsq$$"
  # A packet ring that holds all that will be sent, and --when-full wait, which leaves packets in it for as long as writing
  # takes: nothing is lost however busy this machine is.
  eal+=("--vdev=net_af_packet0,iface=$port,blocksz=65536,framesz=2048,framecnt=16384")
  read -r -a own <<<"--when-full wait --stats json --stats-interval 200ms $(io_options)"
  own+=(--output "$output/drive0" --output "$output/drive1")
  say "capturing: ip netns exec $capture_space wirespool capture ${eal[*]} -- ${own[*]}"
  ip netns exec "$capture_space" "$build/src/wirespool" capture "${eal[@]}" -- "${own[@]}" \
    </dev/null >"$output/ledger.jsonl" 2>"$output/messages.txt" &
  capture_pid=$!
  for _ in $(seq 300); do
    if [ -s "$output/ledger.jsonl" ]; then return 0; fi
    kill -0 "$capture_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$output/messages.txt"
  complain "the capture did not start: what it said is above"
  exit 1
}

send_traffic() {
  say "sending: 5 pings, then a trace of 10000 packets (14 to 1518 bytes; VLAN, QinQ, IPv6, non-IP) by tcpreplay"
  ip netns exec "$sender_space" ping -q -c 5 -i 0.2 192.0.2.2
  "$build/tests/make_trace" --kind mixed --packets 10000 --seed 1 --out "$output/trace.pcap"
  ip netns exec "$sender_space" tcpreplay -q -K --no-flow-stats --pps 20000 -i "$sender" "$output/trace.pcap"
  wait_until_read
}

# Until wirespool has taken all of it from the packet ring, which counts nothing itself.
wait_until_read() {
  local sent
  sent=$(on_the_wire)
  for _ in $(seq 300); do
    [ "$(total received)" -lt "$sent" ] || return 0
    sleep 0.1
  done
  notice "after 30 s wirespool has received $(total received) of $sent packets"
}

stop_capture() {
  local status=0
  say "stopping it with SIGINT"
  kill -INT "$capture_pid"
  wait "$capture_pid" || status=$?
  capture_pid=''
  cat "$output/messages.txt"
  [ "$status" -eq 0 ] || { complain "the capture ended with exit code $status"; exit 1; }
}

# total NAME: from the "totals" of the last line of the ledger.
total() { tail -n 1 "$output/ledger.jsonl" | sed -n 's/.*"totals":{\([^}]*\)}.*/\1/p' | tr ',' '\n' | sed -n "s/^ *\"$1\": *//p"; }

show_ledger() {
  local name
  say "the ledger, from $output/ledger.jsonl"
  for name in received ended_early stored stored_bytes drop_handoff drop_drive in_flight; do
    printf '   %-14s %12s\n' "$name" "$(total "$name")"
  done
  for name in nic_missed nic_errors no_mbuf; do
    printf '   %-14s %12s\n' "$name" "$(tail -n 1 "$output/ledger.jsonl" | sed -n "s/.*\"$name\":\([0-9]*\).*/\1/p")"
  done
}

show_packets() {
  local file
  say "what was written"
  ls -l "$output"/drive0 "$output"/drive1
  # The name begins with the time of the first packet.
  file=$(find "$output"/drive? -name 'wirespool-*.pcap' -printf '%f %p\n' | sort | head -n 1 | cut -d' ' -f2-)
  say "the first packets, as tcpdump reads them: tcpdump -n -tttt --nano -c 10 -r $file"
  tcpdump -n -tttt --nano -c 10 -r "$file" 2>/dev/null
}

# The kernel counted on the capture's end of the wire, in both directions: an opinion from outside.
on_the_wire() {
  ip netns exec "$capture_space" cat "/sys/class/net/$port/statistics/rx_packets" "/sys/class/net/$port/statistics/tx_packets" |
    awk '{ n += $1 } END { print n }'
}

check() {
  local sent stored
  sent=$(on_the_wire) stored=$(total stored)
  say "checking: the kernel counted $sent packets on the wire, wirespool stored $stored"
  "$build/tests/compare_trace" contains "$output/trace.pcap" "$output/drive0" "$output/drive1"
  [ "$sent" = "$stored" ] || { complain "$sent packets were sent and $stored stored"; exit 1; }
  say "sent == stored: $sent packets, every byte of the trace in order"
}

main() {
  if [ $# -gt 0 ]; then sed -n '3,5s/^# //p' "$0" && exit 1; fi
  become_root "$@"
  [ "$(id -u)" -eq 0 ] || { complain "not root: interfaces and hugepages need it: run it as root, or install sudo"; exit 1; }
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  install_packages "${packages_build[@]}" "${packages_capture[@]}" iputils-ping
  choose_compiler
  build_release
  hugepages=yes
  set_up_hugepages "$hugepages_mib" || { hugepages=no && notice "going on without hugepages"; }
  make_wire
  start_capture
  send_traffic
  stop_capture
  show_ledger
  show_packets
  check
  say "all of it is in $output"
}

# A function, so that bash has read all of this file before it begins.
main "$@"
