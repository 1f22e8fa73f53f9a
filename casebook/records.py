"""What can be signed: forms, visits and casebooks, each with its content, its last signature and what changed since.

A record is named by a key without database numbers: `form/TDX-001-003/SCR/LB/1`, `visit/TDX-001-003/SCR`,
`casebook/TDX-001-003`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from accounts.selectors import is_genuine
from audit.models import Event
from casebook.beside import Said, Surroundings
from casebook.completeness import due_forms
from casebook.models import Entry, EntryState, FormContent, Query, RecordKind, SignedRecord, Signing
from casebook.rules.content import (
    CONTENT_VERSION,
    CONTENT_VERSIONS,
    Line,
    differences,
    digest_of,
    record_content,
)
from casebook.rules.picture import rules_of
from casebook.selectors import LOG, OPEN_STATES, entries
from foundation import clock
from patients.models import Subject
from trials.schema import Form
from visits.models import Visit, VisitState

STATUS = frozenset({"state", "not_done", "struck_out"})


Covered = tuple[SignedRecord | None, str]
"""A signature over a form, and the digest that the form had then."""
NOTHING: Covered = (None, "")


@dataclass(frozen=True)
class Change:
    """One difference since the last signature: what, and who made it when and why."""

    line: Line
    by: str
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class Part:
    """One form as it stands now.

    Attributes
    ----------
    last
        The newest signature that covered it, of the form itself, its visit or the casebook.
    signed_digest
        What it said then; empty where nobody has signed it.
    in_casebook
        The same two of the newest signature on the casebook, which only the principal investigator gives.
    """

    entry: Entry
    said: Said
    queries: int
    last: SignedRecord | None
    signed_digest: str
    in_casebook: Covered = NOTHING

    @property
    def content(self) -> Mapping[str, Any]:
        """All that a signature of today covers."""
        return self.said.content(CONTENT_VERSION)

    @property
    def digest(self) -> str:
        """SHA-256 of it."""
        return self.said.digest(CONTENT_VERSION)

    def says(self, digest: str) -> bool:
        """Whether the form says what this digest was taken of, under the version of that time."""
        return any(self.said.digest(version) == digest for version in CONTENT_VERSIONS)

    @property
    def form(self) -> Form:
        """Its definition."""
        return self.entry.protocol.form(self.entry.form)

    @property
    def name(self) -> str:
        """Its name, with the row where there are several."""
        return self.form.name if self.entry.repeat == 1 else f"{self.form.name}, row {self.entry.repeat}"

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to enter."""
        return self.entry.state == EntryState.COMPLETE or self.entry.struck_out

    @property
    def signing(self) -> str:
        """Not signed, signed and unchanged since, or to be signed again; worked out from content and signature."""
        if self.last is None:
            return ""
        valid = (
            self.entry.signing == Signing.SIGNED
            and self.says(self.signed_digest)
            and holds_together(self.last)
        )
        return Signing.SIGNED if valid else Signing.AGAIN

    def place(self) -> dict[str, Any]:
        """Its line in a manifest."""
        return {
            "entry": self.entry.pk,
            "form": self.entry.form,
            "visit": str(self.entry.visit or LOG),
            "repeat": self.entry.repeat,
            "digest": self.digest,
        }


@dataclass(frozen=True)
class Record:
    """A form, a visit or a casebook that can be signed.

    Attributes
    ----------
    missing
        Names of forms that are due and were never opened.
    """

    kind: RecordKind
    key: str
    subject: Subject
    visit: Visit | None
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()

    @cached_property
    def manifest(self) -> list[dict[str, Any]]:
        """Place and digest of each form."""
        return [part.place() for part in self.parts]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what a signature covers."""
        label = self.subject.version.label
        return digest_of(record_content(self.kind, self.key, label, self.manifest, CONTENT_VERSION))

    @property
    def entry(self) -> Entry | None:
        """The form, where the record is one."""
        return self.parts[0].entry if self.kind == RecordKind.FORM else None

    @property
    def name(self) -> str:
        """The record in words."""
        if self.kind == RecordKind.CASEBOOK:
            return f"{self.subject.number}, casebook"
        place = str(self.visit) if self.visit else "running logs"
        if self.kind == RecordKind.VISIT:
            return f"{self.subject.number}, {place}"
        return f"{self.subject.number}, {place}, {self.parts[0].name}"

    @property
    def signing(self) -> str:
        """Signed where every form is; to be signed again where any of them is."""
        found = {part.signing for part in self.parts}
        if Signing.AGAIN in found:
            return Signing.AGAIN
        return Signing.SIGNED if found == {Signing.SIGNED} else ""

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Names of forms that are not complete, opened or not."""
        return (*(part.name for part in self.parts if not part.finished), *self.missing)

    @property
    def queries(self) -> int:
        """Queries that are not closed."""
        return sum(part.queries for part in self.parts)

    @property
    def to_sign(self) -> tuple[Part, ...]:
        """Forms that a signature would newly cover."""
        return tuple(part for part in self.parts if part.signing != Signing.SIGNED)


