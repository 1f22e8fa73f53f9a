"""Reviewing, freezing, locking and unlocking: of a form, a visit, or a whole casebook.

What may be done in which state and by whom stands in `casebook.rules.states`; the database holds what is locked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Q, QuerySet

from accounts.policies import MEDICAL
from audit.context import Actor, acting
from audit.models import Event
from casebook.errors import EntryClosedError, RoleRefusedError, StateRefusedError
from casebook.models import (
    Closure,
    Entry,
    RecordKind,
    Review,
    ReviewKind,
    Signing,
    Unlock,
    UnlockState,
)
from casebook.records import Part, Record, casebook_key, form_key, record_of, visit_key
from casebook.registry import objections_to_locking
from casebook.rules.states import Action, Asked, FormState, Refusal, Window, in_effect, refusal
from casebook.services.entries import is_over
from casebook.services.words import LONGEST_REASON, plain, reason_given
from foundation import clock
from foundation.errors import DomainError
from patients.models import Subject
from visits.models import Visit

LONGEST_UNLOCK_HOURS = 720
DATA_OF = {"EMPTY": "empty", "IN_PROGRESS": "in-progress", "COMPLETE": "complete"}
NAMED = 3
"""How many forms a refusal names."""


@dataclass(frozen=True)
class Scope:
    """What an action is about: one form, the forms of a visit, or all forms of a subject."""

    subject: Subject
    visit: Visit | None = None
    entry: Entry | None = None

    @property
    def key(self) -> str:
        """Its name as a record."""
        if self.entry is not None:
            return form_key(self.entry)
        return visit_key(self.subject, self.visit) if self.visit is not None else casebook_key(self.subject)

    @property
    def whole(self) -> bool:
        """Whether it is more than one form."""
        return self.entry is None


def review(*, actor: Actor, scope: Scope, comment: str = "") -> list[Review]:
    """Record that the forms were looked through, as they stand now."""
    record = _record(scope)
    parts = _must_be_allowed("review", actor, scope, record)
    kind = ReviewKind.MEDICAL if MEDICAL in roles_of(actor) else ReviewKind.DATA
    with acting(actor, reason=plain(comment, field="comment", most=LONGEST_REASON)):
        return Review.objects.bulk_create(
            Review(
                entry=part.entry, subject=scope.subject, kind=kind, digest=part.digest, by_id=person_of(actor)
            )
            for part in parts
        )


def freeze(*, actor: Actor, scope: Scope, reason: str = "") -> int:
    """Take the forms out of entry; queries go on. Gives the number of forms."""
    parts = _must_be_allowed("freeze", actor, scope, _record(scope))
    with acting(actor, reason=plain(reason, field="reason", most=LONGEST_REASON) or "Frozen"):
        return _of(parts).update(frozen=True)


def unfreeze(*, actor: Actor, scope: Scope, reason: str) -> int:
    """Give the forms back to entry.

    Raises
    ------
    ReasonTooShortError, StateRefusedError, RoleRefusedError
    """
    reason_given(reason)
    parts = _must_be_allowed("unfreeze", actor, scope, _record(scope))
    with acting(actor, reason=reason.strip()):
        return _of(parts).update(frozen=False)


def lock(*, actor: Actor, scope: Scope, reason: str = "") -> int:
    """Close the forms for good: no value, query, review or verification is written any more.

    Raises
    ------
    StateRefusedError
        A form is not complete, a query is open, it is not signed, or a room above objects.
    RoleRefusedError

    References
    ----------
    ICH E6(R3) 4.2.6.
    """
    with acting(actor, reason=plain(reason, field="reason", most=LONGEST_REASON) or "Locked"):
        Subject.objects.select_for_update().only("pk").get(pk=scope.subject.pk)
        list(_entries_of(scope).select_for_update().values_list("pk", flat=True))
        record = _record(scope)
        parts = _must_be_allowed("lock", actor, scope, record)
        number = _of(parts).update(locked=True, unlocked_until=None)
        if record and scope.whole and not _closures(scope).filter(visit=scope.visit).exists():
            Closure.objects.create(
                subject=scope.subject,
                visit=scope.visit,
                manifest=record.manifest,
                digest=record.digest,
                trail_head=trail_head(),
            )
    return number


def ask_unlock(*, actor: Actor, scope: Scope, reason: str, hours: int) -> Unlock:
    """Ask that the forms be opened again for a time.

    Raises
    ------
    ReasonTooShortError, StateRefusedError, RoleRefusedError
    """
    reason_given(reason)
    if not 1 <= hours <= LONGEST_UNLOCK_HOURS:
        raise StateRefusedError(field="hours", sentence=f"Choose from 1 to {LONGEST_UNLOCK_HOURS} hours.")
    _must_be_allowed("ask-unlock", actor, scope, _record(scope))
    with acting(actor, reason=reason.strip()):
        return Unlock.objects.create(
            subject=scope.subject,
            visit=scope.visit if scope.entry is None else None,
            entry=scope.entry,
            reason=reason.strip(),
            hours=hours,
            asked_by_id=person_of(actor),
        )


def approve_unlock(*, actor: Actor, unlock: Unlock, answer: str = "") -> Unlock:
    """Open what was asked for, as a second person; it has to be signed again before it is locked again.

    Raises
    ------
    StateRefusedError, RoleRefusedError
    """
    with acting(actor, reason=unlock.reason):
        held = _answered(actor, unlock, UnlockState.APPROVED, answer)
        scope = scope_of(held)
        _closures(scope).update(ended_at=held.decided_at)
        entries = _entries_of(scope).filter(Q(locked=True) | Q(unlocked_until__isnull=False))
        entries.filter(signing=Signing.SIGNED).update(
            locked=False, frozen=False, unlocked_until=held.ends_at, signing=Signing.AGAIN
        )
        entries.filter(Q(locked=True) | ~Q(unlocked_until=held.ends_at)).update(
            locked=False, frozen=False, unlocked_until=held.ends_at
        )
    return held


def refuse_unlock(*, actor: Actor, unlock: Unlock, answer: str) -> Unlock:
    """Leave locked what was asked for, and say why.

    Raises
    ------
    ReasonTooShortError, StateRefusedError, RoleRefusedError
    """
    reason_given(answer)
    with acting(actor, reason=answer.strip()):
        return _answered(actor, unlock, UnlockState.REFUSED, answer)


def objection_of_a_lock(subject: Subject, form: str, visit: Visit | None) -> DomainError | None:
    """What a locked visit or casebook has against opening one more form in it."""
    stands = Closure.objects.filter(subject=subject, ended_at__isnull=True)
    if stands.filter(Q(visit__isnull=True) | Q(visit=visit)).exists():
        return EntryClosedError(state="in a part of the casebook that is locked")
    return None


def scope_of(unlock: Unlock) -> Scope:
    """What an unlock is about."""
    return Scope(unlock.subject, unlock.visit, unlock.entry)


def _answered(actor: Actor, unlock: Unlock, state: UnlockState, answer: str) -> Unlock:
    held = (
        Unlock.objects.select_for_update(of=("self",))
        .select_related("subject", "visit", "entry")
        .get(pk=unlock.pk)
    )
    asked: Asked = (
        "" if held.state != UnlockState.ASKED else "self" if held.asked_by_id == actor.id else "other"
    )
    _raise(refusal("approve-unlock", FormState(asked=asked), roles_of(actor)))
    held.state, held.answer = state, answer.strip()[:500]
    held.decided_by_id, held.decided_at = actor.id, clock.now()
    if state == UnlockState.APPROVED:
        held.ends_at = held.decided_at + timedelta(hours=held.hours)
        held.trail_head = trail_head()
    held.save(update_fields=["state", "answer", "decided_by", "decided_at", "ends_at", "trail_head"])
    return held


def trail_head() -> int:
    """How far the trail reaches now."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


