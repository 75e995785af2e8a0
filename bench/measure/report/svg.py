# SPDX-License-Identifier: BSD-3-Clause
"""Plots as SVG text. Colours are CSS classes of the page, so that they follow its light or dark theme."""

from dataclasses import dataclass
from html import escape
from math import log10

from .table import number


@dataclass
class Bar:
    value: float
    low: float
    high: float
    sure: bool = True


@dataclass
class Group:
    name: str
    bars: list  # Bar or None, one per series


ROW, GAP, LABEL, WIDTH, RIGHT = 15, 14, 150, 860, 90


def nice_step(top: float, parts: int = 5) -> float:
    """1, 2 or 5 times a power of ten, so that about `parts` of them reach `top`."""
    raw = top / parts
    power = 10 ** int(log10(raw) // 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw)


def kinds_of(series: list) -> list:
    """CSS classes: warm colours are wirespool's, cool ones everybody else's."""
    counts, kinds = {"w": 0, "c": 0}, []
    for name in series:
        letter = "w" if name.startswith("wirespool") else "c"
        kinds.append(f"{letter}{counts[letter]}")
        counts[letter] += 1
    return kinds


def text_at(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def grid(top: float, scale: float, height: float) -> list:
    step, parts, at = nice_step(top), [], 0.0
    while at <= top * 1.001:
        x = LABEL + at * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height:.1f}"/>')
        parts.append(text_at(x, height + 14, f"{at:g}", "tick", "middle"))
        at += step
    return parts


def bar_of(bar: Bar, colour: str, y: float, scale: float, name: str) -> list:
    end, middle = LABEL + bar.value * scale, y + ROW / 2
    kind = colour if bar.sure else f"{colour} unsure"
    tip = f"{name}: {number(bar.value)} ({number(bar.low)} to {number(bar.high)}){'' if bar.sure else ', inconclusive'}"
    return [
        f'<rect class="{kind}" x="{LABEL}" y="{y + 1:.1f}" width="{max(1.0, end - LABEL):.1f}" height="{ROW - 3}" rx="2">'
        f"<title>{escape(tip)}</title></rect>",
        f'<line class="whisker" x1="{LABEL + bar.low * scale:.1f}" y1="{middle:.1f}" x2="{LABEL + bar.high * scale:.1f}" y2="{middle:.1f}"/>',
        text_at(LABEL + bar.high * scale + 5, middle + 4, number(bar.value), "value"),
    ]


def bars(title: str, unit: str, series: list, groups: list) -> str:
    """Grouped bars, lying; a whisker from the smallest to the largest repeat."""
    present = [bar for group in groups for bar in group.bars if bar]
    if not present:
        return ""
    top = max(bar.high for bar in present) or 1.0
    scale = (WIDTH - LABEL - RIGHT) / top
    parts, y, kinds = [], 0.0, kinds_of(series)
    for group in groups:
        parts.append(text_at(LABEL - 8, y + ROW * len(series) / 2 + 4, group.name, "label", "end"))
        for i, bar in enumerate(group.bars):
            if bar:
                parts += bar_of(bar, kinds[i], y + i * ROW, scale, f"{group.name}, {series[i]}")
        y += ROW * len(series) + GAP
    height = y + 22
    legend = "".join(f'<span class="key"><i class="{kind}"></i>{escape(name)}</span>' for kind, name in zip(kinds, series))
    drawing = "".join(grid(top, scale, y - GAP / 2) + parts)
    return (
        f'<figure><figcaption>{escape(title)} <small>{escape(unit)}</small></figcaption><div class="legend">{legend}</div>'
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{drawing}</svg></figure>'
    )
