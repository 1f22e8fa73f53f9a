"""The states and signatures of one casebook, on screen: its forms rolled up by visit, and every signature."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.access import Access
from casebook.models import (
    Closure,
    Entry,
    RecordKind,
    Review,
    SignedRecord,
    Signing,
    Unlock,
    UnlockState,
)
from casebook.pages.said import record_words
from casebook.records import (
    Change,
    Part,
    Record,
    changes_in,
    form_key,
    holds_together,
    part_of,
    parts_of,
    records_of,
)
from casebook.rules.moment import moment_in_addresses
from casebook.rules.states import LABELS, PERMISSIONS, Action, Asked
from casebook.selectors import LOG
from casebook.services.states import Scope, refusal_for
from patients.models import Subject


@dataclass(frozen=True)
class Step:
    """One thing that may be done to a scope, or why it may not be done now."""

    action: Action
    label: str
    obstacle: str


@dataclass(frozen=True)
class Standing:
    """A form, a visit, or the whole casebook with its marks and what this person may do to it.

    Attributes
    ----------
    last
        The newest signature over it or a part of it.
    changes
        Of a form that has to be signed again: what differs from what was signed.
    closure
        What was locked as a whole, and when.
    """

    key: str
    name: str
    forms: int
    finished: int
    queries: int
    reviewed: int
    changed_since_review: int
    signed: int
    again: int
    frozen: int
    locked: int
    until: datetime | None
    last: SignedRecord | None
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    asked: Unlock | None
    may_answer: bool
    hidden: Mapping[str, str]
    closure: Closure | None = None

    @property
    def locked_at(self) -> str:
        """The moment of the lock as addresses have it."""
        return moment_in_addresses(self.closure.made_at) if self.closure else ""

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Status shapes with their words, for all or some of the forms."""
        found = [
            ("reviewed", self._some("Reviewed", self.reviewed)) if self.reviewed else None,
            ("review-again", self._some("Changed since reviewed", self.changed_since_review))
            if self.changed_since_review
            else None,
            ("signed", self._some("Signed", self.signed)) if self.signed else None,
            ("sign-again", self._some("To be signed again", self.again)) if self.again else None,
            ("frozen", self._some("Frozen", self.frozen)) if self.frozen else None,
            ("locked", self._some("Locked", self.locked)) if self.locked else None,
        ]
        return [each for each in found if each]

    def _some(self, word: str, number: int) -> str:
        return word if number == self.forms else f"{word}: {number} of {self.forms}"


def standings_of(subject: Subject, access: Access) -> list[Standing]:
    """The casebook and each of its visits; a constant number of statements."""
    records = records_of([subject])
    wanted = [record for record in records.values() if record.kind != RecordKind.FORM]
    wanted.sort(key=lambda record: record.kind != RecordKind.CASEBOOK)
    reviews = _reviews(subject)
    pending = list(Unlock.objects.filter(subject=subject, state=UnlockState.ASKED).select_related("asked_by"))
    roles = access.roles(subject.trial.code, subject.site.code)
    closures = {
        each.visit_id: each for each in Closure.objects.filter(subject=subject, ended_at__isnull=True)
    }
    return [
        replace(
            _standing(record, roles, access, reviews, pending),
            closure=closures.get(record.visit.pk if record.visit else None),
        )
        for record in wanted
    ]


def form_standing(entry: Entry, access: Access, queries: int) -> Standing | None:
    """One form with its open queries, its marks and what this person may do to it; nothing for one nobody opened."""
    if not entry.opened:
        return None
    part = part_of(entry, queries)
    record = Record(RecordKind.FORM, form_key(entry), entry.subject, entry.visit, (part,))
    pending = list(Unlock.objects.filter(entry=entry, state=UnlockState.ASKED).select_related("asked_by"))
    roles = access.roles(entry.subject.trial.code, entry.subject.site.code)
    changed = changes_in([part]).get(entry.pk)
    changes = changed.lines if changed else ()
    return _standing(record, roles, access, _reviews(entry.subject, entry), pending, changes)


def _reviews(subject: Subject, entry: Entry | None = None) -> dict[int, str]:
    """Digest of the newest review of each form."""
    found = Review.objects.filter(subject=subject)
    if entry is not None:
        found = found.filter(entry=entry)
    return dict(found.order_by("at", "pk").values_list("entry_id", "digest"))


