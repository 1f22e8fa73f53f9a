"""Grades that values suggest, compared with the printed bands; the cut points are those of both packs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook import services
from casebook.rules.cells import Typed
from casebook.rules.grading import CHECK, baseline_of, gradings_of, suggested_grade
from casebook.rules.projection import Row
from casebook.selectors import entries, worked_form
from tests.cast import Cast
from tests.vectors import vectors
from trials.packs import bundled, load_pack
from trials.schema import Item, Protocol
from visits.models import Visit

VECTORS = vectors("ctcae_5_0")
PROTOCOLS = {path.name: load_pack(path)[0] for path in bundled().values()}


def protocol(name: str) -> Protocol:
    found = PROTOCOLS[name]
    assert found is not None
    return found


def item_of(name: str, test: str) -> tuple[str, Item]:
    return next(
        (form.code, item)
        for form in protocol(name).forms
        for item in form.items
        if item.id == test or (item.analyte == test and item.type in {"lab", "quantity"})
    )


def grade(name: str, test: str, value: str, baseline: str | None = None, **cell: str) -> int | None:
    form, item = item_of(name, test)
    unit = VECTORS["units"].get(test, item.unit)
    limits = {key: VECTORS[column].get(test) for key, column in (("low", "lln"), ("high", "uln"))}
    made = {"value": value, "unit": unit, **limits, **cell}
    before = {**made, "value": baseline} if baseline else None
    found = suggested_grade(gradings_of(protocol(name), form, item), item, made, before)
    return found.grade if found else None


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.parametrize("row", VECTORS["bands"], ids=lambda row: f"{row['test']} {row['text']}")
def test_grades_are_those_of_the_printed_bands(name: str, row: dict[str, Any]) -> None:
    for value in row["inside"]:
        assert grade(name, row["test"], value) == row["grade"], value


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.parametrize("row", VECTORS["abnormal_baseline"], ids=lambda row: f"{row['test']} {row['text']}")
def test_an_abnormal_baseline_is_what_counts(name: str, row: dict[str, Any]) -> None:
    for value in row["inside"]:
        assert grade(name, row["test"], value, row["baseline"]) == row["grade"], value


@pytest.mark.parametrize(
    "row", VECTORS["ejection_fraction"], ids=lambda row: f"{row['value']} {row['baseline']}"
)
def test_ejection_fraction(row: dict[str, Any]) -> None:
    assert grade("thermodox", "LVEF", row["value"], row["baseline"]) == row["grade"]


def test_every_graded_test_has_vectors() -> None:
    tested = {row["test"] for row in VECTORS["bands"]}
    for each in PROTOCOLS.values():
        assert each is not None
        assert {grading.analyte for grading in each.gradings if grading.analyte} <= tested


def test_without_the_limit_that_decides_there_is_no_grade() -> None:
    form, item = item_of("thermodox", "NEUT")
    gradings = gradings_of(protocol("thermodox"), form, item)
    cell = {"value": "1.8", "unit": "10^9/L"}
    found = suggested_grade(gradings, item, cell)
    assert found is not None
    assert (found.grade, found.missing) == (None, ("LLN",))
    severe = suggested_grade(gradings, item, {**cell, "value": "0.4"})
    assert severe is not None
    assert severe.grade == 4


@pytest.mark.parametrize(("value", "expected"), [("6.2", 2), ("6.21", 1)])
def test_a_boundary_holds_in_another_unit_exactly(value: str, expected: int) -> None:
    """10 g/dL of haemoglobin is 6.2058 mmol/L: 6.2 lies below it, 6.21 does not."""
    form, item = item_of("thermodox", "HGB")
    cell = {"value": value, "unit": "mmol/L", "low": "8.3"}
    found = suggested_grade(gradings_of(protocol("thermodox"), form, item), item, cell)
    assert found is not None
    assert found.grade == expected


def test_a_multiple_of_a_converted_limit_is_exact() -> None:
    form, item = item_of("thermodox", "ALT")
    kept = {"unit": "U/L", "low": "", "high": "50"}
    gradings = gradings_of(protocol("thermodox"), form, item)
    for value, expected in (("2.5", 1), ("2.5000001", 2)):
        found = suggested_grade(gradings, item, {"value": value, "unit": "ukat/L", "range": kept})
        assert found is not None
        assert found.grade == expected


@given(
    test=st.sampled_from(["NEUT", "PLAT", "HGB", "ALB", "ALT", "BILI", "CREAT", "GGT"]),
    value=st.decimals("0", "2000", places=2),
    worse=st.decimals("0.01", "100", places=2),
)
def test_a_worse_value_never_has_a_lower_grade(test: str, value: Any, worse: Any) -> None:
    step = -worse if test in {"NEUT", "PLAT", "HGB", "ALB"} else worse
    then, now = grade("thermodox", test, str(value + step)), grade("thermodox", test, str(value))
    assert then is not None
    assert now is not None
    assert then >= now


def _event(cast: Cast, term: str, entered: str, start: str = "2026-03-01") -> Any:
    subject = cast.subject("THERMODOX")
    lab = services.open_entry(actor=cast.actor(), subject=subject, visit=subject_visit(subject), form="LB")
    for item, typed in (("LBDAT", Typed("2026-03-02")), ("PLAT", Typed("45", "10^9/L"))):
        services.save_item(actor=cast.actor(), entry=entries().get(pk=lab.pk), item_id=item, typed=typed)
    event = services.open_entry(actor=cast.actor(), subject=subject, visit=None, form="AE")
    for item, value in (("AETERM", term), ("AESTDAT", start), ("AETOXGR", entered)):
        services.save_item(
            actor=cast.actor(), entry=entries().get(pk=event.pk), item_id=item, typed=Typed(value)
        )
    return worked_form(entries().get(pk=event.pk))


def subject_visit(subject: Any) -> Any:
    return Visit.objects.get(subject=subject, code="SCR")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("term", "entered", "start", "fires"),
    [
        ("Thrombocytopenia", "2", "2026-03-01", True),
        ("platelet count decreased", "4", "2026-03", True),
        ("Thrombocytopenia", "3", "2026-03-01", False),
        ("Thrombocytopenia", "2", "2026-03-03", False),  # the value was measured before the event
        ("Headache", "2", "2026-03-01", False),
    ],
)
def test_a_grade_that_differs_from_the_values_of_its_time_is_asked_about(
    cast: Cast, term: str, entered: str, start: str, fires: bool
) -> None:
    worked = _event(cast, term, entered, start)
    found = [finding for finding in worked.picture.open_findings if finding.check_id == CHECK]
    assert bool(found) is fires
    if fires:
        assert "grade 3" in found[0].message
        assert found[0].level == "check"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entered", "said"), [("3", "CTCAE v5: grade 3 by this value"), ("2", "is CTCAE v5 grade 3")]
)
def test_the_suggested_grade_is_said_once_and_not_filled_in(cast: Cast, entered: str, said: str) -> None:
    worked = _event(cast, "Thrombocytopenia", entered)
    page = cast.client("coordinator").get(f"/subjects/{worked.entry.subject.number}/log/AE/").content.decode()
    assert said in page
    assert ("by this value" in page) == (entered == "3")
    assert worked.entry.values["AETOXGR"]["value"] == entered


def test_a_grade_is_suggested_as_soon_as_the_event_is_named(cast: Cast) -> None:
    subject = _event(cast, "Thrombocytopenia", "3").entry.subject
    client, row = cast.client("coordinator"), f"/subjects/{subject.number}/log/AE/2/save/"
    client.post(row, {"item": "AESTDAT", "value": "2026-03-01"})
    answer = client.post(row, {"item": "AETERM", "value": "Thrombocytopenia"}).content.decode()
    assert 'hx-target="#row-AETOXGR"' in answer
    assert "CTCAE v5: grade 3 by this value" in answer


def test_a_fall_is_worded_as_one() -> None:
    form, item = item_of("thermodox", "WEIGHT")
    cell = {"value": "70", "unit": "kg"}
    found = suggested_grade(
        gradings_of(protocol("thermodox"), form, item), item, cell, {**cell, "value": "75"}
    )
    assert found is not None
    assert found.because == "Weight loss, fallen by 5 % or more"


def _alt(visit: str, day: str, value: str) -> Row:
    cell = {"value": value, "unit": "U/L", "low": "10", "high": "50"}
    happened = date.fromisoformat(day)
    return Row(int(day.replace("-", "")), "LB", visit, happened, 1, {"ALT": cell})


@pytest.mark.parametrize(
    ("name", "visits", "before"),
    [
        ("excalibur", ["SCR", "RAND", "W8"], "152"),  # the arm of chemotherapy has no visit of treatment
        ("excalibur", ["SCR", "RAND", "PUMP"], "152"),
        ("thermodox", ["SCR", "P1", "D14"], "152"),
        ("thermodox", ["SCR", "BL", "UNS"], None),  # nothing was given yet
    ],
)
def test_the_last_value_before_treatment_is_the_baseline_in_every_arm(
    name: str, visits: list[str], before: str | None
) -> None:
    days, values = ("2026-03-01", "2026-03-10", "2026-04-20"), ("150", "152", "155")
    rows = [_alt(visit, day, value) for visit, day, value in zip(visits, days, values, strict=True)]
    found = baseline_of(protocol(name), rows, "LB", "ALT", days[-1], rows[-1].entry_id)
    assert (found or {}).get("value") == before
    form, item = item_of(name, "ALT")
    judged = suggested_grade(gradings_of(protocol(name), form, item), item, rows[-1].values["ALT"], found)
    assert judged is not None
    assert judged.grade == (0 if before else 2)  # 3.1 times the limit, hardly more than before
