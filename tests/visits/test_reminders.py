"""Reminders: the right people, once a day, and nothing that points at a patient."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from audit.context import acting
from tests.cast import SETUP, Cast
from visits.models import Reminder, ReminderState, Visit
from visits.reminders import send_reminders
from visits.services import plan_visits_for

pytestmark = pytest.mark.django_db
ANCHOR = date(2025, 3, 4)
MONTH_1 = date(2025, 4, 4)


@pytest.fixture
def waiting(cast: Cast) -> Cast:
    """A subject with a planned schedule, and everybody with an address."""
    subject = cast.subject("THERMODOX")
    plan_visits_for(actor=cast.actor(), subject=subject, anchors={"PROCEDURES": [ANCHOR]})
    with acting(SETUP):
        Visit.objects.filter(subject=subject, code="D14").update(state="DONE", happened_on=date(2025, 3, 18))
        for user in User.objects.all():
            User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.org")
    return cast


@pytest.mark.parametrize(
    ("day", "mails"),
    [(MONTH_1 - timedelta(days=4), 0), (MONTH_1 - timedelta(days=3), 2), (MONTH_1 + timedelta(days=8), 2)],
)
def test_site_staff_hear_of_a_visit_from_three_days_before_its_window(
    waiting: Cast, day: date, mails: int
) -> None:
    assert send_reminders(day) == mails
    assert (
        sorted(message.to[0] for message in mail.outbox)
        == [
            "coordinator@example.org",
            "investigator@example.org",
        ][:mails]
    )


def test_a_second_run_on_the_same_day_sends_nothing(waiting: Cast) -> None:
    assert send_reminders(MONTH_1) == 2
    assert send_reminders(MONTH_1) == 0
    assert send_reminders(MONTH_1 + timedelta(days=1)) == 2


def test_a_mail_names_no_subject_and_no_visit(waiting: Cast) -> None:
    send_reminders(MONTH_1 + timedelta(days=8))
    for message in mail.outbox:
        assert "overdue" in message.subject
        for token in ("TDX-", "P-00", "M1", "Month 1"):
            assert token not in message.subject + message.body


def test_a_mail_that_the_server_refused_is_tried_again(waiting: Cast, monkeypatch: Any) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as broken:
        broken.setattr("visits.reminders.send_mail", refuse)
        assert send_reminders(MONTH_1) == 0
    assert set(Reminder.objects.values_list("state", flat=True)) == {ReminderState.FAILED}
    assert send_reminders(MONTH_1) == 2


def test_a_mail_whose_fate_is_unknown_is_never_sent_twice(waiting: Cast) -> None:
    with acting(SETUP):
        for name in ("coordinator", "investigator"):
            Reminder.objects.create(person=waiting.people[name], day=MONTH_1, visits=1)
    assert send_reminders(MONTH_1) == 0
    assert mail.outbox == []
