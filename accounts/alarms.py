"""What those who administer accounts are told at once."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse

from accounts.models import AccessEvent, AccessKind, User
from accounts.selectors import access_of
from foundation import clock

logger = logging.getLogger(__name__)


def tell_of_lock(event_id: int) -> int:
    """Write to every administrator that an account was locked after failures; gives the number of mails.

    Parameters
    ----------
    event_id
        The event at the door.

    References
    ----------
    21 CFR 11.300(d): attempts at unauthorised use are reported at once to the security unit.
    """
    event = AccessEvent.objects.get(pk=event_id)
    logger.critical("The account %s was locked after failures", event.username)
    signing = AccessEvent.objects.filter(
        username__iexact=event.username, kind=AccessKind.SIGNATURE_REFUSED, pk__lt=event.pk
    )
    words = (
        f"The account {event.username} was locked on {event.at:%d %b %Y at %H:%M} UTC after too many failures to sign"
        f" in or to sign a record; {signing.count()} of its failures so far were at signing.\n\n"
        "It opens by itself after half an hour. Ask its owner whether it was them; if not, deactivate it:\n"
        f"{settings.PUBLIC_URL}{reverse('people')}\n"
    )
    return sum(_sent(person, f"Hilum: {event.username} was locked", words) for person in _administrators())


def _administrators() -> list[User]:
    people = User.objects.active_with_grants(clock.now())
    return [person for person in people if person.email and access_of(person).may_anywhere("user.admin")]


def _sent(person: User, subject: str, words: str) -> bool:
    try:
        send_mail(subject, words, settings.DEFAULT_FROM_EMAIL, [person.email])
    except (SMTPException, OSError) as error:
        logger.warning("An alarm could not be sent: %s", error)
        return False
    return True
