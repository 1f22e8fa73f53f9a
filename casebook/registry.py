"""What upper rooms fill in: facts that they know, and words against opening a form.

A lower room never imports a higher one. Imaging knows whether a recurrence was read; eligibility asks the
casebook's projection for that fact by name. Filled once, in the `ready()` of the upper app.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from casebook.models import Entry
from casebook.rules.projection import Answer, Row
from foundation.errors import DomainError
from foundation.panels import Visitor
from patients.models import Subject
from visits.models import Visit

FactResolver = Callable[[Subject, date], Answer | None]
OpeningGuard = Callable[[Subject, str, Visit | None], DomainError | None]

LockCondition = Callable[[Mapping[Subject, Collection[Entry]]], Mapping[int, Sequence[str]]]

VisitHold = Callable[[Visit], str]


@dataclass(frozen=True)
class Need:
    """Something in a casebook that waits for somebody."""

    kind: str
    title: str
    detail: str
    url: str


NeedSource = Callable[[Subject, Sequence[Row], date], Iterable[Need]]
"""What waits in a casebook, from its rows that count, as of a day."""

_facts: dict[str, FactResolver] = {}
_lock_conditions: dict[str, LockCondition] = {}
_said_of_conditions: dict[str, str] = {}
_guards: list[OpeningGuard] = []
_holds: list[VisitHold] = []
_needs: dict[str, tuple[str, NeedSource]] = {}


def register_fact(name: str, resolver: FactResolver) -> None:
    """Offer a fact that packs take `from: registry`."""
    _facts[name] = resolver


def register_opening_guard(guard: OpeningGuard) -> None:
    """Offer a rule that may forbid to open a form for a subject (it returns the error, or nothing)."""
    _guards.append(guard)


def register_visit_hold(hold: VisitHold) -> None:
    """Offer what keeps a visit from being taken back (it returns a sentence, or nothing)."""
    _holds.append(hold)


def holds_of(visit: Visit) -> list[str]:
    """What upper rooms have at a visit that was recorded by mistake."""
    return [sentence for hold in _holds if (sentence := hold(visit))]


def register_needs(name: str, permission: str, source: NeedSource) -> None:
    """Offer what waits in one casebook, besides forms and queries, for those who hold a permission there."""
    _needs[name] = (permission, source)


def needs_of(subject: Subject, visitor: Visitor, rows: Sequence[Row], today: date) -> list[Need]:
    """What upper rooms say waits for this person in a casebook."""
    place = (subject.trial.code, subject.site.code)
    return [
        need
        for permission, source in _needs.values()
        if visitor.may(permission, *place)
        for need in source(subject, rows, today)
    ]


def answers_for(subject: Subject, names: frozenset[str], as_of: date) -> Mapping[str, Answer]:
    """Facts that upper rooms know of a subject; only the names that the protocol asks for are computed."""
    found = {name: _facts[name](subject, as_of) for name in names & _facts.keys()}
    return {name: answer for name, answer in found.items() if answer is not None}


def objection(subject: Subject, form: str, visit: Visit | None) -> DomainError | None:
    """What the first guard has against opening this form, for a page that says it before anybody types."""
    return next((error for guard in _guards if (error := guard(subject, form, visit)) is not None), None)


def refuse_opening(subject: Subject, form: str, visit: Visit | None) -> None:
    """Raise what any guard has against opening this form.

    Raises
    ------
    DomainError
    """
    error = objection(subject, form, visit)
    if error is not None:
        raise error


def register_lock_condition(name: str, condition: LockCondition, says: str = "") -> None:
    """Offer a reason against locking.

    Parameters
    ----------
    name
        Of the condition; a second one of the same name takes its place.
    condition
        Gives, for subjects with the forms that would be locked, what stands against it, as sentences by the subject's
        key; a constant number of statements, whatever the number of subjects.
    says
        What it asks for, for the page that tells what a lock checks.
    """
    _lock_conditions[name] = condition
    _said_of_conditions[name] = says or name


def lock_conditions() -> tuple[str, ...]:
    """What rooms above ask for before anything is locked, in words."""
    return tuple(_said_of_conditions[name] for name in _lock_conditions)


def objections_by_subject(wanted: Mapping[Subject, Collection[Entry]]) -> dict[int, tuple[str, ...]]:
    """What rooms above have against locking these forms, as sentences by the subject's key."""
    found: dict[int, tuple[str, ...]] = {}
    for condition in _lock_conditions.values():
        for subject, sentences in condition(wanted).items():
            found[subject] = (*found.get(subject, ()), *sentences)
    return found


def objections_to_locking(subject: Subject, entries: Collection[Entry]) -> tuple[str, ...]:
    """What rooms above have against locking these forms of one subject, as sentences."""
    return objections_by_subject({subject: entries}).get(subject.pk, ())