# Rules -------------------------------------------------------------------------------------------------------------


def roles_of(actor: Actor) -> tuple[str, ...]:
    """Roles in which somebody acts."""
    return tuple(role.strip() for role in actor.role.split(","))


def person_of(actor: Actor) -> int:
    """Key of the person who acts; nothing here is done by a service."""
    if actor.id is None:
        raise PermissionError("Only a person does this.")
    return actor.id


def state_of(part: Part, *, asked: Asked = "", objections: tuple[str, ...] = ()) -> FormState:
    """A form on all its axes."""
    entry = part.entry
    window: Window = (
        "" if entry.unlocked_until is None else "over" if is_over(entry.unlocked_until) else "open"
    )
    return FormState(
        data=DATA_OF[entry.state],  # type: ignore[arg-type]
        struck_out=entry.struck_out,
        queries=part.queries,
        signing=part.signing,  # type: ignore[arg-type]
        frozen=entry.frozen,
        locked=entry.locked,
        window=window,
        asked=asked,
        objections=objections,
    )


def refusal_for(
    action: Action,
    roles: Collection[str],
    scope: Scope,
    record: Record,
    *,
    asked: Asked = "",
    ask_above: bool = True,
) -> tuple[Refusal | None, tuple[Part, ...]]:
    """Why an action is not done to a form, a visit or a casebook, or the forms that it would change.

    Forms of a visit that are already as the action would make them are left as they are. A signature on the casebook
    writes nothing into its forms, so it covers locked ones as well.

    Parameters
    ----------
    ask_above
        Whether rooms above are asked for what they have against locking.
    """
    states = [(part, state_of(part, asked=asked)) for part in record.parts]
    if action == "sign" and record.kind == RecordKind.CASEBOOK:
        states = [(part, replace(state, locked=False)) for part, state in states]
    if scope.whole:
        kept = [(part, state) for part, state in states if not in_effect(action, state)]
        if not kept and states:
            return refusal(action, states[0][1], roles) or Refusal("state", "Nothing is left to do."), ()
        states = kept
    refused = [(part, found) for part, state in states if (found := refusal(action, state, roles))]
    if refused:
        return _together(refused, whole=scope.whole), ()
    if action in {"lock", "sign"} and record.missing:
        return Refusal("state", f"Not complete: {_named(record.missing)}."), ()
    parts = tuple(part for part, _ in states)
    if (
        action == "lock"
        and ask_above
        and (objections := objections_to_locking(scope.subject, [part.entry for part in parts]))
    ):
        return Refusal("state", " ".join(objections)), ()
    return None, parts


