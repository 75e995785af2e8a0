#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What tests/e2e/metrics.sh asks of pages of metrics, by parsers that are not wirespool's.

metrics.py compare PAGE.txt PAGE.om LEDGER   both forms say the same, and what the ledger's line of their time says
metrics.py dashboard FILE PAGE.txt URL       every query of a Grafana dashboard gives something at a Prometheus
metrics.py annoy HOST PORT                   clients that drip, hang, flood and ask too often, until killed
metrics.py cost PID COUNT URL                CPU time of the threads that answer, for each of COUNT scrapes
"""
import glob
import json
import re
import signal
import socket
import sys
import time
import urllib.parse
import urllib.request


def samples_of(families):
    """{(name, labels): value}, without what only OpenMetrics has."""
    return {(s.name, tuple(sorted(s.labels.items()))): s.value
            for f in families for s in f.samples if not s.name.endswith("_created")}


def read_pages(text_path, open_path):
    from prometheus_client import openmetrics, parser
    import prometheus_client.openmetrics.parser  # noqa: F401  (the strict one)
    text = samples_of(parser.text_string_to_metric_families(open(text_path).read()))
    strict = samples_of(openmetrics.parser.text_string_to_metric_families(open(open_path).read()))
    return text, strict


def line_at(ledger_path, seconds):
    """The ledger line of that time; pages have its nanoseconds, floats do not."""
    for text in open(ledger_path):
        line = json.loads(text)
        if abs(seconds_of(line["time"]) - seconds) < 1e-3:
            return line
    sys.exit(f"no ledger line of {seconds}")


def seconds_of(rfc3339):
    whole, fraction = rfc3339.rstrip("Z").split(".")
    import calendar
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def expected(line):
    """What a page has to say of a ledger line, {(name, labels): value}; written from src/serve/README.md."""
    want = {}

    def add(name, value, **labels):
        want[("wirespool_" + name, tuple(sorted(labels.items())))] = value

    totals = line["totals"]
    for name in ("stored_packets", "filtered_packets", "ended_early_packets", "rehomed_packets", "stored_bytes"):
        add(name + "_total", totals[name.replace("_packets", "")])
    add("in_flight_packets", totals["in_flight"])
    add("books_balanced", int("imbalance" not in line))
    for port in line["ports"]:
        for queue in port["queues"]:
            add("received_packets_total", queue["received"], port=str(port["port"]), queue=str(queue["queue"]))
            add("received_bytes_total", queue["received_bytes"], port=str(port["port"]), queue=str(queue["queue"]))
        for cause in port.get("not_counted", {}):
            add("uncounted_losses", 1, port=str(port["port"]), cause=cause)
    for cause in ("nic_missed", "nic_errors", "nic_other", "no_mbuf", "cut_by_driver"):
        counts = [port[cause] for port in line["ports"] if port.get(cause) is not None]
        if counts:
            add("lost_packets_total", sum(counts), cause=cause)
    for cause in ("drop_handoff", "drop_drive"):
        add("lost_packets_total", totals[cause], cause=cause)
    for state, count in line["blocks"].items():
        add("blocks", count, state=state)
    for drive in line["drives"]:
        for state in ("ok", "full", "failed"):
            add("drive_state", int(drive["state"] == state), drive=drive["path"], state=state)
        add("drive_written_bytes_total", drive["bytes"], drive=drive["path"])
        add("drive_write_duration_seconds_count", drive["blocks"], drive=drive["path"])
        add("drive_write_duration_seconds_sum", drive["write_durations"]["sum_ns"] / 1e9, drive=drive["path"])
    for lcore in line["lcores"]:
        add("lcore_waits_total", lcore["waits"], lcore=str(lcore["lcore"]), role=lcore["role"])
    if line["clock"]["error_ns"] is not None:
        add("clock_error_bound_seconds", line["clock"]["error_ns"] / 1e9)
    add("on_seal_pending_files", line["on_seal"]["pending"])
    return want


def compare(text_path, open_path, ledger_path):
    text, strict = read_pages(text_path, open_path)
    if {name for name, _ in text} != {name for name, _ in strict} or text.keys() != strict.keys():
        sys.exit(f"the forms differ in {sorted(text.keys() ^ strict.keys())[:5]}")
    for page in (text, strict):
        line = line_at(ledger_path, page[("wirespool_ledger_time_seconds", ())])
        for key, value in expected(line).items():
            if key not in page or abs(page[key] - value) > 1e-9 * max(1, abs(value)):
                sys.exit(f"{key}: the page has {page.get(key)}, the ledger {value}")
        lost = [key for key in page if key[0] == "wirespool_lost_packets_total"]
        if sum(page[key] for key in lost) != line["totals"]["lost"] or set(lost) - expected(line).keys():
            sys.exit(f"lost is {line['totals']['lost']}, the page has {lost}")
        for drive in line["drives"]:
            check_buckets(page, drive)


def check_buckets(page, drive):
    """Cumulative, and of as many writes as ended; the ledger's median lies in the bucket where half of them are reached."""
    buckets = sorted((float(dict(labels)["le"]), value) for (name, labels), value in page.items()
                     if name == "wirespool_drive_write_duration_seconds_bucket" and dict(labels)["drive"] == drive["path"])
    counts = [count for _, count in buckets]
    if counts != sorted(counts) or counts[-1] != drive["blocks"]:
        sys.exit(f"buckets of {drive['path']}: {buckets}, {drive['blocks']} writes")
    median = next(bound for bound, count in buckets if 2 * count >= counts[-1])
    if drive["blocks"] and not median / 2.5 <= drive["write_latency_ns"]["p50"] / 1e9 <= median * 1.01:
        sys.exit(f"median of {drive['path']}: {drive['write_latency_ns']['p50']} ns, bucket up to {median} s")