@dataclass(frozen=True)
class PartChanges:
    """A form with what changed in it since it was signed last; `lines` is empty for a form that is new."""

    part: Part
    lines: tuple[Change, ...]


def form_key(entry: Entry) -> str:
    """Name of a form as a record."""
    return f"form/{entry.subject.number}/{entry.visit or LOG}/{entry.form}/{entry.repeat}"


def visit_key(subject: Subject, visit: Visit) -> str:
    """Name of a visit as a record."""
    return f"visit/{subject.number}/{visit}"


def casebook_key(subject: Subject) -> str:
    """Name of a casebook as a record."""
    return f"casebook/{subject.number}"


def records_of(subjects: Collection[Subject]) -> dict[str, Record]:
    """Every record of these subjects by its key; a constant number of statements.

    Parameters
    ----------
    subjects
        With trial, site and version.
    """
    parts, missing = parts_of(subjects), _missing(subjects)
    found: dict[str, Record] = {}
    for subject in subjects:
        for record in _records(subject, parts.get(subject.pk, []), missing.get(subject.pk, {})):
            found[record.key] = record
    return found


def record_of(subject: Subject, key: str) -> Record | None:
    """One record of a subject, by its key."""
    return records_of([subject]).get(key)


def _records(subject: Subject, parts: Sequence[Part], missing: Mapping[int, list[str]]) -> Iterable[Record]:
    visits = {part.entry.visit_id: part.entry.visit for part in parts if part.entry.visit}
    for part in parts:
        yield Record(RecordKind.FORM, form_key(part.entry), subject, part.entry.visit, (part,))
    for visit in sorted(visits.values(), key=lambda each: (each.ordinal, each.sequence)):
        here = tuple(part for part in parts if part.entry.visit_id == visit.pk)
        names = tuple(missing.get(visit.pk, ()))
        yield Record(RecordKind.VISIT, visit_key(subject, visit), subject, visit, here, names)
    if parts:
        names = tuple(name for each in missing.values() for name in each)
        whole = tuple(
            replace(part, last=part.in_casebook[0], signed_digest=part.in_casebook[1]) for part in parts
        )
        yield Record(RecordKind.CASEBOOK, casebook_key(subject), subject, None, whole, names)


def parts_of(subjects: Collection[Subject]) -> dict[int, list[Part]]:
    """Every form of these subjects that was opened, as it stands now, by the subject's key; three statements."""
    chosen = {subject.pk: subject for subject in subjects}
    asked = Counter(
        Query.objects.filter(subject__in=chosen, state__in=OPEN_STATES).values_list("entry_id", flat=True)
    )
    covered = _covered(chosen)
    opened: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries().filter(subject__in=chosen).order_by("visit__ordinal", "form", "repeat", "pk"):
        entry.subject = chosen[entry.subject_id]
        opened[entry.subject_id].append(entry)
    found: dict[int, list[Part]] = {}
    for subject, mine in opened.items():
        around = Surroundings(chosen[subject], mine)
        found[subject] = [
            _part(entry, around, asked[entry.pk], covered.get(entry.pk, (NOTHING, NOTHING))) for entry in mine
        ]
    return found


def part_of(entry: Entry, queries: int) -> Part:
    """One form with its open queries as it stands now; one statement, and one more where it was signed or reviewed."""
    covered = _covered([entry.subject_id]).get(entry.pk, (NOTHING, NOTHING))
    return _part(entry, Surroundings(entry.subject), queries, covered)


def _part(entry: Entry, around: Surroundings, queries: int, covered: tuple[Covered, Covered]) -> Part:
    (last, digest), in_casebook = covered
    return Part(entry, Said(entry, around), queries, last, digest, in_casebook)


def _covered(subjects: Iterable[int]) -> dict[int, tuple[Covered, Covered]]:
    """The newest signature over each form, and the newest on the casebook over it, by the entry's key."""
    found: dict[int, tuple[Covered, Covered]] = {}
    signed = SignedRecord.objects.filter(subject__in=list(subjects)).select_related("signature")
    for record in signed.order_by("pk"):
        for line in record.manifest:
            covered = (record, line["digest"])
            whole = found.get(line["entry"], (NOTHING, NOTHING))[1]
            found[line["entry"]] = (covered, covered if record.kind == RecordKind.CASEBOOK else whole)
    return found


