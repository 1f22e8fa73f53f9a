"""What this room does when a lower room says that something happened."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from audit.context import Actor
from casebook.models import Entry
from casebook.services.amending import take_over
from casebook.services.automatic import settle_other_forms
from casebook.services.cells import Put
from casebook.services.limits import limits_follow_the_person
from casebook.services.signing import follow_the_change, settle_signatures
from casebook.services.verification import ensure_seed
from casebook.signals import entry_saved
from patients.selectors import get_subject_by_key
from patients.signals import subject_moved, subject_screened
from visits.models import Visit
from visits.signals import visit_dated


@receiver(subject_moved, dispatch_uid="casebook.take_over")
def bring_under_the_new_version(sender: object, **said: Any) -> None:
    """A subject that moved to another protocol version has its casebook under it."""
    take_over(actor=said["actor"], subject=said["subject"], previous=said["previous"])


@receiver(entry_saved, dispatch_uid="casebook.settle_other_forms")
def look_again(
    sender: type[Entry], entry: Entry, items: frozenset[str], beside: Put | None = None, **_: Any
) -> None:
    """Checks of the subject's other forms look again at what changed."""
    settle_other_forms(entry, items, None if beside is None else beside.complete)


@receiver(entry_saved, dispatch_uid="casebook.signatures_follow")
def signatures_follow(
    sender: type[Entry],
    entry: Entry,
    items: frozenset[str],
    actor: Actor,
    beside: Put | None = None,
    **_: Any,
) -> None:
    """A form that shows something else because of this change is signed again."""
    signed = None if beside is None else beside.signed
    follow_the_change(actor=actor, entry=entry, items=items, signed=signed)


@receiver(visit_dated, dispatch_uid="casebook.signatures_follow_the_day")
def signatures_follow_the_day(sender: type[Visit], visit: Visit, actor: Actor, reason: str, **_: Any) -> None:
    """The day of a visit is signed with its forms, and others calculate with what was measured on it."""
    subject = get_subject_by_key(visit.subject_id)
    words = f"The day of {visit} changed"
    settle_signatures(actor=actor, subject=subject, reason=f"{words}: {reason}" if reason else words)


@receiver(entry_saved, dispatch_uid="casebook.limits_follow_the_person")
def judge_again(sender: type[Entry], entry: Entry, items: frozenset[str], actor: Actor, **_: Any) -> None:
    """Laboratory values are judged by the sex and the age that are known now."""
    limits_follow_the_person(actor, entry, items)


@receiver(subject_screened, dispatch_uid="casebook.draw_the_seed")
def draw_the_seed(sender: object, **said: Any) -> None:
    """The first subject of a trial draws the seed of its verification sample."""
    ensure_seed(said["subject"].trial)
