#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The page of `wirespool serve` as a person uses it: Chromium without a window, three made-up captures of which one runs, a stretch
# of the timeline that is dragged over and downloaded, keys, the form, the table, light and dark, narrow and wide; and whether the
# charts' library is the one that npm has. usage: WIRESPOOL=PROGRAM tests/e2e/page.sh [DIR]; DIR: where pictures stay
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

uplot=1.6.32 vnu=26.9.27 # as npm has them
page=$e2e_here/../../src/serve/page
pictures=${1:-}
work='' serve_pid='' run_pid='' dumpcap_pid='' stream=''

clean_up() {
  local pid
  for pid in $serve_pid $run_pid $dumpcap_pid; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

# get_package NAME VERSION: into $work/NAME; how the registry answered is in $work/npm.txt
get_package() {
  (cd "$work" && npm pack --silent "$1@$2" && mkdir "$1" && tar -xzf "$1-$2.tgz" -C "$1" --strip-components 1) >"$work/npm.txt" 2>&1
}

check_library() {
  if ! command -v npm >/dev/null || ! get_package uplot "$uplot"; then
    skip "uPlot against npm's: npm is not here, or its registry does not answer"
    return
  fi
  expect "uPlot is that of npm, $uplot" cmp "$work/uplot/dist/uPlot.iife.min.js" "$page/uPlot.iife.min.js"
  expect "its style sheet too" cmp "$work/uplot/dist/uPlot.min.css" "$page/uPlot.min.css"
  expect "its licence too" cmp "$work/uplot/LICENSE" "$page/uPlot.LICENSE"
  expect "the page names that version" grep -q "uPlot $uplot" "$page/index.html"
}

# By a validator of HTML and CSS.
check_markup() {
  local jar
  if ! command -v java >/dev/null || ! get_package vnu-jar "$vnu" || ! jar=$(find "$work/vnu-jar" -name 'vnu*.jar' | grep .); then
    skip "HTML and CSS by vnu: java is not here, or npm's registry does not answer"
    return
  fi
  expect "the page has no error" java -jar "$jar" --errors-only "$page/index.html"
  expect "the style sheet has no error" java -jar "$jar" --css --errors-only "$page/page.css"
}

check_machine() {
  local tool
  [ -x "${WIRESPOOL:-}" ] || skip_all "WIRESPOOL does not name the program"
  for tool in chromium chromedriver python3 curl capinfos dumpcap; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install chromium chromium-driver python3 curl tshark"
  done
}

start_service() {
  local port
  python3 "$e2e_here/page.py" make "$work/spool" && "$WIRESPOOL" index "$work"/spool/drive? >"$work/index.txt" || return 1
  python3 "$e2e_here/page.py" run "$work/spool" &
  run_pid=$!
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  url=http://127.0.0.1:$port/
  stream=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$WIRESPOOL" serve "$work/spool/drive0" "$work/spool/drive1" --listen "127.0.0.1:$port" --allow-keep \
    --pcap-over-ip "127.0.0.1:$stream" >"$work/serve.txt" 2>&1 &
  serve_pid=$!
  wait_for 30 curl -sf "${url}healthz"
}

# While somebody uses the page, dumpcap reads the stream of the same process: all that is sealed.
begin_stream() {
  dumpcap -q -i "TCP@127.0.0.1:$stream" -w "$work/stream.pcapng" >"$work/dumpcap.txt" 2>&1 &
  dumpcap_pid=$!
}
packets_of() { capinfos -TrMc "$@" 2>/dev/null | awk '{ sum += $NF } END { print sum + 0 }'; }
streamed() { test "$(packets_of "$work"/spool/drive?/*.pcap)" = "$(packets_of "$work/stream.pcapng")"; }
end_stream() {
  wait_for 30 streamed
  kill -INT "$dumpcap_pid"
  wait "$dumpcap_pid"
  dumpcap_pid=''
  expect "dumpcap, at the pcap-over-IP of the same process, has every packet that is sealed" streamed
}

# look: counts what page.py says.
look() {
  local line count=''
  python3 "$e2e_here/page.py" look "$url" "$work/spool" "$work/out" >"$work/look.txt" 2>&1
  while read -r line; do
    case $line in
      'passed: '*) pass "${line#passed: }" ;;
      'FAILED: '*) fail "${line#FAILED: }" ;;
      'count '*) count=${line#count } ;;
    esac
  done <"$work/look.txt"
  grep -q '^passed: the console' "$work/look.txt" || grep -q '^FAILED: the console' "$work/look.txt" ||
    fail "it did not come to its end: $(tail -n 2 "$work/look.txt" | tr '\n' ' ')"
  expect "capinfos counts as many packets in the download" \
    test "$(capinfos -TrMc "$work/out/wirespool.pcap" 2>/dev/null | awk '{ print $NF }')" = "${count:-none}"
}

main() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/wirespool-test-XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  mkdir "$work/out"
  check_library
  check_markup
  if start_service; then
    begin_stream
    look
    end_stream
  else fail "the service did not start: $(tail -n 2 "$work/serve.txt" | tr '\n' ' ')"; fi
  if [ -n "$pictures" ]; then mkdir -p "$pictures" && cp "$work"/out/*.png "$pictures"; fi
  count_up
}
main
