"""Lists over many subjects: what waits, and what screening came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from accounts.selectors import access_of
from casebook.rules.cells import Typed
from eligibility.selectors import screening_outcomes, unsigned_or_stale
from patients.models import SubjectStatus
from patients.services import set_status
from tests.cast import SETUP, Cast
from tests.eligibility.case import Case

pytestmark = pytest.mark.django_db
TODAY = date(2025, 9, 15)


def waiting(cast: Cast, who: str = "investigator", on: date = TODAY) -> list[tuple[str, str]]:
    return [(task.kind, task.subject.number) for task in unsigned_or_stale(access_of(cast.people[who]), on)]


def test_what_is_decided_and_not_signed_waits_and_what_is_open_does_not(cast: Cast) -> None:
    decided, failing, held = Case(cast), Case(cast, ECOG="2"), Case(cast, BRAFRES=None)
    cast.subject("EXCALIBUR")
    found = {number: kind for kind, number in waiting(cast)}
    assert found[decided.subject.number] == "unsigned"
    assert found[failing.subject.number] == "unsigned"
    assert found.get(held.subject.number) is None
    tasks = unsigned_or_stale(access_of(cast.people["investigator"]), TODAY)
    assert tasks[0].due == date(2025, 9, 24)
    assert tasks[0].url == decided.address


@pytest.mark.parametrize(
    ("day", "kinds"), [(16, []), (17, ["expiring"]), (24, ["expiring"]), (25, ["stale"])]
)
def test_a_signed_decision_is_announced_a_week_before_its_facts_run_out(
    cast: Cast, day: int, kinds: list[str]
) -> None:
    Case(cast).sign()
    assert [kind for kind, _ in waiting(cast, on=date(2025, 9, day))] == kinds


def test_a_change_puts_a_signed_subject_back_on_the_list_also_after_enrolment(cast: Cast) -> None:
    screening, enrolled = Case(cast), Case(cast)
    for case in (screening, enrolled):
        case.sign()
    set_status(actor=SETUP, subject=enrolled.again(), status=SubjectStatus.ENROLLED, on=TODAY)
    assert waiting(cast) == []
    for case in (screening, enrolled):
        case.nurse.enter("LB", {"HGB": Typed("10.0", "g/dL")})
    tasks = unsigned_or_stale(access_of(cast.people["investigator"]), TODAY)
    assert [task.kind for task in tasks] == ["stale", "stale"]
    assert "Haemoglobin: 12.4 g/dL, 10 Sep 2025 → 10.0 g/dL, 10 Sep 2025" in tasks[0].detail


def test_each_site_sees_its_own(cast: Cast) -> None:
    Case(cast, cast.away)
    assert waiting(cast, "investigator") == []
    assert len(waiting(cast, "investigator2")) == 1
    assert len(waiting(cast, "monitor")) == 1
    assert waiting(cast, "sponsor") == []


def test_counts_per_criterion_take_the_signed_word_first(cast: Cast) -> None:
    access = access_of(cast.people["sponsor"])
    signed, live = Case(cast, ECOG="2"), Case(cast, ECOG="2", BRAFRES=None)
    signed.sign("NOT_ELIGIBLE")
    signed.nurse.enter("RS", {"ECOG": "1"})
    live.nurse.enter("VS", {"WEIGHT": Typed("120", "kg")})
    found = screening_outcomes(cast.trials["EXCALIBUR"], access, TODAY)
    counts = {each.criterion.id: (each.failed, each.undetermined) for each in found.criteria}
    assert (found.subjects, found.signed) == (2, 1)
    assert counts["EX-I-5a"] == (2, 0)
    assert counts["E1-E-2"] == (0, 1)
    assert counts["E1-E-5"] == (1, 0)
    assert counts["EX-I-1a"] == (0, 0)
    assert found.verdicts["EXCALIBUR-2"] == {"INELIGIBLE": 2}
    assert next(each for each in found.criteria if each.criterion.id == "E1-E-5").failed_word == "PRESENT"
    assert (
        screening_outcomes(cast.trials["EXCALIBUR"], access_of(cast.people["outsider"]), TODAY).subjects == 0
    )


def test_lists_cost_the_same_statements_for_two_and_for_six(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    access, sponsor = access_of(cast.people["investigator"]), access_of(cast.people["sponsor"])
    trial = cast.trials["EXCALIBUR"]
    counts = []
    for number in (1, 2):
        for _ in range(number):
            Case(cast).sign()
            Case(cast, BRAFRES=None)
        unsigned_or_stale(access, TODAY)
        with statements() as done:
            unsigned_or_stale(access, TODAY)
            screening_outcomes(trial, sponsor, TODAY)
        counts.append(len(done.counted))
    assert counts[0] == counts[1] <= 8
