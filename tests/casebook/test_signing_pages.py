"""Pages for signing and for the states: what each role sees, what is said, and how many statements it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from accounts.selectors import access_of
from casebook import services
from casebook.due import signatures_due
from casebook.models import Entry, Milestone, SignedRecord, SigningBatch, Unlock
from casebook.pages.signing import waiting_page
from casebook.rules.moment import moment_in_addresses
from casebook.services import states
from casebook.services.milestones import keep_milestone
from foundation import clock
from foundation.errors import Invalid
from tests.audit.conftest import moment_of_the_database
from tests.casebook.signing_case import Case, again, closed
from tests.cast import Cast
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


def boxes(case: Case, *keys: str) -> list[str]:
    return [f"{key}|{case.record(key).digest}" for key in keys]


def milestone(case: Case) -> Milestone:
    return keep_milestone(
        actor=case.cast.actor("datamanager"),
        trial=case.subject.trial,
        name="Interim analysis",
        due_on=clock.today(),
    )


def test_what_waits_is_listed_by_visit_and_signed_in_one_go(case: Case) -> None:
    case.whole_visit()
    client = case.cast.client("investigator")
    page = client.get("/signatures/").content.decode()
    assert case.key("visit") in page
    assert "User name" in page
    answer = client.post(
        "/signatures/",
        {"record": boxes(case, case.key("visit")), "username": "investigator", "password": PASSWORD},
        follow=True,
    )
    assert "Signed: 1 record." in answer.content.decode()
    assert "Nothing waits for your signature." in answer.content.decode()


@pytest.mark.req("SIG-02")
def test_the_first_signing_of_a_session_asks_for_both_and_later_ones_for_the_password(case: Case) -> None:
    first, second = case.form("LB"), case.form("VS")
    client = case.cast.client("investigator")
    one, two = boxes(case, case.key(entry=first), case.key(entry=second))
    refused = client.post("/signatures/", {"record": [one], "password": PASSWORD})
    assert refused.status_code == 422
    assert "nothing was signed" in refused.content.decode()
    assert f'value="{one}" checked' in refused.content.decode()
    client.post("/signatures/", {"record": [one], "username": "Investigator", "password": PASSWORD})
    assert "the password is enough" in client.get("/signatures/").content.decode()
    client.post("/signatures/", {"record": [two], "password": PASSWORD})
    assert SignedRecord.objects.count() == 2


@pytest.mark.req("SIG-14")
def test_a_record_that_changed_since_the_list_is_told_and_the_others_are_signed(case: Case) -> None:
    lab, vitals = case.form("LB"), case.form("VS")
    chosen = boxes(case, case.key(entry=lab), case.key(entry=vitals))
    case.save(lab, "HGB", "9.1", "g/dL")
    answer = case.cast.client("investigator").post(
        "/signatures/", {"record": chosen, "username": "investigator", "password": PASSWORD}
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "1 not signed" in page
    assert "changed after the list was shown" in page
    assert "Signed: 1 record." in page
    assert (again(lab).signing, again(vitals).signing) == ("", "SIGNED")
    assert not SigningBatch.objects.exists()


@pytest.mark.req("SIG-03")
def test_only_the_difference_is_shown_with_who_and_why(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    case.save(entry, "HGB", "12.9", "g/dL", reason="Read again")
    page = case.cast.client("investigator").get("/signatures/").content.decode()
    for words in ("12.4 g/dL", "12.9 g/dL", "Coordinator Person", "Read again"):
        assert words in page
    assert "Platelets" not in page


@pytest.mark.req("SIG-01", "SIG-03")
def test_a_form_shows_who_signed_it_with_meaning_and_what_a_change_broke(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    client = case.cast.client("coordinator")
    address = f"/subjects/{case.subject.number}/SCR/LB/"
    page = client.get(address).content.decode()
    assert re.search(r"Signed by Investigator Person .*\d\d:\d\d CES?T · Approval", page)
    case.save(entry, "HGB", "12.9", "g/dL", reason="Read again")
    page = client.get(address).content.decode()
    for words in (
        "Was signed by Investigator Person",
        "Changed since it was signed",
        "12.4 g/dL",
        "Read again",
    ):
        assert words in page


@pytest.mark.req("SIG-14")
def test_everything_that_a_record_says_can_be_read_before_it_is_signed(case: Case) -> None:
    case.whole_visit()
    client = case.cast.client("investigator")
    address = f"/signatures/?record={case.key('visit')}"
    whole, fragment = client.get(address), client.get(address, headers={"HX-Request": "true"})
    for answer in (whole, fragment):
        assert "Haemoglobin" in answer.content.decode()
        assert "12.4 g/dL" in answer.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "Haemoglobin" not in client.get("/signatures/").content.decode()
    stranger = case.cast.client("investigator2").get(address, headers={"HX-Request": "true"})
    assert "Haemoglobin" not in stranger.content.decode()


@pytest.mark.req("SIG-11")
def test_a_sub_investigator_is_told_why_the_casebook_is_not_theirs(case: Case) -> None:
    case.whole_visit()
    milestone(case)
    sub = case.sub_investigator()
    key = case.key("casebook")
    client = case.cast.client(sub)
    assert "Only the principal investigator" in client.get(f"/signatures/?record={key}").content.decode()
    answer = client.post(
        f"/signatures/?record={key}",
        {"record": boxes(case, key), "username": sub, "password": PASSWORD},
    )
    assert answer.status_code == 409
    assert not SignedRecord.objects.exists()


@pytest.mark.req("SIG-12")
def test_unsigned_casebooks_are_listed_before_a_milestone(case: Case) -> None:
    case.whole_visit()
    manager = case.cast.client("datamanager")
    code = case.subject.trial.code
    answer = manager.post(
        "/signatures/milestones/", {"trial": code, "name": "Lock", "due_on": clock.today().isoformat()}
    )
    assert answer.status_code == 302
    assert case.subject.number in manager.get(f"/signatures/milestones/?trial={code}").content.decode()
    assert case.key("casebook") in case.cast.client("investigator").get("/signatures/").content.decode()
    case.sign(case.key("casebook"))
    assert (
        "Every casebook here is signed"
        in manager.get(f"/signatures/milestones/?trial={code}").content.decode()
    )
    with pytest.raises(Invalid):
        keep_milestone(
            actor=case.cast.actor("datamanager"), trial=case.subject.trial, name="Lock", due_on=clock.today()
        )


def test_a_milestone_needs_a_day(case: Case) -> None:
    answer = case.cast.client("datamanager").post(
        "/signatures/milestones/", {"trial": case.subject.trial.code, "name": "Lock", "due_on": "soon"}
    )
    assert answer.status_code == 422
    assert 'value="Lock"' in answer.content.decode()


def test_the_number_of_statements_does_not_depend_on_what_waits(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    counted = []
    for number in (5, 50):
        cases = [Case(cast) for _ in range((number - 5 if number > 5 else 5) // 5)]
        for each in cases:
            for form in ("LB", "VS", "DM", "CH", "EH"):
                each.form(form)
        client = cast.client("investigator")
        client.get("/signatures/")
        with statements() as done:
            page = client.get("/signatures/").content.decode()
        counted.append((page.count('type="checkbox"'), len(done.counted)))
    assert [boxes for boxes, _ in counted] == [5, 50]
    assert counted[0][1] == counted[1][1]


def test_what_is_due_is_counted_for_whoever_may_sign(case: Case, statements: Callable[[], Any]) -> None:
    case.form("LB")
    signed = case.form("VS")
    case.sign(case.key(entry=signed))
    access = access_of(case.cast.people["investigator"])
    with statements() as done:
        (due,) = signatures_due(access)
    assert (due.number, due.visit, due.forms, due.again) == (case.subject.number, "SCR", 1, 0)
    assert len(done.counted) == 2
    assert signatures_due(access_of(case.cast.people["investigator2"])) == []
    assert signatures_due(access_of(case.cast.people["coordinator"])) == []
    assert waiting_page(access_of(case.cast.people["coordinator"])).rows == ()


# States ---------------------------------------------------------------------------------------------------------------


def move(case: Case, who: str, verb: str, entry: Entry | None = None, **body: str) -> Any:
    where = {"visit": "SCR", "form": entry.form} if entry is not None else {}
    return case.cast.client(who).post(
        reverse("states-move", args=[case.subject.number, verb]), {**where, **body}
    )


def test_each_role_sees_its_own_buttons_and_why_one_is_missing(case: Case) -> None:
    entry = case.form()
    address = f"/subjects/{case.subject.number}/SCR/{entry.form}/"
    manager = case.cast.client("datamanager").get(address).content.decode()
    assert "Freeze" in manager
    assert "Lock: The form is not signed." in manager
    investigator = case.cast.client("investigator").get(address).content.decode()
    assert f"/signatures/?record={case.key(entry=entry)}" in investigator
    assert "states/freeze" not in investigator
    assert "states/lock" not in case.cast.client("monitor").get(address).content.decode()


def test_a_form_goes_through_its_states_on_screen(case: Case) -> None:
    entry = case.form()
    assert move(case, "datamanager", "review", entry).status_code == 302
    assert move(case, "datamanager", "freeze", entry).status_code == 302
    assert move(case, "coordinator", "freeze", entry).status_code == 403
    case.sign(case.key(entry=entry))
    assert move(case, "datamanager", "lock", entry, reason="Database lock").status_code == 302
    page = case.cast.client("coordinator").get(f"/subjects/{case.subject.number}/SCR/LB/").content.decode()
    for words in ("Reviewed", "Signed", "Frozen", "Locked", "Ask to unlock"):
        assert words in page
    assert move(case, "coordinator", "ask-unlock", entry, reason="Wrong unit", hours="6").status_code == 302
    assert move(case, "coordinator", "ask-unlock", entry, reason="Again", hours="6").status_code == 409


@pytest.mark.req("LCK-03")
def test_a_second_person_answers_and_what_was_changed_is_listed(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    move(case, "datamanager", "lock", entry, reason="Database lock")
    move(case, "datamanager", "ask-unlock", entry, reason="Wrong unit", hours="6")
    wish = Unlock.objects.get()
    approve = reverse("unlock-answer", args=[wish.pk, "approve"])
    assert "second person" in case.cast.client("datamanager").get(f"/unlocks/{wish.pk}/").content.decode()
    assert case.cast.client("datamanager").post(approve).status_code == 409
    assert case.cast.client("monitor").post(approve).status_code == 302
    case.save(entry, "HGB", "7.7", "g/dL", reason="It was g/dL")
    page = case.cast.client("monitor").get(f"/unlocks/{wish.pk}/").content.decode()
    for words in ("12.4 g/dL", "7.7 g/dL", "It was g/dL", "Open until"):
        assert words in page
    assert "Wrong unit" in case.cast.client("coordinator").get("/unlocks/").content.decode()
    assert case.cast.client("coordinator2").get(f"/unlocks/{wish.pk}/").status_code == 404


def test_the_signatures_of_a_casebook_stay_visible_with_their_state(case: Case) -> None:
    entry = case.form()
    (record,) = case.sign(case.key(entry=entry)).signed
    case.save(entry, "HGB", "12.9", "g/dL")
    monitor = case.cast.client("monitor")
    page = monitor.get(f"/subjects/{case.subject.number}/signatures/").content.decode()
    for words in ("Investigator Person", "Approval", "Changed since", "Whole casebook"):
        assert words in page
    page = monitor.get(f"/subjects/{case.subject.number}/signatures/{record.pk}/").content.decode()
    for words in ("12.4 g/dL", "12.9 g/dL", record.digest, "neither changed nor moved"):
        assert words in page
    assert monitor.get(f"/subjects/{case.subject.number}/signatures/0/").status_code == 404


@pytest.mark.req("SIG-03")
def test_signatures_are_shown_as_they_stood(case: Case) -> None:
    entry = case.form()
    (record,) = case.sign(case.key(entry=entry)).signed
    then = moment_in_addresses(moment_of_the_database())
    case.save(entry, "HGB", "12.9", "g/dL")
    client = case.cast.client("investigator")
    for address in ("", f"{record.pk}/"):
        place = f"/subjects/{case.subject.number}/signatures/{address}"
        now = client.get(place).content.decode()
        past = client.get(place, {"as_of": then}).content.decode()
        assert "Changed since" in now
        assert "Changed since" not in past
        assert "nothing can be changed here" in past
        assert "/signatures/?record=" not in past
    broken = moment_in_addresses(moment_of_the_database())
    case.save(entry, "HGB", "12.4", "g/dL")
    form = client.get(f"/subjects/{case.subject.number}/SCR/LB/", {"as_of": broken}).content.decode()
    assert "Changed since it was signed" in form
    assert "12.9 g/dL" in form


def test_the_page_of_a_casebook_takes_a_constant_number_of_statements(
    case: Case, statements: Callable[[], Any]
) -> None:
    client = case.cast.client("datamanager")
    address = f"/subjects/{case.subject.number}/signatures/"
    counted = []
    for forms in (("LB",), ("VS", "DM", "CH")):
        for form in forms:
            case.sign(case.key(entry=case.form(form)))
        client.get(address)
        with statements() as done:
            client.get(address)
        counted.append(len(done.counted))
    assert counted[0] == counted[1]


@pytest.mark.req("LCK-01")
def test_a_serious_event_without_report_and_an_unread_image_keep_a_form_from_being_locked(case: Case) -> None:
    actor = case.cast.actor()
    event = services.open_entry(actor=actor, subject=case.subject, visit=None, form="AE")
    for item, value in (("AETERM", "Fever"), ("AESER", "Y")):
        case.save(event, item, value)
    closed(actor, event)
    case.sign(case.key(entry=again(event)))
    answer = case.cast.client("datamanager").post(
        reverse("states-move", args=[case.subject.number, "lock"]),
        {"visit": "log", "form": "AE", "reason": "Lock"},
    )
    assert answer.status_code == 409
    assert "“Fever” has no report" in answer.content.decode()
    assert not again(event).locked
    assert states.state_of(case.record(case.key(entry=again(event))).parts[0]).signing == "SIGNED"


def test_the_signature_is_a_mark_of_its_own_in_both_matrices(case: Case) -> None:
    vitals, laboratory = case.form("VS"), case.form("LB")
    client = case.cast.client("investigator")
    casebook, matrix = f"/subjects/{case.subject.number}/", "/casebooks/?trial=EXCALIBUR"

    def words(form: str) -> str:
        page = client.get(casebook).content.decode()
        found = re.search(rf'data-state="([^"]*)" aria-label="{form}, SCR', page)
        assert found is not None
        return found[1]

    assert "sign" not in words("Laboratory")
    assert "signed" not in client.get(matrix).content.decode().split('data-state="')[1].split('"')[0]
    case.sign(case.key(entry=vitals), case.key(entry=laboratory))
    assert words("Laboratory").split()[-1] == words("Vital signs").split()[-1] == "signed"
    page = client.get(matrix).content.decode()
    assert f"{case.subject.number}, Screening: " in page
    assert re.search(r'data-state="[^"]* signed" aria-label="[^"]*; signed"', page)

    case.save(vitals, "WEIGHT", "71", "kg")
    assert words("Vital signs").split()[-1] == "sign-again"
    assert words("Laboratory").split()[-1] == "signed"
    page = client.get(matrix).content.decode()
    assert re.search(r'data-state="[^"]* sign-again" aria-label="[^"]*; 1 form to be signed again"', page)
