#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The container, for real: an image built from the Dockerfile without a registry, run by podman on real hugepages, captures
# what a peer sends over a veth pair onto two mounted directories; simple (--privileged) and with the least privileges.
# Everything it makes, it removes. usage: tests/e2e/container.sh
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/podman-functions.sh
source "$(dirname "$0")/podman-functions.sh"

frames=100000
work='' container=wst$$ run=0 capture_pid='' sender_pid=''
sender_space=wst$$s capture_space=wst$$c

clean_up() {
  if [ -n "$sender_pid" ]; then kill "$sender_pid" 2>/dev/null; fi
  podman rm -f -t 0 "$container" "$container-queries" >/dev/null 2>&1
  ip netns delete "$sender_space" 2>/dev/null
  ip netns delete "$capture_space" 2>/dev/null
  remove_images
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}
hugepage_files() { find /dev/hugepages -mindepth 1 2>/dev/null | sort; }

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "containers with network namespaces and hugepages need root"
  for tool in podman runc debootstrap tcpreplay python3 curl ip; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install podman runc debootstrap tcpreplay python3 curl iproute2"
  done
  set_up_hugepages 512 || skip_all "no hugepages on this machine"
  podman_set_up "$work" || skip_all "podman does not work here: $(tail -n 1 "$work/podman.txt")"
}

# What each way of running it adds to podman run.
privileged=(--privileged -v /dev/hugepages:/dev/hugepages)
# Found by leaving out one after the other: NET_RAW for the packet socket, IPC_LOCK for its ring (mmap(2), MAP_LOCKED), NET_ADMIN
# because net_af_packet sets the interface's address and mode at start. With a NIC on vfio-pci, IPC_LOCK alone. Memory comes
# from memfd_create(2), so neither the mount of hugepages nor root is needed: 65534 is nobody, who owns the two
# directories. /tmp is for DPDK's run-time directory. Without the seccomp profile io_uring is forbidden, and pwrite takes its place.
least=(--user 65534 --cap-drop=all --cap-add=NET_RAW --cap-add=NET_ADMIN --cap-add=IPC_LOCK --security-opt=no-new-privileges
  --security-opt "seccomp=$podman_here/config/container/seccomp.json" --read-only --tmpfs /tmp)

# start_capture NAME PODMAN_OPTION... -- EAL_OPTION...
start_capture() {
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  output=$work/${name//[ ,]/-}
  mkdir -p "$output/drive0" "$output/drive1"
  case " ${options[*]} " in *' --user '*) chown 65534 "$output"/drive? ;; esac
  say "podman run ${options[*]} IMAGE capture ... ($name)"
  podman run --rm --name "$container" --network "ns:/run/netns/$capture_space" "${options[@]}" \
    -v "$output/drive0:/data/0" -v "$output/drive1:/data/1" "$program_image" \
    capture --lcores "$(two_cpus)" --no-pci --no-telemetry "$@" \
    --vdev=net_af_packet0,iface=port,blocksz=65536,framesz=2048,framecnt=32768 \
    -- --output /data/0 --output /data/1 --when-full wait --stats json --stats-interval 200ms \
    </dev/null >"$output/ledger.jsonl" 2>"$output/messages.txt" &
  capture_pid=$!
  wait_for 60 test -s "$output/ledger.jsonl" || { fail "$name: it does not start: $(tail -n 3 "$output/messages.txt")"; return 1; }
}

# send FRAMES RATE: in the background
send() {
  run=$((run + 1))
  numbered make --frames "$1" --run "$run" "$work/frames.pcap"
  ip netns exec "$sender_space" tcpreplay -q -K --no-flow-stats --pps "$2" -i sender "$work/frames.pcap" >"$work/sender.txt" 2>&1 &
  sender_pid=$!
}

received() { [ "$(total received "$output/ledger.jsonl")" -ge "$1" ]; }

