"""The day of a procedure as a picture: prophylaxis, infusion, ablations, and the limits that count from its start.

Drawn on the server with classes and attributes only, broad for a desk and narrow for a phone. Distances are elapsed
time, so a night in which the clocks change is drawn as long as it was; the hours below are those of the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from treatment.rules.limits import Limit

LANE, BAR = 26, 12
TOP, BOTTOM, RIGHT = 34, 30, 16
BEFORE, AFTER, LEAST = 45, 15, 195
"""Minutes drawn before the start of the infusion, after the last time, and at least after the start."""
EARLY = 90
"""A dose given longer before the infusion stands at the edge, with its distance in words; minutes."""
TICKS = {True: 30, False: 60}


@dataclass(frozen=True)
class Span:
    """A bar, or a dot where only one end is known.

    Attributes
    ----------
    tone
        State colour: `ok`, `stop`, `attention`, `info`.
    words
        What the bar says when it is pointed at.
    short
        Name on a phone.
    fault
        What is wrong with it, written beside the bar: colour is never alone.
    """

    name: str
    tone: str
    start: datetime | None
    end: datetime | None = None
    words: str = ""
    short: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Day:
    """What is drawn: the start of the infusion, doses before it, bars, and limits."""

    start: datetime
    zone: ZoneInfo
    doses: tuple[Span, ...]
    bars: tuple[Span, ...]
    limits: tuple[Limit, ...]
    label: str
    caption: str


@dataclass(frozen=True)
class _Canvas:
    """Where minutes after the start of the infusion stand, in pixels."""

    width: int
    left: int
    first: float
    last: float

    def x(self, minutes: float) -> float:
        span = self.last - self.first
        return round(self.left + (minutes - self.first) / span * (self.width - self.left - RIGHT), 1)


def day_picture(day: Day) -> SafeString:
    """The day as a figure with a broad and a narrow drawing.

    Returns
    -------
    SafeString
        `<figure class="chart">`; its words are the label of each drawing, so a screen reader hears the same.
    """
    return format_html(
        '<figure class="chart">{}{}<figcaption>{}</figcaption></figure>',
        _drawing(day, broad=True), _drawing(day, broad=False), day.caption,
    )  # fmt: skip


def _drawing(day: Day, *, broad: bool) -> SafeString:
    names = [(bar.name if broad else bar.short or bar.name) for bar in day.bars]
    lanes = [*(["Premedication" if broad else "Before"] if day.doses else []), *names]
    last = max([LEAST, *(_minutes(day, moment) + AFTER for moment in _moments(day.bars))])
    canvas = _Canvas(760 if broad else 360, 128 if broad else 84, -BEFORE if broad else -BEFORE - 15, last)
    height = TOP + LANE * len(lanes) + BOTTOM
    parts = [
        *_axis(day, canvas, height, every=TICKS[broad]),
        *_limit_lines(day, canvas, height, broad=broad),
        *(
            _text(canvas.left - 10, _middle(place) + 4, _cut(name, broad), "end")
            for place, name in enumerate(lanes)
        ),
        *_doses(day, canvas, broad=broad),
        *_bars(day, canvas, first=bool(day.doses)),
    ]
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        "broad" if broad else "narrow", canvas.width, height, day.label, _joined(parts),
    )  # fmt: skip


def _axis(day: Day, canvas: _Canvas, height: int, *, every: int) -> Iterable[SafeString]:
    """Hours of the site, at full and half hours, wherever they fall after the start."""
    floor = height - BOTTOM
    yield _line(canvas.left, floor, canvas.width - RIGHT, floor, "axis")
    start = day.start.astimezone(UTC)
    first = start + timedelta(minutes=canvas.first)
    tick = first.replace(minute=0, second=0, microsecond=0)
    while (minutes := (tick - start).total_seconds() / 60) <= canvas.last:
        if minutes >= canvas.first:
            x = canvas.x(minutes)
            yield _line(x, floor, x, floor + 4, "axis")
            yield _text(x, floor + 17, f"{tick.astimezone(day.zone):%H:%M}", "middle")
        tick += timedelta(minutes=every)


def _limit_lines(day: Day, canvas: _Canvas, height: int, *, broad: bool) -> Iterable[SafeString]:
    zero = canvas.x(0)
    yield _line(zero, TOP - 8, zero, height - BOTTOM, "grid")
    yield _text(zero, 12, "Start" if broad else "0", "middle", "strong")
    for limit in day.limits:
        x = canvas.x(float(limit.minutes))
        yield _line(x, TOP - 8, x, height - BOTTOM, "guide")
        words = f"{limit.minutes:f} min"
        place, anchor = (x, "middle") if limit.of == "end" else (x + 2, "start")
        yield _text(place, 24, words, anchor)


def _doses(day: Day, canvas: _Canvas, *, broad: bool) -> Iterable[SafeString]:
    """Dots for doses; what was given the day before stands at the edge with its distance."""
    early = []
    for dose in day.doses:
        if dose.start is None:
            continue
        minutes = _minutes(day, dose.start)
        if minutes < -EARLY or minutes < canvas.first:
            early.append(dose)
            continue
        yield _dot(canvas.x(minutes), _middle(0), dose)
    if early:
        x = canvas.left + 6
        yield _dot(x, _middle(0), early[0])
        if broad:
            yield _line(x + 9, _middle(0) + 5, x + 13, _middle(0) - 5, "axis")
            yield _line(x + 13, _middle(0) + 5, x + 17, _middle(0) - 5, "axis")


def _bars(day: Day, canvas: _Canvas, *, first: bool) -> Iterable[SafeString]:
    for place, bar in enumerate(day.bars, start=1 if first else 0):
        y = _middle(place)
        if bar.start is None and bar.end is None:
            yield _text(canvas.x(0) + 6, y + 4, "not recorded", "start")
            continue
        if bar.start is None or bar.end is None:
            yield _dot(canvas.x(_minutes(day, bar.start or bar.end or day.start)), y, bar)
            continue
        x = canvas.x(_minutes(day, bar.start))
        width = max(canvas.x(_minutes(day, bar.end)) - x, 2)
        yield format_html(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>',
            bar.tone, f"{x:g}", f"{y - BAR / 2:g}", f"{width:g}", BAR, bar.words,
        )  # fmt: skip
        if bar.fault:
            room = canvas.width - RIGHT - x - width > x - canvas.left
            yield _text(
                x + width + 6 if room else x - 6, y + 4, bar.fault, "start" if room else "end", "strong"
            )


def _moments(bars: Sequence[Span]) -> list[datetime]:
    return [moment for bar in bars for moment in (bar.start, bar.end) if moment is not None]


def _minutes(day: Day, moment: datetime) -> float:
    """Elapsed minutes after the start of the infusion."""
    return (moment.astimezone(UTC) - day.start.astimezone(UTC)).total_seconds() / 60


def _middle(place: int) -> float:
    return TOP + LANE * place + LANE / 2


def _cut(name: str, broad: bool) -> str:
    limit = 18 if broad else 11
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _dot(x: float, y: float, span: Span) -> SafeString:
    return format_html(
        '<circle class="{}" cx="{}" cy="{}" r="5"><title>{}</title></circle>',
        span.tone, f"{x:g}", f"{y:g}", span.words,
    )  # fmt: skip


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', css, f"{x1:g}", f"{y1:g}", f"{x2:g}", f"{y2:g}"
    )


def _text(x: float, y: float, words: str, anchor: str, css: str = "") -> SafeString:
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>', f"{x:g}", f"{y:g}", anchor, css, words
    )


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))
