#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The page of `wirespool serve` in headless Chromium, by chromedriver (W3C WebDriver), and captures for it.

page.py make DIR           two captures that have ended, over DIR/drive0 and DIR/drive1, with losses and a silent stretch
page.py run DIR            one more that runs, as its lock, a hidden file and its ledger say, until it is ended; packets: none sealed yet
page.py look URL DIR OUT   what a person does with the page; lines of "passed: ..." and "FAILED: ..."; pictures and downloads in OUT
"""
import base64
import fcntl
import json
import math
import os
import random
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone

SECOND = 10**9


def moment(ns, compact=False):
    whole = datetime.fromtimestamp(ns // SECOND, timezone.utc)
    return whole.strftime("%Y%m%dT%H%M%S" if compact else "%Y-%m-%dT%H:%M:%S") + f".{ns % SECOND:09d}Z"


class Capture:
    """The files of a capture, by formats that src/format/README.md describes; counts are those of the packets that are there."""

    def __init__(self, stem, start, drives):
        self.stem, self.start, self.drives = stem, start, drives
        self.stored = self.stored_bytes = self.missed = self.dropped = 0
        self.written = [0] * len(drives)
        self.number = random.Random(stem)
        for drive in drives:
            os.makedirs(drive, exist_ok=True)
        self.write_plan(None)
        self.ledger = [open(self.path(drive, ".ledger.jsonl"), "w", encoding="utf-8") for drive in drives]

    def path(self, drive, suffix):
        return f"{drive}/{self.stem}-{moment(self.start, True)}{suffix}"

    def write_plan(self, final):
        plan = {"block_bytes": 1 << 20, "snaplen": 262144, "index": "flow", "on_seal": "", "drives": [{"path": d} for d in self.drives]}
        text = {"wirespool": "0", "dpdk": "0", "start": moment(self.start), "name": self.stem, "plan": plan, "ledger": final}
        for drive in self.drives:
            with open(self.path(drive, ".capture.json"), "w", encoding="utf-8") as file:
                json.dump(text, file)

    def line(self, at, final=False):
        received = self.stored + self.dropped
        line = {"time": moment(at), "elapsed_ns": at - self.start, "final": final}
        if final:
            line["ended_by"] = "SIGINT"
        line["ports"] = [{"port": 0, "name": "net_test0", "received": received, "received_bytes": 700 * received, "nic_missed": self.missed,
                          "nic_errors": None, "no_mbuf": 0, "not_counted": {"nic_errors": "net_test has no such counter"}}]
        line["totals"] = {"received": received, "received_bytes": 700 * received, "ended_early": 0, "filtered": 0, "cut": 0,
                          "stored": self.stored, "stored_bytes": self.stored_bytes, "sliced": 0, "trimmed": 0, "drop_handoff": 0,
                          "drop_drive": self.dropped, "in_flight": 0, "lost": self.missed + self.dropped, "beyond_limit": 0, "rehomed": 0}
        line["drives"] = [{"path": path, "state": "ok", "blocks": count >> 20, "bytes": count, "inflight": 0, "files": 1, "unsynced": 0,
                           "write_latency_ns": {"p50": 0, "p99": 0, "max": 0}} for path, count in zip(self.drives, self.written)]
        line["lcores"] = []
        for file in self.ledger:
            file.write(json.dumps(line) + "\n")
            file.flush()
        return line

    def packets(self, second):
        """How many came in that second, and how large they were."""
        wave = 1 + math.sin(second / 37) + 0.4 * math.sin(second / 7)
        return max(2, int(30 * wave + self.number.uniform(0, 12))), 400 + int(300 * math.sin(second / 90))

    def second(self, second, files=None):
        count, size = self.packets(second)
        for i in range(count):
            at = self.start + second * SECOND + (i * SECOND) // count
            number = self.stored + i
            frame = struct.pack(">6s6sH7sBQ", b"\2\0\0\0\0\1", b"\2w\0\0\0\1", 0x88B5, b"wirespl", 0, number).ljust(size, b"\0")
            drive = (number // 100) % len(self.drives)
            self.written[drive] += 16 + size
            if files:
                files[drive].append((at, frame))
        self.stored += count
        self.stored_bytes += count * size

    def seal(self, files, sequence):
        for writer, (drive, records) in enumerate(zip(self.drives, files)):
            if not records:
                continue
            name = f"{drive}/{self.stem}-{moment(records[0][0], True)}-w{writer:02d}-{sequence:06d}.pcap"
            with open(name, "wb") as out:
                out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
                for at, frame in records:
                    out.write(struct.pack("<IIII", at // SECOND, at % SECOND, len(frame), len(frame)) + frame)

    def whole(self, seconds, silent=(), missed=(), dropped=(), rotate=60):
        files = [[] for _ in self.drives]
        for second in range(seconds):
            if second not in silent:
                self.second(second, files)
            self.missed += 40 if second in missed else 0
            self.dropped += 9 if second in dropped else 0
            last = second + 1 == seconds
            if last or (second + 1) % rotate == 0:
                self.seal(files, second // rotate)
                files = [[] for _ in self.drives]
            line = self.line(self.start + (second + 1) * SECOND, last)
        self.write_plan(line)


def drives_of(root):
    return [f"{root}/drive0", f"{root}/drive1"]


def make(root):
    now = time.time_ns() // SECOND * SECOND
    Capture("backbone", now - 1500 * SECOND, drives_of(root)).whole(600, silent=range(380, 430), missed=range(200, 212), dropped=range(500, 506))
    Capture("office", now - 800 * SECOND, drives_of(root)).whole(240, missed=range(100, 102))


def run(root):
    capture = Capture("uplink", time.time_ns() - 300 * SECOND, drives_of(root))
    held = []
    for drive in capture.drives:
        held.append(open(f"{drive}/.uplink.lock", "w", encoding="utf-8"))
        fcntl.flock(held[-1], fcntl.LOCK_EX)
        open(f"{drive}/.uplink-{moment(capture.start, True)}-w00-000000.pcap.open", "wb").close()
    second = 0
    while True:
        while capture.start + (second + 1) * SECOND <= time.time_ns():
            capture.second(second)
            capture.dropped += 5 if second in range(150, 154) else 0
            second += 1
            capture.line(capture.start + second * SECOND)
        time.sleep(0.1)


class Browser:
    """One window, by chromedriver. Commands as in https://www.w3.org/TR/webdriver2/."""

    def __init__(self, driver, out):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.driver = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        self.out = out
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"],
                   "prefs": {"download.default_directory": out}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                  "timeouts": {"script": 60000, "pageLoad": 120000}}
        until(60, lambda: self.ask("GET", "/status")["ready"])
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base += "/session/" + made["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].splitlines()[0]) from error

    def script(self, text, *arguments):
        return self.ask("POST", "/execute/sync", {"script": text, "args": arguments})

    def tool(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height, dark=False):
        self.tool("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.tool("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, name, whole=True):
        time.sleep(0.5)
        shot = self.tool("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(f"{self.out}/{name}.png", "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def pointer(self, *steps):
        self.ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": list(steps)}]})

    def press(self, key):
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

    def log(self, kind):
        return self.ask("POST", "/se/log", {"type": kind})

    def end(self):
        try:
            self.ask("DELETE", "")
        except (OSError, RuntimeError):
            pass
        self.driver.terminate()
        self.driver.wait(30)


def until(seconds, condition):
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, RuntimeError, KeyError, TypeError):
            value = None
        if time.monotonic() > end:
            return value
        time.sleep(0.2)


def check(what, good, why=""):
    print(f"passed: {what}" if good else f"FAILED: {what}: {why}", flush=True)


FORM = "const e = document.getElementById('query-form').elements; return [e.from.value, e.to.value]"
TEXT = "return document.getElementById(arguments[0]).textContent"
BOX = ("const box = document.querySelector('.u-over').getBoundingClientRect();"
       "return [Math.round(box.left), Math.round(box.top), Math.round(box.width), Math.round(box.height)]")
# Cumulative layout shift, 0.1 and less is good: https://web.dev/articles/cls
JUMP = ("const done = arguments[0]; let sum = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })"
        ".observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(sum), 500)")
BAND = "const b = document.querySelector('.band'); return b.hidden ? null : [b.offsetLeft, b.offsetWidth]"


def ns_of(text):
    second, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * SECOND + int(fraction.ljust(9, "0") or 0)


def numbers_between(paths, begin, end):
    """Times of the packets in pcap files, by no program of ours; begin included, end not."""
    times = []
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        at = 24
        while at + 16 <= len(data):
            second, ns, length, _ = struct.unpack_from("<IIII", data, at)
            if begin <= second * SECOND + ns < end:
                times.append(second * SECOND + ns)
            at += 16 + length
    return sorted(times)


def drag(browser, begin, end):
    browser.script("document.querySelector('.u-over').scrollIntoView({ block: 'center' })")
    left, top, width, high = browser.script(BOX)
    move = {"type": "pointerMove", "duration": 200, "origin": "viewport", "y": top + high // 2}
    browser.pointer({**move, "x": left + int(begin * width)}, {"type": "pointerDown", "button": 0},
                    {**move, "x": left + int((begin + end) / 2 * width)}, {**move, "x": left + int(end * width)},
                    {"type": "pointerUp", "button": 0})


def look_at_drag(browser, root):
    whole = browser.script(TEXT, "view")
    drag(browser, 0.12, 0.3)
    begin, end = until(20, lambda: all(browser.script(FORM)) and browser.script(FORM)) or ("", "")
    check("a drag sets from and to of the form", begin and end and begin < end, f"{begin!r} {end!r}")
    check("it zooms there", browser.script(TEXT, "view") != whole, whole)
    check("what is asked for is a band on the timeline", browser.script(BAND) is not None)
    estimate = until(30, lambda: browser.script(TEXT, "estimate"))
    check("the estimate answers", "files" in (estimate or ""), estimate)
    paths = [os.path.join(drive, name) for drive in drives_of(root) for name in os.listdir(drive) if name.endswith(".pcap")]
    wanted = numbers_between(paths, ns_of(begin), ns_of(end))
    browser.script("document.getElementById('download').click()")
    got_path = f"{browser.out}/wirespool.pcap"
    until(60, lambda: os.path.exists(got_path))
    got = numbers_between([got_path], 0, 1 << 62) if os.path.exists(got_path) else []
    check(f"the download has exactly the {len(wanted)} packets of that time", wanted and got == wanted, f"{len(got)} of {len(wanted)}")
    print(f"count {len(wanted)}", flush=True)
    return whole


def look_at_keys(browser, whole):
    zoomed = browser.script(TEXT, "view")
    browser.script("document.getElementById('charts').focus()")
    browser.press("\ue014")  # arrow right
    moved = browser.script(TEXT, "view")
    check("an arrow key moves the view", moved != zoomed, moved)
    browser.press("0")
    # A capture runs, so the whole grows: by its beginning.
    check("a key leads back to the whole", browser.script(TEXT, "view")[:19] == whole[:19], browser.script(TEXT, "view"))
    browser.press("\ue00c")  # escape
    check("a key clears what is asked for", browser.script(FORM) == ["", ""] and browser.script(BAND) is None, browser.script(FORM))


def look_at_form(browser, root):
    start = min(name for name in os.listdir(f"{root}/drive0") if name.startswith("office-") and name.endswith(".capture.json"))
    day = f"{start[7:11]}-{start[11:13]}-{start[13:18]}:{start[18:20]}:{start[20:22]}Z"
    browser.script("const i = document.getElementById('query-form').elements.from; i.value = arguments[0];"
                   "i.dispatchEvent(new Event('input', { bubbles: true }))", day)
    check("a time that is typed shows on the timeline", until(20, lambda: browser.script(BAND)), day)
    browser.script("document.getElementById('as-table').open = true")
    rows = until(20, lambda: browser.script("return document.querySelectorAll('#as-table tbody tr').length"))
    table = browser.script("return document.getElementById('as-table').textContent")
    check("the view is also a table, with causes of losses by name", rows == 24 and "nic_missed" in table and "drop_drive" in table, table[:200])
    browser.script("document.querySelector('#as-table tbody tr:nth-child(3) button').click()")
    check("a row of the table asks for its time", all(browser.script(FORM)), browser.script(FORM))
    browser.script("document.getElementById('as-table').open = false")


def look_at_pins(browser, root):
    """What is typed pins files, by FILE.keep beside them; what such a file says is text and nothing else; Release takes it away."""
    pins = lambda: sorted(name for drive in drives_of(root) for name in os.listdir(drive) if name.endswith(".keep"))
    rows = "return [...document.querySelectorAll('#pins-rows tr')].map((row) => row.textContent)"
    said = "return document.getElementById('pinned').textContent"
    fill = ("const e = document.getElementById(arguments[0]).elements; for (const [name, value] of Object.entries(arguments[1])) e[name].value = value;"
            "e[Object.keys(arguments[1])[0]].dispatchEvent(new Event('input', { bubbles: true }))")
    browser.script("document.getElementById('query-form').reset()")
    browser.script("document.getElementById('pin').click()")
    check("nothing is pinned that nobody named", "Say which" in browser.script(said) and not pins(), browser.script(said))
    pcaps = sorted(name for name in os.listdir(f"{root}/drive0") if name.startswith("office-") and name.endswith(".pcap"))
    begin = pcaps[1][7:][:25]
    day = f"{begin[:4]}-{begin[4:6]}-{begin[6:11]}:{begin[11:13]}:{begin[13:]}Z"
    browser.script(fill, "query-form", {"from": day, "to": day[:19] + ".999999999Z"})
    browser.script("document.getElementById('reason').value = '<b>ticket</b> 4711'; document.getElementById('pin').click()")
    until(20, lambda: "pinned" in browser.script(said))
    made = pins()
    check("what is asked for is pinned beside its files", made and all(name.startswith("office-") for name in made) and pcaps[1] + ".keep" in made,
          f"{made} {browser.script(said)}")
    shown = until(20, lambda: browser.script(rows)) or []
    check("pins are shown with who and why, as text", len(shown) == len(made) and all("<b>ticket</b> 4711" in row and "anyone at 127.0.0.1" in row for row in shown), shown)
    browser.script("document.getElementById('pins').open = true")
    browser.picture("pins")
    browser.script("[...document.querySelectorAll('#pins-rows button')].forEach((button) => button.click())")
    until(20, lambda: not pins())
    check("Release takes them away, and the files stay", not pins() and all(os.path.exists(f"{root}/drive0/{name}") for name in pcaps), pins())
    check("none is shown then", until(20, lambda: not browser.script(rows)), browser.script(rows))
    browser.script("document.getElementById('query-form').reset()")


def look_at_totals(browser, root):
    """Packets of captures that run count, by their ledgers."""
    sealed = sum(len(numbers_between([os.path.join(drive, name)], 0, 1 << 62)) for drive in drives_of(root) for name in os.listdir(drive) if name.endswith(".pcap"))
    running = [name for name in os.listdir(f"{root}/drive0") if name.startswith("uplink-") and name.endswith(".ledger.jsonl")][0]

    def stored():
        with open(f"{root}/drive0/{running}", encoding="utf-8") as file:
            return json.loads(file.read().rsplit("\n", 2)[-2])["totals"]["stored"]

    def counted():
        before = stored()
        told = int(browser.script(TEXT, "totals").split(", ")[1].split()[0].replace(",", ""))
        return sealed + before - 400 <= told <= sealed + stored()

    check("the totals count what running captures have stored", until(20, counted), browser.script(TEXT, "totals"))


def look_at_live(browser):
    now = "return [...document.querySelectorAll('article')].find((a) => a.querySelector('.running'))?.textContent"
    first = until(20, lambda: browser.script(now)) or ""
    asked = browser.script(FORM)
    browser.script("document.querySelectorAll('article details')[0].open = true")
    check("a running capture has its rate, losses and room",
          "packets stored" in first and "drop_drive" in first and "free" in first and "full in" in first, first)
    check("it is kept up to date", until(20, lambda: browser.script(now) != first), first)
    same = browser.script(FORM) == asked and browser.script("return document.querySelectorAll('article details')[0].open")
    check("what was chosen and opened stays meanwhile", same, browser.script(FORM))
    browser.log("performance")
    browser.tool("Emulation.setFocusEmulationEnabled", enabled=False)
    hide = "Object.defineProperty(document, 'visibilityState', { configurable: true, value: arguments[0] })"
    browser.script(hide, "hidden")
    time.sleep(1.5)
    browser.log("performance")
    time.sleep(4)
    hidden = [entry for entry in browser.log("performance") if "api/" in json.loads(entry["message"])["message"].get("params", {}).get("request", {}).get("url", "")]
    check("a page that is hidden asks for nothing", not hidden, len(hidden))
    browser.script(hide, "visible")


def look_at_layout(browser):
    for name, width, dark in (("wide", 1920, False), ("light", 1100, False), ("dark", 1100, True), ("narrow", 360, False), ("narrow-dark", 360, True)):
        browser.size(width, 1000, dark)
        time.sleep(0.7)
        spill = browser.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(f"nothing is wider than a window of {width} pixels ({name})", spill <= 0, spill)
        browser.script("window.scrollTo(0, 0)")
        browser.picture(name)
    browser.size(1100, 960)
    browser.picture("first-screen", whole=False)


def look(url, root, out):
    browser = Browser("chromedriver", out)
    urls = set()

    def requests():
        for entry in browser.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.add(message["params"]["request"]["url"])

    try:
        browser.size(1100, 1000)
        browser.tool("Browser.setDownloadBehavior", behavior="allow", downloadPath=out)
        browser.ask("POST", "/url", {"url": url})
        drawn = until(60, lambda: browser.script("return document.querySelectorAll('.u-over').length >= 4 && document.querySelectorAll('article').length"))
        check("the page shows each capture, and a timeline of them", drawn == 3, drawn)
        until(20, lambda: "drop_drive" in browser.script("return document.getElementById('charts').textContent"))
        legend = browser.script("return document.getElementById('charts').textContent")
        check("losses are there by the names of their causes", "nic_missed" in legend and "drop_drive" in legend, legend)
        check("each drive is there", all(drive in legend for drive in drives_of(root)), legend)
        jump = browser.ask("POST", "/execute/async", {"args": [], "script": JUMP})
        check("nothing jumps as it is loaded", jump < 0.1, jump)
        whole = look_at_drag(browser, root)
        look_at_keys(browser, whole)
        look_at_form(browser, root)
        requests()
        look_at_live(browser)
        look_at_totals(browser, root)
        look_at_pins(browser, root)
        look_at_layout(browser)
        requests()
        foreign = [one for one in urls if not one.startswith((url, "data:", "blob:" + url, "chrome:", "about:"))]
        check(f"none of {len(urls)} addresses that were asked is elsewhere", len(urls) > 5 and not foreign, foreign)
        said = [entry["message"] for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        check("the console has no error", not said, said)
    finally:
        browser.end()


if __name__ == "__main__":
    {"make": make, "run": run, "look": look}[sys.argv[1]](*sys.argv[2:])
