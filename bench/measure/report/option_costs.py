# SPDX-License-Identifier: BSD-3-Clause
"""What each option of a capture costs per packet, out of the counts of bench/instructions.sh: a table in bench/README.md."""

from .table import Table

FRAMES = ["64 B", "CAIDA-like"]

# What it is called, whose lcore, the count with it and the one without; None: it is counted by itself.
OPTIONS = [
    ["`--handoff packets`, nothing else", "RX", "packets: rx lcore, {}", None],
    ["", "writer", "packets: writer lcore, {}", None],
    ["`--handoff blocks`, nothing else", "RX", "blocks: rx lcore, {}", None],
    ["`--filter`, by librte_bpf", "RX", "until rx, --filter by librte_bpf, {}", "until rx, {}"],
    ["`--filter`, by libpcap", "RX", "until rx, --filter by libpcap, {}", "until rx, {}"],
    ["`--slice l4`", "RX", "packets: rx lcore, --slice l4, {}", "packets: rx lcore, {}"],
    ["`--flows`, `--cutoff`", "RX", "until rx, --flows, {}", "until rx, {}"],
    ["`--checksum on`", "writer", "checksums: writer lcore, {}", None],
    ["`--index flow`", "writer", "index flow: writer lcore, {}", None],
    ["`--format pcapng`, packets", "RX", "packets: rx lcore, {}, pcapng", "packets: rx lcore, {}"],
    ["", "writer", "packets: writer lcore, {}, pcapng", "packets: writer lcore, {}"],
    ["`--format pcapng`, blocks", "RX", "blocks: rx lcore, {}, pcapng", "blocks: rx lcore, {}"],
]


def option_costs(counts: dict, tcpdump: dict, toolchain: str) -> Table:
    """`counts`, `tcpdump`: instructions per packet by name; what was not counted is "-"."""

    def cost(name: str, without: str, frames: str) -> str:
        value = counts.get(name.format(frames))
        base = counts.get(without.format(frames)) if without else None
        if value is None or (without and base is None):
            return "-"
        return f"+{value - base:.1f}" if without else f"{value:.1f}"

    rows = [[name, lcore, *(cost(with_it, without, frames) for frames in FRAMES)] for name, lcore, with_it, without in OPTIONS]
    for name in ("tcpdump --count", "tcpdump's filter"):
        found = [tcpdump.get(f"{name}, {frames}") for frames in FRAMES]
        rows.append([name, "its process", *("-" if value is None else f"{value:.1f}" for value in found)])
    return Table(f"What options cost, in instructions per packet ({toolchain})", ["option", "lcore", *FRAMES], rows)
