"""RECIST 1.1 responses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.rules.recist_1_1 import (
    RecistRefused,
    Response,
    Target,
    Timepoint,
    assess_timepoints,
    baseline_remarks,
    progression_date,
)
from tests.vectors import vectors

VECTORS = vectors("recist")
START = date(2025, 1, 6)


def on(index: int) -> date:
    return START + timedelta(weeks=8 * index)


def liver(*sums: str | None, **extra: object) -> list[Timepoint]:
    return [
        Timepoint(on(index), {"T01": Target("liver", False, None if mm is None else Decimal(mm))}, **extra)
        for index, mm in enumerate(sums)
    ]


def with_node(*pairs: tuple[str | None, str | None]) -> list[Timepoint]:
    def mm(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return [
        Timepoint(on(i), {"T01": Target("liver", False, mm(a)), "T02": Target("node", True, mm(b))})
        for i, (a, b) in enumerate(pairs)
    ]


@pytest.mark.parametrize("row", VECTORS["sums"], ids=lambda row: row["id"])
def test_target_response(row):
    last = assess_timepoints(liver(*row["sums"]))[-1]

    def shown(value):
        return None if value is None else value.quantize(Decimal("0.0001"))

    assert last.target == row["target"]
    assert last.nadir_mm == Decimal(row["nadir"])
    assert shown(last.change_from_baseline_pct) == Decimal(row["from_baseline"])
    assert shown(last.change_from_nadir_pct) == (row["from_nadir"] and Decimal(row["from_nadir"]))


def test_complete_response_with_a_normal_node_left():
    last = assess_timepoints(with_node(("30", "20"), ("0", "9")))[-1]
    assert (last.target, last.sum_mm) == (Response.CR, 9)


def test_a_node_of_10_mm_is_not_normal():
    assert assess_timepoints(with_node(("30", "20"), ("0", "10")))[-1].target is Response.PR


def test_a_normal_node_after_all_had_gone_is_no_progression():
    rows = assess_timepoints(with_node(("30", "20"), ("0", "0"), ("0", "6"), ("0", "10")))
    assert [row.target for row in rows[1:]] == [Response.CR, Response.CR, Response.PD]


@pytest.mark.parametrize("row", VECTORS["after complete response"], ids=lambda row: row["id"])
def test_what_comes_back_after_a_complete_response(row):
    rows = assess_timepoints(with_node(*row["sizes"]))

    assert [now.target for now in rows[1:]] == row["targets"]


def test_what_comes_back_while_other_lesions_remain_is_added_to_the_sum():
    first, gone, back = with_node(("30", "20"), ("0", "6"), ("4", "6"))
    left = [replace(each, non_target=Response.NON_CR_NON_PD) for each in (first, gone, back)]

    assert [row.overall for row in assess_timepoints(left)[1:]] == [Response.PR, Response.PR]


@pytest.mark.parametrize(
    "row", VECTORS["overall"], ids=lambda r: f"{r['target']} {r['non_target']} {r['new']}"
)
def test_overall_response(row):
    now = {"CR": "0", "PR": "60", "SD": "90", "PD": "130", "NE": None}
    if row["target"] is None:
        timepoints = [Timepoint(on(0), {}, Response.NON_CR_NON_PD), Timepoint(on(1), {})]
    else:
        timepoints = liver("100", now[row["target"]])
    non_target = row["non_target"] and Response(row["non_target"])
    timepoints[-1] = Timepoint(on(1), timepoints[-1].targets, non_target, row["new"])
    assert assess_timepoints(timepoints)[-1].overall == row["overall"]


def test_a_target_not_evaluable_makes_the_timepoint_so():
    row = assess_timepoints(with_node(("30", "20"), ("30", None)))[-1]
    assert (row.target, row.sum_mm, row.measured_mm) == (Response.NE, None, 30)


def test_the_measured_part_alone_can_show_progression():
    rows = assess_timepoints(with_node(("30", "20"), ("60", None), ("59.9", None)))
    assert [row.target for row in rows[1:]] == [Response.PD, Response.NE]


def test_an_incomplete_sum_is_no_nadir():
    rows = assess_timepoints(with_node(("30", "20"), ("15", None), ("30", "20")))
    assert rows[2].nadir_mm == 50
    assert rows[2].target is Response.SD


def test_a_target_left_out_is_not_evaluable():
    timepoints = with_node(("30", "20"), ("20", "10"))
    timepoints[1] = Timepoint(on(1), {"T01": timepoints[1].targets["T01"]})
    assert assess_timepoints(timepoints)[-1].target is Response.NE


def test_non_target_lesions_of_the_baseline_that_nobody_mentions_are_not_evaluable():
    baseline, now = liver("50", "0")
    baseline = Timepoint(baseline.on, baseline.targets, Response.NON_CR_NON_PD)
    assert assess_timepoints([baseline, now])[-1].overall is Response.PR


def test_the_baseline_has_a_sum_and_no_response():
    row = assess_timepoints(liver("50"))[0]
    assert (row.sum_mm, row.nadir_mm, row.target, row.overall) == (50, 50, None, None)


@pytest.mark.parametrize(
    ("timepoints", "place"),
    [
        ([], "timepoints"),
        ([*liver("50"), *liver("40")], "timepoints[1].date"),
        (liver("0"), "timepoints[0].targets.T01.mm"),
        (
            [Timepoint(on(0), {f"T{i}": Target(f"o{i}", False, Decimal(20)) for i in range(6)})],
            "timepoints[0].targets",
        ),
        (
            [Timepoint(on(0), {f"T{i}": Target("liver", False, Decimal(20)) for i in range(3)})],
            "timepoints[0].targets",
        ),
        (
            [*liver("50"), Timepoint(on(1), {"T09": Target("liver", False, Decimal(1))})],
            "timepoints[1].targets.T09",
        ),
        (
            [*liver("50"), Timepoint(on(1), {"T01": Target("lung", False, Decimal(1))})],
            "timepoints[1].targets.T01",
        ),
    ],
)
def test_what_cannot_be_assessed_is_refused_with_its_place(timepoints, place):
    with pytest.raises(RecistRefused) as refused:
        assess_timepoints(timepoints)
    assert refused.value.place == place


def test_without_a_size_at_the_baseline_the_targets_are_not_evaluable():
    first, now = with_node(("30", None), ("60", "20"))
    rows = assess_timepoints([first, now])

    assert [(row.sum_mm, row.nadir_mm) for row in rows] == [(None, None), (80, None)]
    assert (rows[1].target, rows[1].overall) == (Response.NE, Response.NE)
    assert (rows[1].change_from_baseline_pct, rows[1].change_from_nadir_pct) == (None, None)
    assert rows[1].because.startswith("targets NE: T02 not measured at the baseline")
    assert assess_timepoints([first, replace(now, new_lesion=True)])[1].overall is Response.PD
    assert assess_timepoints([first, replace(now, non_target=Response.PD)])[1].overall is Response.PD


def test_small_targets_are_remarked_on():
    remarks = baseline_remarks(with_node(("9", "14"))[0])
    assert [remark.split(":")[0] for remark in remarks] == ["T01", "T02"]
    assert baseline_remarks(with_node(("10", "15"))[0]) == []


def test_progression_dates_from_the_first_timepoint_that_shows_it():
    assert progression_date(assess_timepoints(liver("50", "40", "60", "20"))) == on(2)
    assert progression_date(assess_timepoints(liver("50", "40"))) is None


sizes = st.lists(st.one_of(st.none(), st.integers(0, 120)), max_size=8)


@given(first=st.integers(10, 100), later=sizes, more=sizes)
def test_later_reads_never_change_earlier_timepoints(first, later, more):
    texts = [str(first), *(None if mm is None else str(mm) for mm in [*later, *more])]
    whole = assess_timepoints(liver(*texts))
    assert whole[: 1 + len(later)] == assess_timepoints(liver(*texts[: 1 + len(later)]))


@given(first=st.integers(10, 100), later=sizes)
def test_the_nadir_only_falls_and_includes_the_baseline(first, later):
    rows = assess_timepoints(liver(str(first), *(None if mm is None else str(mm) for mm in later)))
    nadirs = [row.nadir_mm for row in rows]
    assert nadirs == sorted(nadirs, reverse=True)
    assert max(nadirs) == first
