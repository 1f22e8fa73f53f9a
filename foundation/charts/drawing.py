"""The parts of which charts are made: a frame with its scales, lines, words, and the table beside a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

Number = int | float | Decimal
NARROW = 340
BROAD = 620


@dataclass(frozen=True)
class Frame:
    """The drawing area in pixels and the values at its edges."""

    width: int
    height: int
    x_from: float
    x_to: float
    y_from: float
    y_to: float
    left: int = 44
    right: int = 14
    top: int = 14
    bottom: int = 26

    def x(self, value: Number) -> float:
        """Horizontal place of a value, in pixels."""
        span = (self.x_to - self.x_from) or 1.0
        return round(
            self.left + (float(value) - self.x_from) / span * (self.width - self.left - self.right), 1
        )

    def y(self, value: Number) -> float:
        """Vertical place of a value, in pixels; larger values stand higher."""
        span = (self.y_to - self.y_from) or 1.0
        return round(
            self.height
            - self.bottom
            - (float(value) - self.y_from) / span * (self.height - self.top - self.bottom),
            1,
        )


NARROWEST = 1e-6  # narrower ranges are one value: ticks have ten decimals


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values that cover a range.

    Parameters
    ----------
    low, high
        The range; ``high`` is raised where it is not above ``low`` by more than `NARROWEST`.
    about
        How many steps are wanted.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten; the first is at most ``low``, the last at least ``high``.
    """
    high = high if high - low > NARROWEST else low + 1
    rough = (high - low) / max(about, 1)
    power = 10.0 ** (len(str(int(rough))) - 1) if rough >= 1 else 10.0 ** -_zeros(rough)
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999999)
    first = (low // step) * step
    ticks = [first]
    while ticks[-1] < high - step * 1e-9:
        ticks.append(round(first + step * len(ticks), 10))
    return ticks


def _zeros(value: float) -> int:
    count = 0
    while value < 1:
        value *= 10
        count += 1
    return count


def number_words(value: Number) -> str:
    return f"{float(value):g}".replace("-", "\N{MINUS SIGN}")


def points_of(frame: Frame, points: Iterable[tuple[Number, Number]]) -> str:
    return " ".join(f"{frame.x(x):g},{frame.y(y):g}" for x, y in points)


def as_steps(points: Sequence[tuple[float, float]], until: float | None = None) -> list[tuple[float, float]]:
    """Corners of a step curve that keeps its value until the next change."""
    corners: list[tuple[float, float]] = []
    for place, (x, y) in enumerate(points):
        if place:
            corners.append((x, points[place - 1][1]))
        corners.append((x, y))
    if until is not None and corners and until > corners[-1][0]:
        corners.append((until, corners[-1][1]))
    return corners


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', css, f"{x1:g}", f"{y1:g}", f"{x2:g}", f"{y2:g}"
    )


def text(x: float, y: float, words: object, *, anchor: str = "start", css: str = "") -> SafeString:
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>', f"{x:g}", f"{y:g}", anchor, css, words
    )


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def y_axis(frame: Frame, ticks: Sequence[float], suffix: str = "") -> SafeString:
    parts = []
    for tick in ticks:
        y = frame.y(tick)
        parts.append(
            line(frame.left, y, frame.width - frame.right, y, "axis" if tick == ticks[0] else "grid")
        )
        parts.append(text(frame.left - 8, y + 4, number_words(tick) + suffix, anchor="end"))
    return joined(parts)


def svg(frame: Frame, css: str, label: str, parts: Iterable[SafeString]) -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        css, frame.width, frame.height, label, joined(parts),
    )  # fmt: skip


def figure(broad: SafeString, narrow: SafeString, numbers: SafeString) -> SafeString:
    return format_html('<figure class="chart">{}{}{}</figure>', broad, narrow, numbers)


def table_of_numbers(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """The values of a chart as a table that opens on demand."""
    head = format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    return format_html(
        '<details><summary>{}</summary><div class="table-wrap" tabindex="0" role="group" aria-label="{}">'
        '<table class="table"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></details>",
        _("Show the numbers"), _("Numbers of the chart"), head, body,
    )  # fmt: skip
