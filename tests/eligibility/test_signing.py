"""Signing: only what the criteria allow, only by an investigator, and only while the facts stand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction

from accounts.errors import SignatureRefused
from accounts.models import Signature
from audit.context import acting
from audit.models import Event
from casebook.rules.cells import Typed
from eligibility import services
from eligibility.errors import (
    AlreadySignedError,
    CommentNeededError,
    FactsChangedError,
    FutureAssessmentError,
    NotEligibleError,
)
from eligibility.models import Assessment, Decision
from eligibility.rules.assessment import Criteria
from eligibility.selectors import evaluation_of, gate_before_treatment, standing_of, unfitting_assessments
from foundation.errors import Forbidden, NotFound
from patients.models import SubjectStatus
from patients.services import set_status
from tests.cast import SETUP, Cast
from tests.conftest import PASSWORD
from tests.eligibility.case import Case
from tests.eligibility.entering import Nurse

pytestmark = pytest.mark.django_db
TODAY = date(2025, 9, 15)


def test_an_eligible_subject_is_signed_and_offered_the_first_sub_study(cast: Cast) -> None:
    case = Case(cast)
    kept = case.sign()
    subject = case.again()
    assert (subject.status, subject.sub_study) == ("ELIGIBLE", "EXCALIBUR-1")
    assert (kept.verdict, kept.route, kept.decision) == ("ELIGIBLE", "OFFER EXCALIBUR-1", "ELIGIBLE")
    assert kept.signature is not None
    assert (kept.signature.digest, kept.signature.target_id) == (kept.digest, str(kept.reference))
    assert kept.signature.get_meaning_display() == "Approval"
    assert "as of 15 Sep 2025" in kept.signature.statement
    assert standing_of(subject, TODAY).state == "signed"
    assert list(unfitting_assessments()) == []


def test_what_fails_only_excalibur_1_goes_to_excalibur_2(cast: Cast) -> None:
    case = Case(cast, LIVMAX_MM="101")
    assert case.sign().offered == "EXCALIBUR-2"
    assert case.again().sub_study == "EXCALIBUR-2"


def test_hold_cannot_be_signed_eligible_even_where_excalibur_2_would_do(cast: Cast) -> None:
    case = Case(cast, BRAFRES=None)
    outlook = evaluation_of(case.subject, TODAY).outlook
    assert outlook is not None
    assert outlook.held
    with pytest.raises(NotEligibleError, match="E1-E-2"):
        case.sign()
    assert case.again().status == "SCREENING"
    assert not Assessment.objects.exists()


@pytest.mark.parametrize(("ecog", "may"), [("1", True), ("2", False)])
def test_nobody_signs_eligible_beyond_a_limit_whatever_the_comment(cast: Cast, ecog: str, may: bool) -> None:
    case = Case(cast, ECOG=ecog)
    if may:
        assert case.sign(comment="Fine").decision == Decision.ELIGIBLE
        return
    with pytest.raises(NotEligibleError, match="no waivers"):
        case.sign(comment="A waiver was given by telephone")
    assert not Signature.objects.exists()


def test_the_database_keeps_eligible_away_from_a_verdict_that_is_not(cast: Cast) -> None:
    case = Case(cast)
    kept = case.sign()
    forged = Assessment(
        **{
            field.attname: getattr(kept, field.attname)
            for field in Assessment._meta.concrete_fields
            if field.attname not in {"id", "reference", "signature_id", "created_at"}
        }
    )
    forged.verdict = "UNDETERMINED"
    with pytest.raises(DatabaseError), transaction.atomic(), acting(SETUP):
        forged.save()


def test_a_failing_subject_is_signed_as_screen_failure_without_a_comment(cast: Cast) -> None:
    case = Case(cast, ECOG="2")
    assert case.sign("NOT_ELIGIBLE").verdict == "INELIGIBLE"
    assert (case.again().status, case.subject.sub_study) == ("SCREEN_FAILURE", "")


def test_a_decision_against_the_criteria_needs_a_comment(cast: Cast) -> None:
    case = Case(cast)
    with pytest.raises(CommentNeededError):
        case.sign("NOT_ELIGIBLE", comment="  ")
    kept = case.sign("NOT_ELIGIBLE", comment="Moved abroad")
    assert (kept.comment, kept.verdict) == ("Moved abroad", "ELIGIBLE")
    assert case.again().status == "SCREEN_FAILURE"


def test_a_wrong_password_signs_nothing_and_counts(cast: Cast) -> None:
    case = Case(cast)
    with pytest.raises(SignatureRefused, match="tries"):
        case.sign(password="wrong")
    assert not Assessment.objects.exists()
    assert not Signature.objects.exists()
    assert case.again().status == "SCREENING"


@pytest.mark.parametrize(("who", "error"), [
    ("coordinator", Forbidden), ("monitor", Forbidden), ("datamanager", Forbidden), ("sponsor", Forbidden),
    ("investigator2", NotFound), ("admin", NotFound), ("outsider", NotFound),
])  # fmt: skip
def test_only_an_investigator_of_the_site_signs(cast: Cast, who: str, error: type[Exception]) -> None:
    case = Case(cast)
    with pytest.raises(error):
        case.sign(who=who)
    assert not Assessment.objects.exists()


def test_nobody_signs_in_the_name_of_another(cast: Cast) -> None:
    case = Case(cast)
    with pytest.raises(ValueError, match="person who acts"):
        services.sign_assessment(
            actor=cast.actor("coordinator"),
            user=cast.people["investigator"],
            subject=case.subject,
            password=PASSWORD,
            decision="ELIGIBLE",
        )


def test_what_changed_between_looking_and_signing_is_not_signed(cast: Cast) -> None:
    case = Case(cast)
    seen = evaluation_of(case.subject, TODAY).digest
    case.nurse.enter("LB", {"HGB": Typed("11.9", "g/dL")})
    with pytest.raises(FactsChangedError):
        case.sign(seen=seen)
    assert case.sign(seen=evaluation_of(case.subject, TODAY).digest).decision == "ELIGIBLE"


def test_the_same_decision_on_the_same_facts_is_signed_once(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    with pytest.raises(AlreadySignedError, match="Investigator Person"):
        case.sign()
    assert Assessment.objects.count() == 1


def test_an_assessment_is_neither_changed_nor_deleted(cast: Cast) -> None:
    kept = Case(cast).sign()
    for change in (
        lambda: Assessment.objects.filter(pk=kept.pk).update(decision="NOT_ELIGIBLE"),
        lambda: Assessment.objects.filter(pk=kept.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), acting(SETUP):
            change()
    assert Assessment.objects.get().decision == "ELIGIBLE"


def test_the_trail_names_the_investigator_and_the_subject(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    event = Event.objects.get(table_name="eligibility_assessment")
    assert (event.actor, event.action, event.subject_id) == ("Investigator Person", "I", case.subject.pk)


# --- what goes out of date ---------------------------------------------------------------------------------------


def test_a_change_across_a_limit_makes_the_signature_stale_and_names_the_fact(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter("LB", {"HGB": Typed("10.0", "g/dL")})
    found = standing_of(case.again(), TODAY)
    assert found.state == "stale"
    assert [(each.label, each.before, each.after) for each in found.changes] == [
        ("Haemoglobin", "12.4 g/dL, 10 Sep 2025", "10.0 g/dL, 10 Sep 2025")
    ]
    with pytest.raises(NotEligibleError):
        case.sign()
    assert case.sign("NOT_ELIGIBLE").verdict == "INELIGIBLE"
    assert case.again().status == "SCREEN_FAILURE"
    assert Assessment.objects.count() == 2


def test_a_change_that_crosses_no_limit_makes_it_stale_all_the_same(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter("LB", {"HGB": Typed("12.5", "g/dL")})
    assert standing_of(case.again(), TODAY).state == "stale"
    case.sign()
    assert standing_of(case.again(), TODAY).state == "signed"


def test_the_same_value_in_another_unit_is_a_change_and_a_fact_that_no_criterion_reads_is_none(
    cast: Cast,
) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter("LB", {"K": Typed("4.1", "mmol/L")})
    assert standing_of(case.again(), TODAY).state == "signed"
    case.nurse.enter("LB", {"HGB": Typed("124", "g/L")})
    assert [each.after for each in standing_of(case.again(), TODAY).changes] == ["124 g/L, 10 Sep 2025"]


def test_putting_the_value_back_puts_the_signature_back(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter("VS", {"WEIGHT": Typed("81", "kg")})
    assert standing_of(case.again(), TODAY).state == "stale"
    case.nurse.enter("VS", {"WEIGHT": Typed("80", "kg")})
    assert standing_of(case.again(), TODAY).state == "signed"


@pytest.mark.parametrize(("day", "state"), [(24, "signed"), (25, "stale")])
def test_it_holds_through_the_last_day_of_the_look_back_and_no_longer(
    cast: Cast, day: int, state: str
) -> None:
    case = Case(cast)
    kept = case.sign()
    assert kept.valid_until == date(2025, 9, 24)  # blood of 10 September, 14 days
    found = standing_of(case.again(), date(2025, 9, day))
    assert found.state == state
    assert found.expired == (date(2025, 9, 24) if state == "stale" else None)


def test_after_enrolment_time_and_later_values_change_nothing_but_a_correction_does(cast: Cast) -> None:
    case = Case(cast)
    case.sign()
    set_status(actor=SETUP, subject=case.subject, status=SubjectStatus.ENROLLED, on=TODAY)
    later = date(2025, 11, 20)
    with time_machine.travel(datetime(2025, 11, 20, 10, tzinfo=UTC), tick=True):
        follow_up = Nurse(cast, case.again(), "RAND")
        follow_up.enter("LB", {"LBDAT": "2025-11-19", "HGB": Typed("8.1", "g/dL")})
        assert standing_of(case.again(), later).state == "signed"
        case.nurse.enter("LB", {"PLAT": Typed("75", "10^9/L")})
        found = standing_of(case.again(), later)
        assert (found.state, [each.label for each in found.changes]) == ("stale", ["Platelets"])
        with pytest.raises(NotEligibleError):
            case.sign()
        kept = case.sign("NOT_ELIGIBLE")
    assert kept.as_of == TODAY
    assert case.again().status == "ENROLLED"


def test_a_screen_failure_can_be_found_eligible_later(cast: Cast) -> None:
    case = Case(cast, LIVMETN="5")
    case.sign("NOT_ELIGIBLE")
    case.nurse.enter("STG", {"LIVMETN": "6"})
    case.sign()
    assert case.again().status == "ELIGIBLE"


# --- the gate ----------------------------------------------------------------------------------------------------


def test_the_gate_opens_on_a_signed_decision_that_stands_and_names_it(cast: Cast) -> None:
    case = Case(cast)
    assert gate_before_treatment(case.subject, TODAY).because == "eligibility has not been signed."
    kept = case.sign()
    found = gate_before_treatment(case.again(), TODAY)
    assert found.open
    assert str(kept.reference) in found.reference
    assert len(found.reference) <= 300


@pytest.mark.parametrize(("form", "values", "words"), [
    ("LB", {"HGB": Typed("10.0", "g/dL")}, "Haemoglobin changed"),
    ("CHS", {"L2START": "Y", "L2EVALYN": "Y", "L2EVALDAT": "2025-09-15"}, "2nd line started changed"),
])  # fmt: skip
def test_the_gate_closes_when_a_fact_changes(
    cast: Cast, form: str, values: dict[str, Any], words: str
) -> None:
    case = Case(cast)
    case.sign()
    case.nurse.enter(form, values)
    found = gate_before_treatment(case.again(), TODAY)
    assert not found.open
    assert words in found.because


def test_the_gate_closes_when_the_facts_run_out_and_for_a_subject_that_was_refused(cast: Cast) -> None:
    case, refused = Case(cast), Case(cast, ECOG="2")
    case.sign()
    refused.sign("NOT_ELIGIBLE")
    assert gate_before_treatment(case.again(), date(2025, 9, 24)).open
    assert not gate_before_treatment(case.subject, date(2025, 9, 25)).open
    assert not gate_before_treatment(refused.again(), TODAY).open


# --- keeping an evaluation ---------------------------------------------------------------------------------------


def test_an_evaluation_is_kept_without_a_decision_and_the_same_one_once(cast: Cast) -> None:
    case = Case(cast, BRAFRES=None)
    kept = services.assess_subject(actor=cast.actor(), subject=case.subject, as_of=TODAY)
    assert (kept.verdict, kept.route, kept.decision, kept.signature) == ("UNDETERMINED", "HOLD", "", None)
    assert kept.outcomes["criteria"]["E1-E-2"]["missing"] == ["BRAFRES"]
    assert kept.facts["LB"]["HGB"]["value"] == "12.4"
    assert services.assess_subject(actor=cast.actor(), subject=case.subject, as_of=TODAY).pk == kept.pk
    case.nurse.enter("GF", {"BRAFRES": "WT"})
    assert services.assess_subject(actor=cast.actor(), subject=case.subject, as_of=TODAY).pk != kept.pk
    assert standing_of(case.again(), TODAY).state == "none"


def test_tomorrow_is_not_judged(cast: Cast) -> None:
    case = Case(cast)
    with pytest.raises(FutureAssessmentError):
        services.assess_subject(actor=cast.actor(), subject=case.subject, as_of=date(2025, 9, 16))
    with pytest.raises(FutureAssessmentError):
        case.sign(as_of=date(2025, 9, 16))


def test_what_was_kept_evaluates_to_the_same_again(cast: Cast) -> None:
    kept = Case(cast).sign()
    protocol = kept.version.protocol
    again = Criteria(protocol).assess(Assessment.objects.get(pk=kept.pk).facts, kept.as_of)
    outcomes = {
        each.criterion.id: str(each.outcome) for part in again.sets.values() for each in part.criteria
    }
    assert outcomes == {name: each["outcome"] for name, each in kept.outcomes["criteria"].items()}