def dashboard(path, page_path, url):
    board = json.load(open(path))
    page = open(page_path).read()
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [a["expr"] for a in board["annotations"]["list"]]
    failed = []
    for query in queries:
        asked = query.replace("$job", ".*").replace("$instance", ".*")
        asked = asked.replace("$__rate_interval", "10s").replace("$__range", "5m")
        answer = urllib.request.urlopen(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": asked}))
        result = json.load(answer)["data"]["result"]
        names = set(re.findall(r"wirespool_[a-z_]+", query))
        unknown = [name for name in names if name not in page]
        may_be_empty = "annot" if query in [a["expr"] for a in board["annotations"]["list"]] else unknown
        if unknown and unknown != ["wirespool_clock_error_bound_seconds"]:
            failed.append(f"{unknown} on no page: {query}")
        elif not result and not may_be_empty:
            failed.append(f"nothing: {query}")
        elif any(series["value"][1] == "NaN" for series in result) and "duration" not in query:
            failed.append(f"no number: {query}")
    print(f"{len(queries)} queries")
    if failed or len(queries) < 20:
        sys.exit("\n".join(failed) or "too few queries")


def annoy(host, port):
    """Six connections that never end a request, floods and scrapes beside them; says how many when it is ended."""
    counts = {"dripped": 0, "flooded": 0, "scraped": 0}

    def say(*_):
        print(", ".join(f"{n} {what}" for what, n in counts.items()), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, say)
    slow = []
    while True:
        try:
            while len(slow) < 6:
                slow.append(socket.create_connection((host, int(port)), timeout=5))
                slow[-1].sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            slow = [client for client in slow if drip(client)]
            counts["dripped"] += 1
            with socket.create_connection((host, int(port)), timeout=0.2) as client:
                client.sendall(b"GET /" + b"x" * 100000)
            counts["flooded"] += 1
        except OSError:
            pass
        try:
            urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=5).read()
            counts["scraped"] += 1
        except OSError:
            pass
        time.sleep(0.02)


def drip(client):
    try:
        client.sendall(b"a")
        return True
    except OSError:
        return False


def spent(pid):
    """Seconds on a CPU of the process's threads that answer (schedstat: nanoseconds first)."""
    threads = [task for task in glob.glob(f"/proc/{pid}/task/*") if open(task + "/comm").read() == "serve\n"]
    if not threads:
        sys.exit("no thread of that name")
    return sum(int(open(task + "/schedstat").read().split()[0]) for task in threads) / 1e9


def cost(pid, count, url):
    before = spent(pid)
    for _ in range(int(count)):
        urllib.request.urlopen(url).read()
    print(f"{1e3 * (spent(pid) - before) / int(count):.2f} ms of CPU time ({count} of them in a row)")


if __name__ == "__main__":
    {"compare": compare, "dashboard": dashboard, "annoy": annoy, "cost": cost}[sys.argv[1]](*sys.argv[2:])
