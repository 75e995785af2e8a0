// SPDX-License-Identifier: BSD-3-Clause
// Asks the service of this page, and nobody else. Texts of captures get into the page as text, never as HTML.
import { causes, Curve, read_lines, seconds_of } from "./ledgers.js";
import { Timeline, time_of } from "./timeline.js";

const $ = (id) => document.getElementById(id);
let token = "";

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const number = (value) => value.toLocaleString("en");

const counted = (count, thing) => `${number(count)} ${thing}${count === 1 ? "" : "s"}`;

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  for (; bytes >= 1000 && unit + 1 < units.length; ++unit) bytes /= 1000;
  return (unit === 0 ? bytes : bytes.toFixed(bytes < 10 ? 2 : 1)) + " " + units[unit];
}

// Nanoseconds are more than people read; what is asked for has all of them.
const when = (time) => (time ? time.replace("T", " ").replace(/(\.\d{3})\d*Z$/, "$1") : "–");

const words = { cut_by_driver: "cut by the driver (cut_by_driver)" };
for (const [cause, text] of Object.entries(causes)) words[cause] = `${text} (${cause})`;

function losses(of) {
  if (!of) return ["not known: there is no ledger"];
  const bad = (text) => make("span", { className: "bad" }, text), lines = [of.lost === 0 ? "none that was counted" : bad(`${number(of.lost)} packets`)];
  for (const [cause, packets] of Object.entries(of)) {
    if (cause === "lost") continue;
    if (packets === null) lines.push(`${words[cause] || cause}: not counted`);
    else if (packets > 0) lines.push(bad(`${words[cause] || cause}: ${number(packets)}`));
  }
  return lines;
}

// The answer, or the service's own words of why there is none.
async function ask(path, { signal, method = "GET", body } = {}) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { headers, signal, method, body, cache: "no-store" });
  if (response.ok) return response;
  let error = { what: "service", why: `HTTP status ${response.status}`, what_to_do: "" };
  try {
    error = await response.json();
  } catch {
    // No JSON: a proxy's answer.
  }
  throw Object.assign(new Error([error.what, error.why, error.what_to_do].filter(Boolean).join(": ")),
    { status: response.status, what: error.what });
}

// Captures

function use(from, to) {
  $("query-form").elements.from.value = from;
  $("query-form").elements.to.value = to;
  estimate();
  $("query-form").elements.filter.focus();
}

// The last packet's own time is not before itself: the next nanosecond is.
function behind(time) {
  const [, second, fraction] = /^(.*)\.(\d{9})Z$/.exec(time) || [];
  if (fraction === undefined || fraction === "999999999") return "";
  return `${second}.${String(Number(fraction) + 1).padStart(9, "0")}Z`;
}

const use_button = (label, first, last) =>
  make("button", { type: "button", onclick: () => use(first, behind(last)) }, label);

function file_row(file) {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  const marks = [file.pinned ? "pinned" : "", file.archived ? "archived" : ""].filter(Boolean).join(", ");
  const of_packets = file.counted
    ? [make("td", { className: "number" }, number(file.packets)), make("td", {}, when(file.first)),
        make("td", {}, when(file.last))]
    : [make("td", { colSpan: 3 }, "not counted: it has no index")];
  return make("tr", {}, make("td", { title: file.path }, name), make("td", { className: "number" }, size(file.file_bytes)),
    ...of_packets, make("td", {}, file.index), make("td", {}, marks),
    make("td", {}, file.counted && file.packets > 0 ? use_button("Use", file.first, file.last) : ""));
}

function files_of(files) {
  const heads = ["File", "Size", "Packets", "First", "Last", "Index", "Kept", ""];
  const head = make("tr", {}, ...heads.map((text) =>
    make("th", { scope: "col", className: text === "Size" || text === "Packets" ? "number" : "" }, text)));
  const details = make("details", {}, make("summary", {}, counted(files.length, "file")));
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...files.map(file_row)));
    details.append(make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Files" }, table));
  });
  return details;
}

function row(name, ...lines) {
  return [make("dt", {}, name), make("dd", {}, ...lines.flatMap((line, i) => (i === 0 ? [line] : [make("br", {}), line])))];
}

