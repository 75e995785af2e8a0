# SPDX-License-Identifier: BSD-3-Clause
"""Lines over a few steps, as SVG text. Colours are CSS classes of the page, so that they follow its light or dark theme.

A point that is not sure is hollow, has a "?" and is joined with nothing: it says what the machine left room for, and limits no switch.
"""

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from measure.report.svg import nice_step, text_at
from measure.report.table import number

WIDTH, HEIGHT = 430, 250
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40
COLOURS = 7
CORNERS = {
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "triangle": [(0, -1.2), (1.1, 1), (-1.1, 1)],
    "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
}
SHAPES = ("circle", *CORNERS)


@dataclass
class Point:
    step: int  # which of the panel's steps
    value: float
    low: float
    high: float
    sure: bool = True


@dataclass
class Series:
    name: str
    number: int  # its colour and shape, the same in all panels
    points: list


@dataclass
class Panel:
    title: str
    unit: str
    across: str  # what the steps are
    steps: list  # words
    series: list
    logarithmic: bool = False


class Scale:
    def __init__(self, panel: Panel):
        points = [point for one in panel.series for point in one.points]
        self.logarithmic = panel.logarithmic and min(point.low for point in points) > 0
        top = max(max(point.value, point.high) for point in points) or 1.0
        if self.logarithmic:
            self.low, self.high = floor(log10(min(point.low for point in points))), ceil(log10(top * 1.01))
            self.ticks = [10.0**power for power in range(self.low, self.high + 1)]
        else:
            step = nice_step(top, 4)
            self.low, self.high = 0.0, step * ceil(top / step + 0.001)
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]

    def y(self, value: float) -> float:
        at = log10(value) if self.logarithmic else value
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (at - self.low) / (self.high - self.low))


def x_of(panel: Panel, step: int, at: int) -> float:
    """Series stand beside each other within a step, so that none hides another."""
    room = (WIDTH - LEFT - RIGHT) / len(panel.steps)
    aside = (at - (len(panel.series) - 1) / 2) * min(9.0, room / (len(panel.series) + 1))
    return LEFT + room * (step + 0.5) + aside


def mark(x: float, y: float, series: int, sure: bool, tip: str) -> str:
    r, shape = 4.0, SHAPES[series % len(SHAPES)]
    kind = f"s{series % COLOURS}{'' if sure else ' hollow'}"
    title = f"<title>{escape(tip)}</title>"
    if shape == "circle":
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{r}">{title}</circle>'
    points = " ".join(f"{x + a * r:.1f},{y + b * r:.1f}" for a, b in CORNERS[shape])
    return f'<polygon class="{kind}" points="{points}">{title}</polygon>'


def drawn(panel: Panel, scale: Scale, series: Series, at: int) -> list:
    parts, before = [], None
    colour = f"s{series.number % COLOURS}"
    for point in sorted(series.points, key=lambda point: point.step):
        x, y = x_of(panel, point.step, at), scale.y(point.value)
        if point.high > point.low:
            faint = "" if point.sure else " unsure"
            parts.append(f'<line class="{colour} whisker{faint}" x1="{x:.1f}" y1="{scale.y(point.low):.1f}" x2="{x:.1f}" y2="{scale.y(point.high):.1f}"/>')
        if before and point.sure:
            parts.append(f'<line class="{colour} join" x1="{before[0]:.1f}" y1="{before[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>')
        before = (x, y) if point.sure else None
        doubt = "" if point.sure else ", inconclusive: no limit of the switch"
        tip = f"{series.name}, {panel.steps[point.step]}: {number(point.value)} {panel.unit}{doubt}"
        parts.append(mark(x, y, series.number, point.sure, tip))
        if not point.sure:
            parts.append(text_at(x, y - 6, "?", "doubt", "middle"))
    return parts


def frame(panel: Panel, scale: Scale) -> list:
    parts = []
    for tick in scale.ticks:
        y = scale.y(tick)
        parts += [f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>', text_at(LEFT - 5, y + 4, f"{tick:,.10g}", "tick", "end")]
    room = (WIDTH - LEFT - RIGHT) / len(panel.steps)
    parts += [text_at(LEFT + room * (step + 0.5), HEIGHT - BOTTOM + 16, word, "label", "middle") for step, word in enumerate(panel.steps)]
    return [*parts, text_at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, panel.across, "tick", "middle")]


def svg(panel: Panel) -> str:
    """One chart; nothing if there is no point in it."""
    if not any(one.points for one in panel.series):
        return ""
    scale = Scale(panel)
    parts = frame(panel, scale)
    for at, series in enumerate(panel.series):
        parts += drawn(panel, scale, series, at)
    name = f"{panel.title}, {panel.unit}"
    return (
        f'<div class="panel"><p class="what">{escape(panel.title)} <small>{escape(panel.unit)}</small></p>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}; the table below has the same numbers">{"".join(parts)}</svg></div>'
    )


def legend(panels: list) -> str:
    """Each series once, with its mark, and what a hollow one is if there is any."""
    found = {one.name: one.number for panel in panels for one in panel.series if one.points}
    keys = [f'<span class="key"><svg viewBox="0 0 14 14">{mark(7, 7, number, True, name)}</svg>{escape(name)}</span>' for name, number in found.items()]
    if any(not point.sure for panel in panels for one in panel.series for point in one.points):
        keys.append('<span class="key">hollow and ?: inconclusive, the machine lacked CPUs; no limit of a switch</span>')
    return f'<div class="legend">{"".join(keys)}</div>'
