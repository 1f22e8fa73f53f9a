"""What the paper says, read from the casebook as it is, or as it stood where an earlier moment is shown."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audit.labels import in_words
from audit.models import Event
from casebook.models import Entry, Query, QueryMessage, Signing
from casebook.pages.matrix import visit_name
from casebook.pages.standing import signatures_of_subject
from casebook.records import Part, parts_of
from casebook.rules.cells import cell_text, confirmations
from casebook.rules.moment import moment_in_words
from casebook.rules.picture import codelist_of
from casebook.selectors import row_of, worked_form
from casebook.trail import TABLE, items_of, place_of
from eligibility.models import Assessment
from foundation import clock
from patients.models import Subject
from trials.schema import Item, Protocol
from visits.selectors import visits_of


@dataclass(frozen=True)
class Line:
    """One item: its heading, label and value, and what is to be said of it."""

    group: str
    label: str
    value: str
    note: str


@dataclass(frozen=True)
class FormCopy:
    """One form with its items."""

    title: str
    place: str
    state: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class QueryCopy:
    """One query with its messages."""

    about: str
    state: str
    said: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class SignatureCopy:
    """Printed name, moment with its zone, meaning, what was signed, and whether it holds (21 CFR 11.50)."""

    record: str
    state: str
    name: str
    at: str
    meaning: str
    statement: str
    digest: str


@dataclass(frozen=True)
class TrailCopy:
    """One event of the trail in words."""

    at: str
    who: str
    what: str
    changes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class CasebookCopy:
    """Everything; `facts` are pairs of a name and a value for the head of the paper."""

    number: str
    facts: tuple[tuple[str, str], ...]
    visits: tuple[tuple[str, str, str], ...]
    forms: tuple[FormCopy, ...]
    queries: tuple[QueryCopy, ...]
    signatures: tuple[SignatureCopy, ...]
    trail: tuple[TrailCopy, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all that the paper says, hexadecimal."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def casebook_copy(subject: Subject) -> CasebookCopy:
    """Read a subject's casebook; a constant number of statements."""
    zone = ZoneInfo(subject.site.time_zone)
    parts = sorted(parts_of([subject]).get(subject.pk, []), key=lambda part: _reading_order(part.entry))
    events = list(Event.objects.filter(subject_id=subject.pk).order_by("id"))
    queries = list(Query.objects.filter(subject=subject).order_by("raised_at", "pk"))
    places = {part.entry.pk: part.entry for part in parts}
    return CasebookCopy(
        number=subject.number,
        facts=_facts(subject, zone),
        visits=_visits(subject),
        forms=_forms(parts, zone, _corrections(events), queries),
        queries=_queries(queries, places, zone),
        signatures=_signatures(subject, parts, zone),
        trail=_trail(events, zone),
    )


