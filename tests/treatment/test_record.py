"""Treatment through forms: findings at their limits, the dose of each procedure, and a third procedure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from casebook import services
from casebook.errors import ItemRefusedError
from casebook.models import Entry
from foundation.errors import DomainError
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.treatment.records import DAY, ablate, eligible, enter, infuse, save, visit_of
from treatment.errors import NotYetEligibleError, TooManyProceduresError
from treatment.selectors.record import treatment_of
from trials.packs import bundled
from trials.services import approve_version, publish_protocol
from visits.models import Visit
from visits.services import plan_visits_for

pytestmark = pytest.mark.django_db


def found(subject: Subject, rule: str, procedure: int | None = 1) -> tuple[str, str | None]:
    for each in treatment_of(subject).findings:
        if (each.rule, each.procedure) == (rule, procedure):
            return each.outcome.value, each.measured
    raise AssertionError(f"{rule} was not asked")


def status(subject: Subject) -> str:
    return Subject.objects.get(pk=subject.pk).status


SUMMER, WINTER = "2025-03-30", "2025-10-26"
"""The nights in which the clocks change in Oslo."""


@pytest.mark.parametrize(
    ("rule", "day", "times", "expected"),
    [
        ("TD-T5", DAY, ("08:30", "08:45", "11:05"), ("PASS", "15 min")),
        ("TD-T5", DAY, ("08:30", "08:44:59", "11:05"), ("FAIL", "14 min 59 s")),
        ("TD-T6", DAY, ("08:30", "08:50", "11:30"), ("PASS", "180 min")),
        ("TD-T6", DAY, ("08:30", "08:50", "11:30:01"), ("FAIL", "180 min 1 s")),
        # 01:30 to 05:30 on the clock are three hours
        ("TD-T6", SUMMER, ("01:30", "01:50", "05:30"), ("PASS", "180 min")),
        ("TD-T6", SUMMER, ("01:30", "01:50", "05:30:01"), ("FAIL", "180 min 1 s")),
        ("TD-T5", SUMMER, ("01:50", "03:05", "05:30"), ("PASS", "15 min")),
        # 02:30 comes twice, so the form takes the offset
        ("TD-T6", WINTER, ("00:30", "01:00", "02:30+02:00"), ("PASS", "120 min")),
        ("TD-T6", WINTER, ("00:30", "01:00", "02:30+01:00"), ("PASS", "180 min")),
        ("TD-T6", WINTER, ("00:30", "01:00", "02:31+01:00"), ("FAIL", "181 min")),
    ],
)
def test_limits_hold_to_the_second_and_over_changed_clocks(
    cast: Cast, rule: str, day: str, times: tuple[str, str, str], expected: tuple[str, str]
) -> None:
    subject = eligible(cast)
    at = dict(zip(("T0", "A0", "A1"), times, strict=True))
    infuse(cast, subject, day=day, times=at)
    ablate(cast, subject, "T01", day=day, times=at)
    assert found(subject, rule) == expected


def test_a_time_that_is_not_recorded_is_unknown_and_never_passed(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    assert found(subject, "TD-T5") == ("UNKNOWN", None)
    ablate(cast, subject, "T01")
    enter(cast, subject, "P1", "PR", {"PROCNO": "1", "TULNKID": "T02"}, repeat=2)
    assert found(subject, "TD-T5") == ("UNKNOWN", None)


def test_a_broken_limit_stays_broken_while_another_lesion_has_no_time_yet(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    ablate(cast, subject, "T01", times={"A0": "08:40"})
    enter(cast, subject, "P1", "PR", {"PROCNO": "1", "TULNKID": "T02"}, repeat=2)
    assert found(subject, "TD-T5") == ("FAIL", "10 min")
    assert found(subject, "TD-T6")[0] == "UNKNOWN"


def test_prophylaxis_counts_from_its_earliest_dose_and_consent_by_the_minute(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    for row, (drug, day, at) in enumerate(
        [("DIPHENHYDRAMINE", "2025-03-04", "08:00"), ("DEXAMETHASONE", "2025-03-03", "08:10")], start=1
    ):
        dose = {"PROCNO": "1", "CMTRT": drug, "CMSTDAT": day, "CMSTTIM": at}
        enter(cast, subject, "P1", "CM_PRE", dose, repeat=row)
    assert found(subject, "TD-T2") == ("PASS", "24 h 20 min")
    assert found(subject, "TD-T3") == ("PASS", "30 min")
    consent = Entry.objects.get(subject=subject, form="DS_IC")
    save(cast, consent, "DSSTDAT", "2025-03-03")
    ablate(cast, subject, "T01")
    assert found(subject, "TD-T7")[0] == "UNKNOWN"
    save(cast, consent, "DSSTTIM", "08:09")
    assert found(subject, "TD-T7")[0] == "PASS"
    save(cast, consent, "DSSTTIM", "08:10")
    assert found(subject, "TD-T7")[0] == "FAIL"


def test_lesions_are_uncovered_only_once_the_ablation_is_recorded(cast: Cast) -> None:
    subject = eligible(cast)
    assert found(subject, "TD-T9", None)[0] == "PASS"
    infuse(cast, subject)
    assert found(subject, "TD-T9", None)[0] == "UNKNOWN"
    ablate(cast, subject, "T01")
    assert found(subject, "TD-T9", None)[0] == "FAIL"
    ablate(cast, subject, "t02", repeat=2)
    assert found(subject, "TD-T9", None)[0] == "PASS"


# A third procedure --------------------------------------------------------------------------------------------------


@pytest.fixture
def with_a_third_visit(cast: Cast, tmp_path: Path) -> Subject:
    """A subject under a version of the protocol whose visit plan, by mistake, has a third procedure."""
    source = bundled()["THERMODOX"]
    folder = tmp_path / "thermodox"
    for path in source.rglob("*.yaml"):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    visits = yaml.safe_load((folder / "visits.yaml").read_text())
    third = next(visit for visit in visits["visits"] if visit["code"] == "P2")
    visits["visits"].append({**third, "code": "P3", "name": "Procedure 3", "number": 3})
    (folder / "visits.yaml").write_text(yaml.safe_dump(visits))
    text = (folder / "protocol.yaml").read_text().replace('label: "1"', 'label: "1b"')
    (folder / "protocol.yaml").write_text(text)
    lists = yaml.safe_load((folder / "codelists.yaml").read_text())
    numbers = next(each for each in lists["codelists"] if each["name"] == "PROCNO")
    numbers["codes"].append({"code": "3", "label": "Procedure 3"})
    (folder / "codelists.yaml").write_text(yaml.safe_dump(lists))
    version = publish_protocol(actor=SETUP, pack=folder, effective=date(2012, 1, 1))
    approve_version(
        actor=SETUP, site=cast.home, version=version, approved_on=date(2012, 1, 1), document="REC 2012/1"
    )
    subject = eligible(cast)
    assert subject.version_id == version.pk
    plan_visits_for(actor=SETUP, subject=subject, anchors={})
    return subject


@pytest.mark.parametrize("form", ["EX", "PR", "CM_PRE"])
def test_a_third_procedure_cannot_be_opened_and_the_message_says_why(
    cast: Cast, with_a_third_visit: Subject, form: str
) -> None:
    subject = with_a_third_visit
    infuse(cast, subject, "P1", "2025-03-04")
    infuse(cast, subject, "P2", "2025-04-08")
    before = list(Entry.objects.filter(subject=subject).order_by("pk").values_list("form", "values"))
    with pytest.raises(TooManyProceduresError) as refused:
        services.open_entry(actor=cast.actor(), subject=subject, visit=visit_of(subject, "P3"), form=form)
    assert refused.value.message.startswith("2 procedures already recorded (4 Mar 2025 and 8 Apr 2025)")
    assert "No more than 2 procedures" in refused.value.message
    assert list(Entry.objects.filter(subject=subject).order_by("pk").values_list("form", "values")) == before


def test_the_page_of_a_third_procedure_says_so_before_anybody_types(
    cast: Cast, with_a_third_visit: Subject
) -> None:
    subject = with_a_third_visit
    infuse(cast, subject, "P1", "2025-03-04")
    infuse(cast, subject, "P2", "2025-04-08")
    client = cast.client("coordinator")
    assert b"2 procedures already recorded" in client.get(f"/subjects/{subject.number}/P3/EX/").content
    answer = client.post(
        f"/subjects/{subject.number}/P3/EX/save/",
        {"item": "EXSTDAT", "value": "2025-06-03"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 400
    assert b"2 procedures already recorded" in answer.content
    assert not Entry.objects.filter(subject=subject, visit__code="P3").exists()


def test_a_third_start_typed_into_a_form_opened_earlier_is_not_stored_and_the_rest_stays(
    cast: Cast, with_a_third_visit: Subject
) -> None:
    subject = with_a_third_visit
    third = enter(cast, subject, "P3", "EX", {"PROCNO": "3", "EXLOT": "A17", "EXSTTIM": "08:30"})
    infuse(cast, subject, "P1", "2025-03-04")
    infuse(cast, subject, "P2", "2025-04-08")
    with pytest.raises(ItemRefusedError, match="No more than 2 procedures") as refused:
        save(cast, third, "EXSTDAT", "2025-06-03")
    assert refused.value.field == "EXSTDAT"
    third.refresh_from_db()
    assert {item: cell["value"] for item, cell in third.values.items()} == {
        "PROCNO": "3", "EXLOT": "A17", "EXSTTIM": "08:30",
    }  # fmt: skip
    assert treatment_of(subject).recorded.done == 2


def test_a_struck_out_infusion_makes_room_again(cast: Cast, with_a_third_visit: Subject) -> None:
    subject = with_a_third_visit
    infuse(cast, subject, "P1", "2025-03-04")
    second = infuse(cast, subject, "P2", "2025-04-08")
    services.strike_out(actor=cast.actor(), entry=second, reason="Entered for another patient")
    infuse(cast, subject, "P3", "2025-04-08")
    assert treatment_of(subject).recorded.done == 2


def test_two_infusions_with_one_number_are_two_procedures_and_doubted(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject, "P1", "2025-03-04")
    second = infuse(cast, subject, "P2", "2025-04-08")
    save(cast, second, "PROCNO", "1")
    recorded = treatment_of(subject).recorded
    assert recorded.done == 2
    assert recorded.doubts == ("Two infusions say that they belong to procedure 1. Correct one of them.",)


# Before eligibility -------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-12")
@pytest.mark.parametrize("form", ["EX", "PR", "CM_PRE"])
def test_treatment_forms_wait_for_the_signed_eligibility(cast: Cast, form: str) -> None:
    subject = cast.subject("THERMODOX")
    visit = visit_of(subject, "P1")
    with pytest.raises(NotYetEligibleError, match="“In screening”"):
        services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form)
    services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="VS")
    ready = eligible(cast)
    assert services.open_entry(actor=cast.actor(), subject=ready, visit=visit_of(ready, "P1"), form=form).pk


def test_data_that_come_late_can_be_entered_after_the_end(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    end = enter(
        cast, subject, "EOS", "DS_STUDY", {"DSSTDAT": "2025-05-01", "DSDECOD": "DEATH", "SURVOK": "Y"}
    )
    services.complete_entry(actor=cast.actor(), entry=end)
    subject.refresh_from_db()
    assert subject.status == "DISCONTINUED"
    ablate(cast, subject, "T01")
    assert status(subject) == "DISCONTINUED"


# Status -------------------------------------------------------------------------------------------------------------


def test_the_first_infusion_puts_the_subject_on_treatment_and_the_last_ablation_into_follow_up(
    cast: Cast,
) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    on = Subject.objects.get(pk=subject.pk)
    assert (on.status, on.status_since) == ("ON_TREATMENT", date(2025, 3, 4))
    ablate(cast, subject, "T01")
    assert status(subject) == "ON_TREATMENT"
    ablate(cast, subject, "T02", repeat=2)
    assert status(subject) == "FOLLOW_UP"


def test_with_a_second_procedure_planned_treatment_goes_on_after_the_first(cast: Cast) -> None:
    subject = eligible(cast)
    plan = Entry.objects.get(subject=subject, form="TU", repeat=2)
    save(cast, plan, "PLANPROC", "2")
    infuse(cast, subject)
    ablate(cast, subject, "T01")
    assert status(subject) == "ON_TREATMENT"
    infuse(cast, subject, "P2", "2025-04-08")
    ablate(cast, subject, "T02", visit="P2", day="2025-04-08")
    assert status(subject) == "FOLLOW_UP"


def test_a_second_procedure_that_nobody_planned_brings_the_subject_back_on_treatment(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    ablate(cast, subject, "T01")
    ablate(cast, subject, "T02", repeat=2)
    infuse(cast, subject, "P2", "2025-04-08")
    assert status(subject) == "ON_TREATMENT"
    ablate(cast, subject, "T02", visit="P2", day="2025-04-08")
    assert status(subject) == "FOLLOW_UP"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("COMPLETED", "COMPLETED"),
        ("WITHDRAWAL BY SUBJECT", "DISCONTINUED"),
        ("SCREEN FAILURE", "DISCONTINUED"),
    ],
)
def test_the_end_of_study_form_ends_the_subject_when_it_is_complete(
    cast: Cast, reason: str, expected: str
) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    end = enter(cast, subject, "EOS", "DS_STUDY", {"DSSTDAT": "2025-05-01", "DSDECOD": reason, "SURVOK": "Y"})
    assert status(subject) == "ON_TREATMENT"
    services.complete_entry(actor=cast.actor(), entry=end)
    assert status(subject) == expected


def test_a_screen_failure_is_one_while_in_screening(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    end = enter(
        cast,
        subject,
        "EOS",
        "DS_STUDY",
        {"DSSTDAT": "2025-05-01", "DSDECOD": "SCREEN FAILURE", "SURVOK": "N"},
    )
    services.complete_entry(actor=cast.actor(), entry=end)
    assert status(subject) == "SCREEN_FAILURE"


def test_death_discontinues(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    death = enter(
        cast, subject, None, "DD",
        {"DTHDAT": "2025-06", "PRCDTH": "DISEASE", "DTHREL": "N", "AUTOPSY": "N"},
    )  # fmt: skip
    services.complete_entry(actor=cast.actor(), entry=death)
    assert status(subject) == "DISCONTINUED"


def test_the_end_of_treatment_begins_the_follow_up(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    end = enter(cast, subject, "EOS", "DS_TRT", {"DSSTDAT": "2025-03-20", "DSDECOD": "ADVERSE EVENT"})
    services.complete_entry(actor=cast.actor(), entry=end)
    assert status(subject) == "FOLLOW_UP"
    ablate(cast, subject, "T01")
    assert status(subject) == "FOLLOW_UP"


# Dose ---------------------------------------------------------------------------------------------------------------


def test_each_procedure_has_the_dose_of_the_weight_of_its_day(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject, "P1", "2025-03-04", dose="91")
    enter(cast, subject, "P2", "VS", {"VSDAT": "2025-04-08", "WEIGHT": "80 kg"})
    infuse(cast, subject, "P2", "2025-04-08", dose="91")
    first, second = treatment_of(subject).doses()
    assert first.planned is not None
    assert second.planned is not None
    assert (first.planned.dose_mg, str(first.verdict)) == (91, "AS PLANNED")
    assert (second.planned.dose_mg, str(second.verdict)) == (97, "WARN")
    assert "12.7 %" in second.warnings[0]
    assert "71 to 80 kg" in second.warnings[0]


@pytest.mark.parametrize(
    ("weight", "warned"), [("78.1", False), ("78.2", True), ("63.9", False), ("63.8", True)]
)
def test_the_weight_may_change_by_ten_per_cent(cast: Cast, weight: str, warned: bool) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    enter(cast, subject, "P2", "VS", {"VSDAT": "2025-04-08", "WEIGHT": f"{weight} kg"})
    assert bool(treatment_of(subject).doses(also=2)[1].warnings) is warned


def test_a_second_procedure_asks_for_a_new_weight(cast: Cast) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    assert treatment_of(subject).doses(also=2)[1].warnings == (
        "No weight is recorded at procedure 2. Weigh again; the dose depends on it.",
    )


@pytest.mark.parametrize(
    ("answers", "total"),
    [
        ({}, None),
        ({"PRIORANTHRA": "N"}, 50),
        ({"PRIORANTHRA": "Y"}, None),
        ({"PRIORANTHRA": "Y", "PRIORDOX": "240"}, 290),
    ],
)
def test_earlier_anthracycline_counts_and_is_unknown_until_said(
    cast: Cast, answers: dict[str, str], total: int | None
) -> None:
    subject = eligible(cast)
    infuse(cast, subject, dose="91")
    enter(cast, subject, "SCR", "CMH", answers)
    treatment = treatment_of(subject)
    found = treatment.anthracycline(treatment.doses()).total
    assert (found if found is None else round(found)) == total


# Cost ---------------------------------------------------------------------------------------------------------------


def test_reading_a_treatment_is_one_statement_whatever_is_recorded(
    cast: Cast, statements: Callable[[], object]
) -> None:
    subject = eligible(cast)
    infuse(cast, subject)
    ablate(cast, subject, "T01")
    with statements() as done:  # type: ignore[attr-defined]
        treatment = treatment_of(subject)
        assert treatment.findings
        assert treatment.doses(also=2)
    assert len(done.counted) == 1


def test_saving_a_time_of_the_infusion_stays_cheap(cast: Cast, statements: Callable[[], object]) -> None:
    subject = eligible(cast)
    entry = infuse(cast, subject)
    with statements() as done:  # type: ignore[attr-defined]
        services.save_item(
            actor=cast.actor(), entry=entry, item_id="EXENTIM",
            typed=services.entries.Typed(value="09:01"),
        )  # fmt: skip
    assert len(done.counted) <= 8, done.counted


def test_the_third_visit_is_there_only_in_the_made_up_version(cast: Cast) -> None:
    subject = cast.subject("THERMODOX")
    assert not Visit.objects.filter(subject=subject, code="P3").exists()
    with pytest.raises(DomainError, match="does not belong"):
        services.open_entry(actor=cast.actor(), subject=subject, visit=visit_of(subject, "SCR"), form="EX")
