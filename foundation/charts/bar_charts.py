"""Bars: parts of a whole, amounts side by side, and a day within its window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from foundation.charts.drawing import (
    BROAD,
    NARROW,
    Frame,
    Number,
    joined,
    line,
    number_words,
    svg,
    table_of_numbers,
    text,
)


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
        '<svg class="bar" viewBox="0 0 200 6" preserveAspectRatio="none" {}>{}</svg>', naming, joined(drawn)
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
                text(
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
            drawn.append(text(x + 6, top + 13, number_words(sum(float(n) for _t, n in parts)), css="strong"))
        return svg(frame, css, label, drawn)

    legend = format_html_join(
        "",
        '<span class="state"><svg class="key" viewBox="0 0 10 10" aria-hidden="true">'
        '<rect class="{}" width="10" height="10"/></svg>{}</span>',
        tones,
    )
    meanings = dict(tones)
    heads = [_("Name"), *[meanings.get(tone, _("Number")) for tone, _n in (rows[0][1] if rows else ())]]
    numbers = table_of_numbers(heads, [(name, *[number_words(n) for _t, n in parts]) for name, parts in rows])
    return format_html(
        '<figure class="chart">{}{}{}{}</figure>',
        format_html('<div class="row chart-key">{}</div>', legend) if tones else "",
        draw(BROAD, 210, "broad"), draw(NARROW, 120, "narrow"), numbers,
    )  # fmt: skip


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

    parts = [line(1, 5, 43, 5, "time")]
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
        parts.append(line(x(target), 1, x(target), 9, "target"))
    if happened is not None:
        css = "in" if earliest <= happened <= latest else "out"
        parts.append(format_html('<circle class="{}" cx="{}" cy="5" r="2.5"/>', css, x(happened)))
    return format_html(
        '<svg class="window-bar" viewBox="0 0 44 10" aria-hidden="true">{}</svg>', joined(parts)
    )