def _together(refused: Sequence[tuple[Part, Refusal]], *, whole: bool) -> Refusal:
    first = refused[0][1]
    if not whole or first.by == "role":
        return first
    alike = [part.name + (f" ({part.entry.visit})" if part.entry.visit else "") for part, each in refused
             if each.sentence == first.sentence]  # fmt: skip
    return Refusal("state", f"{first.sentence.removesuffix('.')}: {_named(alike)}.")


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _must_be_allowed(action: Action, actor: Actor, scope: Scope, record: Record | None) -> tuple[Part, ...]:
    if record is None:
        raise StateRefusedError(sentence="Nothing was entered here yet.")
    asked: Asked = "other" if action == "ask-unlock" and _waiting(scope).exists() else ""
    found, parts = refusal_for(action, roles_of(actor), scope, record, asked=asked)
    _raise(found)
    return parts


def _raise(found: Refusal | None) -> None:
    if found is not None:
        raise (RoleRefusedError if found.by == "role" else StateRefusedError)(sentence=found.sentence)


def _record(scope: Scope) -> Record | None:
    return record_of(scope.subject, scope.key)


def _of(parts: Sequence[Part]) -> QuerySet[Entry]:
    return Entry.objects.filter(pk__in=[part.entry.pk for part in parts])


def _entries_of(scope: Scope) -> QuerySet[Entry]:
    found = Entry.objects.filter(subject=scope.subject).order_by("pk")
    if scope.entry is not None:
        return found.filter(pk=scope.entry.pk)
    return found.filter(visit=scope.visit) if scope.visit is not None else found


def _closures(scope: Scope) -> QuerySet[Closure]:
    """Closures that stand and that the scope covers: of the casebook, those of its visits too."""
    found = Closure.objects.filter(subject=scope.subject, ended_at__isnull=True)
    if scope.entry is not None:
        return found.none()
    return found.filter(visit=scope.visit) if scope.visit is not None else found


def _waiting(scope: Scope) -> QuerySet[Unlock]:
    return Unlock.objects.filter(
        subject=scope.subject,
        visit=scope.visit if scope.entry is None else None,
        entry=scope.entry,
        state=UnlockState.ASKED,
    )
