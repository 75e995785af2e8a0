// SPDX-License-Identifier: BSD-3-Clause
// The timeline: what was stored, lost and written to each drive, of all captures, by uPlot. A stretch that is dragged over is
// asked for and zoomed into; what the form asks for is shown as a band.
import { bins_of, causes } from "./ledgers.js";

const $ = (id) => document.getElementById(id);

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const shortest = 0.01;  // seconds that can be looked at
// Of a panel's plot, in pixels of CSS: how high it is, and how wide are its labels and what is right of it.
const height = 120, labels = 72, edge = 8;

function in_units(value, units) {
  let unit = 0;
  for (; value >= 1000 && unit + 1 < units.length; ++unit) value /= 1000;
  const digits = value >= 100 || (unit === 0 && Number.isInteger(value)) ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)) + units[unit];
}
const bytes = (value) => in_units(value, [" B", " kB", " MB", " GB", " TB", " PB"]);
const count = (value) => in_units(value, ["", " k", " M", " G", " T"]);

// As the form takes it, in microseconds at most.
export function text_of(time, digits) {
  const scale = 10 ** digits, whole = Math.round(time * scale), second = Math.floor(whole / scale);
  const fraction = digits > 0 ? "." + String(whole - second * scale).padStart(digits, "0") : "";
  return new Date(second * 1000).toISOString().slice(0, 19) + fraction + "Z";
}

// What the form has, roughly, for the band; NaN: not known here, and the service says what is wrong with it.
export function time_of(text, empty) {
  if (text === "") return empty;
  const ago = /^-(\d+(?:\.\d+)?)(ms|s|m|min|h|d|)$/.exec(text);
  if (ago) return Date.now() / 1000 - Number(ago[1]) * { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86400, "": 1 }[ago[2]];
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  return parts ? Date.parse(parts[1] + parts[3]) / 1000 + Number(parts[2] || 0) : NaN;
}

function span_text(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(1)} min`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86400).toFixed(1)} d`;
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Labels of the axis of time, as short as their distance allows; the day where it begins.
function axis_labels(splits, step) {
  let day = "";
  return splits.map((time) => {
    const text = text_of(time, step < 1 ? 3 : 0);
    if (step >= 86400) return text.slice(0, 10);
    const clock = step < 1 ? text.slice(11, 23) : text.slice(11, step < 60 ? 19 : 16);
    const new_day = text.slice(0, 10) !== day;
    day = text.slice(0, 10);
    return new_day ? `${clock}\n${day}` : clock;
  });
}

export class Timeline {
  #captures = [];  // [{from, to, name, running, gaps: [{from, to}]}]
  #curves = [];
  #view = null;    // {from, to}; null: the whole
  #before = [];    // views to go back to
  #selected = null;
  #panels = [];
  #bins = null;
  #cursor = null;
  #whole = { from: 0, to: 1 };
  #on_select;

