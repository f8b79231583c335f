"""Owns the drawing: lines over two logarithmic axes, as an SVG that follows the reader's light or dark theme. What is
drawn is left to `figures.py`."""

import math
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 780, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 185, 40, 50

# No two labels at the right come nearer to each other than this.
LABEL_HEIGHT = 15

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.axis { stroke: #59636e; stroke-width: 1 }
.grid { stroke: #d1d9e0; stroke-width: 0.6 }
.limit { stroke: #59636e; stroke-width: 1.4; stroke-dasharray: 6 4 }
.line { fill: none; stroke-width: 2 }
.c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #1a7f37 } .c3 { stroke: #8250df }
.c4 { stroke: #cf222e } .c5 { stroke: #9a6700 } .c6 { stroke: #bf3989 } .c7 { stroke: #57606a }
.dot { fill: none; stroke-width: 1.4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.axis, .limit { stroke: #9198a1 }
.grid { stroke: #3d444d }
.c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 } .c3 { stroke: #ab7df8 }
.c4 { stroke: #f85149 } .c5 { stroke: #d29922 } .c6 { stroke: #f778ba } .c7 { stroke: #9198a1 }
}
"""


@dataclass
class Line:
    """A named curve, and dots of the same colour where something was simulated."""

    name: str
    points: list[tuple[float, float]]
    dots: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Plot:
    """Everything in one picture. Limits are levels with a name; what is below `floor` is not drawn."""

    title: str
    x_name: str
    y_name: str
    lines: list[Line]
    limits: list[tuple[str, float]] = field(default_factory=list)
    floor: float = 0.0

    def svg(self) -> str:
        """The picture as text; the same numbers give the same text."""
        kept = [point for line in self.lines for point in line.points if point[1] > self.floor]
        x_low, x_high = decades(x for x, _ in kept)
        y_low, y_high = decades([*(y for _, y in kept), *(level for _, level in self.limits)])

        def across(x: float) -> float:
            return LEFT + (math.log10(x) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

        def down(y: float) -> float:
            return HEIGHT - BOTTOM - (math.log10(y) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            text(LEFT, 20, self.title, "title"),
            text((LEFT + right) / 2, HEIGHT - 12, self.x_name, anchor="middle"),
            f'<text transform="rotate(-90)" x="{-(TOP + bottom) / 2:.1f}" y="16" text-anchor="middle">'
            f"{escape(self.y_name)}</text>",
        ]
        for power in range(x_low, x_high + 1):
            at = across(10.0**power)
            parts += [
                stroke("grid", (at, TOP), (at, bottom)),
                text(at, bottom + 16, short(10.0**power), anchor="middle"),
            ]
        for power in range(y_low, y_high + 1, max(1, (y_high - y_low) // 8)):
            at = down(10.0**power)
            parts += [stroke("grid", (LEFT, at), (right, at)), text(LEFT - 6, at + 4, short(10.0**power), anchor="end")]
        parts += [stroke("axis", (LEFT, bottom), (right, bottom)), stroke("axis", (LEFT, TOP), (LEFT, bottom))]
        for name, level in self.limits:
            parts += [stroke("limit", (LEFT, down(level)), (right, down(level))), text(LEFT + 6, down(level) - 5, name)]
        ends = []
        for number, line in enumerate(self.lines):
            points = [(across(x), down(y)) for x, y in line.points if y > self.floor]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line c{number}" points="{path}"/>')
            parts += [
                f'<circle class="dot c{number}" cx="{across(x):.1f}" cy="{down(y):.1f}" r="3.5"/>' for x, y in line.dots
            ]
            ends.append((points[-1][1], number, line.name))
        at = -math.inf
        for level, number, name in sorted(ends):
            at = max(at + LABEL_HEIGHT, level)
            parts += [stroke(f"line c{number}", (right + 6, at), (right + 20, at)), text(right + 24, at + 4, name)]
        return "\n".join([*parts, "</svg>", ""])


def decades(values) -> tuple[int, int]:
    """The powers of ten around all values."""
    values = list(values)
    # A level of exactly a power of ten needs no decade above it; the logarithm may be a hair off.
    low, high = math.log10(min(values)), math.log10(max(values))
    return math.floor(low + 1e-9), max(math.ceil(high - 1e-9), math.floor(low + 1e-9) + 1)


def text(x: float, y: float, what: str, kind: str = "", anchor: str = "start") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(what)}</text>'


def stroke(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    return f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def short(value: float) -> str:
    """Two or three digits, with k and M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.0e}"
