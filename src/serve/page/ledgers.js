// SPDX-License-Identifier: BSD-3-Clause
// Ledgers as curves. What a capture counted since its start is a line from point to point; how much it was in any stretch of
// time is the difference of two values, so that lines that are left out cost detail and no packet.

// Seconds since 1970, with the nanoseconds as far as a double has them.
export function seconds_of(time) {
  const [, second, fraction] = /^(.*?)(\.\d+)?Z$/.exec(time) || [];
  return second === undefined ? NaN : Date.parse(second + "Z") / 1000 + Number(fraction || 0);
}

// What a loss is called, in the order in which packets meet it.
export const causes = { nic_missed: "the NIC had no room", nic_errors: "the NIC saw errors",
  nic_other: "the driver counted otherwise", no_mbuf: "no buffer was free", drop_handoff: "writers were too slow",
  drop_drive: "drives took no more" };

// Of one line, by name; a cause that no port counts is not there.
function columns_of(line) {
  const columns = { bytes: line.totals.stored_bytes, packets: line.totals.stored, drop_handoff: line.totals.drop_handoff,
    drop_drive: line.totals.drop_drive };
  for (const cause of ["nic_missed", "nic_errors", "nic_other", "no_mbuf"]) {
    const counts = line.ports.map((port) => port[cause]).filter((count) => typeof count === "number");
    if (counts.length > 0) columns[cause] = counts.reduce((sum, count) => sum + count, 0);
  }
  for (const drive of line.drives) columns["drive " + drive.path] = drive.bytes;
  return columns;
}

const most_points = 8000;

export class Curve {
  constructor(key) {
    this.key = key;
    this.times = [];
    this.columns = {};
    this.away = [];  // [{from, to, why}]: ports that had been reset, drives that took nothing
    this.newest = null;
  }

  get first() { return this.times[0]; }
  get last() { return this.times[this.times.length - 1]; }

  #push(time, columns) {
    const before = this.times.length;
    this.times.push(time);
    for (const name of Object.keys(columns))
      this.columns[name] ??= new Array(before).fill(0);
    for (const [name, values] of Object.entries(this.columns))
      values.push(columns[name] ?? values[values.length - 1] ?? 0);
  }

  // Every second point goes; the first and the last stay.
  #thin() {
    const stays = (_, i, all) => i % 2 === 0 || i === all.length - 1;
    this.times = this.times.filter(stays);
    for (const name of Object.keys(this.columns)) this.columns[name] = this.columns[name].filter(stays);
  }

  // A line that is older than what is known, as where the clock was set back, is left out. True: it is new.
  add(line) {
    const time = seconds_of(line.time);
    if (!(time > (this.last ?? -Infinity))) return false;
    const start = time - line.elapsed_ns / 1e9;
    if (this.times.length === 0 && !line.lines_gone && start < time) this.#push(start, {});
    this.#push(time, columns_of(line));
    if (this.times.length > most_points) this.#thin();
    const gaps = (line.gaps || []).map((gap) => ({ ...gap, what: `port ${gap.port}` }));
    for (const drive of line.drives)
      for (const gap of drive.away || []) gaps.push({ ...gap, what: drive.path });
    this.away = gaps.map((gap) => ({ from: seconds_of(gap.from), to: gap.to ? seconds_of(gap.to) : Infinity,
      why: `${gap.what}: ${gap.why}` }));
    this.newest = line;
    return true;
  }

  // To the newest line, as /api/captures has them: null where no port counts a cause.
  losses() {
    const result = { lost: 0 }, ports = this.newest.ports;
    for (const cause of Object.keys(causes)) {
      const counts = cause.startsWith("drop_") ? [this.newest.totals[cause]] : ports.map((port) => port[cause]);
      const known = counts.filter((value) => typeof value === "number"), sum = known.reduce((all, value) => all + value, 0);
      result.lost += sum;
      if (cause === "nic_other" && sum === 0) continue;
      result[cause] = known.length < counts.length ? null : sum;
    }
    return result;
  }

  // The last point that is not behind `time`.
  #before(time) {
    let low = 0, high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Counted from the start to `time`.
  #at(values, time) {
    if (time <= this.first) return values[0];
    if (time >= this.last) return values[values.length - 1];
    const i = this.#before(time), share = (time - this.times[i]) / (this.times[i + 1] - this.times[i]);
    return values[i] + share * (values[i + 1] - values[i]);
  }

  // How many seconds of this stretch it ran.
  ran(from, to) { return Math.max(0, Math.min(to, this.last) - Math.max(from, this.first)); }

  amount(name, from, to) {
    const values = this.columns[name];
    return values ? Math.max(0, this.#at(values, to) - this.#at(values, from)) : 0;
  }

  // A second, over the newest `span` seconds; null: too little is known.
  rate(name, span) {
    const from = Math.max(this.first, this.last - span);
    return this.last > from ? this.amount(name, from, this.last) / (this.last - from) : null;
  }
}

// A ledger's lines as they come, each to `take`.
export async function read_lines(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (let piece; !(piece = await reader.read()).done; ) {
    const lines = (held + piece.value).split("\n");
    held = lines.pop();
    for (const line of lines) {
      try {
        take(JSON.parse(line));
      } catch {
        // Half a line that a crash left: `verify` tells.
      }
    }
  }
}

// Stretches of equal length from `from` to `to`, of all curves together: rates a second, null where none ran.
export function bins_of(curves, names, from, to, count) {
  const width = (to - from) / count;
  const edges = Array.from({ length: count }, (_, i) => from + i * width);
  const rates = Object.fromEntries(names.map((name) => [name, new Array(count).fill(null)]));
  for (const curve of curves) {
    if (!(curve.last > from && curve.first < to)) continue;
    const first = Math.max(0, Math.floor((curve.first - from) / width));
    const last = Math.min(count - 1, Math.floor((curve.last - from) / width));
    for (let i = first; i <= last; ++i) {
      const seconds = curve.ran(edges[i], edges[i] + width);
      if (seconds <= 0) continue;
      for (const name of names)
        rates[name][i] = (rates[name][i] ?? 0) + curve.amount(name, edges[i], edges[i] + width) / seconds;
    }
  }
  return { edges, width, rates };
}