  // on_select(from, to): texts for the form.
  constructor(on_select) {
    this.#on_select = on_select;
    this.#bind_buttons();
    $("charts").addEventListener("keydown", (event) => this.#key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    new ResizeObserver(() => this.#resize()).observe($("charts"));
    $("as-table").addEventListener("toggle", () => this.#show_table());
  }

  // What is to be seen; the view and what is selected stay.
  set(captures, curves) {
    this.#captures = captures;
    this.#curves = curves.filter((curve) => curve.times.length > 1);
    const times = [...captures, ...this.#curves.map((curve) => ({ from: curve.first, to: curve.last }))]
      .filter(({ from }) => Number.isFinite(from));
    $("time").hidden = times.length === 0;
    if (times.length === 0) return;
    const from = Math.min(...times.map((time) => time.from)), to = Math.max(...times.map((time) => time.to));
    const beside = Math.max(shortest / 2, (to - from) / 100);
    this.#whole = { from: from - beside, to: to + beside };
    const wanted = this.#specs().map((spec) => spec.key).join(" ");
    if (wanted !== this.#panels.map((panel) => panel.key).join(" ")) this.#build();
    else this.#draw();
  }

  // What the form asks for; null: everything.
  select(from, to) {
    this.#selected = Number.isNaN(from) || Number.isNaN(to) || (from === -Infinity && to === Infinity) ? null : { from, to };
    this.#place_bands();
    $("time-clear").disabled = !this.#selected;
  }

  get #shown() { return this.#view ?? this.#whole; }

  #names(prefix) {
    const names = new Set(this.#curves.flatMap((curve) => Object.keys(curve.columns)));
    return [...names].filter((name) => (prefix ? name.startsWith(prefix) : name in causes)).sort();
  }

  #specs() {
    const lost = Object.keys(causes).filter((cause) => this.#names().includes(cause));
    const specs = [
      { key: "stored-bytes", title: "Stored", unit: "/s", write: bytes, series: [{ name: "bytes", label: "bytes", color: "--bytes" }] },
      { key: "stored-packets", title: "Stored", unit: "/s", write: count, series: [{ name: "packets", label: "packets", color: "--packets" }] },
      { key: "lost:" + lost.join(), title: "Lost packets", unit: "/s", write: count, lost: true,
        series: lost.map((name) => ({ name, label: `${causes[name]} (${name})`, color: `--lost-${name}` })) }];
    const drives = this.#names("drive ");
    if (drives.length > 0)
      specs.push({ key: drives.join(), title: "Written to drives", unit: "/s", write: bytes,
        series: drives.map((name, i) => ({ name, label: name.slice(6), color: `--drive-${i % 6}` })) });
    return specs;
  }

  #build() {
    for (const panel of this.#panels) panel.plot.destroy();
    const specs = this.#specs();
    this.#panels = specs.map((spec, i) => this.#panel(spec, i === 0, i === specs.length - 1));
    $("charts").replaceChildren(...this.#panels.map((panel) => panel.element));
    this.#resize();
    this.#draw();
  }

  #width() { return Math.max(200, $("charts").clientWidth); }
  #plot_width() { return this.#width() - labels - edge; }

  #panel(spec, first, last) {
    const legend = make("p", { className: "legend" }), place = make("div", { className: "plot" });
    place.style.height = `${height + (last ? 44 : 8)}px`;
    const panel = { ...spec, first, last, legend, element: make("div", { className: "panel" }, legend, place) };
    const axis = { stroke: style("--dim"), grid: { stroke: style("--line"), width: 0.5 }, ticks: { stroke: style("--line"), width: 0.5 },
      font: "12px system-ui, sans-serif" };
    // The widest bars are drawn first: those of a stack stand one on another.
    const bars = uPlot.paths.bars({ size: [1, Infinity], align: 1, gap: 0 });
    const series = [...spec.series].reverse().map(({ color }) =>
      ({ fill: style(color), width: 0, paths: bars, points: { show: false } }));
    panel.plot = new uPlot({
      width: this.#width(), height: height + (last ? 44 : 8), legend: { show: false }, padding: [8, edge, 0, 0],
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC"),
      scales: { x: { time: true, range: () => [this.#shown.from, this.#shown.to] },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, size: last ? 44 : 8, values: (_, splits, __, ___, step) => (last ? axis_labels(splits, step) : splits.map(() => "")) },
        { ...axis, size: labels, values: (_, splits) => splits.map((value) => spec.write(value) + spec.unit) }],
      series: [{}, ...series],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false, setScale: false }, sync: { key: "time" } },
      hooks: { drawClear: [(plot) => this.#draw_gaps(plot)], draw: first ? [(plot) => this.#draw_marks(plot)] : [],
        setCursor: [(plot) => this.#point_at(plot.cursor.idx)] },
    }, [[0]].concat(spec.series.map(() => [null])), place);
    panel.band = make("div", { className: "band", hidden: true });
    panel.plot.over.append(panel.band);
    this.#bind_pointer(panel.plot);
    return panel;
  }

  #resize() {
    for (const { plot } of this.#panels)
      if (plot.width !== this.#width()) plot.setSize({ width: this.#width(), height: plot.height });
    if (this.#panels.length > 0) this.#draw();
  }

  #draw() {
    const { from, to } = this.#shown;
    const names = this.#panels.flatMap((panel) => panel.series.map(({ name }) => name));
    this.#bins = bins_of(this.#curves, names, from, to, Math.max(20, Math.floor(this.#plot_width() / 3)));
    for (const panel of this.#panels) {
      const sums = [];
      for (const { name } of panel.series) {
        const below = sums[sums.length - 1], rates = this.#bins.rates[name];
        sums.push(below ? rates.map((rate, i) => (rate === null ? below[i] : rate + (below[i] ?? 0))) : rates);
      }
      panel.plot.setData([this.#bins.edges, ...sums.reverse()]);
    }
    this.#place_bands();
    this.#show_legends();
    this.#show_table();
    $("time-whole").disabled = this.#view === null;
    $("time-back").disabled = this.#before.length === 0;
    $("view").textContent = `${text_of(from, 0).replace("T", " ")} to ${text_of(to, 0).replace("T", " ")} (${span_text(to - from)})`;
  }

  // Stretches without a packet, and those in which a port or a drive was away.
  #draw_gaps(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = style("--gap");
    for (const { from, to } of this.#gaps()) {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(Math.min(to, this.#shown.to), "x", true));
      if (right > left) ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    ctx.restore();
  }

  #gaps() {
    const away = this.#curves.flatMap((curve) => curve.away);
    const silent = this.#captures.flatMap((capture) => capture.gaps.map((gap) => ({ ...gap, why: `${capture.name}: no packet` })));
    return [...silent, ...away];
  }

  // Above the first panel: where captures lie, and each stretch in which something was lost, however little.
  #draw_marks(plot) {
    const { ctx, bbox } = plot, ratio = devicePixelRatio;
    const bar = (from, to, top, high, least) => {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      if (right + least > left && left < bbox.left + bbox.width && right >= bbox.left) ctx.fillRect(left, top, Math.max(least, right - left), high);
    };
    ctx.save();
    this.#captures.forEach((capture, i) => {
      ctx.fillStyle = style(capture.running ? "--running" : i % 2 === 0 ? "--capture" : "--capture-2");
      bar(capture.from, capture.to, 0, 3 * ratio, ratio);
    });
    ctx.fillStyle = style("--bad");
    const { edges, width, rates } = this.#bins;
    edges.forEach((edge, i) => {
      if (Object.keys(causes).some((cause) => rates[cause]?.[i] > 0)) bar(edge, edge + width, 4 * ratio, 4 * ratio, 2 * ratio);
    });
    ctx.restore();
  }

  #place_bands() {
    const { from, to } = this.#shown;
    for (const { band } of this.#panels) {
      const wide = this.#plot_width(), at = (time) => ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * wide;
      const chosen = this.#selected;
      band.hidden = !chosen || chosen.to <= from || chosen.from >= to;
      if (band.hidden) continue;
      band.style.left = `${at(chosen.from)}px`;
      band.style.width = `${Math.max(1, at(chosen.to) - at(chosen.from))}px`;
    }
  }

  // Looking elsewhere

  #look(from, to) {
    const whole = this.#whole, span = Math.min(Math.max(to - from, shortest), whole.to - whole.from);
    from = Math.min(Math.max(from, whole.from), whole.to - span);
    this.#before.push(this.#view);
    if (this.#before.length > 50) this.#before.shift();
    this.#view = span >= (whole.to - whole.from) * 0.999 ? null : { from, to: from + span };
    this.#draw();
  }
  #zoom(factor, center = (this.#shown.from + this.#shown.to) / 2) {
    const { from, to } = this.#shown;
    this.#look(center - (center - from) * factor, center + (to - center) * factor);
  }
  #pan(share) {
    const { from, to } = this.#shown, way = (to - from) * share;
    this.#look(from + way, to + way);
  }
  look_at_all() {
    if (this.#view) this.#look(-Infinity, Infinity);
  }
  #back() {
    if (this.#before.length === 0) return;
    this.#view = this.#before.pop();
    this.#draw();
  }

  #ask_for(from, to) {
    const digits = to - from > 60 ? 3 : 6;
    this.#on_select(text_of(from, digits), text_of(to, digits));
  }

  #bind_buttons() {
    const on = (id, act) => $(id).addEventListener("click", act);
    on("time-whole", () => this.look_at_all());
    on("time-back", () => this.#back());
    on("time-in", () => this.#zoom(0.5));
    on("time-out", () => this.#zoom(2));
    on("time-left", () => this.#pan(-0.25));
    on("time-right", () => this.#pan(0.25));
    on("time-use", () => this.#ask_for(this.#shown.from, this.#shown.to));
    on("time-clear", () => this.#on_select("", ""));
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const acts = { ArrowLeft: () => this.#pan(-0.25), ArrowRight: () => this.#pan(0.25), ArrowUp: () => this.#zoom(0.5), "+": () => this.#zoom(0.5),
      ArrowDown: () => this.#zoom(2), "-": () => this.#zoom(2), "0": () => this.look_at_all(), Home: () => this.look_at_all(),
      Backspace: () => this.#back(), Enter: () => this.#ask_for(this.#shown.from, this.#shown.to), Escape: () => this.#on_select("", "") };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  // Mouse, pen and finger alike; a finger that moves up or down scrolls the page.
  #bind_pointer(plot) {
    const { over } = plot;
    let began = null;
    const at = (event) => {
      const box = over.getBoundingClientRect(), { from, to } = this.#shown;
      return from + (Math.min(Math.max(event.clientX - box.left, 0), box.width) / box.width) * (to - from);
    };
    const chosen = (event) => ({ from: Math.min(began.time, at(event)), to: Math.max(began.time, at(event)) });
    const end = () => {
      began = null;
      this.select(...this.asked());
    };
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      began = { time: at(event), x: event.clientX };
      over.setPointerCapture(event.pointerId);
    });
    over.addEventListener("pointermove", (event) => {
      if (!began) return;
      this.#selected = chosen(event);
      this.#place_bands();
    });
    over.addEventListener("pointercancel", () => began && end());
    over.addEventListener("pointerup", (event) => {
      if (!began) return;
      const { from, to } = chosen(event), far = Math.abs(event.clientX - began.x) > 4;
      if (!far) return end();
      began = null;
      const beside = (to - from) * 0.05;  // so that both ends of what is asked for can be seen
      this.#look(from - beside, to + beside);
      this.#ask_for(from, to);
    });
    over.addEventListener("dblclick", () => this.look_at_all());
  }

  // What the form asks for now: to be set by who has the form.
  asked = () => [-Infinity, Infinity];

  // In words

  #point_at(index) {
    if (index === this.#cursor) return;
    this.#cursor = index ?? null;
    this.#show_legends();
  }

  // At the pointer: a second. Else: of all that is seen.
  #show_legends() {
    const { edges, width, rates } = this.#bins, i = this.#cursor, { from, to } = this.#shown;
    const pointed = i !== null && i < edges.length;
    for (const panel of this.#panels) {
      const items = panel.series.map(({ name, label, color }) => {
        const all = this.#curves.reduce((sum, curve) => sum + curve.amount(name, from, to), 0);
        return { label, color, all, amount: pointed ? rates[name][i] : all };
      }).filter(({ all }) => !panel.lost || all > 0);  // the same ones wherever the pointer is
      panel.legend.replaceChildren(make("b", {}, panel.title), ...items.map(({ label, color, amount }) => {
        const swatch = make("span", { className: "swatch" });
        swatch.style.background = style(color);
        const text = amount === null ? "–" : panel.write(pointed ? amount : Math.round(amount)) + (pointed ? panel.unit : "");
        return make("span", {}, swatch, `${label}: ${text}`);
      }), ...(panel.lost && items.length === 0 ? [make("span", {}, panel.series.length === 0 ? "not known" : "none that was counted")] : []));
      panel.legend.classList.toggle("bad", Boolean(panel.lost) && items.length > 0);
    }
    const gap = pointed ? this.#gaps().find((one) => one.from < edges[i] + width && one.to > edges[i]) : null;
    const names = pointed ? this.#captures.filter((one) => one.from < edges[i] + width && one.to > edges[i]).map((one) => one.name) : [];
    $("readout").textContent = pointed
      ? [text_of(edges[i], width < 1 ? 3 : 0).replace("T", " "), ...names.slice(0, 2), ...(names.length > 2 ? [`${names.length - 2} more`] : []),
          ...(gap ? [gap.why] : [])].join(" · ")
      : "Drag over a stretch to ask for its packets.";
  }

  // For who cannot see it: the same view in at most 24 rows.
  #show_table() {
    const details = $("as-table");
    if (!details.open) return;
    const { from, to } = this.#shown, rows = 24, names = this.#names();
    const { edges, width, rates } = bins_of(this.#curves, ["bytes", "packets", ...names], from, to, rows);
    const lost = (i) => names.filter((name) => rates[name][i] > 0).map((name) => `${causes[name]} (${name}): ${count(rates[name][i])}/s`).join(", ");
    const number = (value, write) => (value === null ? "no capture" : write(value) + "/s");
    const body = edges.map((edge, i) => make("tr", {}, make("th", { scope: "row" }, text_of(edge, width < 1 ? 3 : 0).replace("T", " ")),
      make("td", { className: "number" }, number(rates.bytes[i], bytes)), make("td", { className: "number" }, number(rates.packets[i], count)),
      make("td", { className: lost(i) ? "bad" : "" }, rates.bytes[i] === null ? "" : lost(i) || "none that was counted"),
      make("td", {}, make("button", { type: "button", onclick: () => this.#ask_for(edge, edge + width) }, "Use"))));
    const heads = ["From", "Bytes stored", "Packets stored", "Packets lost", ""];
    const head = make("tr", {}, ...heads.map((text, i) => make("th", { scope: "col", className: i === 1 || i === 2 ? "number" : "" }, text)));
    const focused = [...details.querySelectorAll("button")].indexOf(document.activeElement);
    details.querySelector(".scroll").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
    if (focused >= 0) details.querySelectorAll("button")[focused]?.focus();
  }
}
