"""Charts draw the numbers that they are given, under the security policy, for eyes and for ears."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foundation import charts

DAY = date(2026, 11, 21)


def svgs(markup: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(part) for part in re.findall(r"<svg.*?</svg>", markup, re.DOTALL)]


@pytest.fixture(
    params=[
        lambda: charts.enrolment([(date(2026, 1, 5), 3), (date(2026, 3, 1), 9)], target=20, plan=[(date(2026, 1, 1), 0), (date(2026, 12, 1), 20)], today=DAY, label="9 of 20"),
        lambda: charts.enrolment([], target=20, today=DAY, label="none yet"),
        lambda: charts.bars([("A & B", [("stop", 3), ("info", 0)])], label="bars", tones=[("stop", "Against"), ("info", "Unknown")]),
        lambda: charts.bars([], label="nothing"),
        lambda: charts.trend([("SCR", 14), ("W16", 41)], low=3, high=21, label="rises"),
        lambda: charts.trend([("SCR", 14)], label="one"),
        lambda: charts.survival([charts.Curve("All", [(0, 1.0), (2, 0.5)], [(0, 1.0), (2, 0.2)], [(0, 1.0), (2, 0.8)], [1.0], [(0, 9), (2, 4)])], x_label="Months", label="KM", median=2.0),
        lambda: charts.survival([charts.Curve("All", [])], x_label="Months", label="empty"),
        lambda: charts.parts_bar([("ok", 3), ("stop", 1)], label="3 of 4"),
    ]
)  # fmt: skip
def chart(request: pytest.FixtureRequest) -> str:
    return str(request.param())


def test_a_chart_writes_no_style_and_no_script(chart: str) -> None:
    assert "style" not in chart
    assert "<script" not in chart


def test_every_number_in_a_chart_is_a_number(chart: str) -> None:
    for svg in svgs(chart):
        for element in svg.iter():
            for name, value in element.attrib.items():
                if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"}:
                    assert float(value) == float(value)
    assert "nan" not in chart.lower().replace("enan", "")


def test_a_chart_says_in_words_what_it_shows(chart: str) -> None:
    for svg in svgs(chart):
        if svg.get("aria-hidden") != "true":
            assert svg.get("role") == "img"
            assert svg.get("aria-label")


def test_a_phone_gets_a_drawing_of_its_own() -> None:
    markup = charts.enrolment([(date(2026, 1, 5), 3)], today=DAY, label="3")
    assert [svg.get("class") for svg in svgs(markup)] == ["broad", "narrow"]
    assert svgs(markup)[1].get("viewBox", "").split()[2] == "340"


def test_the_enrolment_curve_ends_at_the_number_reached() -> None:
    markup = charts.enrolment([(date(2026, 1, 5), 3), (date(2026, 3, 1), 9)], target=20, today=DAY, label="x")
    assert "9 today" in markup
    assert "Target 20" in markup
    assert "<td>9</td>" in markup


def test_names_in_charts_are_escaped() -> None:
    assert "<b>" not in charts.bars([("<b>x</b>", [("ok", 1)])], label="x")


def test_two_curves_are_told_apart_without_colour() -> None:
    curves = [charts.Curve("One", [(0, 1.0), (3, 0.4)]), charts.Curve("Two", [(0, 1.0), (5, 0.7)])]
    assert "line second" in charts.survival(curves, x_label="Months", label="two")


@pytest.mark.parametrize(
    ("happened", "css"),
    [
        (date(2026, 11, 8), "in"),
        (date(2026, 11, 9), "out"),
        (date(2026, 10, 31), "out"),
        (date(2026, 11, 1), "in"),
    ],
)
def test_the_dot_of_a_visit_tells_whether_it_fell_into_the_window(happened: date, css: str) -> None:
    markup = charts.window_bar(
        earliest=date(2026, 11, 1), latest=date(2026, 11, 8), target=date(2026, 11, 4), happened=happened
    )
    assert f'<circle class="{css}"' in markup


def test_a_visit_without_window_has_no_bar() -> None:
    assert charts.window_bar(earliest=None, latest=DAY) == ""


@example(0.0, 1e-300, 5)
@example(1e6, 1e6 + 1e-6, 10)
@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 10))
def test_ticks_cover_the_range_in_few_even_steps(one: float, other: float, about: int) -> None:
    low, high = sorted((one, other))
    ticks = charts.nice_ticks(low, high, about)
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= high - 1e-6
    assert 2 <= len(ticks) <= 3 * about + 3
