"""Curves over time: enrolment, one value, survival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from foundation.charts.drawing import (
    BROAD,
    NARROW,
    Frame,
    Number,
    as_steps,
    figure,
    line,
    nice_ticks,
    number_words,
    points_of,
    svg,
    table_of_numbers,
    text,
    y_axis,
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
        parts = [y_axis(frame, ticks)]
        for month in _months(first, last, about):
            x = frame.x(month.toordinal())
            parts += [text(x, height - 8, month.strftime("%b %y"), anchor="middle")]
        if target:
            parts.append(line(frame.left, frame.y(target), width - frame.right, frame.y(target), "guide"))
            parts.append(
                text(
                    width - frame.right, frame.y(target) - 5, _("Target %(n)s") % {"n": target}, anchor="end"
                )
            )
        if plan:
            parts.append(
                format_html(
                    '<polyline class="target" points="{}"/>',
                    points_of(frame, ((d.toordinal(), n) for d, n in plan)),
                )
            )
        parts.append(
            format_html(
                '<polyline class="line" points="{}"/>', points_of(frame, as_steps(points, today.toordinal()))
            )
        )
        x, y, reached = frame.x(today.toordinal()), frame.y(points[-1][1]), int(points[-1][1])
        parts.append(format_html('<circle class="point" cx="{}" cy="{}" r="4.5"/>', x, y))
        left_of = x > width * 0.75
        words = _("%(n)s today") % {"n": reached}
        parts.append(
            text(
                x - 8 if left_of else x + 8,
                y - 9 if left_of else y + 16,
                words,
                anchor="end" if left_of else "start",
                css="strong",
            )
        )
        return svg(frame, css, label, parts)

    numbers = table_of_numbers(
        [_("Day"), _("Enrolled")], [(day.strftime("%d %b %Y"), n) for day, n in counts]
    )
    return figure(draw(BROAD, 270, 6, "broad"), draw(NARROW, 220, 3, "narrow"), numbers)


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
    parts.append(format_html('<polyline class="line" points="{}"/>', points_of(frame, enumerate(values))))
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
        parts.append(text(x, y - 8, number_words(value), anchor="middle", css="last" if last else ""))
        parts.append(text(x, 88, code, anchor="middle"))
    return svg(frame, "spark", label, parts)


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
        parts = [y_axis(frame, [0, 25, 50, 75, 100], " %")]
        parts += [text(frame.x(tick), frame.y(0) + 17, number_words(tick), anchor="middle") for tick in ticks]
        parts.append(text((frame.left + width) / 2, frame.y(0) + 34, x_label, anchor="middle"))
        for place, curve in enumerate(curves):
            parts += _survival_curve(frame, curve, second=bool(place))
            y = frame.y(0) + 52 + 18 * place
            if curve.at_risk:
                parts.append(text(0, y, curve.name[:7] if len(curves) > 1 else _("At risk")))
                parts += [text(frame.x(t), y, n, anchor="middle") for t, n in curve.at_risk if t <= ticks[-1]]
        if median is not None:
            parts += [
                line(frame.left, frame.y(50), frame.x(median), frame.y(50), "guide"),
                line(frame.x(median), frame.y(50), frame.x(median), frame.y(0), "guide"),
            ]
            parts.append(
                text(
                    frame.x(median) + 8,
                    frame.y(50) - 8,
                    _("Median %(n)s") % {"n": number_words(round(median, 1))},
                    css="strong",
                )
            )
        return svg(frame, css, label, parts)

    rows = [
        (curve.name, number_words(round(t, 2)), f"{100 * p:.1f} %")
        for curve in curves
        for t, p in curve.steps
    ]
    return figure(
        draw(BROAD, 290, 5, "broad"),
        draw(NARROW, 240, 4, "narrow"),
        table_of_numbers([_("Curve"), x_label, _("Proportion")], rows),
    )


def _survival_curve(frame: Frame, curve: Curve, *, second: bool) -> list[SafeString]:
    end = frame.x_to if not curve.steps else max([curve.steps[-1][0], *curve.censored])
    percent = [(t, p * 100) for t, p in curve.steps]
    parts = []
    if curve.lower and curve.upper:
        upper = as_steps([(t, p * 100) for t, p in curve.upper], end)
        lower = as_steps([(t, p * 100) for t, p in curve.lower], end)
        parts.append(
            format_html('<polygon class="band" points="{}"/>', points_of(frame, [*upper, *reversed(lower)]))
        )
    parts.append(
        format_html(
            '<polyline class="{}" points="{}"/>',
            "line second" if second else "line",
            points_of(frame, as_steps(percent, end)),
        )
    )
    for when in curve.censored:
        height = next((p for t, p in reversed(percent) if t <= when), 100.0)
        parts.append(line(frame.x(when), frame.y(height) - 4, frame.x(when), frame.y(height) + 4, "tick"))
    return parts
