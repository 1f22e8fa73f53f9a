"""Deadlines, quality and what may be said of a lesion: pure rules of the room."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from imaging.rules.course import EarlierRead, options_for
from imaging.rules.quality import Baseline, SeriesFacts, Standard, findings, passes
from imaging.rules.working_days import add_working_days, working_days_between

FRIDAY = date(2025, 3, 7)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (FRIDAY, 0, FRIDAY),
        (FRIDAY, 1, date(2025, 3, 10)),
        (date(2025, 3, 8), 1, date(2025, 3, 10)),
        (date(2025, 3, 3), 5, date(2025, 3, 10)),
        (date(2025, 3, 3), 10, date(2025, 3, 17)),
    ],
)
def test_weekends_do_not_count(start: date, days: int, end: date) -> None:
    assert add_working_days(start, days) == end
    assert working_days_between(start, end) == days
    assert working_days_between(end, start) == -days


PROCEDURE, FIRST, SECOND = date(2025, 2, 3), date(2025, 3, 4), date(2025, 6, 3)


def options(reads: list[EarlierRead], procedures: list[date], on: date = SECOND) -> set[str]:
    return {str(option) for option in options_for("T01", reads, procedures, on)}


def test_before_a_procedure_there_is_nothing_to_judge() -> None:
    assert options([], [], FIRST) == set()
    assert options([], [FIRST], FIRST) == set(), "a scan on the day of a procedure counts as taken before it"


def test_the_first_scan_shows_complete_or_residual() -> None:
    assert options([], [PROCEDURE], FIRST) == {"COMPLETE", "RESIDUAL", "NE"}


def test_local_progression_needs_a_complete_ablation_before() -> None:
    assert options([EarlierRead(FIRST, {"T01": "COMPLETE"})], [PROCEDURE]) == {"COMPLETE", "LTP", "NE"}
    assert options([EarlierRead(FIRST, {"T01": "NE"})], [PROCEDURE]) == {"COMPLETE", "RESIDUAL", "NE"}
    assert options([EarlierRead(FIRST, {"T02": "COMPLETE"})], [PROCEDURE]) == {"COMPLETE", "RESIDUAL", "NE"}


def test_residual_tumour_stays_until_it_is_treated_again() -> None:
    residual = [EarlierRead(FIRST, {"T01": "RESIDUAL"})]

    assert options(residual, [PROCEDURE]) == {"RESIDUAL", "NE"}
    assert options(residual, [PROCEDURE, date(2025, 4, 1)]) == {"COMPLETE", "RESIDUAL", "NE"}


def facts(**changes: object) -> SeriesFacts:
    plain = {
        "modality": "CT", "slices": 60, "thickness_mm": Decimal(5), "distance_mm": Decimal(5),
        "missing_slices": 0, "contrast": True, "extent_mm": Decimal(295),
    }  # fmt: skip
    return SeriesFacts(**{**plain, **changes})  # type: ignore[arg-type]


STANDARD = Standard(("CT", "MR"), Decimal(5), contrast=True, coverage_mm_min=Decimal(100))


@pytest.mark.parametrize(
    ("changes", "codes", "accepted"),
    [
        ({}, [], True),
        ({"thickness_mm": Decimal("5.001")}, ["thick_slices"], False),
        ({"thickness_mm": None}, ["thickness_unknown"], True),
        ({"slices": 3}, [], True),
        ({"slices": 2}, ["few_slices"], False),
        ({"extent_mm": Decimal("99.9")}, ["little_covered"], False),
        ({"extent_mm": Decimal(100)}, [], True),
        ({"extent_mm": None}, ["little_covered"], False),
        ({"missing_slices": 1}, ["gaps"], False),
        ({"distance_mm": Decimal("5.5")}, [], True),
        ({"distance_mm": Decimal("5.51")}, ["spaced"], True),
        ({"contrast": False}, ["contrast"], True),
        ({"modality": "PT"}, ["modality"], False),
    ],
)
def test_each_deviation_is_named(changes: dict[str, object], codes: list[str], accepted: bool) -> None:
    found = findings([facts(**changes)], STANDARD)

    assert [finding.code for finding in found] == codes
    assert passes(found) is accepted


def test_one_good_series_is_enough_and_a_changed_modality_is_said() -> None:
    assert findings([facts(slices=1), facts(thickness_mm=Decimal(9)), facts()], STANDARD) == ()
    changed = findings(
        [facts()], Standard(("CT", "MR"), Decimal(5), contrast=True, baseline=Baseline(frozenset({"MR"})))
    )
    assert [finding.code for finding in changed] == ["modality_changed"]
    assert passes(changed)
    assert not passes(findings([], STANDARD))


@pytest.mark.parametrize(
    ("baseline", "code"),
    [
        (Baseline(frozenset({"CT"}), frozenset({"Maker One"})), "scanner_changed"),
        (Baseline(phases=frozenset({"PORTAL VENOUS PHASE"})), "phase_missing"),
        (Baseline(extent_mm=Decimal(300)), "less_covered"),
        (Baseline(extent_mm=Decimal(250)), ""),
        (Baseline(frozenset({"CT"}), frozenset({"Maker Two"})), ""),
    ],
)
def test_a_change_of_technique_since_baseline_is_said(baseline: Baseline, code: str) -> None:
    series = facts(label="ARTERIAL PHASE", scanner="Maker Two", extent_mm=Decimal(200))

    found = findings([series], Standard(("CT",), Decimal(5), contrast=True, baseline=baseline))

    assert [finding.code for finding in found] == [code] * bool(code)
    assert passes(found)
