#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Sealed files reach an object store: `wirespool capture --on-seal config/on-seal/rclone.sh` against a real S3 server process
# (s3rver, from the npm registry) on loopback, which is down during a first capture. usage: WIRESPOOL=PROGRAM tests/e2e/on-seal.sh
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

work='' capture_pid='' server_pid=''
clean_up() {
  if [ -n "$capture_pid" ]; then kill -KILL "$capture_pid" 2>/dev/null; fi
  if [ -n "$server_pid" ]; then kill "$server_pid" 2>/dev/null; fi
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool
  for tool in rclone npm node python3 sha256sum; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install rclone npm nodejs python3"
  done
  [ -x "${WIRESPOOL:-}" ] || skip_all "WIRESPOOL does not name the program"
  memory=(--in-memory)
  set_up_hugepages 256 || memory=(--no-huge -m 256)
  npm install --prefix "$work/npm" --no-audit --no-fund --silent s3rver@3.7.1 >"$work/npm.txt" 2>&1 ||
    skip_all "the npm registry does not give s3rver: $(tail -n 1 "$work/npm.txt")"
}

start_server() {
  mkdir -p "$work/s3"
  node "$work/npm/node_modules/.bin/s3rver" -d "$work/s3" -p "$port" -a 127.0.0.1 --configure-bucket captures >"$work/server.txt" 2>&1 &
  server_pid=$!
  wait_for 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# on_seal FIELD: of the newest ledger line
on_seal() { json_of "j['on_seal']['$1']" "$work/ledger.jsonl" 2>/dev/null || echo 0; }

# capture: some files of numbered packets, checksummed and then uploaded
capture() {
  local scripts=$e2e_here/../../config/on-seal
  "$WIRESPOOL" capture --lcores "$(two_cpus)" "${memory[@]}" --no-pci --no-telemetry --file-prefix "wst$$" --vdev=net_null0,size=512 \
    -- --output "$work/drive" --packets 60000 --when-full wait --rotate-size 8MiB --stats json --stats-interval 200ms \
    --on-seal "seal() { '$scripts/checksum.sh' \"\$1\" && '$scripts/rclone.sh' \"\$1\"; }; seal" --on-seal-linger 120s \
    </dev/null >"$work/ledger.jsonl" 2>"$work/messages.txt" &
  capture_pid=$!
  wait "$capture_pid"
  status=$?
  capture_pid=''
  say "exit code $status; on_seal: $(json_of "j['on_seal']" "$work/ledger.jsonl")"
}
files() { find "$work/$1" -name "$2" | wc -l; }

while_the_store_is_down() {
  local made
  say "capturing with --on-seal; the store is down"
  capture
  made=$(files drive '*.pcap')
  expect "no packet is lost, the exit code is 0" test "$status $(total stored "$work/ledger.jsonl")" = "0 60000"
  expect "every file waits, and the failures are counted" \
    test "$(on_seal 'done') $(on_seal pending)" = "0 $made" -a "$(on_seal failed)" -ge "$made"
  expect "it is said that files are left" grep -q "$made files are left" "$work/messages.txt"
}

once_it_is_up() {
  local made
  start_server || { fail "the S3 server does not start: $(tail -n 2 "$work/server.txt")"; return; }
  say "capturing into the same directory; the store is up"
  capture
  made=$(files drive '*.pcap')
  expect "the command succeeded for every file, those of the capture before as well" \
    test "$status $(on_seal 'done') $(on_seal pending)" = "0 $made 0"
  expect "no marker is left" test "$(files drive '*.on-seal')" -eq 0
  mkdir "$work/back"
  expect "everything comes back from the store" rclone copy -q "$WIRESPOOL_REMOTE" "$work/back"
  expect "each of $made pcaps is there, byte for byte by its checksum" \
    sh -c "cd '$work/back' && [ \$(ls *.pcap | wc -l) -eq $made ] && cat *.sha256 | sha256sum -c --quiet"
  expect "each index is there" test "$(files back '*.idx')" -eq "$made"
  expect "SHA256SUMS beside the capture names and matches each file" \
    sh -c "cd '$work/drive' && [ \$(wc -l <SHA256SUMS) -eq $made ] && sha256sum -c --quiet SHA256SUMS"
}

main() {
  work=$(mktemp -d)
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  port=$(free_port)
  unset "${!AWS_@}" # what this machine's user has set up is not for the test
  export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_STORE_TYPE=s3 RCLONE_CONFIG_STORE_PROVIDER=Other RCLONE_CONFIG_STORE_ACCESS_KEY_ID=S3RVER \
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY=S3RVER RCLONE_CONFIG_STORE_ENDPOINT=http://127.0.0.1:$port \
    RCLONE_CONFIG_STORE_FORCE_PATH_STYLE=true RCLONE_CONFIG_STORE_NO_CHECK_BUCKET=true WIRESPOOL_REMOTE=store:captures/probe
  mkdir "$work/drive"
  while_the_store_is_down
  once_it_is_up
  if [ "$failed" -gt 0 ]; then tail -n 10 "$work/messages.txt"; fi
  count_up
}
main
