"""Deciding between two readers: held for a while, decided for A, for B or by reading anew, and signed."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta

from accounts.models import Meaning, User
from accounts.services import sign
from audit.context import Actor, acting
from foundation import clock
from imaging.errors import AdjudicationHeldError, AdjudicationRefusedError
from imaging.models import Adjudication, AdjudicationState, Choice, Order, Read, ReadState
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.repeats import DRAWN_BELOW
from imaging.selectors.adjudications import after_another, current, is_held, own_read, read_by, sides

HOLD = timedelta(minutes=20)
STATEMENT = "I have looked at both reads and at the images, blinded to who read them, and this is the result."
CHOICES = {"pick": (Choice.A, Choice.B), "anew": (Choice.NEW,), "either": (Choice.A, Choice.B, Choice.NEW)}
"""What an adjudicator may decide, by the charter's word."""


def choices_of(adjudication: Adjudication) -> tuple[Choice, ...]:
    """Decisions that the charter leaves to the adjudicator."""
    charter = adjudication.subject.version.protocol.charter
    return CHOICES[charter.adjudicator if charter else "either"]


def hold_adjudication(*, actor: Actor, adjudication: Adjudication) -> Adjudication:
    """Keep a case for this adjudicator for a while; opening it again makes the while longer.

    Raises
    ------
    AdjudicationHeldError
        Somebody else holds it.
    AdjudicationRefusedError
        The person read the case.
    """
    with acting(actor):
        row = _locked(actor, adjudication)
        if row.state == AdjudicationState.WAITING:
            row.held_by_id, row.held_until = actor.id, clock.now() + HOLD
            row.save(update_fields=["held_by", "held_until"])
    return row


def release_adjudication(*, actor: Actor, adjudication: Adjudication) -> None:
    """Give a case back to the queue before its time is up."""
    with acting(actor):
        Adjudication.objects.filter(
            pk=adjudication.pk, held_by_id=actor.id, state=AdjudicationState.WAITING
        ).update(held_until=None, held_by=None)


def _locked(actor: Actor, adjudication: Adjudication) -> Adjudication:
    row = (
        Adjudication.objects.select_for_update(of=("self",))
        .select_related("subject__version", "first__visit", "second__visit", "visit")
        .get(pk=adjudication.pk)
    )
    if Adjudication.objects.filter(read_by(actor.id), pk=row.pk).exists():
        raise AdjudicationRefusedError(message="Whoever read this case does not decide about it.")
    waiting = row.state == AdjudicationState.WAITING
    if waiting and Adjudication.objects.filter(after_another(), pk=row.pk).exists():
        raise AdjudicationRefusedError(message="An earlier time point of this case is decided first.")
    if waiting and is_held(row, actor.id, clock.now()):
        raise AdjudicationHeldError
    return row


def _undecided(actor: Actor, adjudication: Adjudication) -> Adjudication:
    row = _locked(actor, adjudication)
    if row.state != AdjudicationState.WAITING:
        raise AdjudicationRefusedError(message="This case was decided already.")
    if not Adjudication.objects.filter(current(), pk=row.pk).exists():
        raise AdjudicationRefusedError(
            message="One of the reads was corrected since. This case is compared anew."
        )
    return row


def read_anew(*, actor: Actor, adjudication: Adjudication) -> Read:
    """Begin the adjudicator's own read of the same images, or go on with the one that was begun.

    Raises
    ------
    AdjudicationRefusedError, AdjudicationHeldError
    """
    if actor.id is None:
        raise AdjudicationRefusedError(message="A person adjudicates.")
    with acting(actor):
        row = _undecided(actor, adjudication)
        if Choice.NEW not in choices_of(row):
            raise AdjudicationRefusedError(message="The charter asks to take one of the two reads.")
        begun = own_read(row, actor.id)
        if begun is not None:
            return begun
        known = Read.objects.filter(visit=row.visit_id, number=ADJUDICATORS_NUMBER).count()
        return Read.objects.create(
            subject_id=row.subject_id,
            visit_id=row.visit_id,
            reader_id=actor.id,
            number=ADJUDICATORS_NUMBER,
            version=known + 1,
            order=Order.SEQUENTIAL,
            draw=secrets.randbelow(DRAWN_BELOW),
            charter_sha256=row.subject.version.sha256,
            due_on=row.due_on,
        )


def sign_adjudication(
    *,
    actor: Actor,
    user: User,
    adjudication: Adjudication,
    choice: str,
    reason: str,
    password: str,
    username: str | None = None,
) -> Adjudication:
    """Decide, with the reason and the components typed again. From then on it never changes.

    Raises
    ------
    AdjudicationRefusedError
        Decided already, no choice of the charter, no reason, the person read the case, or the own read is not signed.
    AdjudicationHeldError, accounts.errors.SignatureRefused, accounts.errors.AccountLocked
    """
    with acting(actor):
        row = _undecided(actor, adjudication)
        row.choice, row.reason = must_be_choice(row, choice), must_be_reason(reason)
        row.accepted = _accepted(row, actor)
        row.digest = digest_of(row)
        row.signature = sign(
            user=user,
            password=password,
            username=username,
            meaning=Meaning.AUTHOR,
            target_kind="imaging.adjudication",
            target_id=str(row.opaque),
            digest=row.digest,
            statement=STATEMENT,
        )
        row.state, row.signed_at, row.held_until = AdjudicationState.SIGNED, row.signature.at, None
        row.held_by_id = actor.id
        row.save()
    return row


def must_be_choice(row: Adjudication, choice: str) -> Choice:
    """The choice, where the charter leaves it.

    Raises
    ------
    AdjudicationRefusedError
    """
    found = next((each for each in choices_of(row) if each == choice), None)
    if found is None:
        raise AdjudicationRefusedError(message="Choose whose result counts.")
    return found


def must_be_reason(reason: str) -> str:
    """The reason, where there is one.

    Raises
    ------
    AdjudicationRefusedError
    """
    if len(reason.strip()) < 3:
        raise AdjudicationRefusedError(message="Say in a few words why.")
    return reason.strip()[:1000]


def _accepted(row: Adjudication, actor: Actor) -> Read:
    if row.choice != Choice.NEW:
        return sides(row)[row.choice]
    own = own_read(row, actor.id)
    if own is None or own.state != ReadState.SIGNED:
        raise AdjudicationRefusedError(message="Read the images and sign your read first.")
    return own


def digest_of(row: Adjudication) -> str:
    """SHA-256 of the canonical content of a decision: the pair, its differences, what was accepted and why."""
    content = {
        "adjudication": str(row.opaque),
        "first": row.first.digest,
        "second": row.second.digest,
        "first_is_a": row.first_is_a,
        "differences": row.differences,
        "choice": row.choice,
        "accepted": row.accepted.digest if row.accepted else "",
        "reason": row.reason,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
