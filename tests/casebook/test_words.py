"""What people write about data: refused with a sentence where it cannot be kept, never with a fault of the server."""

from __future__ import annotations

import pytest
from django.test import Client

from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.models import Entry, Query, QueryMessage
from casebook.rules.cells import Typed
from casebook.rules.reasons import NOT_DONE_REASONS
from patients.models import Subject
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db
STRANGE = ["a\x00b", "bell \x07", "csi \x9b5m text", "x" * 10_001]


@pytest.fixture
def subject(cast: Cast) -> Subject:
    made = cast.subject()
    visit = Visit.objects.get(subject=made, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=made, visit=visit, form="VS")
    services.save_item(actor=cast.actor(), entry=entry, item_id="PULSE", typed=Typed("66"))
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="PULSE", text="Again?")
    with acting(SETUP):
        Entry.objects.filter(pk=entry.pk).update(state="COMPLETE")
    return made


def address(subject: Subject, last: str) -> str:
    return f"/subjects/{subject.number}/SCR/VS/{last}/"


def refused(client: Client, where: str, **sent: str) -> bool:
    before = Event.objects.count()
    return client.post(where, sent).status_code == 422 and Event.objects.count() == before


@pytest.mark.parametrize("text", STRANGE)
def test_questions_and_answers(cast: Cast, subject: Subject, text: str) -> None:
    query = Query.objects.get()
    assert refused(cast.client("monitor"), address(subject, "ask"), item="PULSE", text=text)
    assert refused(cast.client("coordinator"), f"/queries/{query.pk}/answer/", text=text)
    assert refused(cast.client("monitor"), f"/queries/{query.pk}/close/", text=text)


@pytest.mark.parametrize("text", STRANGE)
def test_reasons(cast: Cast, subject: Subject, text: str) -> None:
    client = cast.client("coordinator")
    other = {"reason": "OTHER", "reason_text": text}
    assert refused(client, address(subject, "save"), item="PULSE", value="67", **other)
    assert refused(client, address(subject, "not-done"), **other)
    assert refused(client, address(subject, "strike-out"), reason=text)


def test_any_other_message_is_kept_to_the_letter(cast: Cast, subject: Subject) -> None:
    text = "=1+1 \u202eשלום, see p. 2\n<b>" + "x" * 9_900
    cast.client("monitor").post(address(subject, "ask"), {"item": "TEMP", "text": text})
    assert QueryMessage.objects.order_by("pk").last().text == text  # type: ignore[union-attr]


def test_a_question_goes_to_the_desk_that_was_chosen(cast: Cast, subject: Subject) -> None:
    client = cast.client("datamanager")
    sent = {"item": "TEMP", "text": "Is this plausible?", "waits_for": "MEDICAL"}
    assert client.post(address(subject, "ask"), sent).status_code == 302
    assert Query.objects.get(item="TEMP").waits_for == "MEDICAL"
    assert "waits for: Medical reviewer" in client.get(address(subject, "item/TEMP")).content.decode()
    assert refused(client, address(subject, "ask"), item="TEMP", text="Again", waits_for="NOBODY")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"reason": "DECLINED"}, "The patient declined"),
        ({"reason": "OMITTED", "reason_text": "no cuff"}, "Forgotten, or not possible that day: no cuff"),
        ({"reason": "OTHER", "reason_text": "Device broken"}, "Device broken"),
    ],
)
def test_a_form_is_left_out_for_a_coded_reason(
    cast: Cast, subject: Subject, sent: dict[str, str], kept: str
) -> None:
    client = cast.client("coordinator")
    page = client.get(f"/subjects/{subject.number}/SCR/LB/").content.decode()
    assert all(f'value="{code}"' in page for code in NOT_DONE_REASONS)
    client.post(f"/subjects/{subject.number}/SCR/LB/not-done/", sent)
    assert Entry.objects.get(subject=subject, form="LB").not_done == kept
