"""A form that stays open after its session ended can still have its person's draft kept: the page holds a ticket.

A ticket opens nothing. It names one person and one form, is signed, and lets what is typed there be kept as the draft
of that person, who finds it after signing in again. It ends with the draft's time, and at once when the password
changes, when the person ends all sessions, or may not write there any more.
"""

from __future__ import annotations

from django.core import signing

from accounts.models import User
from casebook.services.drafts import KEPT_FOR

SALT = "casebook.draft"

type_place = tuple[str, str, str, int]


def ticket_for(person: User, place: type_place) -> str:
    """A ticket for a form.

    Parameters
    ----------
    place
        Subject number, visit (or `log`), form and row.
    """
    return signing.dumps([person.pk, _seal_of(person), *place], salt=SALT, compress=True)


def read_ticket(ticket: str) -> tuple[User, type_place] | None:
    """Whose ticket it is and for which form; None where it is forged, old or ended."""
    try:
        person_id, seal, number, visit, form, repeat = signing.loads(ticket, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is None or seal != _seal_of(person):
        return None
    return person, (number, visit, form, repeat)


def _seal_of(person: User) -> str:
    return person.get_session_auth_hash()[:16]