def _facts(subject: Subject, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    return (
        ("Trial", f"{subject.trial.short_title} ({subject.trial.code})"),
        ("Site", f"{subject.site.code} {subject.site.name}"),
        ("Subject", subject.number),
        ("Status", subject.get_status_display()),
        ("Protocol version", subject.version.label),
        ("In screening since", moment_in_words(subject.screened_at, zone)),
        ("Shown as of", moment_in_words(clock.now(), zone)),
    )


def _visits(subject: Subject) -> tuple[tuple[str, str, str], ...]:
    protocol = subject.version.protocol
    return tuple(
        (
            visit_name(protocol, visit),
            visit.get_state_display(),
            f"{visit.happened_on:%d %b %Y}" if visit.happened_on else visit.missed_reason,
        )
        for visit in visits_of(subject)
    )


def _reading_order(entry: Entry) -> tuple[Any, ...]:
    """Visits in their order, then the running logs; within each by form and row."""
    visit = entry.visit
    place = (visit.ordinal, visit.sequence) if visit is not None else (float("inf"), 0)
    return (*place, entry.form, entry.repeat)


def _forms(
    parts: Sequence[Part], zone: ZoneInfo, corrected: Counter[tuple[str, str]], queries: Iterable[Query]
) -> tuple[FormCopy, ...]:
    rows = [row_of(part.entry) for part in parts if not part.entry.struck_out]
    asked = Counter((query.entry_id, query.item) for query in queries)
    return tuple(
        FormCopy(
            place_of(part.entry),
            str(part.entry.visit or "Running log"),
            _state(part, zone),
            _lines(part.entry, rows, corrected, asked),
        )
        for part in parts
    )


def _lines(
    entry: Entry,
    rows: Sequence[object],
    corrected: Counter[tuple[str, str]],
    asked: Counter[tuple[int, str]],
) -> tuple[Line, ...]:
    worked = worked_form(entry, rows)  # type: ignore[arg-type]
    lines = []
    for group in worked.form.groups:
        for item in group.items:
            if item.id in worked.picture.shown or item.id in entry.values:
                value = _value(worked.protocol, item, worked.cells.get(item.id))
                note = _note(corrected[str(entry.pk), item.id], asked[entry.pk, item.id])
                lines.append(Line(group.title, item.label, value, note))
    return tuple(lines)


def _value(protocol: Protocol, item: Item, cell: dict[str, object] | None) -> str:
    text = cell_text(item, codelist_of(protocol, item), cell)
    limits = [str((cell or {}).get(key)) for key in ("low", "high") if (cell or {}).get(key)]
    parts = [text or "–"]
    if limits:
        parts.append(f"(limits {' to '.join(limits)})")
    parts += [f"(confirmed: {reason})" for reason in confirmations(cell).values()]
    return " ".join(parts)


def _note(corrections: int, queries: int) -> str:
    said = [f"changed {corrections} ×"] if corrections else []
    return ", ".join([*said, *([f"{queries} quer{'y' if queries == 1 else 'ies'}"] if queries else [])])


def _state(part: Part, zone: ZoneInfo) -> str:
    """What the form's heading says of it, its newest signature included."""
    said = _marks(part.entry)
    if part.last is None:
        return said
    signature = part.last.signature
    word = "signed" if part.signing == Signing.SIGNED else "changed since it was signed"
    by = f"by {signature.signer_name} on {moment_in_words(signature.at, zone)}"
    return f"{said}, {word} {by} ({signature.get_meaning_display().lower()})"


def _marks(entry: Entry) -> str:
    said = [entry.get_state_display()]
    said += [f"not done: {entry.not_done}"] if entry.not_done else []
    said += ["struck out"] if entry.struck_out else []
    said += ["locked"] if entry.locked else ["frozen"] if entry.frozen else []
    return ", ".join(said)


def _corrections(events: Iterable[Event]) -> Counter[tuple[str, str]]:
    """How often each item was changed after it was first entered (EU GMP Annex 11, 8.2)."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.table_name == TABLE and event.action == "U":
            old = (event.before or {}).get("values") or {}
            new = (event.after or {}).get("values") or {}
            found.update((event.row_id, key) for key in old if _said(old[key]) != _said(new.get(key)))
    return found


def _said(cell: object) -> dict[str, object]:
    return (
        {key: value for key, value in (cell or {}).items() if key != "confirmed"}
        if isinstance(cell, dict)
        else {}
    )


def _queries(queries: Sequence[Query], places: dict[int, Entry], zone: ZoneInfo) -> tuple[QueryCopy, ...]:
    said: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for message in QueryMessage.objects.filter(query__in=[query.pk for query in queries]).order_by(
        "at", "pk"
    ):
        said[message.query_id].append((moment_in_words(message.at, zone), message.author_name, message.text))
    return tuple(
        QueryCopy(_about(query, places.get(query.entry_id)), query.get_state_display(), tuple(said[query.pk]))
        for query in queries
    )


def _about(query: Query, entry: Entry | None) -> str:
    if entry is None:
        return query.item
    item = items_of(entry.protocol, entry.form).get(query.item)
    return f"{item.label}, {place_of(entry)}" if item else place_of(entry)


def _signatures(subject: Subject, parts: Sequence[Part], zone: ZoneInfo) -> tuple[SignatureCopy, ...]:
    judged = Assessment.objects.filter(subject=subject, signature__isnull=False).select_related("signature")
    named = [(each.name, each.word, each.record.signature) for each in signatures_of_subject(subject, parts)]
    named += [
        (f"Eligibility: {each.get_decision_display()}", "", each.signature)
        for each in judged.defer("facts", "outcomes")
        if each.signature is not None
    ]
    return tuple(
        SignatureCopy(
            record,
            state,
            signature.signer_name,
            moment_in_words(signature.at, zone),
            signature.get_meaning_display(),
            signature.statement,
            signature.digest,
        )
        for record, state, signature in sorted(named, key=lambda each: each[2].at)
    )


def _trail(events: Sequence[Event], zone: ZoneInfo) -> tuple[TrailCopy, ...]:
    return tuple(
        TrailCopy(
            at=_moment(each.event.at, zone),
            who=f"{each.event.actor} ({each.event.role})" if each.event.role else each.event.actor,
            what=f"{each.what} {each.event.get_action_display()}",
            changes=tuple(_change(change.name, change.old, change.new) for change in each.changes),
            reason=each.event.reason,
        )
        for each in in_words(events)
        if each.changes
    )


def _change(name: str, old: object, new: object) -> str:
    before = "" if old in (None, "") else f"{old} → "
    return f"{name}: {before}{'removed' if new is None else new}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%d %b %Y %H:%M:%S} {local.tzname()}"
