"""Mails about visits that come due or are overdue: one per person and day, never twice.

A mail names no subject: it says how many visits wait in which trial and at which site, and where to look.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.selectors import access_of
from audit.context import acting, service_actor
from foundation import clock
from visits.models import Reminder, ReminderState, Visit
from visits.selectors import visits_due

logger = logging.getLogger(__name__)

ACTOR = service_actor("reminders")
AHEAD = timedelta(days=3)
"""How long before its window opens a visit is announced; a house rule."""


@dataclass(frozen=True)
class Waiting:
    """Visits of one trial and site that wait for somebody."""

    trial: str
    site: str
    due: int
    overdue: int


def send_reminders(day: date | None = None) -> int:
    """Write to everybody at whose sites visits come due or are overdue.

    Safe to run twice, or twice at once: a person's mail of a day is claimed by inserting its row, before it is
    sent. A mail that the server refused is tried again at the next run; one whose fate is unknown is not.

    Returns
    -------
    int
        Number of mails that went out.
    """
    on = day or clock.today()
    people = User.objects.active_with_grants(clock.now())
    return sum(_remind(person, on) for person in people if person.email)


def _remind(person: User, on: date) -> bool:
    waiting = waiting_for(visits_due(access_of(person), on, ahead_days=AHEAD.days), on)
    if not waiting:
        return False
    reminder = _claim(person, on, sum(each.due + each.overdue for each in waiting))
    if reminder is None:
        return False
    try:
        send_mail(subject_of(waiting), text_of(person, waiting), settings.DEFAULT_FROM_EMAIL, [person.email])
    except (SMTPException, OSError) as error:
        logger.warning("A reminder could not be sent: %s", error)
        _note(reminder, ReminderState.FAILED)
        return False
    _note(reminder, ReminderState.SENT)
    return True


def waiting_for(visits: Iterable[Visit], on: date) -> list[Waiting]:
    """Count visits by trial and site."""
    due: Counter[tuple[str, str]] = Counter()
    overdue: Counter[tuple[str, str]] = Counter()
    for visit in visits:
        place = (visit.subject.trial.short_title, visit.subject.site.name)
        late = visit.latest is not None and visit.latest < on
        (overdue if late else due)[place] += 1
    return [Waiting(*place, due[place], overdue[place]) for place in sorted(due.keys() | overdue.keys())]


def subject_of(waiting: list[Waiting]) -> str:
    """Subject line of the mail."""
    overdue = sum(each.overdue for each in waiting)
    due = sum(each.due for each in waiting)
    parts = [f"{overdue} overdue"] if overdue else []
    if due:
        parts.append(f"{due} coming due")
    return f"Study visits: {', '.join(parts)}"


def text_of(person: User, waiting: list[Waiting]) -> str:
    """Words of the mail; nothing in it points at a patient."""
    lines = [
        f"- {each.trial}, {each.site}: {each.due} coming due, {each.overdue} overdue" for each in waiting
    ]
    address = f"{settings.PUBLIC_URL}/today/"
    return "\n".join([f"Dear {person.full_name},", "", "these study visits wait at your sites:", "", *lines, "",
                      f"The list by deadline: {address}", "", "Hilum"])  # fmt: skip


def _claim(person: User, on: date, visits: int) -> Reminder | None:
    """The row of this mail; None when somebody else has it or it went out already."""
    with acting(ACTOR):
        failed = Reminder.objects.filter(person=person, day=on, state=ReminderState.FAILED)
        if failed.update(state=ReminderState.CLAIMED, visits=visits):
            return Reminder.objects.get(person=person, day=on)
        try:
            with transaction.atomic():
                return Reminder.objects.create(person=person, day=on, visits=visits)
        except IntegrityError:
            return None


def _note(reminder: Reminder, state: ReminderState) -> None:
    with acting(ACTOR):
        Reminder.objects.filter(pk=reminder.pk).update(state=state)
