#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# config/systemd/wirespool@.service under a real systemd, in a podman container: it starts, is ready, says its rates, is
# restarted after a crash once `wirespool repair` has run, is ended by its watchdog when it stands still, and stops without loss.
# Everything it makes, it removes. usage: tests/e2e/systemd.sh
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"
# shellcheck source=tests/e2e/podman-functions.sh
source "$(dirname "$0")/podman-functions.sh"

work='' container=wst$$ unit=wirespool@probe.service
systemd_image=localhost/wirespool-test-systemd:latest

clean_up() {
  podman rm -f -t 0 "$container" >/dev/null 2>&1
  podman image rm -f "$systemd_image" >/dev/null 2>&1
  remove_images
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "a container with systemd and hugepages needs root"
  for tool in podman runc debootstrap python3; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install podman runc debootstrap python3"
  done
  set_up_hugepages 512 || skip_all "no hugepages on this machine"
  podman_set_up "$work" || skip_all "podman does not work here: $(tail -n 1 "$work/podman.txt")"
}

# The program's image, with a service manager and the unit; a short watchdog, and a source that needs no NIC.
make_systemd_image() {
  make_program_image || return 1
  cp "$podman_here/config/systemd/wirespool@.service" "$work/"
  cat >"$work/probe.toml" <<TEXT
eal = ["--lcores", "$(two_cpus)", "--in-memory", "--no-pci", "--no-telemetry", "--vdev=net_null0,size=200,no-rx=1", "--vdev=net_pcap0,rx_pcap=/etc/wirespool/frames.pcap"]
output = ["/data/0", "/data/1"]
when-full = "wait"
stats = "json"
stats-interval = "200ms"
TEXT
  printf '[Service]\nWatchdogSec=4s\n' >"$work/test.conf"
  numbered make --frames 5000 "$work/frames.pcap"
  cat >"$work/Containerfile" <<TEXT
FROM $program_image
RUN apt-get update && apt-get install -y --no-install-recommends systemd && rm -rf /var/lib/apt/lists/* && \
    mkdir -p /data/0 /data/1 /etc/wirespool /etc/systemd/system/wirespool@.service.d && \
    echo 'WIRESPOOL_DIRECTORIES=/data/0 /data/1' >/etc/wirespool/probe.env
COPY test.conf /etc/systemd/system/wirespool@.service.d/
COPY wirespool@.service /etc/systemd/system/
COPY probe.toml frames.pcap /etc/wirespool/
ENTRYPOINT ["/lib/systemd/systemd"]
TEXT
  podman build --layers=false --network=host --isolation=chroot -t "$systemd_image" "$work" >"$work/build-systemd.txt" 2>&1 ||
    { tail -n 5 "$work/build-systemd.txt"; return 1; }
}

inside() { podman exec "$container" "$@"; }
property() { inside systemctl show -p "$1" --value "$unit" 2>/dev/null; }
state_is() { [ "$(inside systemctl is-active "$unit")" = "$1" ]; }
restarted() { [ "$(property NRestarts)" -ge "$1" ] && state_is active; }
journal() { inside journalctl --no-pager -o cat -u "$unit"; }
says_rates() { property StatusText | grep -q 'pps .*bit/s, .* stored, lost 0'; }

start_system() {
  say "starting systemd in a container"
  mkdir -p "$work/data0" "$work/data1"
  podman run -d --name "$container" --privileged --systemd=always --network=none -v /dev/hugepages:/dev/hugepages \
    -v "$work/data0:/data/0" -v "$work/data1:/data/1" "$systemd_image" >/dev/null 2>"$work/run.txt" || return 1
  wait_for 60 inside sh -c 'systemctl is-system-running | grep -Eq "running|degraded"'
}

main() {
  work=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  make_systemd_image || { fail "the image cannot be made" && count_up; }
  start_system || skip_all "systemd does not start in a container here: $(tail -n 1 "$work/run.txt") $(podman logs "$container" 2>&1 | tail -n 1)"

  expect "systemctl start returns when it is ready" inside systemctl start "$unit"
  expect "it is active" state_is active
  expect "its status has the rates" wait_for 20 says_rates
  sleep 6
  expect "it is alive past the watchdog's time" test "$(property NRestarts)" = 0

  inside systemctl kill --kill-whom=main -s KILL "$unit"
  expect "killed, it is started again" wait_for 30 restarted 1
  expect "and wirespool repair ran before that" sh -c "ls '$work'/data0/*.pcap '$work'/data1/*.pcap"
  sleep 3 # its frames get onto the drives
  inside systemctl kill --kill-whom=main -s STOP "$unit"
  expect "when it stands still the watchdog ends it, and it is started again" wait_for 60 restarted 2

  expect "systemctl stop ends it" inside systemctl stop "$unit"
  expect "with success" test "$(property Result)" = success
  journal >"$work/journal.txt"
  grep -o '{"time".*' "$work/journal.txt" | tail -n 1 >"$work/ledger.jsonl"
  expect "the last ledger line is final, and balances" \
    test "$(json_of "j['final'] and j['totals']['received'] == j['totals']['stored'] == 5000" "$work/ledger.jsonl" 2>&1)" = True
  expect "no hidden file is left" test -z "$(find "$work"/data? -name '*.open')"
  expect "every frame of each of the three runs is on disk" test "$(numbered_in)" = 15000
  expect "its sandbox: systemd-analyze security agrees with what is written" inside systemd-analyze security --threshold=35 "$unit"
  if [ "$failed" -gt 0 ]; then grep -v '^{' "$work/journal.txt" | tail -n 15; fi
  count_up
}
numbered_in() { python3 - "$work"/data0 "$work"/data1 <<'TEXT'
import glob, struct, sys
n = 0
for directory in sys.argv[1:]:
    for path in glob.glob(directory + "/*.pcap"):
        data = open(path, "rb").read()
        at = 24
        while at + 16 <= len(data):
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
            n += 1
print(n)
TEXT
}
main
