"""Events and the clock of a serious one, as they are typed into forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casebook import services
from casebook.models import Entry
from casebook.rules.cells import Typed
from casebook.selectors import entries
from foundation import clock
from patients.models import Subject
from safety.selectors.subject import safety_of
from safety.selectors.worklist import sae_clocks
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db
KNOWN = {"AETERM": "Liver abscess", "AWAREDAT": "2025-03-10", "AWARETIM": "14:00", "AESHOSP": "Y"}
SEES = {"coordinator", "investigator", "datamanager", "monitor"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def enter(
    cast: Cast, subject: Subject, form: str, values: dict[str, str], repeat: int = 1, visit: str | None = None
) -> Entry:
    """Type a form; `12.4 g/dL 11.5 16` is a value with unit and limits."""
    where = Visit.objects.get(subject=subject, code=visit) if visit else None
    entry = services.open_entry(actor=cast.actor(), subject=subject, visit=where, form=form, repeat=repeat)
    for item, text in values.items():
        value, *rest = text.split("|")
        unit, low, high = [*rest, "", "", ""][:3]
        services.save_item(
            actor=cast.actor(),
            entry=entries().get(pk=entry.pk),
            item_id=item,
            typed=Typed(value=value, unit=unit, low=low, high=high),
        )
    return entry


def report(cast: Cast, subject: Subject, repeat: int = 1, **values: str) -> Entry:
    return enter(cast, subject, "SAE", {**KNOWN, **values}, repeat)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2025-03-11T13:59:00+01:00", "RUNNING"),
        ("2025-03-11T14:00:00+01:00", "RUNNING"),
        ("2025-03-11T14:00:01+01:00", "OVERDUE"),
    ],
)
def test_the_clock_runs_for_24_hours_from_the_awareness_of_the_site(cast: Cast, now: str, state: str) -> None:
    subject = cast.subject("THERMODOX")
    report(cast, subject)
    assert safety_of(subject, at(now)).reports[0].clock.state == state


@pytest.mark.parametrize(
    ("day", "time", "state"),
    [
        ("2025-03-11", "14:00", "IN TIME"),
        ("2025-03-11", "14:01", "LATE"),
        ("2025-03-10", "", "IN TIME"),  # at the latest at the end of that day
        ("2025-03-11", "", "LATE"),
    ],
)
def test_a_report_is_in_time_up_to_the_minute(cast: Cast, day: str, time: str, state: str) -> None:
    subject = cast.subject("THERMODOX")
    report(cast, subject, REPDAT=day, REPTIM=time)
    found = safety_of(subject, at("2025-03-20T12:00:00+01:00")).reports[0]
    assert found.clock.state == state
    assert bool(found.doubt) is (time == "")


def test_the_clock_counts_elapsed_hours_over_the_night_in_which_summer_time_begins(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    report(cast, subject, AWAREDAT="2025-03-29", AWARETIM="14:00")
    due = safety_of(subject, at("2025-03-29T20:00:00+01:00")).reports[0].clock.due
    assert due == at("2025-03-30T15:00:00+02:00")


def test_a_report_without_the_time_of_awareness_counts_from_the_beginning_of_the_day(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    report(cast, subject, AWARETIM="")
    found = safety_of(subject, at("2025-03-11T00:01:00+01:00")).reports[0]
    assert found.clock.state == "OVERDUE"
    assert "time of awareness is not recorded" in found.doubt


def test_a_report_before_the_awareness_is_doubted_and_does_not_stop_the_clock(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    report(cast, subject, REPDAT="2025-03-09", REPTIM="09:00")
    found = safety_of(subject, at("2025-03-10T20:00:00+01:00")).reports[0]
    assert (found.clock.state, found.doubt) == (
        "RUNNING",
        "The report is before the awareness. Correct one of them.",
    )


def test_a_serious_event_without_a_report_is_named(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "AE", {"AETERM": "Liver abscess", "AESER": "Y", "AETOXGR": "3"})
    enter(cast, subject, "AE", {"AETERM": "Nausea", "AESER": "N", "AETOXGR": "1"}, repeat=2)
    assert [event.term for event in safety_of(subject).unreported] == ["Liver abscess"]
    report(cast, subject, AETERM="liver ABSCESS")
    assert safety_of(subject).unreported == ()


def test_an_event_that_was_struck_out_no_longer_counts(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    entry = enter(cast, subject, "AE", {"AETERM": "Nausea", "AESER": "Y"})
    services.strike_out(
        actor=cast.actor(), entry=entries().get(pk=entry.pk), reason="Entered for another patient"
    )
    assert safety_of(subject).events == ()


# The list of what waits -----------------------------------------------------------------------------------------------


def test_what_waits_is_listed_by_deadline_for_the_own_site_only(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    later, sooner, away = (
        cast.subject("THERMODOX"),
        cast.subject("EXCALIBUR"),
        cast.subject("THERMODOX", cast.away),
    )
    report(cast, later)
    report(cast, sooner, AWARETIM="08:00")
    report(cast, away)
    enter(cast, later, "AE", {"AETERM": "Bleeding", "AESER": "Y"})
    report(cast, sooner, 2, AETERM="Fever", REPDAT="2025-03-10", REPTIM="15:00")
    now = at("2025-03-10T20:00:00+01:00")
    access = access_of(cast, "coordinator")
    with statements() as done:
        found = sae_clocks(access, now)
    assert [(each.subject.number, each.term) for each in found] == [
        (later.number, "Bleeding"), (sooner.number, "Liver abscess"), (later.number, "Liver abscess"),
    ]  # fmt: skip
    assert len(done.counted) <= 3
    assert [each.subject.number for each in sae_clocks(access_of(cast, "coordinator2"), now)] == [away.number]
    assert sae_clocks(access_of(cast, "sponsor"), now) == []
    assert "12 h 00 min left" in found[1].because


def access_of(cast: Cast, role: str) -> Any:
    """Access as the middleware gives it to a request."""
    client = cast.client(role)
    return client.get("/account/").wsgi_request.access  # type: ignore[attr-defined]


# Laboratory values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "typed", "grade"),
    [
        ("HGB", "124|g/L|115|160", 0),
        ("HGB", "79|g/L|115|160", 3),
        ("HGB", "80|g/L|115|160", 2),
        ("HGB", "6.2|mmol/L|7.1|9.9", 2),
        ("NEUT", "999|/uL|1800|7500", 3),
        ("NEUT", "0.49|10^9/L|1.8|7.5", 4),
        ("BILI", "62|umol/L|3|20", 3),
        ("BILI", "60|umol/L|3|20", 2),
        ("BILI", "62|umol/L", None),
        ("ALT", "201|U/L|10|40", 3),
    ],
)
def test_a_result_suggests_a_grade_in_the_unit_that_it_was_reported_in(
    cast: Cast, item: str, typed: str, grade: int | None
) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "LB", {"LBDAT": "2025-03-01", item: typed}, visit="SCR")
    (found,) = safety_of(subject).grades
    assert (found.latest.test, found.grade) == (item, grade)


def test_the_latest_result_counts_and_an_abnormal_baseline_is_the_measure(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "LB", {"LBDAT": "2025-03-01", "ALT": "80|U/L|10|40"}, visit="SCR")
    enter(cast, subject, "LB", {"LBDAT": "2025-03-04", "ALT": "1.6|ukat/L|0.2|0.7"}, visit="P1")
    (found,) = safety_of(subject).grades
    assert (found.latest.dated, found.baseline and str(found.baseline.value)) == ("2025-03-04", "80")
    # 1.6 ukat/L are 96 U/L: more than twice the upper limit, but 1.2 times the abnormal baseline
    assert found.grade == 0


def test_the_ejection_fraction_is_graded_by_its_fall(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    enter(cast, subject, "CV", {"CVDAT": "2025-03-01", "LVEF": "62"}, visit="SCR")
    (found,) = safety_of(subject).grades
    assert (found.latest.test, found.grade) == ("LVEF", 0)


# The page -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [(role, 200 if role in SEES else 404) for role in
     ("coordinator", "investigator", "datamanager", "monitor", "radiologist", "adjudicator", "sponsor", "admin",
      "coordinator2", "investigator2", "outsider")],
)  # fmt: skip
def test_who_sees_the_page(cast: Cast, role: str, status: int) -> None:
    subject = cast.subject("THERMODOX")
    assert cast.client(role).get(f"/subjects/{subject.number}/safety/").status_code == status


def test_the_page_says_what_is_due_what_happened_and_what_is_only_suggested(cast: Cast) -> None:
    subject = cast.subject("EXCALIBUR")
    knew = (clock.now() - timedelta(hours=6)).astimezone(ZoneInfo("Europe/Oslo"))
    report(cast, subject, AWAREDAT=f"{knew:%Y-%m-%d}", AWARETIM=f"{knew:%H:%M}")
    enter(
        cast, subject, "AE",
        {"AETERM": "Nausea", "AESTDAT": "2025-03", "AEONGO": "Y", "AESER": "N", "AETOXGR": "2",
         "AERELCHM": "PROBABLE", "AERELPMP": "NOT RELATED"},
    )  # fmt: skip
    enter(cast, subject, "LB", {"LBDAT": "2025-03-01", "NEUT": "0.9|10^9/L|1.8|7.5"}, visit="SCR")
    text = page_text(cast, subject)
    assert re.search(r"Report is due: not reported; 17 h 5\d min left of 24 h\.", text)
    assert "hospital stay" in text
    assert "still present" in text
    assert "Chemotherapy" in text
    assert "Pump" not in text
    assert "Grade 3" in text
    assert "NCI CTCAE version 5.0" in text
    assert "Provisional" in text


def page_text(cast: Cast, subject: Subject) -> str:
    answer = cast.client("coordinator").get(f"/subjects/{subject.number}/safety/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_an_empty_page_says_so(cast: Cast) -> None:
    text = page_text(cast, cast.subject("EXCALIBUR"))
    assert "No serious events reported." in text
    assert "No adverse events recorded." in text


def test_the_page_costs_the_same_for_one_event_as_for_many(cast: Cast, statements: Callable[[], Any]) -> None:
    def cost(subject: Subject) -> int:
        client = cast.client("coordinator")
        client.get(f"/subjects/{subject.number}/safety/")
        with statements() as done:
            client.get(f"/subjects/{subject.number}/safety/")
        return len(done.counted)

    few, many = cast.subject("EXCALIBUR"), cast.subject("EXCALIBUR")
    for subject, number in ((few, 1), (many, 5)):
        for row in range(1, number + 1):
            report(cast, subject, row)
            enter(cast, subject, "AE", {"AETERM": f"Event {row}", "AETOXGR": "2"}, repeat=row)
        enter(cast, subject, "LB", {"LBDAT": "2025-03-01", "NEUT": "0.9|10^9/L|1.8|7.5"}, visit="SCR")
    assert cost(few) == cost(many) <= 9