def _standing(
    record: Record,
    roles: Collection[str],
    access: Access,
    reviews: Mapping[int, str],
    pending: Sequence[Unlock],
    changes: tuple[Change, ...] = (),
) -> Standing:
    scope = Scope(record.subject, record.visit, record.entry)
    asked = next((each for each in pending if _is_about(each, scope)), None)
    whose: Asked = "" if asked is None else "self" if asked.asked_by_id == access.user_id else "other"
    entries = [part.entry for part in record.parts]
    reviewed = [part for part in record.parts if part.entry.pk in reviews]
    return Standing(
        key=record.key,
        name=_words(record),
        forms=len(entries),
        finished=sum(part.finished for part in record.parts),
        queries=record.queries,
        reviewed=sum(part.says(reviews[part.entry.pk]) for part in reviewed),
        changed_since_review=sum(not part.says(reviews[part.entry.pk]) for part in reviewed),
        signed=sum(part.signing == Signing.SIGNED for part in record.parts),
        again=sum(part.signing == Signing.AGAIN for part in record.parts),
        frozen=sum(entry.frozen for entry in entries),
        locked=sum(entry.locked for entry in entries),
        last=max((part.last for part in record.parts if part.last), key=lambda each: each.pk, default=None),
        changes=changes,
        until=max((entry.unlocked_until for entry in entries if entry.unlocked_until), default=None),
        steps=tuple(_steps(scope, record, roles, access, whose)),
        asked=asked,
        may_answer=whose == "other" and _may(access, record.subject, "approve-unlock"),
        hidden=_hidden(record),
    )


def _steps(
    scope: Scope, record: Record, roles: Collection[str], access: Access, asked: Asked
) -> Iterator[Step]:
    """What this role may do at all; where the state forbids it, with the reason.

    What rooms above have against locking a visit is asked when somebody locks it: asking for each visit would cost
    statements for each.
    """
    for action in ("review", "freeze", "unfreeze", "sign", "lock", "ask-unlock"):
        if not _may(access, record.subject, action) or (action == "ask-unlock" and asked):
            continue
        found, _ = refusal_for(
            action, roles, scope, record, asked=asked, ask_above=record.kind != RecordKind.VISIT
        )
        if found is not None and action in _QUIET and found.sentence in _QUIET[action]:
            continue
        yield Step(action, LABELS[action], found.sentence if found else "")


_QUIET: Mapping[Action, Collection[str]] = {
    "freeze": ("The form is frozen already.", "The form is locked."),
    "unfreeze": ("The form is not frozen.", "The form is locked."),
    "sign": ("The form is locked.", "The form is signed, and nothing has changed since."),
    "lock": ("The form is locked already.",),
    "review": ("The form is locked.",),
    "ask-unlock": ("The form is not locked.", "The form is unlocked already."),
}
"""What the marks say already needs no sentence at a button."""


def _may(access: Access, subject: Subject, action: Action) -> bool:
    return access.may(PERMISSIONS[action], subject.trial.code, subject.site.code)


def _is_about(unlock: Unlock, scope: Scope) -> bool:
    entry = scope.entry.pk if scope.entry is not None else None
    visit = scope.visit.pk if scope.visit is not None and scope.entry is None else None
    return (unlock.visit_id, unlock.entry_id) == (visit, entry)


def _hidden(record: Record) -> dict[str, str]:
    """What a button sends to name its scope."""
    entry = record.entry
    if entry is not None:
        return {"visit": str(entry.visit or LOG), "form": entry.form, "repeat": str(entry.repeat)}
    return {"visit": str(record.visit)} if record.visit else {}


def _words(record: Record) -> str:
    part = record.parts[0]
    return record_words(record.kind, record.subject.version.protocol, record.visit, part.name)


# Signatures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signed:
    """A signature in a list: it stays visible when it no longer holds."""

    record: SignedRecord
    name: str
    forms: int
    changed: int
    genuine: bool

    @property
    def state(self) -> str:
        """State as a status shape."""
        return "signed" if self.genuine and not self.changed else "sign-again"

    @property
    def word(self) -> str:
        """State in words."""
        if not self.genuine:
            return "The row is not as it was signed"
        if self.changed:
            return f"{self.changed} of {self.forms} changed since" if self.forms > 1 else "Changed since"
        return "Holds"


def signatures_of_subject(subject: Subject, parts: Sequence[Part] | None = None) -> list[Signed]:
    """Every signature in a casebook, newest first; a constant number of statements.

    Parameters
    ----------
    parts
        The subject's forms as they stand, where they are at hand.
    """
    parts = parts_of([subject]).get(subject.pk, []) if parts is None else parts
    now = {part.entry.pk: part for part in parts}
    found = SignedRecord.objects.filter(subject=subject).select_related(
        "signature", "visit", "entry", "batch"
    )
    return [_signed(record, now) for record in found.order_by("-pk")]


def _signed(record: SignedRecord, now: Mapping[int, Part]) -> Signed:
    changed = [line for line in record.manifest if not now[line["entry"]].says(line["digest"])]
    part = now[record.manifest[0]["entry"]]
    name = record_words(record.kind, part.entry.protocol, record.visit, part.name)
    return Signed(record, name, len(record.manifest), len(changed), holds_together(record))
