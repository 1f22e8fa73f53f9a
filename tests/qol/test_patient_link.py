"""A patient answers on a phone, without an account: once, unhurried, and nobody learns who it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from audit.models import Event
from casebook import services as casebook
from casebook.errors import PlaceLockedError, ReasonNeededError
from casebook.models import Entry, EntryState
from casebook.rules.cells import Typed
from casebook.selectors import entries
from qol.errors import (
    AlreadyAnsweredError,
    AnswersMissingError,
    InvitationClosedError,
    NoConsentError,
    NoQuestionnaireError,
    WindowClosedError,
)
from qol.models import Invitation, InvitationState
from qol.rules.fhsi_8_version_4 import ITEMS, score_fhsi8
from qol.services import Sent, invite, receive_answers, revoke
from qol.throttle import WRONG_LINKS
from tests.casebook.locked_site import lock_site_of
from tests.cast import Cast
from tests.qol.desk import FORM_ITEM, Desk, load

pytestmark = pytest.mark.django_db

ANSWERS: dict[str, str | None] = dict(zip(ITEMS, ("3", "2", None, "1", None, "3", "0", None), strict=True))
FULL = dict.fromkeys(ITEMS, "1")


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """A treated subject; Month 1 is 4 to 11 April 2025, and it is the 7th."""
    load(cast)
    made = Desk(cast)
    made.treat("2025-03-04T10:00")
    return made


def link(desk: Desk, visit: str = "M1", language: str = "en") -> tuple[Invitation, str]:
    return invite(actor=desk.actor, subject=desk.subject, visit=desk.visit(visit), language=language)


def walk(phone: Client, token: str, answers: dict[str, str | None] = ANSWERS) -> Any:
    """Answer every question as a person does, up to the review."""
    for number, item in enumerate(ITEMS, start=1):
        address = f"/q/{token}/{number}/"
        if answers[item] is None:
            asked = phone.post(address, {"verb": "skip"})
            assert "Leave this question out?" in asked.content.decode()
            phone.post(address, {"verb": "skip-confirmed"})
        else:
            phone.post(address, {"answer": answers[item]})
    return phone.get(f"/q/{token}/review/")


def send(phone: Client, token: str, **data: str) -> Any:
    return phone.post(f"/q/{token}/review/", data, follow=True)


def entry_of(desk: Desk, visit: str = "M1") -> Entry:
    return entries().get(subject=desk.subject, visit=desk.visit(visit), form="QS")


@pytest.mark.req("PRO-01")
def test_what_the_patient_sends_is_the_form_of_the_visit_complete_and_in_the_patients_name(
    desk: Desk,
) -> None:
    _, token = link(desk)
    phone = Client()
    assert "Sample statement answer 3" in walk(phone, token).content.decode()
    done = send(phone, token, device_time="2025-04-07T12:00:00+02:00")
    assert "Thank you. Your answers have been received." in done.content.decode()
    entry = entry_of(desk)
    assert entry.state == EntryState.COMPLETE
    values = {item: entry.values[FORM_ITEM[item]].get("value") for item in ITEMS}
    assert values == ANSWERS
    assert entry.values["GP4"] == {"value": None, "missing": "ASKU"}
    assert {name: entry.values[name]["value"] for name in ("QSDAT", "QSTIM", "QSMODE", "QSLANG")} == {
        "QSDAT": "2025-04-07",
        "QSTIM": "12:00",
        "QSMODE": "SELF ELECTRONIC",
        "QSLANG": "en",
    }
    written = Event.objects.filter(table_name="casebook_entry", row_id=str(entry.pk))
    assert set(written.values_list("actor", "origin")) == {("patient", "epro")}
    invitation = Invitation.objects.get()
    assert (invitation.state, invitation.text_version, invitation.device_time) == (
        InvitationState.ANSWERED, 1, "2025-04-07T12:00:00+02:00",
    )  # fmt: skip


def test_the_score_through_the_link_equals_the_calculator(desk: Desk, cast: Cast) -> None:
    desk.paper("BL", "2025-03-01", "1 - 2 0 1 2 0 1")
    _, token = link(desk)
    phone = Client()
    walk(phone, token)
    send(phone, token)
    page = cast.client("coordinator").get(f"/subjects/{desk.subject.number}/quality-of-life/")
    rows = {row.visit.code: row for row in page.context["shown"].rows}
    expected = score_fhsi8({item: answer and int(answer) for item, answer in ANSWERS.items()})
    assert rows["M1"].point.filled.result == expected
    assert (rows["M1"].score, rows["M1"].change, rows["M1"].point.deteriorated) == ("17.6", "−6.4", True)
    assert "Answered by the patient" in page.content.decode()


def test_sending_twice_writes_once(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    walk(phone, token)
    send(phone, token)
    version, events = entry_of(desk).version, Event.objects.count()
    assert send(phone, token).status_code == 200
    invitation = Invitation.objects.get()
    receive_answers(invitation=invitation, sent=Sent(FULL, "en"))
    assert (entry_of(desk).version, Event.objects.count()) == (version, events)
    assert entry_of(desk).values["GP1"]["value"] == "3"


@pytest.mark.req("LCK-02")
def test_answers_after_the_site_was_locked_are_refused_in_words_and_stay_with_the_patient(desk: Desk) -> None:
    """Not lost without a word: the link stays open, and takes the answers once the site is unlocked."""
    _, token = link(desk)
    phone = Client()
    walk(phone, token)
    lock_site_of(desk.cast, desk.subject)
    refused = send(phone, token)
    assert refused.status_code == 409
    assert "Your answers could not be received." in refused.content.decode()
    assert Invitation.objects.get().state == InvitationState.OPEN
    assert "Sample statement answer 3" in phone.get(f"/q/{token}/review/").content.decode()
    with pytest.raises(PlaceLockedError, match="Oslo University Hospital, THERMODOX, is locked"):
        link(desk, "M4")


def test_a_used_link_says_thank_you_and_shows_no_answer(desk: Desk) -> None:
    _, token = link(desk)
    receive_answers(invitation=Invitation.objects.get(), sent=Sent(ANSWERS, "en"))
    for address in (f"/q/{token}/", f"/q/{token}/1/", f"/q/{token}/review/"):
        page = Client().get(address)
        assert page.status_code == 200
        assert "have been received" in page.content.decode()
        assert "Sample statement" not in page.content.decode()


@pytest.mark.parametrize("address", ["/q/{}/", "/q/{}/1/", "/q/{}/review/"])
def test_a_wrong_link_opens_nothing_and_a_revoked_one_looks_the_same(desk: Desk, address: str) -> None:
    invitation, token = link(desk)
    wrong = Client().get(address.format("x" * 32))
    revoke(actor=desk.actor, invitation=invitation)
    revoked = Client().get(address.format(token))
    assert (wrong.status_code, revoked.status_code) == (404, 404)
    assert wrong.content == revoked.content


@pytest.mark.parametrize(
    ("moment", "status", "words"),
    [
        (datetime(2025, 4, 3, 21, 59, 59, tzinfo=UTC), 200, "opens on 4 April 2025"),
        (datetime(2025, 4, 3, 22, 0, 0, tzinfo=UTC), 200, "8 questions"),
        (datetime(2025, 4, 11, 21, 59, 59, tzinfo=UTC), 200, "8 questions"),
        (datetime(2025, 4, 11, 22, 0, 0, tzinfo=UTC), 410, "The time for this questionnaire is over."),
    ],
)
def test_a_link_is_open_for_the_window_in_the_days_of_the_site(
    desk: Desk, moment: datetime, status: int, words: str
) -> None:
    with time_machine.travel(datetime(2025, 4, 1, 8, tzinfo=UTC)):
        _, token = link(desk)
    with time_machine.travel(moment, tick=False):
        page = Client().get(f"/q/{token}/")
    assert page.status_code == status
    assert words in page.content.decode()


@pytest.mark.req("PRO-04")
def test_what_was_begun_in_time_may_be_sent_late_and_is_flagged(desk: Desk, cast: Cast) -> None:
    phone = Client()
    with time_machine.travel(datetime(2025, 4, 11, 21, 50, tzinfo=UTC)):
        _, token = link(desk)
        walk(phone, token, FULL)
    with time_machine.travel(datetime(2025, 4, 11, 22, 10, tzinfo=UTC)):
        assert "have been received" in send(phone, token).content.decode()
        assert Client().get(f"/q/{token}/").status_code == 200
        page = cast.client("coordinator").get(f"/subjects/{desk.subject.number}/quality-of-life/")
    assert entry_of(desk).values["QSDAT"]["value"] == "2025-04-12"
    assert "1 d late" in page.content.decode()


def test_after_the_window_nobody_begins_and_half_a_day_later_nobody_sends(desk: Desk) -> None:
    invitation, token = link(desk)
    phone = Client()
    with time_machine.travel(datetime(2025, 4, 11, 21, 50, tzinfo=UTC)):
        walk(phone, token, FULL)
    with time_machine.travel(datetime(2025, 4, 12, 9, 51, tzinfo=UTC)):
        assert send(phone, token).status_code == 410
        with pytest.raises(InvitationClosedError, match="expired"):
            receive_answers(invitation=invitation, sent=Sent(FULL, "en"))
    assert not Entry.objects.filter(form="QS").exists()


@pytest.mark.req("PRO-03")
def test_passing_a_question_over_is_asked_again_and_can_be_taken_back(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    empty = phone.post(f"/q/{token}/1/", {})
    assert empty.status_code == 422
    assert "Choose one answer" in empty.content.decode()
    phone.post(f"/q/{token}/1/", {"verb": "skip"})
    assert phone.get(f"/q/{token}/review/", follow=True).redirect_chain == [(f"/q/{token}/1/", 302)]
    page = walk(phone, token).content.decode()
    assert page.count("Not answered") == 3
    changed = phone.post(f"/q/{token}/3/?change", {"answer": "4"})
    assert changed.url == f"/q/{token}/review/"
    assert phone.get(changed.url).content.decode().count("Not answered") == 2


@pytest.mark.parametrize("answer", ["5", "-1", "9", "x", "", "0; drop"])
def test_an_answer_that_is_not_offered_is_not_taken(desk: Desk, answer: str) -> None:
    _, token = link(desk)
    phone = Client()
    assert phone.post(f"/q/{token}/1/", {"answer": answer}).status_code == 422
    assert phone.get(f"/q/{token}/review/").status_code == 302


def test_unfinished_answers_are_not_sent(desk: Desk) -> None:
    invitation, token = link(desk)
    phone = Client()
    phone.post(f"/q/{token}/1/", {"answer": "2"})
    assert send(phone, token).redirect_chain == [(f"/q/{token}/2/", 302)]
    with pytest.raises(AnswersMissingError, match="7 still to answer"):
        receive_answers(invitation=invitation, sent=Sent({"GP1": "2"}, "en"))
    assert not Entry.objects.filter(form="QS").exists()


def test_the_pages_name_nobody(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    pages = [phone.get(f"/q/{token}/"), phone.get(f"/q/{token}/1/"), walk(phone, token), send(phone, token)]
    subject = desk.subject
    forbidden = {
        subject.number, subject.patient.code, subject.site.name, subject.site.code, subject.trial.code,
        subject.trial.short_title, "Month 1", "Hilum", "FHSI",
    }  # fmt: skip
    for page in pages:
        text = page.content.decode()
        assert not [word for word in forbidden if escape(word) in text]
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Cache-Control"] == "no-store"


def test_only_a_digest_of_the_token_is_kept_and_not_in_the_trail(desk: Desk) -> None:
    invitation, token = link(desk)
    assert token not in str(Invitation.objects.values().get())
    event = Event.objects.get(table_name="qol_invitation", action="I")
    assert event.after is not None
    assert event.after["digest"] == "***"
    assert invitation.digest not in str(event.after)


def test_too_many_wrong_links_are_slowed_down_and_a_right_one_is_not(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    answers = [phone.get(f"/q/{number:032}/").status_code for number in range(WRONG_LINKS + 1)]
    assert answers == [404] * WRONG_LINKS + [429]
    assert phone.get(f"/q/{token}/").status_code == 200


def test_the_patient_may_change_the_language_to_another_licensed_one(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    assert 'lang="en"' in phone.get(f"/q/{token}/").content.decode()
    phone.post(f"/q/{token}/", {"language": "nb"})
    page = phone.get(f"/q/{token}/1/").content.decode()
    assert '<html lang="nb"' in page
    assert "Eksempel 1" in page
    assert "Jeg vil helst ikke svare" in page
    phone.post(f"/q/{token}/", {"language": "de"})
    assert '<html lang="nb"' in phone.get(f"/q/{token}/").content.decode()


def test_a_link_whose_licence_ended_shows_no_wording(desk: Desk, cast: Cast) -> None:
    _, token = link(desk)
    load(cast, valid_until="2025-04-06")
    page = Client().get(f"/q/{token}/1/")
    assert page.status_code == 409
    assert "Sample statement" not in page.content.decode()


def test_entering_the_paper_form_closes_the_link_and_a_link_after_it_is_refused(desk: Desk) -> None:
    _, token = link(desk)
    desk.enter("M1", "QS", QSDAT="2025-04-06")
    assert Client().get(f"/q/{token}/").status_code == 200
    desk.enter("M1", "QS", GP1="2")
    assert Client().get(f"/q/{token}/").status_code == 404
    assert Invitation.objects.get().revoked_because == "Answers were entered by the site"
    with pytest.raises(AlreadyAnsweredError):
        link(desk)


def test_the_site_that_was_faster_is_not_overwritten(desk: Desk) -> None:
    invitation, _ = link(desk)
    desk.paper("M1", "2025-04-06", "2 2 2 2 2 2 2 2", complete=True)
    invitation.state = InvitationState.OPEN
    with pytest.raises((AlreadyAnsweredError, InvitationClosedError)):
        receive_answers(invitation=invitation, sent=Sent(FULL, "en"))
    assert entry_of(desk).values["GP1"]["value"] == "2"


@pytest.mark.req("PRO-01")
def test_the_site_corrects_an_answer_with_a_reason_only_and_the_page_says_so(desk: Desk, cast: Cast) -> None:
    receive_answers(invitation=link(desk)[0], sent=Sent(ANSWERS, "en"))
    entry = entry_of(desk)
    correction = {"actor": desk.actor, "entry": entry, "item_id": "GP1", "typed": Typed("2")}
    with pytest.raises(ReasonNeededError):
        casebook.save_item(**correction)
    casebook.save_item(**correction, reason="At the patient's request")
    page = cast.client("coordinator").get(f"/subjects/{desk.subject.number}/quality-of-life/")
    assert "Corrected since" in page.content.decode()
    event = Event.objects.filter(table_name="casebook_entry").order_by("id").last()
    assert event is not None
    assert (event.actor, event.reason) == ("Coordinator Person", "At the patient's request")


def test_a_new_link_replaces_the_old_one(desk: Desk) -> None:
    _, old = link(desk)
    _, new = link(desk)
    assert Client().get(f"/q/{old}/").status_code == 404
    assert Client().get(f"/q/{new}/").status_code == 200
    assert sorted(Invitation.objects.values_list("state", flat=True)) == ["OPEN", "REVOKED"]


def test_no_link_without_consent_or_for_a_visit_without_questionnaire_or_after_the_window(
    desk: Desk, cast: Cast
) -> None:
    unasked = Desk(cast, consent="")
    with pytest.raises(NoConsentError):
        link(unasked, "BL")
    with pytest.raises(NoQuestionnaireError):
        link(desk, "P1")
    with pytest.raises(WindowClosedError, match="D14 closed on 25 Mar 2025"):
        link(desk, "D14")


def test_the_hour_that_comes_twice_keeps_its_offset(cast: Cast) -> None:
    load(cast, valid_from="2024-01-01")
    with time_machine.travel(datetime(2025, 10, 26, 0, 30, tzinfo=UTC), tick=False):
        desk = Desk(cast)
        receive_answers(invitation=link(desk, "BL")[0], sent=Sent(FULL, "en"))
    assert entry_of(desk, "BL").values["QSTIM"]["value"] == "02:30+02:00"


def test_the_browser_keeps_nothing_after_sending(desk: Desk) -> None:
    _, token = link(desk)
    phone = Client()
    walk(phone, token)
    assert [key for key, _ in phone.session.items() if key.startswith("questionnaire")]
    send(phone, token)
    assert not [key for key, _ in phone.session.items() if key.startswith("questionnaire")]


# Inviting through the page --------------------------------------------------------------------------------------


def test_the_link_is_shown_once_with_its_code_and_works(desk: Desk, cast: Cast) -> None:
    address = f"/subjects/{desk.subject.number}/quality-of-life/M1/invite/"
    page = cast.client("coordinator").post(address, {"language": "nb"})
    shown = page.context["address"]
    assert 'class="qr"' in page.content.decode()
    assert Client().get(shown.removeprefix("http://testserver")).status_code == 200
    again = cast.client("coordinator").get(f"/subjects/{desk.subject.number}/quality-of-life/")
    assert shown.split("/")[-2] not in again.content.decode()
    assert "Link sent, not answered" in again.content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("coordinator2", 404), ("outsider", 404), ("sponsor", 404), ("monitor", 404)]
)
def test_nobody_of_another_site_or_without_the_right_sends_or_takes_back(
    desk: Desk, cast: Cast, role: str, status: int
) -> None:
    page = f"/subjects/{desk.subject.number}/quality-of-life/"
    client = cast.client(role)
    assert client.post(f"{page}M1/invite/", {"language": "en"}).status_code == status
    assert client.post(f"{page}M1/revoke/").status_code == status
    assert not Invitation.objects.exists()
    if role != "monitor":
        assert client.get(page).status_code == 404


def test_a_trial_without_the_instrument_has_no_page_and_no_tab(cast: Cast) -> None:
    number = cast.subject("EXCALIBUR").number
    client = cast.client("coordinator")
    assert client.get(f"/subjects/{number}/quality-of-life/").status_code == 404
    assert "quality-of-life" not in client.get(f"/subjects/{number}/").content.decode()
