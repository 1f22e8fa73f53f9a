"""Signatures and locks of the demonstration: one that holds, one that a change took back, and forms that are locked."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from accounts.models import User
from accounts.services import set_training_password
from audit.context import Actor, service_actor
from casebook import services as casebook
from casebook.records import casebook_key, visit_key
from casebook.rules.cells import Typed
from casebook.selectors import entries
from casebook.services import states
from casebook.services.milestones import keep_milestone
from casebook.services.signing import Wanted, sign_records
from casebook.services.states import Scope
from foundation import clock
from patients.models import Subject
from visits.selectors import get_visit

DEMONSTRATION = service_actor("demonstration")
FOLLOWED, FAILED = ("THERMODOX", "OUS-0412"), ("EXCALIBUR", "OUS-0547")
"""Trial and patient: one who is followed up, and one whose casebook ended with screening."""
SIGNED_VISITS, LOCKED_VISIT, FROZEN_VISIT = ("SCR", "BL", "P1"), "SCR", "P1"
CORRECTED_VISIT, CORRECTED_FORM, CORRECTED_ITEM, CORRECTED_VALUE = "BL", "VS", "PULSE", "78"
MILESTONE, MILESTONE_IN = "Interim review", timedelta(days=21)
UNLOCK_HOURS = 48


def new_password(user: User) -> str:
    """A password that is the person's for the moment in which the demonstration signs for them."""
    password = secrets.token_urlsafe(24)
    set_training_password(actor=DEMONSTRATION, user=user, password=password)
    return password


def sign_and_lock(people: Mapping[str, User]) -> Iterator[str]:
    """Sign, correct, freeze and lock as the site and the data manager would; says what was done."""
    followed, failed = _subject(*FOLLOWED), _subject(*FAILED)
    manager, investigator = _as(people["datamanager"], "datamanager"), people["investigator"]
    visits = [visit_key(followed, get_visit(followed, name)) for name in SIGNED_VISITS]
    yield f"{followed.number}: {_sign(investigator, visits)} visits signed in one go"
    states.lock(actor=manager, scope=_visit(followed, LOCKED_VISIT), reason="Cleaned for the interim review")
    states.ask_unlock(
        actor=_as(people["coordinator"], "coordinator"),
        scope=_visit(followed, LOCKED_VISIT),
        reason="The last dose of the earlier treatment was copied from the wrong line",
        hours=UNLOCK_HOURS,
    )
    states.review(actor=manager, scope=_visit(followed, FROZEN_VISIT))
    states.freeze(actor=manager, scope=_visit(followed, FROZEN_VISIT))
    _correct(followed, _as(people["coordinator"], "coordinator"))
    yield f"{followed.number}: {LOCKED_VISIT} locked, {FROZEN_VISIT} frozen, {CORRECTED_VISIT} changed since"
    _sign(investigator, [casebook_key(failed)])
    states.review(actor=manager, scope=Scope(failed))
    states.lock(actor=manager, scope=Scope(failed), reason="Screen failure; nothing more is expected")
    yield f"{failed.number}: casebook signed and locked"
    keep_milestone(actor=manager, trial=followed.trial, name=MILESTONE, due_on=clock.today() + MILESTONE_IN)


def _sign(user: User, keys: Sequence[str]) -> int:
    outcome = sign_records(
        actor=_as(user, "investigator"),
        user=user,
        wanted=[Wanted(key) for key in keys],
        password=new_password(user),
        username=user.username,
    )
    if outcome.refused:
        raise RuntimeError(f"The demonstration could not sign: {outcome.refused}")
    return len(outcome.signed)


def _correct(subject: Subject, actor: Actor) -> None:
    visit = get_visit(subject, CORRECTED_VISIT)
    entry = entries().get(subject=subject, visit=visit, form=CORRECTED_FORM, repeat=1)
    casebook.save_item(
        actor=actor,
        entry=entry,
        item_id=CORRECTED_ITEM,
        typed=Typed(CORRECTED_VALUE),
        reason="Misread in the source",
    )


def _subject(trial: str, patient: str) -> Subject:
    found = Subject.objects.select_related("trial", "site", "version")
    return found.get(trial__code=trial, patient__code=patient)


def _visit(subject: Subject, name: str) -> Scope:
    return Scope(subject, get_visit(subject, name))


def _as(user: User, role: str) -> Actor:
    return Actor(id=user.pk, name=user.full_name, role=role)
