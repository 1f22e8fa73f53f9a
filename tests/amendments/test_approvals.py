"""A site uses a protocol version from the day of its approval, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.context import acting
from patients.services import register_patient, screen_patient
from tests.amendments.conftest import SETUP, Bench
from trials.errors import ApprovalRefused, ApprovalTaken, SiteNotOpen, VersionNotApproved
from trials.models import SiteApproval
from trials.selectors import version_at_site
from trials.services import approve_version, register_site, withdraw_approval, withdraw_version

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]


def test_a_first_version_is_approved_by_opening_the_site(bench: Bench) -> None:
    assert bench.screen().version.label == "1.0"


def test_new_subjects_of_an_approved_site_only_are_registered_under_the_new_version(bench: Bench) -> None:
    before = bench.screen()
    bench.approve("two")
    assert bench.screen().version.label == "2.0"
    assert bench.screen(bench.away).version.label == "1.0"
    before.refresh_from_db()
    assert before.version.label == "1.0"


def test_an_approval_may_lie_ahead_and_counts_from_its_day(bench: Bench) -> None:
    bench.approve("two", on=bench.today + timedelta(days=3))
    assert bench.screen().version.label == "1.0"
    later = [bench.today + timedelta(days=days) for days in (2, 3)]
    assert [version_at_site(bench.trial, bench.home, day).label for day in later] == ["1.0", "2.0"]


def test_screening_under_a_version_that_the_site_may_not_use_is_refused(bench: Bench) -> None:
    patient = register_patient(actor=bench.actor(), site=bench.home, code="P-900")
    with pytest.raises(
        VersionNotApproved, match=r"Oslo has no approval of HEPAFIT 2\.0 on .*Record the approval first"
    ):
        screen_patient(actor=bench.actor(), patient=patient, trial=bench.trial, version=bench.versions["two"])
    bench.approve("two")
    older = screen_patient(
        actor=bench.actor(), patient=patient, trial=bench.trial, version=bench.versions["one"]
    )
    assert older.version.label == "1.0"


def test_without_any_usable_version_nobody_is_screened(bench: Bench) -> None:
    withdraw_version(actor=SETUP, version_id=bench.versions["one"].pk, reason="superseded")
    with pytest.raises(VersionNotApproved):
        bench.screen()


def test_withdrawing_needs_a_reason_and_keeps_who_is_there(bench: Bench) -> None:
    approval = bench.approve("two")
    subject = bench.screen()
    with pytest.raises(ApprovalRefused, match="Give the reason"):
        withdraw_approval(actor=bench.actor("sponsor"), approval=approval, reason=" ")
    withdraw_approval(actor=bench.actor("sponsor"), approval=approval, reason="The committee took it back")
    assert bench.screen().version.label == "1.0"
    subject.refresh_from_db()
    assert subject.version.label == "2.0"
    with pytest.raises(ApprovalRefused, match="withdrawn before"):
        withdraw_approval(actor=bench.actor("sponsor"), approval=approval, reason="again")
    assert bench.approve("two", on=bench.today).withdrawn_on is None


def test_what_makes_no_sense_is_refused(bench: Bench) -> None:
    bench.approve("two")
    with pytest.raises(ApprovalTaken, match=r"an approval of 2\.0 already"):
        bench.approve("two")
    with pytest.raises(ApprovalRefused, match="Which document"):
        approve_version(
            actor=SETUP, site=bench.away, version=bench.versions["two"], approved_on=bench.today, document=" "
        )
    elsewhere = register_site(
        actor=SETUP, code="DK-03", name="Aarhus", country="DK", time_zone="Europe/Copenhagen"
    )
    with pytest.raises(SiteNotOpen):
        bench.approve("two", elsewhere)
    withdraw_version(actor=SETUP, version_id=bench.versions["two"].pk, reason="misprint")
    with pytest.raises(ApprovalRefused, match="was withdrawn"):
        bench.approve("two", bench.away)


@pytest.mark.parametrize(
    "write",
    [
        lambda: SiteApproval.objects.update(document="another letter"),
        lambda: SiteApproval.objects.all().delete(),
    ],
)
def test_an_approval_cannot_be_changed_or_deleted(bench: Bench, write: object) -> None:
    bench.approve("two")
    with pytest.raises(IntegrityError, match="An approval is not"), acting(SETUP), transaction.atomic():
        write()  # type: ignore[operator]