def _missing(subjects: Collection[Subject]) -> dict[int, dict[int, list[str]]]:
    """Names of forms that are due at visits that happened and were never opened: by subject, by visit."""
    chosen = {subject.pk: subject for subject in subjects}
    visits = list(Visit.objects.filter(subject__in=chosen, state=VisitState.DONE))
    for visit in visits:
        visit.subject = chosen[visit.subject_id]
    opened = set(
        Entry.objects.filter(visit__in=[visit.pk for visit in visits]).values_list("visit_id", "form")
    )
    found: dict[int, dict[int, list[str]]] = defaultdict(dict)
    due = due_forms(visits, clock.today())
    for visit in visits:
        forms = [form for form in due.get(visit.pk, {}) if (visit.pk, form) not in opened]
        if forms:
            protocol = visit.subject.version.protocol
            found[visit.subject_id][visit.pk] = [f"{protocol.form(form).name} ({visit})" for form in forms]
    return found


def changes_in(parts: Collection[Part]) -> dict[int, PartChanges]:
    """What changed in forms since they were signed last, by the entry's key; two statements whatever their number."""
    again = [part for part in parts if part.signing == Signing.AGAIN]
    if not again:
        return {}
    digests = {part.signed_digest for part in again}
    stored = dict(FormContent.objects.filter(digest__in=digests).values_list("digest", "content"))
    events = _events(again)
    return {
        part.entry.pk: PartChanges(
            part, tuple(_changes(part, stored.get(part.signed_digest, {}), events.get(part.entry.pk, ())))
        )
        for part in again
    }


def _events(parts: Sequence[Part]) -> dict[int, list[Event]]:
    heads = {str(part.entry.pk): part.last.trail_head for part in parts if part.last}
    since = Event.objects.filter(
        table_name="casebook_entry", row_id__in=list(heads), id__gt=min(heads.values(), default=0)
    )
    found: dict[int, list[Event]] = defaultdict(list)
    for event in since.order_by("id"):
        if event.id > heads[event.row_id]:
            found[int(event.row_id)].append(event)
    return found


def _changes(part: Part, before: Mapping[str, Any], events: Sequence[Event]) -> Iterable[Change]:
    now = part.said.content(before.get("version", CONTENT_VERSION))
    for line in differences(part.entry.protocol, part.form, before, now):
        event = _cause(part, line, events)
        yield Change(
            line,
            event.actor if event else "",
            event.at if event else None,
            event.reason if event else "",
        )


def _cause(part: Part, line: Line, events: Sequence[Event]) -> Event | None:
    """What made a difference: the newest change of the item, or of what it was worked out from.

    Where that stands in another form, or is the day of the visit, it is the event with which this form lost its
    signature: it was written in the transaction of that change, by the same person.
    """
    newest = list(reversed(events))
    if not line.worked_out:
        return next((each for each in newest if _touched(each, line.item)), None)
    read = _own_items_behind(part, line.item)
    own = next((each for each in newest if any(_touched(each, item) for item in read)), None)
    lost = next((each for each in newest if _only_lost_its_signature(each)), None)
    return own or lost


def _own_items_behind(part: Part, item: str) -> frozenset[str]:
    """Items of the form from which one of its items is calculated, and the item itself."""
    return rules_of(part.entry.protocol, part.entry.form).behind(item) if item else frozenset()


def _only_lost_its_signature(event: Event) -> bool:
    after = event.after or {}
    return after.get("signing") == Signing.AGAIN and "values" not in after


def _touched(event: Event, item: str) -> bool:
    if not item:
        return not STATUS.isdisjoint(event.after or {})
    return any(item in ((side or {}).get("values") or {}) for side in (event.before, event.after))


def is_due(record: Record, today: date) -> bool:
    """Whether a visit can be signed as a whole on a day: it happened, and nothing is left to enter."""
    if record.visit is None or record.unfinished or not record.to_sign:
        return False
    return record.visit.happened_on is not None and record.visit.happened_on <= today


def holds_together(record: SignedRecord) -> bool:
    """Whether a signature covers its record as both are stored: neither was changed, moved or copied."""
    signature = record.signature
    content = record_content(
        record.kind, signature.target_id, record.protocol_version, record.manifest, record.content_version
    )
    return is_genuine(signature) and signature.digest == record.digest == digest_of(content)


def unfitting_records() -> Iterator[str]:
    """Every signed record and every stored content that is not as it was signed. A check of `verify_trail`."""
    for record in SignedRecord.objects.select_related("signature").order_by("pk").iterator():
        if not holds_together(record):
            yield f"signed record {record.pk}: its signature does not cover it"
    for kept in FormContent.objects.order_by("pk").iterator():
        if digest_of(kept.content) != kept.digest:
            yield f"signed content {kept.pk}: it is not what was signed"
