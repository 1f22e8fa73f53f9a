"""How forms stand, beside what they say: states, signatures, verification, queries with their threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from audit.models import Event
from casebook.models import Query, QueryMessage, Review, SignedRecord, Verification
from casebook.records import holds_together
from casebook.rules.verification import digest_of
from reports.exports.frame import Frame, utc
from reports.exports.sources import CHUNK, rows_of, rows_then

WHO = ("STUDYID", "SITEID", "SUBJID")
PLACE = ("FORM", "VISIT", "VISITSEQ", "ROW")
STATES = (
    *WHO,
    *PLACE,
    "STATE",
    "NOTDONE",
    "STRUCKOUT",
    "SIGNING",
    "FROZEN",
    "LOCKED",
    "UNLOCKED_UNTIL",
    "WRITTEN",
    "REVIEWED",
    "REVIEWED_BY",
    "REVIEW",
)
SIGNATURES = (
    *WHO,
    "SIGNATURE",
    "RECORD",
    *PLACE,
    "SIGNER",
    "MEANING",
    "SIGNED_UTC",
    "SIGNED_LOCAL",
    "ZONE",
    "STATEMENT",
    "PROTVERS",
    "CONTENTVERS",
    "SHA256",
    "GENUINE",
    "FORMS",
    "HOLDS",
    "BROKEN_UTC",
    "BROKEN_BY",
    "BROKEN_WHY",
)
SIGNED_FORMS = (*WHO, "SIGNATURE", *PLACE, "SHA256", "HOLDS", "BROKEN_UTC", "BROKEN_BY", "BROKEN_WHY")
VERIFICATION = (*WHO, *PLACE, "ITEM", "STATE", "VERIFIED", "VERIFIED_BY")
QUERIES = (
    *WHO,
    "QUERY",
    *PLACE,
    "ITEM",
    "ORIGIN",
    "CHECK",
    "STATE",
    "WAITSFOR",
    "RAISED",
    "CLOSED",
    "CHANGED",
    "TEXT",
)
MESSAGES = (*WHO, "QUERY", "MESSAGE", "WRITTEN", "AUTHOR", "ROLE", "TEXT")

Part = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def parts(frame: Frame) -> Iterator[Part]:
    """Files of an export beside those of its forms: name, heading, rows."""
    yield "states.csv", STATES, _states(frame)
    yield "signatures.csv", SIGNATURES, _signatures(frame)
    yield "signed_forms.csv", SIGNED_FORMS, _signed_forms(frame)
    yield "verification.csv", VERIFICATION, _verification(frame)
    yield "queries.csv", QUERIES, _queries(frame)
    yield "query_messages.csv", MESSAGES, _messages(frame)


def _entries(frame: Frame) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
    """Every form with the columns that say where it stands; those that were struck out as well."""
    for key, subject in frame.subjects.items():
        for row in frame.entries[key]:
            yield [*frame.who(subject), *frame.place(row)], row


def _states(frame: Frame) -> Iterator[list[Any]]:
    names = _names(frame)
    newest = {row["entry_id"]: row for row in rows_of(Review, list(frame.subjects), frame.wanted.as_of)}
    for place, row in _entries(frame):
        review = newest.get(row["id"])
        yield [
            *place,
            row["state"],
            row["not_done"],
            _yes(row["struck_out"]),
            row["signing"],
            _yes(row["frozen"]),
            _yes(row["locked"]),
            utc(row["unlocked_until"]),
            utc(row["updated_at"]),
            utc(review["at"]) if review else "",
            names.get(review["by_id"], "") if review else "",
            review["kind"] if review else "",
        ]


def _names(frame: Frame) -> dict[int, str]:
    """Printed names of people, as they were then."""
    if frame.wanted.as_of:
        return {row["id"]: row["full_name"] for row in rows_then(User._meta.db_table, frame.wanted.as_of)}
    return {person.pk: person.full_name for person in User.objects.only("pk", "full_name")}


def _yes(value: object) -> str:
    return "Y" if value else "N"


# Signatures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Break:
    """A change that took the signature of a form back."""

    event: int
    at: Any
    by: str
    why: str


def _breaks(frame: Frame) -> dict[int, list[_Break]]:
    """By form, in their order."""
    found: dict[int, list[_Break]] = defaultdict(list)
    events = Event.objects.filter(
        table_name="casebook_entry", subject_id__in=list(frame.subjects), after__signing="AGAIN"
    )
    if frame.wanted.as_of:
        events = events.filter(at__lte=frame.wanted.as_of)
    rows = events.order_by("id").values_list("row_id", "id", "at", "actor", "reason")
    for row_id, event, at, by, why in rows.iterator(CHUNK):
        found[int(row_id)].append(_Break(event, at, by, why))
    return found


def _signed(frame: Frame) -> Iterator[SignedRecord]:
    found = SignedRecord.objects.filter(subject__in=list(frame.subjects)).select_related("signature")
    if frame.wanted.as_of:
        found = found.filter(signature__at__lte=frame.wanted.as_of)
    return found.order_by("pk").iterator(CHUNK)


def _first_break(record: SignedRecord, breaks: Sequence[_Break]) -> _Break | None:
    return next((each for each in breaks if each.event > record.trail_head), None)


def _broken(found: _Break | None) -> list[Any]:
    return ["Y", "", "", ""] if found is None else ["N", utc(found.at), found.by, found.why]


def _signatures(frame: Frame) -> Iterator[list[Any]]:
    breaks = _breaks(frame)
    for record in _signed(frame):
        subject, signature = frame.subjects[record.subject_id], record.signature
        zone = ZoneInfo(subject.site.time_zone)
        found = [_first_break(record, breaks.get(line["entry"], ())) for line in record.manifest]
        first = min((each for each in found if each), key=lambda each: each.event, default=None)
        yield [
            *frame.who(subject),
            record.pk,
            record.kind,
            *_signed_place(frame, record),
            signature.signer_name,
            signature.meaning,
            utc(signature.at),
            signature.at.astimezone(zone).isoformat(timespec="seconds"),
            zone.key,
            signature.statement,
            record.protocol_version,
            record.content_version,
            record.digest,
            _yes(holds_together(record)),
            len(record.manifest),
            *_broken(first),
        ]


def _signed_place(frame: Frame, record: SignedRecord) -> list[Any]:
    entry = frame.entries_by_key.get(record.entry_id or 0)
    if entry is not None:
        return frame.place(entry)
    visit = frame.visits.get(record.visit_id or 0, {})
    return ["", visit.get("code", ""), visit.get("sequence", ""), ""]


def _signed_forms(frame: Frame) -> Iterator[list[Any]]:
    breaks = _breaks(frame)
    for record in _signed(frame):
        who = frame.who(frame.subjects[record.subject_id])
        for line in record.manifest:
            entry = frame.entries_by_key.get(line["entry"])
            place = frame.place(entry) if entry is not None else ["", "", "", ""]
            first = _first_break(record, breaks.get(line["entry"], ()))
            yield [*who, record.pk, *place, line["digest"], *_broken(first)]


# Verification, queries ------------------------------------------------------------------------------------------------


def _verification(frame: Frame) -> Iterator[list[Any]]:
    """The newest verification of each item, and of each form as a whole (no item)."""
    names = _names(frame)
    newest = {
        (row["entry_id"], row["item"]): row
        for row in rows_of(Verification, list(frame.subjects), frame.wanted.as_of)
    }
    by_entry: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for (entry, _), row in newest.items():
        by_entry[entry].append(row)
    for place, form in _entries(frame):
        for each in sorted(by_entry.get(form["id"], ()), key=lambda one: one["item"]):
            same = digest_of(form["values"], each["item"]) == each["digest"]
            state = "VERIFIED" if same else "CHANGED"
            yield [*place, each["item"], state, utc(each["at"]), names.get(each["by_id"], "")]


def _queries(frame: Frame) -> Iterator[list[Any]]:
    first: dict[int, str] = {}
    for message in _thread(frame):
        first.setdefault(message.query_id, message.text)
    for row in rows_of(Query, list(frame.subjects), frame.wanted.as_of):
        entry = frame.entries_by_key.get(row["entry_id"])
        if entry is None:
            continue
        yield [
            *frame.who(frame.subjects[row["subject_id"]]),
            row["id"],
            *frame.place(entry),
            row["item"],
            row["origin"],
            row["check_id"],
            row["state"],
            row["waits_for"],
            utc(row["raised_at"]),
            utc(row["closed_at"]),
            _yes(row["led_to_change"]),
            first.get(row["id"], ""),
        ]


def _thread(frame: Frame) -> Iterator[QueryMessage]:
    found = QueryMessage.objects.filter(query__subject__in=list(frame.subjects)).select_related("query")
    if frame.wanted.as_of:
        found = found.filter(at__lte=frame.wanted.as_of)
    return found.order_by("query", "at", "pk").iterator(CHUNK)


def _messages(frame: Frame) -> Iterator[list[Any]]:
    number, query = 0, 0
    for message in _thread(frame):
        number = number + 1 if message.query_id == query else 1
        query = message.query_id
        who = frame.who(frame.subjects[message.query.subject_id])
        yield [*who, query, number, utc(message.at), message.author_name, message.author_role, message.text]
