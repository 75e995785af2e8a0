// SPDX-License-Identifier: BSD-3-Clause
// Asks the service of this page, and nobody else. Texts of captures get into the page as text, never as HTML.
"use strict";

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

const words = { nic_missed: "the NIC had no room (nic_missed)", nic_errors: "the NIC saw errors (nic_errors)",
  nic_other: "the driver counted otherwise (nic_other)", no_mbuf: "no buffer was free (no_mbuf)",
  cut_by_driver: "cut by the driver (cut_by_driver)", drop_handoff: "writers were too slow (drop_handoff)",
  drop_drive: "drives took no more (drop_drive)" };

function losses(of) {
  if (!of) return ["not known: there is no ledger"];
  const lines = [];
  for (const [cause, packets] of Object.entries(of)) {
    if (cause === "lost") continue;
    if (packets === null) lines.push(`${words[cause] || cause}: not counted`);
    else if (packets > 0) lines.push(`${words[cause] || cause}: ${number(packets)}`);
  }
  return [of.lost === 0 ? "none that was counted" : `${number(of.lost)} packets`, ...lines];
}

// The answer, or the service's own words of why there is none.
async function ask(path, signal) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const response = await fetch(path, { headers, signal, cache: "no-store" });
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

// Where a capture lies in the time of all of them.
function track(capture, span) {
  const bar = make("span", {});
  const from = Date.parse(capture.first), to = Date.parse(capture.last);
  const percent = (part) => `${(100 * part) / Math.max(1, span.to - span.from)}%`;
  bar.style.left = percent(from - span.from);
  bar.style.width = percent(to - from);
  return make("div", { className: "track", role: "img",
    ariaLabel: `from ${when(capture.first)} to ${when(capture.last)}` }, bar);
}

function article_of(capture, span) {
  const title = make("h3", {}, `${capture.name} ${when(capture.start)}`);
  const state = capture.state + (capture.ended_by ? ` by ${capture.ended_by}` : "");
  const article = make("article", {}, make("header", {}, title, make("span", { className: "dim" }, state)));
  if (capture.first) article.append(track(capture, span));
  const lost = capture.losses && capture.losses.lost > 0;
  const list = make("dl", {}, ...row("Packets", `${number(capture.packets)} (${size(capture.bytes)}), from ${when(capture.first)} to ${when(capture.last)}`),
    ...row("On drives", size(capture.file_bytes), ...capture.directories), ...row("Lost", ...losses(capture.losses)));
  list.lastElementChild.className = lost ? "bad" : "";
  if (capture.gaps.length > 0)
    list.append(...row("Silent", ...capture.gaps.slice(0, 5).map((gap) => `${when(gap.from)} to ${when(gap.to)}`),
      ...(capture.gaps.length > 5 ? [`and ${capture.gaps.length - 5} more times`] : [])));
  article.append(list, files_of(capture.files));
  if (capture.first) article.append(make("p", { className: "actions" }, use_button("Ask for its time", capture.first, capture.last)));
  return article;
}

function show(report) {
  const times = report.captures.filter((capture) => capture.first);
  const span = { from: Math.min(...times.map((one) => Date.parse(one.first))), to: Math.max(...times.map((one) => Date.parse(one.last))) };
  const sum = (field) => report.captures.reduce((all, capture) => all + capture[field], 0);
  $("totals").textContent = `${counted(report.captures.length, "capture")}, ${number(sum("packets"))} packets, ${size(sum("file_bytes"))}`;
  const articles = report.captures.map((capture) => article_of(capture, span));
  if (report.other_files.length > 0)
    articles.push(make("article", {}, make("h3", {}, "Other files"), files_of(report.other_files)));
  $("captures").replaceChildren(...articles);
  $("notices").replaceChildren(...report.notices.map((text) => make("li", {}, text)));
}

async function read() {
  try {
    show(await (await ask("api/captures")).json());
    $("token-form").hidden = true;
  } catch (error) {
    $("totals").textContent = error.message;
    $("token-form").hidden = error.status !== 401;
    if (error.status === 401) $("token").focus();
  }
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
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  try {
    const result = await (await ask("api/estimate?" + new URLSearchParams(parameters()), signal)).json();
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
$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  read().then(estimate);
});
read().then(estimate);