// Captures that run are looked at again and again; what somebody has opened, chosen or typed stays as it is.
const shown = new Map();   // by key: what the page has of a capture
const curves = new Map();  // by key: its ledger
const key_of = ({ name, start }) => `${name}-${(start || "").replaceAll(/[-:]/g, "")}`;

const per_second = (value, write) => (value === null ? "not known yet" : write(value) + "/s");

function now_of(curve) {
  if (!curve?.newest) return ["not known: there is no ledger line yet"];
  const rate = (name) => curve.rate(name, 5);
  return [`${per_second(rate("bytes"), (value) => size(Math.round(value)))}, ${per_second(rate("packets"), (value) => number(Math.round(value)))} packets stored, ` +
    `by the ledger of ${when(curve.newest.time)}`];
}

function hours(seconds) {
  if (seconds < 7200) return `${Math.floor(seconds / 60)} minutes`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} hours` : `${(seconds / 86400).toFixed(1)} days`;
}

// How long until a file system is full, at what all running captures wrote to it in the last minute.
function room_of(paths, free, total, beside) {
  const where = paths.join(", ");
  if (free === null) return `${where}: free bytes are not known`;
  let rate = 0, kept = false;
  for (const [key, curve] of curves) {
    if (shown.get(key)?.state !== "running") continue;
    for (const drive of curve.newest?.drives ?? []) {
      if (!beside.includes(drive.path)) continue;
      rate += curve.rate("drive " + drive.path, 60) ?? 0;
      kept ||= Boolean(drive.removed);
    }
  }
  const text = `${where}: ${size(free)} of ${size(total)} free`;
  if (kept) return `${text}; retention removes the oldest files before it is full`;
  return rate > 0 ? `${text}, full in ${hours(free / rate)} at ${size(Math.round(rate))}/s` : `${text}, and nothing is written`;
}

// A line for each file system that a capture writes to.
function rooms_of(capture, drives) {
  const unknown = { free_bytes: null, total_bytes: null, file_system: null }, systems = new Map();
  for (const path of capture.directories) {
    const drive = drives.find((one) => one.directory === path) ?? unknown, system = drive.file_system ?? path;
    if (!systems.has(system)) systems.set(system, { ...drive, paths: [] });
    systems.get(system).paths.push(path);
  }
  return [...systems.values()].map(({ paths, free_bytes, total_bytes, file_system }) => room_of(paths, free_bytes, total_bytes,
    drives.filter((one) => one.file_system === file_system).map((one) => one.directory)));
}

function facts_of(capture, drives) {
  const curve = curves.get(key_of(capture)), running = capture.state === "running";
  const sealed = running ? " in sealed files" : "";
  const facts = [...row("Packets", capture.packets > 0
    ? `${number(capture.packets)} (${size(capture.bytes)})${sealed}, from ${when(capture.first)} to ${when(capture.last)}` : `none${sealed}`)];
  if (running) facts.push(...row("Now", ...now_of(curve)));
  facts.push(...row("On drives", size(capture.file_bytes), ...capture.directories));
  if (running) facts.push(...row("Room", ...rooms_of(capture, drives)));
  facts.push(...row("Lost", ...losses(running && curve?.newest ? curve.losses() : capture.losses)));
  if (capture.gaps.length > 0)
    facts.push(...row("Silent", ...capture.gaps.slice(0, 5).map((gap) => `${when(gap.from)} to ${when(gap.to)}`),
      ...(capture.gaps.length > 5 ? [`and ${capture.gaps.length - 5} more times`] : [])));
  return facts;
}

// The article of a capture, made once and brought up to date: nothing that is open closes.
function article_of(capture, drives) {
  const key = key_of(capture);
  let one = shown.get(key);
  if (!one) {
    one = { state_text: make("span", { className: "dim" }), list: make("dl", {}), files: make("div", {}), use: make("p", { className: "actions" }) };
    one.article = make("article", {}, make("header", {}, make("h3", {}, `${capture.name} ${when(capture.start)}`), one.state_text),
      one.list, one.files, one.use);
    shown.set(key, one);
  }
  one.state = capture.state;
  one.capture = capture;
  one.state_text.textContent = capture.state + (capture.ended_by ? ` by ${capture.ended_by}` : "");
  one.state_text.className = capture.state === "running" ? "running" : "dim";
  one.list.replaceChildren(...facts_of(capture, drives));
  const files = capture.files.map((file) => file.path).join("\n");
  if (files !== one.paths) {
    const open = one.files.querySelector("details")?.open;
    one.files.replaceChildren(...(files ? [files_of(capture.files)] : []));
    if (open && files) one.files.firstChild.open = true;
    one.paths = files;
  }
  if (capture.first && one.last !== capture.last && !one.use.contains(document.activeElement)) {
    one.use.replaceChildren(use_button("Ask for its time", capture.first, capture.last));
    one.last = capture.last;
  }
  return one.article;
}

let report = null;

function show_timeline() {
  const spans = report.captures.map((capture) => {
    const curve = curves.get(key_of(capture));
    const times = [curve?.first, curve?.last, ...[capture.first, capture.last].filter(Boolean).map(seconds_of)].filter(Number.isFinite);
    return { from: Math.min(...times), to: Math.max(...times), name: capture.name, running: capture.state === "running",
      gaps: capture.gaps.map((gap) => ({ from: seconds_of(gap.from), to: seconds_of(gap.to) })) };
  });
  timeline.set(spans.filter(({ from }) => Number.isFinite(from)), [...curves.values()]);
}

// Packets and bytes on drives: of sealed files, or, while it runs, what its ledger has stored less what retention took away.
function held_by(capture) {
  const line = capture.state === "running" ? curves.get(key_of(capture))?.newest : null;
  if (!line) return { packets: capture.packets, bytes: capture.file_bytes };
  const sum = (of) => line.drives.reduce((all, drive) => all + (of(drive) ?? 0), 0);
  return { packets: Math.max(0, line.totals.stored - sum((drive) => drive.removed?.packets)),
    bytes: Math.max(0, sum((drive) => drive.bytes) - sum((drive) => drive.removed?.file_bytes)) };
}

function show() {
  const held = report.captures.map(held_by), sum = (field) => held.reduce((all, one) => all + one[field], 0);
  $("totals").textContent = `${counted(report.captures.length, "capture")}, ${number(sum("packets"))} packets, ${size(sum("bytes"))}`;
  const articles = report.captures.map((capture) => article_of(capture, report.drives));
  const others = report.other_files.map((file) => file.path).join("\n");
  if (others !== show.others) {
    show.others = others;
    show.others_article = others ? make("article", {}, make("h3", {}, "Other files"), files_of(report.other_files)) : null;
  }
  if (show.others_article) articles.push(show.others_article);
  const now = [...$("captures").children];
  if (now.length !== articles.length || now.some((article, i) => article !== articles[i])) $("captures").replaceChildren(...articles);
  $("notices").replaceChildren(...report.notices.map((text) => make("li", {}, text)));
}

// The ledgers that are not known yet, newest capture first; each is shown as soon as it is there.
async function read_ledgers() {
  const missing = report.captures.filter((capture) => !curves.has(key_of(capture))).reverse();
  const lines = Math.max(200, Math.min(4000, Math.floor(20_000 / Math.max(1, missing.length))));
  for (const capture of missing) {
    const key = key_of(capture), curve = new Curve(key);
    curves.set(key, curve);
    try {
      await read_lines(await ask(`api/ledger?capture=${encodeURIComponent(key)}&lines=${lines}`), (line) => curve.add(line));
    } catch (error) {
      if (error.status !== 404) curves.delete(key);  // 404: it has none
    }
    show_timeline();
  }
  show_timeline();
  show();
}

// The newest lines of captures that run. True: one of them has ended.
async function follow() {
  let ended = false;
  for (const capture of report.captures.filter(({ state }) => state === "running")) {
    const curve = curves.get(key_of(capture));
    if (!curve) continue;
    // Enough for the time that the page was hidden, or else what is between stays a straight line.
    const since = curve.newest ? Math.ceil(Date.now() / 1000 - curve.last) + 2 : 10;
    const last = Math.min(1000, Math.max(2, since));
    await read_lines(await ask(`api/ledger?capture=${encodeURIComponent(curve.key)}&last=${last}`), (line) => curve.add(line));
    ended ||= Boolean(curve.newest?.final);
  }
  return ended;
}

async function read() {
  try {
    report = await (await ask("api/captures")).json();
    $("token-form").hidden = true;
    show();
    await read_service();
    await read_ledgers();
  } catch (error) {
    $("totals").textContent = error.message;
    $("token-form").hidden = error.status !== 401;
    if (error.status === 401) $("token").focus();
  }
}

// While the page can be seen: ledgers of running captures every second, what is sealed and free every ten; less often where
// that takes long.
async function keep_up() {
  let read_at = performance.now();
  for (;;) {
    const began = performance.now();
    let pause = 1000;
    if (report && document.visibilityState === "visible") {
      try {
        const ended = await follow();
        const running = report.captures.some(({ state }) => state === "running");
        if (ended || performance.now() - read_at > (running ? 10_000 : 60_000)) {
          report = await (await ask("api/captures")).json();
          if (service) await read_pins();
          read_at = performance.now();
          await read_ledgers();
        } else if (running) {
          show();
          show_timeline();
        }
      } catch {
        pause = 10_000;  // it does not answer: what is shown stays
      }
      pause = Math.max(pause, 10 * (performance.now() - began));
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

// Pins

let service = null;  // what it allows

async function read_service() {
  service = await (await ask("api/service")).json();
  $("pin-form").hidden = !service.allow_keep;
  $("live").hidden = service.pcap_over_ip === null;
  $("live-command").textContent = `wireshark -k -i TCP@${service.pcap_over_ip}`;
  await read_pins();
}

const name_of = (path) => path.slice(path.lastIndexOf("/") + 1);

// What it was pinned for, in words; FILE.keep may be anybody's.
function reason_of(pin) {
  if (!pin) return "not by wirespool";
  const times = [pin.from ? `from ${when(pin.from)}` : "", pin.to ? `to ${when(pin.to)}` : ""];
  return [pin.reason, ...times, pin.filter].filter(Boolean).join(" ") || "no reason given";
}

function pin_row(file) {
  const release = make("button", { type: "button", ariaLabel: `Release ${name_of(file.path)}`,
    onclick: () => change_pins("DELETE", "api/pins?" + new URLSearchParams({ file: name_of(file.path) })) }, "Release");
  return make("tr", {}, make("td", { title: file.path }, name_of(file.path)),
    make("td", { className: "long" }, file.outcome === "gone" ? "the file is gone" : file.pin ? file.pin.who : ""),
    make("td", {}, file.pin ? when(file.pin.when) : ""), make("td", { className: "long" }, reason_of(file.pin)),
    make("td", {}, service.allow_keep ? release : ""));
}

async function read_pins() {
  const pins = await (await ask("api/pins")).json(), text = JSON.stringify(pins.files);
  if (text === read_pins.text) return;
  read_pins.text = text;
  $("pins").hidden = pins.files.length === 0;
  $("pins-summary").textContent = counted(pins.files.length, "pinned file");
  $("pins-rows").replaceChildren(...pins.files.map(pin_row));
}

// Then what is shown is as it is now, whether or not that was done.
async function change_pins(method, path, body) {
  $("pin").disabled = true;
  try {
    const done = await (await ask(path, { method, body })).json();
    const of = (outcome) => done.files.filter((file) => file.outcome === outcome).length, already = of("pinned already");
    $("pinned").textContent = method === "DELETE" ? `${counted(of("released"), "file")} released`
      : `${counted(of("pinned"), "file")} pinned${already > 0 ? `, ${number(already)} were already` : ""}` +
        `${done.notices.length > 0 ? ": " + done.notices.join("; ") : ""}`;
  } catch (error) {
    $("pinned").textContent = "Not done: " + error.message;
  }
  $("pin").disabled = false;
  report = await (await ask("api/captures")).json();
  show();
  await read_pins();
}

// By time and filter: a pin knows no flow, and one packet pins its whole file.
function pin() {
  const fields = Object.fromEntries(parameters()), { from, to, filter } = fields;
  if (fields.flow || fields.community_id) return void ($("pinned").textContent = "Files are pinned by time and filter: clear flow and Community ID");
  if (!from && !to && !filter) return void ($("pinned").textContent = "Say which: fill in a time or a filter");
  return change_pins("POST", "api/pins", JSON.stringify({ from, to, filter, reason: $("reason").value.trim() }));
}

// The query

function parameters() {
  const filled = [...new FormData($("query-form"))].filter(([, value]) => value.trim() !== "");
  return filled.map(([name, value]) => [name, value.trim()]);
}

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function show_links() {
  const query = new URLSearchParams(parameters()).toString();
  const pcapng = parameters().some(([name, value]) => name === "format" && value === "pcapng");
  const url = new URL("api/extract", location);
  $("download").href = "api/extract" + (query ? "?" + query : "");
  $("download").hidden = token !== "";
  $("fetch").hidden = token === "";
  const shown = parameters().map(([name, value]) => ` --data-urlencode ${quoted(name + "=" + value)}`).join("");
  const header = token ? ' -H "Authorization: Bearer $(cat tokens)"' : "";
  $("command").textContent = `curl -fG ${url}${header}${shown} -o wirespool.${pcapng ? "pcapng" : "pcap"}`;
}

function asked_times() {
  const { from, to } = $("query-form").elements;
  return [time_of(from.value.trim(), -Infinity), time_of(to.value.trim(), Infinity)];
}

const timeline = new Timeline((from, to) => {
  $("query-form").elements.from.value = from;
  $("query-form").elements.to.value = to;
  estimate();
});
timeline.asked = asked_times;

function words_of(estimate) {
  const packets = estimate.packets_at_most === null ? "an unknown number of packets" : `at most ${number(estimate.packets_at_most)} packets`;
  const blocks = estimate.blocks_at_most === null ? "" : `, ${number(estimate.blocks_at_most)} Blocks`;
  return `${packets}; to be read: ${number(estimate.files_to_read)} of ${number(estimate.files)} files${blocks}, ` +
    `${size(estimate.bytes_to_read)}${estimate.missing ? "; " + estimate.missing : ""}`;
}

function show_problem(error) {
  for (const input of $("query-form").querySelectorAll("input"))
    input.setAttribute("aria-invalid", String(Boolean(error) && input.name === error.what));
  $("problem").textContent = error ? error.message : "";
  $("download").setAttribute("aria-disabled", String(Boolean(error)));
  $("fetch").disabled = Boolean(error);
}

let asked;  // the newest estimate: an older one that comes late is not shown
async function estimate() {
  show_links();
  timeline.select(...asked_times());
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  try {
    const result = await (await ask("api/estimate?" + new URLSearchParams(parameters()), { signal })).json();
    show_problem(null);
    $("estimate").textContent = words_of(result);
  } catch (error) {
    if (signal.aborted) return;
    $("estimate").textContent = "";
    if (error.status !== 401) show_problem(error);
  }
}

let typed;
function estimate_soon() {
  clearTimeout(typed);
  typed = setTimeout(estimate, 300);
}

// With a token a link cannot be followed: the page fetches, and hands over what is whole.
async function download() {
  $("fetch").disabled = true;
  try {
    const response = await ask($("download").getAttribute("href"));
    const pieces = [];
    let bytes = 0;
    const reader = response.body.getReader();
    for (let piece; !(piece = await reader.read()).done; ) {
      pieces.push(piece.value);
      bytes += piece.value.length;
      $("progress").textContent = size(bytes);
    }
    const url = URL.createObjectURL(new Blob(pieces));
    make("a", { href: url, download: $("command").textContent.endsWith("pcapng") ? "wirespool.pcapng" : "wirespool.pcap" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    $("progress").textContent = "It is not whole: " + error.message;
  }
  $("fetch").disabled = false;
}

$("reload").addEventListener("click", () => read().then(estimate));
$("query-form").addEventListener("input", estimate_soon);
$("query-form").addEventListener("reset", () => setTimeout(estimate));
$("query-form").addEventListener("submit", (event) => {
  event.preventDefault();
  estimate();
});
$("download").addEventListener("click", (event) => {
  if ($("download").getAttribute("aria-disabled") === "true") event.preventDefault();
});
$("fetch").addEventListener("click", download);
$("pin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  pin();
});
$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  read().then(estimate);
});
read().then(estimate).then(keep_up);
