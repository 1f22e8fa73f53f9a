"""Endpoints from what people entered and readers signed: the calculator's, and shown to whom they may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Signature
from accounts.selectors import access_of
from audit.context import acting
from casebook.models import Entry
from endpoints.calculator import calculate_endpoints
from endpoints.pages import months, one_decimal
from endpoints.policies import FROM_CENTRAL_READS, may_see_aggregate, may_see_central_result, may_see_results
from endpoints.selectors import endpoints_of, endpoints_of_all, is_locked, subjects_with_results
from imaging.models import LesionOutcome, Question, Read
from imaging.selectors.judging import SIZE_WORDS
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.qol.desk import Desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

TODAY = date(2026, 2, 10)


def read(
    cast: Cast, desk: Desk, visit: str, on: str, signed: str, quality: str = "OPTIMAL", **lesions: str
) -> Read:
    """A signed central read of a visit that took place on a day."""
    desk.happened(visit, on)
    moment = datetime.combine(date.fromisoformat(signed), time(12), tzinfo=UTC)
    reader = cast.people["radiologist"]
    with acting(SETUP):
        signature = Signature.objects.create(
            signer=reader, meaning="read", at=moment, target_kind="read", target_id=visit, digest="0" * 64,
            statement="sample",
        )  # fmt: skip
        made = Read.objects.create(
            subject=desk.subject, visit=desk.visit(visit), reader=reader, state="SIGNED", charter_sha256="0" * 64,
            image_quality=quality, due_on=date.fromisoformat(signed), signed_at=moment, signature=signature,
        )  # fmt: skip
        for lesion, outcome in lesions.items():
            LesionOutcome.objects.create(read=made, subject=desk.subject, lesion=lesion, outcome=outcome)
    return made


def followed(cast: Cast, *, treated: str = "2025-03-04", quick: bool = False) -> Desk:
    """A subject with scans, questionnaires, an ablation of each lesion, and a last contact."""
    desk = Desk(cast)
    desk.paper("BL", "2025-03-01", "1 - 2 0 1 2 0 1")
    desk.treat(f"{treated}T10:00")
    if quick:
        return desk
    for row, lesion in enumerate(("T01", "T02"), start=1):
        desk.enter("P1", "PR", row, PROCNO="1", TULNKID=lesion, PRSTDAT=treated, PRSTTIM="10:20")
    desk.paper("M1", "2025-04-06", "2 1 - - 1 - 0 -")
    desk.paper("M4", "2025-07-07", "2 1 3 0 2 2 0 1", time="09:30")
    read(cast, desk, "M1", "2025-04-06", "2025-04-20", T01="COMPLETE", T02="COMPLETE")
    read(cast, desk, "M4", "2025-07-07", "2025-07-15", T01="COMPLETE", T02="NE")
    read(cast, desk, "M7", "2025-10-06", "2025-10-10", T01="LTP", T02="COMPLETE")
    desk.enter("M7", "SS", SSDAT="2025-10-06", LSTALVDT="2025-10-06")
    return desk


DOCUMENT: Mapping[str, Any] = {
    "trial": "THERMODOX",
    "procedures": ["2025-03-04"],
    "first_infusion": "2025-03-04T10:00:00+01:00",
    "ablations": {"T01": ["2025-03-04"], "T02": ["2025-03-04"]},
    "reads": [
        {"acquired": "2025-04-06", "signed": "2025-04-20", "adequate": True,
         "lesions": {"T01": "COMPLETE", "T02": "COMPLETE"}},
        {"acquired": "2025-07-07", "signed": "2025-07-15", "adequate": True,
         "lesions": {"T01": "COMPLETE", "T02": "NE"}},
        {"acquired": "2025-10-06", "signed": "2025-10-10", "adequate": True,
         "lesions": {"T01": "LTP", "T02": "COMPLETE"}},
    ],
    "fhsi8": [
        {"date": "2025-03-01", "score": "24"},
        {"date": "2025-04-06", "score": None},
        {"date": "2025-07-07T09:30:00+02:00", "score": "21"},
    ],
    "last_alive": "2025-10-06",
}  # fmt: skip


def calculated(cut_off: str, **changes: Any) -> list[dict[str, Any]]:
    rows = calculate_endpoints({**DOCUMENT, "cut_off": cut_off, **changes})["endpoints"]
    assert isinstance(rows, list)
    return rows


def entered(subject: Subject, cut_off: str) -> list[dict[str, Any]]:
    found = endpoints_of(subject, date.fromisoformat(cut_off))
    return [
        {
            "PARAMCD": each.row.paramcd,
            "PARAM": each.endpoint.label,
            "STARTDT": each.row.start,
            "ADT": each.row.adt,
            "AVAL": each.row.aval,
            "CNSR": each.row.cnsr,
            "RESULT": each.row.result,
            "EVNTDESC": each.row.description,
            "COMPETING": each.row.competing,
            "because": each.row.because,
        }
        for each in found.derived
    ]


@pytest.mark.parametrize("cut_off", ["2026-02-10", "2025-10-09", "2025-10-06", "2025-07-06", "2025-03-04"])
def test_endpoints_of_what_was_entered_equal_the_calculator_at_every_cut_off(
    cast: Cast, cut_off: str
) -> None:
    desk = followed(cast)
    alive = {} if cut_off >= "2025-10-06" else {"last_alive": None, "death": None}
    if not alive:
        assert entered(desk.subject, cut_off) == calculated(cut_off)
        return
    found = {row["PARAMCD"]: row for row in entered(desk.subject, cut_off)}
    for row in calculated(cut_off):
        if row["PARAMCD"] != "OS":  # the contact of October is not known yet
            assert found[row["PARAMCD"]] == row


def test_death_discontinuation_and_refused_follow_up_reach_the_endpoints(cast: Cast) -> None:
    desk = followed(cast)
    desk.enter("", "DD", DTHDAT="2025-12")
    dead = {row["PARAMCD"]: row for row in entered(desk.subject, "2026-02-10")}
    assert (dead["OS"]["ADT"], dead["OS"]["CNSR"]) == (date(2025, 12, 15), 0)
    assert entered(desk.subject, "2026-02-10") == calculated("2026-02-10", death="2025-12")
    desk.enter("EOS", "DS_STUDY", DSSTDAT="2025-09-01", SURVOK="N")
    refused = calculated("2026-02-10", death="2025-12", discontinued="2025-09-01", survival_follow_up=False)
    assert entered(desk.subject, "2026-02-10") == refused
    assert {row["PARAMCD"]: row["CNSR"] for row in refused}["OS"] == 1


def test_an_unreadable_scan_and_an_older_version_of_a_read_do_not_count(cast: Cast) -> None:
    desk = Desk(cast)
    desk.treat("2025-03-04T10:00")
    first = read(cast, desk, "M1", "2025-04-06", "2025-04-20", T01="COMPLETE")
    read(cast, desk, "M4", "2025-07-07", "2025-07-15", quality="INADEQUATE", T01="LTP")
    by_code = {row["PARAMCD"]: row for row in entered(desk.subject, "2026-02-10")}
    assert (by_code["TTLR"]["ADT"], by_code["TTLR"]["CNSR"]) == (date(2025, 4, 6), 1)
    with acting(SETUP):
        signature = Signature.objects.create(
            signer=first.reader, meaning="read", at=first.signed_at, target_kind="read", target_id="2",
            digest="0" * 64, statement="sample",
        )  # fmt: skip
        corrected = Read.objects.create(
            subject=first.subject, visit=first.visit, reader=first.reader, state="SIGNED", version=2,
            supersedes=first, charter_sha256="0" * 64, image_quality="OPTIMAL", due_on=first.due_on,
            signed_at=first.signed_at + timedelta(days=3), signature=signature,
        )  # fmt: skip
        for outcome in ("COMPLETE", "RESIDUAL"):
            LesionOutcome.objects.create(read=corrected, subject=first.subject, lesion="T01", outcome=outcome)
    by_code = {row["PARAMCD"]: row for row in entered(desk.subject, "2026-02-10")}
    assert (by_code["TTLC"]["ADT"], by_code["TTLC"]["CNSR"]) == (date(2025, 4, 6), 0)


@pytest.mark.parametrize("status", [code for code, _ in SIZE_WORDS])
def test_what_a_read_says_of_sizes_is_no_outcome_of_an_ablation(cast: Cast, status: str) -> None:
    desk = Desk(cast)
    desk.treat("2025-03-04T10:00")
    first = read(cast, desk, "M1", "2025-04-06", "2025-04-20", T01="COMPLETE")
    plain = entered(desk.subject, "2026-02-10")
    with acting(SETUP):
        for lesion in ("T01", "T02"):
            LesionOutcome.objects.create(
                read=first, subject=first.subject, lesion=lesion, question=Question.SIZE, outcome=status
            )

    assert entered(desk.subject, "2026-02-10") == plain
    assert cast.client("coordinator").get(f"/subjects/{desk.subject.number}/endpoints/").status_code == 200


def test_a_scan_is_dated_by_the_scan_form_not_by_the_visit(cast: Cast) -> None:
    desk = Desk(cast)
    desk.treat("2025-03-04T10:00")
    desk.enter("M1", "IMG", PRTRT="CT", PRSTDAT="2025-04-08")
    read(cast, desk, "M1", "2025-04-06", "2025-04-20", T01="COMPLETE")
    by_code = {row["PARAMCD"]: row for row in entered(desk.subject, "2026-02-10")}
    assert by_code["TTLR"]["ADT"] == date(2025, 4, 8)


# Pages --------------------------------------------------------------------------------------------------------------


def test_the_page_shows_each_endpoint_with_reason_time_and_sources(cast: Cast) -> None:
    desk = followed(cast)
    page = cast.client("investigator").get(f"/subjects/{desk.subject.number}/endpoints/")
    text = page.content.decode()
    rows = {row.endpoint.paramcd: row for row in page.context["rows"]}
    assert (rows["TTLR"].outcome, rows["TTLR"].months, rows["TTLR"].derived.row.aval) == ("Event", "7.1", 217)
    assert (rows["PROD"].outcome, rows["LTC24"].outcome) == ("Event", "Fail")
    assert "Local tumour progression of T01 on 6 Oct 2025" in text
    assert "Central read of M7, scan of 6 Oct 2025" in text
    assert f'href="/subjects/{desk.subject.number}/M7/SS/"' in text
    earlier = cast.client("investigator").get(
        f"/subjects/{desk.subject.number}/endpoints/", {"cut_off": "1 Sep 2025"}
    )
    shown = {row.endpoint.paramcd: row for row in earlier.context["rows"]}
    assert shown["TTLR"].outcome == "Censored"
    wrong = cast.client("investigator").get(
        f"/subjects/{desk.subject.number}/endpoints/", {"cut_off": "31 Nov 2025"}
    )
    assert "does not exist" in wrong.content.decode()


def test_before_treatment_and_with_contradicting_facts_the_page_says_why(cast: Cast) -> None:
    desk = Desk(cast)
    address = f"/subjects/{desk.subject.number}/endpoints/"
    assert "No procedure up to the data cut-off" in cast.client("monitor").get(address).content.decode()
    desk.treat("2025-03-04T10:00")
    desk.enter("", "DD", DTHDAT="2025-03-03")
    page = cast.client("monitor").get(address).content.decode()
    assert "Nothing can be derived: known alive on 2025-03-04, which is after the death recorded as" in page
    trial = cast.client("monitor").get("/trials/THERMODOX/endpoints/")
    assert [each.subject for each in trial.context["problems"]] == [desk.subject]
    excalibur = cast.subject("EXCALIBUR").number
    text = cast.client("monitor").get(f"/subjects/{excalibur}/endpoints/").content.decode()
    assert "Counted from randomisation; it is not derived here" in text


@pytest.mark.parametrize(
    ("role", "status"),
    [("coordinator", 200), ("investigator", 200), ("datamanager", 200), ("monitor", 200), ("sponsor", 404),
     ("radiologist", 404), ("adjudicator", 404), ("admin", 404), ("coordinator2", 404), ("outsider", 404)],
)  # fmt: skip
def test_who_sees_the_endpoints_of_a_subject(cast: Cast, role: str, status: int) -> None:
    number = Desk(cast).subject.number
    assert cast.client(role).get(f"/subjects/{number}/endpoints/").status_code == status


def test_somebody_who_also_reads_images_sees_no_result(cast: Cast, grant: Callable[..., Any]) -> None:
    number = Desk(cast).subject.number
    grant(cast.people["monitor"], "radiologist", "THERMODOX")
    assert cast.client("monitor").get(f"/subjects/{number}/endpoints/").status_code == 404
    assert cast.client("monitor").get("/trials/THERMODOX/endpoints/").status_code == 404
    assert cast.client("monitor").get("/trials/EXCALIBUR/endpoints/").status_code == 200


@pytest.mark.req("IMG-15")
def test_the_sponsor_sees_survival_and_no_result_of_imaging_before_the_lock(cast: Cast) -> None:
    followed(cast)
    page = cast.client("sponsor").get("/trials/THERMODOX/endpoints/")
    shown = {each.endpoint.paramcd: each for each in page.context["summaries"]}
    assert {code for code, each in shown.items() if not each.withheld} == {"OS"}
    assert page.context["treated"] == 1
    assert "Overall survival: 1 subject, 0 events" in page.content.decode()
    for code in ("TTLR", "TTLC", "LTC24", "PROD"):
        assert (shown[code].analysed, shown[code].events, shown[code].results) == (0, 0, ())
    assert "Time to local recurrence:" not in page.content.decode()
    assert "Fail" not in page.content.decode()
    monitor = cast.client("monitor").get("/trials/THERMODOX/endpoints/").content.decode()
    assert "Time to local recurrence: 1 subject, 1 event," in monitor


@pytest.mark.req("IMG-15")
def test_when_every_form_is_locked_the_sponsor_sees_all(cast: Cast) -> None:
    desk = followed(cast)
    trial = cast.trials["THERMODOX"]
    forms = Entry.objects.filter(subject=desk.subject)
    with acting(SETUP, reason="database lock"):
        forms.exclude(pk=forms.earliest("pk").pk).update(locked=True)
    assert not is_locked(trial)
    assert not is_locked(cast.trials["EXCALIBUR"])
    with acting(SETUP, reason="database lock"):
        forms.update(locked=True)
    assert is_locked(trial)
    page = cast.client("sponsor").get("/trials/THERMODOX/endpoints/")
    shown = {each.endpoint.paramcd: each for each in page.context["summaries"]}
    assert not any(each.withheld for each in shown.values())
    assert (shown["TTLR"].events, shown["LTC24"].results) == (1, (("Fail", 1),))


@pytest.mark.parametrize("kind", [*sorted(FROM_CENTRAL_READS), "time_to_deterioration", "unheard_of"])
def test_the_policy_withholds_every_kind_but_survival_from_the_sponsor(kind: str) -> None:
    assert not may_see_aggregate(kind, {"sponsor"}, locked=False)
    assert not may_see_aggregate(kind, {"sponsor", "monitor"}, locked=False)
    assert may_see_aggregate(kind, {"sponsor"}, locked=True)
    assert may_see_aggregate(kind, {"monitor"}, locked=False)
    assert may_see_aggregate("overall_survival", {"sponsor"}, locked=False)
    for blinded in ({"radiologist"}, {"adjudicator", "investigator"}, set()):
        assert not may_see_results(blinded)
        assert not may_see_aggregate("overall_survival", blinded, locked=True)


def test_a_site_sees_central_results_only_where_they_steer_its_visits() -> None:
    assert may_see_central_result("local_control", {"investigator"}, "CENTRAL")
    assert may_see_central_result("local_control", {"investigator"}, "EITHER")
    assert not may_see_central_result("local_control", {"investigator"}, "SITE")
    assert may_see_central_result("overall_survival", {"investigator"}, "SITE")


def test_a_site_sees_its_own_subjects_together_only(cast: Cast) -> None:
    followed(cast, quick=True)
    cast.subject("THERMODOX", cast.away)
    counted = {
        role: cast.client(role).get("/trials/THERMODOX/endpoints/").context["subjects"]
        for role in ("coordinator", "coordinator2", "monitor")
    }
    assert counted == {"coordinator": 1, "coordinator2": 1, "monitor": 2}
    assert cast.client("outsider").get("/trials/THERMODOX/endpoints/").status_code == 404
    assert cast.client("radiologist").get("/trials/THERMODOX/endpoints/").status_code == 404


def test_all_subjects_cost_the_same_statements_for_two_and_for_six(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    client = cast.client("monitor")
    trial, access = cast.trials["THERMODOX"], access_of(cast.people["monitor"])

    def evaluate() -> int:
        subjects = subjects_with_results(access, trial)
        return len(endpoints_of_all(subjects, dict.fromkeys((each.pk for each in subjects), TODAY)))

    def more(number: int) -> None:
        for _ in range(number):
            desk = followed(cast, quick=True)
            read(cast, desk, "M1", "2025-04-06", "2025-04-20", T01="COMPLETE")

    more(2)
    client.get("/trials/THERMODOX/endpoints/")
    with statements() as few:
        assert evaluate() == 2
    with statements() as page_few:
        client.get("/trials/THERMODOX/endpoints/")
    more(4)
    with statements() as many:
        assert evaluate() == 6
    with statements() as page_many:
        client.get("/trials/THERMODOX/endpoints/")
    assert len(few.counted) == len(many.counted) <= 5
    assert len(page_few.counted) == len(page_many.counted) <= 16


@pytest.mark.parametrize(("days", "shown"), [(1, "0.0"), (217, "7.1"), (30, "1.0"), (1096, "36.0")])
def test_days_are_shown_as_months_of_365_25_days_over_12(days: int, shown: str) -> None:
    assert one_decimal(months(days)) == shown
    assert months(Decimal("365.25")) == 12
