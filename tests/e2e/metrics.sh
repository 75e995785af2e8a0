#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A real Prometheus scrapes a real capture of paced frames from a wire, every second, while hostile clients do what they can: the
# pages are read by other parsers, and compared with the ledger; every query of the dashboard and every alert is evaluated; no
# frame is missing. usage: WIRESPOOL=PROGRAM tests/e2e/metrics.sh
# shellcheck disable=SC2317  # functions that trap and wait_for call
set -u
# shellcheck source=tests/e2e/e2e-functions.sh
source "$(dirname "$0")/e2e-functions.sh"

frames=40000 rate=2000
config=$e2e_here/../../config/metrics
space=wst$$ # of the capture and of who looks at it; the sender has one of its own
work='' capture_pid='' prometheus_pid='' hostile_pid=''

clean_up() {
  local pid
  for pid in $capture_pid $prometheus_pid $hostile_pid; do kill -KILL "$pid" 2>/dev/null; done
  wait 2>/dev/null
  ip netns del "${space}s" 2>/dev/null
  ip netns del "$space" 2>/dev/null
  restore_hugepages
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip_all "namespaces need root"
  for tool in prometheus promtool curl tcpreplay ip python3; do
    command -v "$tool" >/dev/null || skip_all "$tool is not here: apt-get install prometheus curl tcpreplay iproute2 python3"
  done
  /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || skip_all "apt-get install python3-prometheus-client"
  [ -x "${WIRESPOOL:-}" ] || skip_all "WIRESPOOL does not name the program"
  memory=(--in-memory)
  set_up_hugepages 256 || memory=(--no-huge -m 256)
}

# Debian's own python3, whose package has the parsers.
inside() { ip netns exec "$space" "$@"; }
tool() { /usr/bin/python3 "$e2e_here/metrics.py" "$@"; }

start_capture() {
  mkdir "$work/drive0" "$work/drive1"
  ip netns exec "$space" "$WIRESPOOL" capture --lcores "$(two_cpus)" "${memory[@]}" --no-pci --no-telemetry --file-prefix "wst$$" \
    --vdev=net_af_packet0,iface=in0 -- --output "$work/drive0" --output "$work/drive1" --metrics :9100 --stats json \
    --on-seal true </dev/null >"$work/ledger.jsonl" 2>"$work/messages.txt" &
  capture_pid=$!
  wait_for 60 inside curl -sf http://127.0.0.1:9100/healthz && wait_for 20 grep -q '"final":false' "$work/ledger.jsonl"
}

start_prometheus() {
  # The configuration that is shipped, but for how often it looks.
  sed 's/interval: 15s/interval: 1s/' "$config/prometheus.yml" >"$work/prometheus.yml"
  cp "$config/wirespool-alerts.yml" "$work"
  ip netns exec "$space" prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address=127.0.0.1:9090 \
    --log.level=warn </dev/null >"$work/prometheus.txt" 2>&1 &
  prometheus_pid=$!
  wait_for 60 inside curl -sf http://127.0.0.1:9090/-/ready
}

# query EXPRESSION: its first value now
query() {
  inside curl -sfG http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" |
    python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "")'
}
is() { [ "$(query "$1")" = "$2" ]; }

check_rules() {
  expect "alert rules: promtool" promtool check rules "$config/wirespool-alerts.yml"
  expect "scrape configuration: promtool" promtool check config "$config/prometheus.yml"
  sed "s#RULES#$config/wirespool-alerts.yml#" "$e2e_here/metrics-rules.yml" >"$work/rules-test.yml"
  expect "each alert comes where it is due and nowhere else" promtool test rules "$work/rules-test.yml"
}

# Clients that drip, hang and flood, and one that asks as often as it can.
begin_hostilities() {
  ip netns exec "$space" /usr/bin/python3 "$e2e_here/metrics.py" annoy 127.0.0.1 9100 >"$work/hostile.txt" 2>&1 &
  hostile_pid=$!
}