# stop_capture NAME: podman stop, and what must hold after any of them
stop_capture() {
  local status=0
  podman stop -t 60 "$container" >/dev/null 2>"$work/stop.txt" || fail "$1: podman stop: $(cat "$work/stop.txt")"
  wait "$capture_pid" || status=$?
  expect "$1: podman stop ends it with exit code 0" test "$status" -eq 0
  expect "$1: it was ended by SIGTERM" test "$(json_of "j['final'] and j['ended_by']" "$output/ledger.jsonl")" = SIGTERM
  expect "$1: nothing that was received is lost" \
    test "$(total received "$output/ledger.jsonl")" = "$(total stored "$output/ledger.jsonl")"
  expect "$1: no hugepage file is left" test "$(hugepage_files)" = "$hugepages_there"
  expect "$1: no hidden file is left" test -z "$(find "$output" -name '.*.open')"
  expect "$1: Blocks are written by io_uring" test -z "$(grep "writing with pwrite" "$output/messages.txt")"
  if [ "$status" -ne 0 ]; then tail -n 5 "$output/messages.txt"; fi
}

# All frames, then a stop on an idle link. exact NAME PODMAN_OPTION... -- EAL_OPTION...
exact() {
  local name=$1
  start_capture "$@" || return
  send "$frames" 20000
  wait "$sender_pid"
  wait_for 60 received "$frames" || complain "only $(total received "$output/ledger.jsonl") arrived"
  stop_capture "$name"
  expect "$name: $frames numbered frames, each once and in order" numbered check --run "$run" --frames "$frames" "$output"/drive?
  expect "$name: both directories were written to" test -n "$(ls "$output"/drive0/*.pcap)" -a -n "$(ls "$output"/drive1/*.pcap)"
}

# A stop while frames come in. stopped_midway NAME PODMAN_OPTION... -- EAL_OPTION...
stopped_midway() {
  local name=$1 there
  start_capture "$@" || return
  send "$frames" 10000
  wait_for 30 received 20000
  stop_capture "$name"
  kill "$sender_pid" 2>/dev/null
  wait "$sender_pid" 2>/dev/null
  if there=$(numbered check --run "$run" --prefix "$output"/drive? 2>&1) && [ "$there" -lt "$frames" ] &&
    [ "$there" = "$(total received "$output/ledger.jsonl")" ]; then
    pass "$name: the $there frames received until then are on disk, each once and in order"
  else
    fail "$name: $there; the ledger has $(total received "$output/ledger.jsonl")"
  fi
}

# A service of what the last capture left: the right to read, and no other. queries NAME
queries() {
  local answer=$work/answer url port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  url=http://127.0.0.1:$port
  mkdir -p "$answer"
  podman run --rm -d --name "$container-queries" --network host --user 65534:65534 --cap-drop=all --security-opt=no-new-privileges --read-only \
    --memory 2g -v "$output/drive0:/data/0:ro" -v "$output/drive1:/data/1:ro" "$program_image" \
    serve --listen "127.0.0.1:$port" /data/0 /data/1 >"$work/queries.txt" 2>&1 || { fail "$1: podman run: $(tail -n 2 "$work/queries.txt")"; return; }
  expect "$1: it answers" wait_for 60 curl -fsS -o /dev/null "$url/healthz"
  expect "$1: an extraction is whole" curl -fsS -o "$answer/all.pcap" "$url/api/extract"
  expect "$1: it has the $frames numbered frames, each once and in order" numbered check --run "$run" --frames "$frames" "$answer"
  expect "$1: podman stop ends it" podman stop -t 30 "$container-queries"
}

main() {
  work=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  make_program_image || { fail "the image cannot be built"; count_up; }
  pass "an image from the Dockerfile, $(podman image inspect --format '{{.Size}}' "$program_image" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
  hugepages_there=$(hugepage_files)
  make_wire "$sender_space" sender "$capture_space" port

  exact "privileged" "${privileged[@]}" --
  stopped_midway "privileged, stopped midway" "${privileged[@]}" --
  exact "least privileges" "${least[@]}" -- --in-memory
  queries "queries beside it"
  stopped_midway "least privileges, stopped midway" "${least[@]}" -- --in-memory
  count_up
}
main
