"""Who was included under the criteria then in force is not judged by those of a later amendment."""

from __future__ import annotations

import pytest

from eligibility.selectors import evaluation_of, newest_signed, standing_of
from eligibility.services import sign_assessment
from patients.models import Subject
from patients.selectors import get_subject_by_key
from patients.services import set_status
from reports.impact.moving import impact_on
from tests.amendments.conftest import Bench
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]


def signed(bench: Bench) -> Subject:
    subject = bench.screened_on("one", consent=-5, metres="180")
    sign_assessment(
        actor=bench.actor("investigator"),
        user=bench.people["investigator"],
        subject=subject,
        password=PASSWORD,
        decision="ELIGIBLE",
    )
    return subject


def test_in_screening_the_new_criteria_count_and_the_signature_is_asked_again(bench: Bench) -> None:
    bench.approve("two")
    moved = bench.move(signed(bench), "two")
    standing = standing_of(moved, bench.today)
    assert standing.state == "stale"
    first = standing.changes[0]
    assert (first.label, first.before, first.after) == (
        "Protocol version",
        "1.0",
        "2.0",
    )
    now = evaluation_of(moved, bench.today)
    assert now.protocol.version.label == "2.0"
    assert now.outlook is not None
    assert now.outlook.verdict == "INELIGIBLE"


def test_after_enrolment_eligibility_stays_as_it_was_signed(bench: Bench) -> None:
    bench.approve("two")
    subject = signed(bench)
    set_status(actor=bench.actor(), subject=subject, status="ENROLLED", on=bench.today)
    moved = bench.move(subject, "two")
    assert moved.version.label == "2.0"
    assert standing_of(moved, bench.today).state == "signed"
    now = evaluation_of(moved, bench.today)
    assert now.protocol.version.label == "1.0"
    assert now.outlook is not None
    assert now.outlook.verdict == "ELIGIBLE"
    known = newest_signed(moved)
    assert known is not None
    assert known.version.label == "1.0"


def test_who_has_moved_shows_no_verdict_to_flip_after_enrolment(bench: Bench) -> None:
    bench.approve("two")
    subject = signed(bench)
    set_status(actor=bench.actor(), subject=subject, status="ENROLLED", on=bench.today)
    found = impact_on(get_subject_by_key(subject.pk), bench.versions["two"])
    assert found is not None
    assert (found.affected, found.verdict, found.flips) == ("randomised", None, ())