send_frames() {
  numbered make --frames "$frames" --size 512 "$work/frames.pcap"
  say "$frames frames at $rate a second, scraped every second"
  ip netns exec "${space}s" tcpreplay -q -i out0 --pps "$rate" "$work/frames.pcap" >"$work/tcpreplay.txt" 2>&1
  wait_for 20 is 'wirespool_stored_packets_total' "$frames"
}

check_pages() {
  inside curl -sf http://127.0.0.1:9100/metrics >"$work/page.txt"
  inside curl -sf -H 'Accept: application/openmetrics-text; version=1.0.0' http://127.0.0.1:9100/metrics >"$work/page.om"
  expect "the text is one that promtool finds nothing wrong with" sh -c "promtool check metrics <'$work/page.txt'"
  expect "both forms say the same to other parsers, and what the ledger line of that time says" \
    tool compare "$work/page.txt" "$work/page.om" "$work/ledger.jsonl"
}

check_prometheus() {
  expect "the target is up" is 'up{job="wirespool"}' 1
  expect "it was scraped all the time" is 'min_over_time(up{job="wirespool"}[15s])' 1
  for name in 'sum(wirespool_received_packets_total)' wirespool_stored_packets_total; do
    expect "$name is the $frames frames that were sent" is "$name" "$frames"
  done
  expect "nothing is lost, by any cause" is 'sum(wirespool_lost_packets_total)' 0
  expect "each page's books balance" is 'min_over_time(wirespool_books_balanced[1m])' 1
  expect "the rate that was sent is the rate that is seen" \
    python3 -c "import sys; r = float(sys.argv[1]); sys.exit(not 0.5 * $rate < r < 1.5 * $rate)" \
    "$(query 'max_over_time(sum(rate(wirespool_received_packets_total[5s]))[60s:1s])')"
  expect "each query of the dashboard gives something" \
    inside /usr/bin/python3 "$e2e_here/metrics.py" dashboard "$config/grafana-dashboard.json" "$work/page.txt" http://127.0.0.1:9090
  expect "no alert of a loss, a drive or the books" \
    is 'count(ALERTS{alertname!~"WirespoolClockNotKept|WirespoolLossNotCounted"}) or vector(0)' 0
  expect "all rules are evaluated" sh -c "! ip netns exec $space curl -sf http://127.0.0.1:9090/api/v1/rules | grep -q '\"health\":\"err\"'"
}

# CPU time of the threads that answer.
tell_cost() {
  say "a scrape costs $(inside /usr/bin/python3 "$e2e_here/metrics.py" cost "$capture_pid" 200 http://127.0.0.1:9100/metrics)"
}

end_capture() {
  local began=$SECONDS status
  kill -INT "$capture_pid"
  wait "$capture_pid"
  status=$?
  capture_pid=''
  kill "$hostile_pid"
  wait "$hostile_pid" 2>/dev/null
  hostile_pid=''
  say "hostile clients: $(tail -n 1 "$work/hostile.txt")"
  expect "the capture ends well, and soon, whatever clients do" test "$status" -eq 0 -a $((SECONDS - began)) -lt 20
  expect "the last line has every frame" test "$(total received "$work/ledger.jsonl") $(total stored "$work/ledger.jsonl")" = "$frames $frames"
  expect "each frame is in the files, once and in order" numbered check --frames "$frames" "$work/drive0" "$work/drive1"
}

main() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/wirespool-test-XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  check_machine
  check_rules
  make_wire "${space}s" out0 "$space" in0
  ip -n "$space" link set lo up
  if start_capture && start_prometheus; then
    tell_cost
    begin_hostilities
    send_frames || fail "Prometheus did not see $frames packets stored within 20 s"
    check_pages
    check_prometheus
    end_capture
  else
    fail "capture or Prometheus did not start: $(tail -n 2 "$work/messages.txt" "$work/prometheus.txt" 2>/dev/null | tr '\n' ' ')"
  fi
  if [ "$failed" -gt 0 ]; then tail -n 10 "$work/messages.txt"; fi
  count_up
}
main
