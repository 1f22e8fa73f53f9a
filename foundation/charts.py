"""Charts as SVG made on the server: the same on screen, on paper and in PDF, and no script.

Only classes and attributes are written, never a style, so that the strict content security policy holds. Each chart
comes twice, broad and narrow: text that is scaled down for a phone cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
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


@dataclass(frozen=True)
class Curve:
    """A survival curve as steps.

    Attributes
    ----------
    name
        What the legend says.
    steps
        (time, proportion from 0 to 1) where the curve changes, beginning with (0, 1).
    lower, upper
        The same steps of the confidence limits, or empty.
    censored
        Times at which somebody was censored.
    """

    name: str
    steps: Sequence[tuple[float, float]]
    lower: Sequence[tuple[float, float]] = ()
    upper: Sequence[tuple[float, float]] = ()
    censored: Sequence[float] = ()
    at_risk: Sequence[tuple[float, int]] = field(default=())


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


def _number(value: Number) -> str:
    return f"{float(value):g}".replace("-", "\N{MINUS SIGN}")


def _points(frame: Frame, points: Iterable[tuple[Number, Number]]) -> str:
    return " ".join(f"{frame.x(x):g},{frame.y(y):g}" for x, y in points)


def _as_steps(points: Sequence[tuple[float, float]], until: float | None = None) -> list[tuple[float, float]]:
    """Corners of a step curve that keeps its value until the next change."""
    corners: list[tuple[float, float]] = []
    for place, (x, y) in enumerate(points):
        if place:
            corners.append((x, points[place - 1][1]))
        corners.append((x, y))
    if until is not None and corners and until > corners[-1][0]:
        corners.append((until, corners[-1][1]))
    return corners


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', css, f"{x1:g}", f"{y1:g}", f"{x2:g}", f"{y2:g}"
    )


def _text(x: float, y: float, words: object, *, anchor: str = "start", css: str = "") -> SafeString:
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>', f"{x:g}", f"{y:g}", anchor, css, words
    )


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _y_axis(frame: Frame, ticks: Sequence[float], suffix: str = "") -> SafeString:
    parts = []
    for tick in ticks:
        y = frame.y(tick)
        parts.append(
            _line(frame.left, y, frame.width - frame.right, y, "axis" if tick == ticks[0] else "grid")
        )
        parts.append(_text(frame.left - 8, y + 4, _number(tick) + suffix, anchor="end"))
    return _joined(parts)


def _svg(frame: Frame, css: str, label: str, parts: Iterable[SafeString]) -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        css, frame.width, frame.height, label, _joined(parts),
    )  # fmt: skip


def _figure(broad: SafeString, narrow: SafeString, numbers: SafeString) -> SafeString:
    return format_html('<figure class="chart">{}{}{}</figure>', broad, narrow, numbers)


def _numbers(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
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


# ---- enrolment -------------------------------------------------------------------------------------------------


def _months(first: date, last: date, about: int) -> list[date]:
    """First days of months, evenly spaced, that fall between two dates."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60) if count / n <= about), 120)
    months = (first.year * 12 + first.month - 1 + n for n in range(count + 1))
    days = [date(m // 12, m % 12 + 1, 1) for m in months if m % every == 0]
    return [day for day in days if first <= day <= last]


def enrolment(
    counts: Sequence[tuple[date, int]],
    *,
    target: int | None = None,
    plan: Sequence[tuple[date, int]] = (),
    today: date,
    label: str,
) -> SafeString:
    """Cumulative enrolment as a step curve with the planned line.

    Parameters
    ----------
    counts
        (day, number enrolled by the end of that day), by day.
    target
        Number of subjects that the trial wants.
    plan
        Planned points as (day, number), joined by a dashed line.
    today
        Day until which the curve is drawn.
    label
        One sentence for those who do not see the chart.

    Returns
    -------
    SafeString
        A ``figure`` with a broad and a narrow drawing and the numbers as a table.
    """
    days = [day for day, _n in counts] + [day for day, _n in plan] + [today]
    first, last = min(days), max(days)
    highest = max([n for _d, n in counts] + [n for _d, n in plan] + [target or 0, 1])
    points = [(float(day.toordinal()), float(n)) for day, n in counts]
    if not points or points[0][1] > 0:
        points.insert(0, (float((counts[0][0] if counts else first).toordinal()), 0.0))

    def draw(width: int, height: int, about: int, css: str) -> SafeString:
        ticks = nice_ticks(0, highest, 4)
        frame = Frame(
            width, height, first.toordinal(), max(last.toordinal(), first.toordinal() + 30), 0, ticks[-1]
        )
        parts = [_y_axis(frame, ticks)]
        for month in _months(first, last, about):
            x = frame.x(month.toordinal())
            parts += [_text(x, height - 8, month.strftime("%b %y"), anchor="middle")]
        if target:
            parts.append(_line(frame.left, frame.y(target), width - frame.right, frame.y(target), "guide"))
            parts.append(
                _text(
                    width - frame.right, frame.y(target) - 5, _("Target %(n)s") % {"n": target}, anchor="end"
                )
            )
        if plan:
            parts.append(
                format_html(
                    '<polyline class="target" points="{}"/>',
                    _points(frame, ((d.toordinal(), n) for d, n in plan)),
                )
            )
        parts.append(
            format_html(
                '<polyline class="line" points="{}"/>', _points(frame, _as_steps(points, today.toordinal()))
            )
        )
        x, y, reached = frame.x(today.toordinal()), frame.y(points[-1][1]), int(points[-1][1])
        parts.append(format_html('<circle class="point" cx="{}" cy="{}" r="4.5"/>', x, y))
        left_of = x > width * 0.75
        words = _("%(n)s today") % {"n": reached}
        parts.append(
            _text(
                x - 8 if left_of else x + 8,
                y - 9 if left_of else y + 16,
                words,
                anchor="end" if left_of else "start",
                css="strong",
            )
        )
        return _svg(frame, css, label, parts)

    numbers = _numbers([_("Day"), _("Enrolled")], [(day.strftime("%d %b %Y"), n) for day, n in counts])
    return _figure(draw(BROAD, 270, 6, "broad"), draw(NARROW, 220, 3, "narrow"), numbers)


# ---- bars ------------------------------------------------------------------------------------------------------


def parts_bar(parts: Iterable[tuple[str, Number]], *, label: str = "") -> SafeString:
    """A thin bar of coloured parts, 200 by 6 pixels.

    Parameters
    ----------
    parts
        Pairs of tone (``ok``, ``info``, …, ``accent``) and amount; amounts of zero are left out.
    label
        What a screen reader says; without it the bar is hidden from it.
    """
    shares = [(tone, float(amount)) for tone, amount in parts if amount]
    total = sum(amount for _t, amount in shares) or 1.0
    drawn, place = [], 0.0
    for tone, amount in shares:
        width = 200 * amount / total
        drawn.append(
            format_html(
                '<rect class="{}" x="{}" width="{}" height="6"/>',
                tone,
                f"{place:.1f}",
                f"{max(width - 0.8, 0.4):.1f}",
            )
        )
        place += width
    naming = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="bar" viewBox="0 0 200 6" preserveAspectRatio="none" {}>{}</svg>', naming, _joined(drawn)
    )


def bars(
    rows: Sequence[tuple[str, Sequence[tuple[str, Number]]]],
    *,
    label: str,
    tones: Sequence[tuple[str, str]] = (),
) -> SafeString:
    """Horizontal bars, one per row, each of one or more parts.

    Parameters
    ----------
    rows
        (name, parts), parts as pairs of tone and amount.
    label
        One sentence for those who do not see the chart.
    tones
        (tone, meaning) for the legend and the table of numbers.
    """
    highest = max([sum(float(n) for _t, n in parts) for _name, parts in rows] or [1]) or 1.0

    def draw(width: int, names: int, css: str) -> SafeString:
        frame = Frame(width, 26 * len(rows) + 6, 0, highest, 0, 1, left=names, right=40, top=0, bottom=0)
        drawn: list[SafeString] = []
        for place, (name, parts) in enumerate(rows):
            top, x = place * 26 + 4, float(frame.left)
            room = (names - 12) // 6
            drawn.append(
                _text(
                    names - 10, top + 13, name if len(name) <= room else name[: room - 1] + "…", anchor="end"
                )
            )
            for tone, amount in parts:
                w = frame.x(amount) - frame.left
                if w > 0:
                    drawn.append(
                        format_html(
                            '<rect class="{}" x="{}" y="{}" width="{}" height="17"/>',
                            tone,
                            f"{x:g}",
                            top,
                            f"{w:g}",
                        )
                    )
                    x += w
            drawn.append(_text(x + 6, top + 13, _number(sum(float(n) for _t, n in parts)), css="strong"))
        return _svg(frame, css, label, drawn)

    legend = format_html_join(
        "",
        '<span class="state"><svg class="key" viewBox="0 0 10 10" aria-hidden="true">'
        '<rect class="{}" width="10" height="10"/></svg>{}</span>',
        tones,
    )
    meanings = dict(tones)
    heads = [_("Name"), *[meanings.get(tone, _("Number")) for tone, _n in (rows[0][1] if rows else ())]]
    numbers = _numbers(heads, [(name, *[_number(n) for _t, n in parts]) for name, parts in rows])
    return format_html(
        '<figure class="chart">{}{}{}{}</figure>',
        format_html('<div class="row chart-key">{}</div>', legend) if tones else "",
        draw(BROAD, 210, "broad"), draw(NARROW, 120, "narrow"), numbers,
    )  # fmt: skip


# ---- one value over time ------------------------------------------------------------------------------------------


def trend(
    points: Sequence[tuple[str, Number]],
    *,
    low: Number | None = None,
    high: Number | None = None,
    label: str,
    tone: str = "",
) -> SafeString:
    """A small line of one subject's values with the reference band.

    Parameters
    ----------
    points
        (visit code, value) in order, at most about eight.
    low, high
        Reference range in the unit of the values.
    label
        One sentence for those who do not see the chart.
    tone
        ``"stop"`` draws the last point as out of range.
    """
    if not points:
        return mark_safe("")
    values = [float(v) for _c, v in points]
    edges = values + [float(edge) for edge in (low, high) if edge is not None]
    span = (max(edges) - min(edges)) or 1.0
    frame = Frame(
        276,
        92,
        0,
        max(len(points) - 1, 1),
        min(edges) - span * 0.08,
        max(edges) + span * 0.12,
        left=16,
        right=16,
        top=18,
        bottom=20,
    )
    parts: list[SafeString] = []
    if low is not None or high is not None:
        top = frame.y(high) if high is not None else 18.0
        base = frame.y(low) if low is not None else 72.0
        parts.append(
            format_html(
                '<rect class="reference" x="0" y="{}" width="276" height="{}"/>',
                f"{top:g}",
                f"{max(base - top, 0):.1f}",
            )
        )
    parts.append(format_html('<polyline class="line" points="{}"/>', _points(frame, enumerate(values))))
    for place, (code, value) in enumerate(points):
        last = place == len(points) - 1
        x, y = frame.x(place), frame.y(value)
        parts.append(
            format_html(
                '<circle class="{}" cx="{}" cy="{}" r="{}"/>',
                f"last {tone}".strip() if last else "",
                x,
                y,
                "4" if last else "2.5",
            )
        )
        parts.append(_text(x, y - 8, _number(value), anchor="middle", css="last" if last else ""))
        parts.append(_text(x, 88, code, anchor="middle"))
    return _svg(frame, "spark", label, parts)


# ---- survival ------------------------------------------------------------------------------------------------------


def survival(curves: Sequence[Curve], *, x_label: str, label: str, median: float | None = None) -> SafeString:
    """Kaplan-Meier curves as steps, with limits, ticks for the censored, and the number at risk.

    Parameters
    ----------
    curves
        One or two curves; times in one unit, proportions from 0 to 1.
    x_label
        What the horizontal axis means, with its unit.
    label
        One sentence for those who do not see the chart.
    median
        Drawn as a guide when given.
    """
    longest = max(
        [t for curve in curves for t, _p in curve.steps]
        + [t for curve in curves for t in curve.censored]
        + [1.0]
    )

    def draw(width: int, height: int, about: int, css: str) -> SafeString:
        ticks = nice_ticks(0, longest, about)
        frame = Frame(
            width, height + 18 * len(curves), 0, ticks[-1], 0, 100, left=62, bottom=46 + 18 * len(curves)
        )
        parts = [_y_axis(frame, [0, 25, 50, 75, 100], " %")]
        parts += [_text(frame.x(tick), frame.y(0) + 17, _number(tick), anchor="middle") for tick in ticks]
        parts.append(_text((frame.left + width) / 2, frame.y(0) + 34, x_label, anchor="middle"))
        for place, curve in enumerate(curves):
            parts += _survival_curve(frame, curve, second=bool(place))
            y = frame.y(0) + 52 + 18 * place
            if curve.at_risk:
                parts.append(_text(0, y, curve.name[:7] if len(curves) > 1 else _("At risk")))
                parts += [
                    _text(frame.x(t), y, n, anchor="middle") for t, n in curve.at_risk if t <= ticks[-1]
                ]
        if median is not None:
            parts += [
                _line(frame.left, frame.y(50), frame.x(median), frame.y(50), "guide"),
                _line(frame.x(median), frame.y(50), frame.x(median), frame.y(0), "guide"),
            ]
            parts.append(
                _text(
                    frame.x(median) + 8,
                    frame.y(50) - 8,
                    _("Median %(n)s") % {"n": _number(round(median, 1))},
                    css="strong",
                )
            )
        return _svg(frame, css, label, parts)

    rows = [
        (curve.name, _number(round(t, 2)), f"{100 * p:.1f} %") for curve in curves for t, p in curve.steps
    ]
    return _figure(
        draw(BROAD, 290, 5, "broad"),
        draw(NARROW, 240, 4, "narrow"),
        _numbers([_("Curve"), x_label, _("Proportion")], rows),
    )


def _survival_curve(frame: Frame, curve: Curve, *, second: bool) -> list[SafeString]:
    end = frame.x_to if not curve.steps else max([curve.steps[-1][0], *curve.censored])
    percent = [(t, p * 100) for t, p in curve.steps]
    parts = []
    if curve.lower and curve.upper:
        upper = _as_steps([(t, p * 100) for t, p in curve.upper], end)
        lower = _as_steps([(t, p * 100) for t, p in curve.lower], end)
        parts.append(
            format_html('<polygon class="band" points="{}"/>', _points(frame, [*upper, *reversed(lower)]))
        )
    parts.append(
        format_html(
            '<polyline class="{}" points="{}"/>',
            "line second" if second else "line",
            _points(frame, _as_steps(percent, end)),
        )
    )
    for when in curve.censored:
        height = next((p for t, p in reversed(percent) if t <= when), 100.0)
        parts.append(_line(frame.x(when), frame.y(height) - 4, frame.x(when), frame.y(height) + 4, "tick"))
    return parts


# ---- visit windows ---------------------------------------------------------------------------------------------------


def window_bar(
    *,
    earliest: date | None,
    latest: date | None,
    target: date | None = None,
    happened: date | None = None,
    open_now: bool = False,
) -> SafeString:
    """The window of one visit, 44 by 10 pixels: line = time, block = window, stroke = target, dot = the visit.

    Parameters
    ----------
    earliest, latest
        Edges of the window; without both nothing is drawn.
    target, happened
        Planned and actual day.
    open_now
        The window is open today: the block is drawn in the colour of what is due.
    """
    if earliest is None or latest is None:
        return mark_safe("")
    length = max((latest - earliest).days, 1)
    first = earliest.toordinal() - length * 0.6
    width = length * 2.2

    def x(day: date) -> float:
        return round(min(max((day.toordinal() - first) / width * 40 + 2, 3), 41), 1)

    parts = [_line(1, 5, 43, 5, "time")]
    span = max(x(latest) - x(earliest), 3)
    parts.append(
        format_html(
            '<rect class="{}" x="{}" y="3" width="{}" height="4" rx="2"/>',
            "span open" if open_now else "span",
            x(earliest),
            f"{span:g}",
        )
    )
    if target is not None:
        parts.append(_line(x(target), 1, x(target), 9, "target"))
    if happened is not None:
        css = "in" if earliest <= happened <= latest else "out"
        parts.append(format_html('<circle class="{}" cx="{}" cy="5" r="2.5"/>', css, x(happened)))
    return format_html(
        '<svg class="window-bar" viewBox="0 0 44 10" aria-hidden="true">{}</svg>', _joined(parts)
    )
