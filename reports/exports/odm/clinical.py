"""Data of one subject as ODM has them: every transaction of the trail, in its order, and the signatures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from audit.models import Event
from audit.rules.history import Change, replay
from casebook.models import SignedRecord
from casebook.rules.verification import digest_of
from patients.models import Subject
from reports.exports.odm.metadata import (
    LIMITS,
    LOG,
    MISSING,
    QUERY,
    SDV,
    VISIT_FORM,
    VISIT_GROUP,
    VISIT_ITEMS,
    element,
    item_oid,
    unit_oid,
    version_oid,
)
from trials.schema import Protocol

ENTRIES = "casebook_entry"
VISITS = "visits_visit"
SUBJECTS = "patients_subject"
QUERIES = "casebook_query"
MESSAGES = "casebook_querymessage"
VERIFICATIONS = "casebook_verification"
TABLES = (ENTRIES, VISITS, SUBJECTS, QUERIES, MESSAGES, VERIFICATIONS)


@dataclass(frozen=True)
class Told:
    """Everything about one subject that its part of the file is made of.

    Attributes
    ----------
    events
        Of its visits and forms, oldest first.
    versions
        Protocols by the key of their version.
    """

    subject: Subject
    events: Sequence[Event]
    signed: Sequence[SignedRecord]
    versions: Mapping[int, Protocol]


@dataclass(frozen=True)
class _Row:
    """A visit or a form: what it says now, and how it came to it."""

    key: int
    now: Mapping[str, Any]
    events: Sequence[Event]


def clinical_data(told: Told) -> Iterator[tuple[str, etree._Element]]:
    """The subject's part of the file, once for each version under which something was entered.

    Yields
    ------
    tuple
        Identifier of the version, and the subject's data.
    """
    visits = {row.key: row for row in _rows(told.events, VISITS)}
    (mine,) = _rows(told.events, SUBJECTS)
    own = told.versions[mine.now["version_id"]]
    by_version: dict[str, list[_Row]] = defaultdict(list)
    by_version[version_oid(own)] = []
    for row in _rows(told.events, ENTRIES):
        under = row.now.get("entered_under_id")
        by_version[version_oid(told.versions[under] if under else own)].append(row)
    for number, (version, rows) in enumerate(by_version.items()):
        yield version, _subject(told, rows, visits, with_visits=number == 0)


def signatures(records: Iterable[SignedRecord], location: str) -> etree._Element | None:
    """Every signature, those that no longer hold as well; each names what it covers by digest."""
    found = [_signature(record, location, f"SIG.{record.pk}") for record in records]
    return element("Signatures", *found) if found else None


def _rows(events: Sequence[Event], table: str) -> list[_Row]:
    """Rows that exist in the end, in the order in which they came."""
    mine: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.table_name == table:
            mine[event.row_id].append(event)
    found = []
    for key, steps in mine.items():
        now = replay(Change(step.before, step.after) for step in steps)
        if now is not None:
            found.append(_Row(int(key), now, steps))
    return found


def _subject(
    told: Told, rows: Sequence[_Row], visits: Mapping[int, _Row], *, with_visits: bool
) -> etree._Element:
    site = location_oid(told.subject.site.code)
    made = element(
        "SubjectData",
        element("SiteRef", LocationOID=site),
        SubjectKey=told.subject.number,
        TransactionType="Insert",
    )
    by_visit: dict[int | None, list[_Row]] = defaultdict(list)
    for row in rows:
        by_visit[row.now["visit_id"]].append(row)
    newest, notes = _newest(told.signed), _notes(told.events)
    for key, visit in visits.items():
        forms = [_form(row, site, newest, notes) for row in by_visit.get(key, ())]
        if with_visits:
            forms.insert(0, _visit(visit, site))
        if forms:
            made.append(_event(f"E.{visit.now['code']}", visit.now["sequence"], forms))
    logs = [_form(row, site, newest, notes) for row in by_visit.get(None, ())]
    if logs:
        made.append(_event(LOG, 1, logs))
    return made


def _event(oid: str, repeat: int, forms: Iterable[etree._Element]) -> etree._Element:
    return element(
        "StudyEventData",
        *forms,
        StudyEventOID=oid,
        StudyEventRepeatKey=str(repeat),
        TransactionType="Upsert",
    )


def _newest(signed: Sequence[SignedRecord]) -> dict[int, SignedRecord]:
    """The newest signature over each form."""
    return {line["entry"]: record for record in signed for line in record.manifest}


@dataclass(frozen=True)
class _Notes:
    """What was noted about forms, by the form's key: queries with their messages, and verifications."""

    queries: Mapping[int, Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]]
    verified: Mapping[int, Mapping[str, Mapping[str, Any]]]


def _notes(events: Sequence[Event]) -> _Notes:
    messages: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in _rows(events, MESSAGES):
        messages[row.now["query_id"]].append(row.now)
    queries: dict[int, list[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]] = defaultdict(list)
    for row in _rows(events, QUERIES):
        queries[row.now["entry_id"]].append((row.now, messages[row.key]))
    verified: dict[int, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in _rows(events, VERIFICATIONS):
        verified[row.now["entry_id"]][row.now["item"]] = row.now
    return _Notes(queries, verified)


def _annotations(row: _Row, notes: _Notes) -> Iterator[etree._Element]:
    """State, queries with their threads, and what was verified: each with a flag, where there is a list of them."""
    yield _annotation(1, _state(row.now))
    number = 1
    for query, thread in notes.queries.get(row.key, ()):
        number += 1
        words = [f"{each['author_name']}, {each['at']}: {each['text']}" for each in thread]
        about = f"Query {query['id']} on {query['item'] or 'the form'}"
        yield _annotation(number, "\n".join([about, *words]), QUERY, query["state"])
    for item, verification in notes.verified.get(row.key, {}).items():
        number += 1
        same = digest_of(row.now["values"], item) == verification["digest"]
        about = f"{item or 'The form'}, {verification['at']}"
        yield _annotation(number, about, SDV, "VERIFIED" if same else "CHANGED")


def _form(row: _Row, site: str, newest: Mapping[int, SignedRecord], notes: _Notes) -> etree._Element:
    code = row.now["form"]
    group = element(
        "ItemGroupData",
        *(each for event in row.events for each in _of_event(code, event, site)),
        ItemGroupOID=f"G.{code}",
        TransactionType="Upsert",
    )
    made = element(
        "FormData", FormOID=f"F.{code}", FormRepeatKey=str(row.now["repeat"]), TransactionType="Upsert"
    )
    record = newest.get(row.key)
    if record is not None and row.now["signing"] == "SIGNED":
        made.append(_signature(record, site, f"SIG.{record.pk}.{row.key}"))
    made.extend(_annotations(row, notes))
    made.append(group)
    return made


def _state(now: Mapping[str, Any]) -> str:
    words = [f"State {now['state']}"]
    words += [f"not done: {now['not_done']}"] if now["not_done"] else []
    words += [word for word in ("struck_out", "frozen", "locked") if now[word]]
    words += ["to be signed again"] if now["signing"] == "AGAIN" else []
    return ", ".join(words)


def _annotation(number: int, text: str, codelist: str = "", flag: str = "") -> etree._Element:
    made = element("Annotation", element("Comment", text=text), SeqNum=str(number))
    if flag:
        made.append(element("Flag", element("FlagValue", text=flag, CodeListOID=codelist)))
    return made


def _of_event(form: str, event: Event, site: str) -> Iterator[etree._Element]:
    """The transactions of one event, one for each cell that it changed, and one for each limit of normal."""
    before, after = ((side or {}).get("values") or {} for side in (event.before, event.after))
    for item in dict.fromkeys((*before, *after)):
        old, new = before.get(item), after.get(item)
        yield _item(item_oid(form, item), old, new, "value", event, site)
        for part in LIMITS:
            one, other = (old or {}).get(part), (new or {}).get(part)
            if one != other:
                yield _item(item_oid(form, item, part), old if one else None, new, part, event, site)


def _item(
    oid: str,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    part: str,
    event: Event,
    site: str,
) -> etree._Element:
    value = (new or {}).get(part)
    gone = new is None or (part in LIMITS and not value)
    made = element(
        "ItemData",
        audit_record(event, site),
        ItemOID=oid,
        TransactionType="Remove" if gone else "Insert" if old is None else "Update",
    )
    if value in (None, ""):
        made.set("IsNull", "Yes")
    else:
        made.set("Value", " ".join(map(str, value)) if isinstance(value, list) else str(value))
    if new and new.get("unit") and not gone:
        made.append(element("MeasurementUnitRef", MeasurementUnitOID=unit_oid(new["unit"])))
    if new and part == "value" and new.get("missing"):
        flag = element("Flag", element("FlagValue", text=str(new["missing"]), CodeListOID=MISSING))
        made.append(element("Annotation", flag, SeqNum="1"))
    return made


def _visit(row: _Row, site: str) -> etree._Element:
    group = element("ItemGroupData", ItemGroupOID=VISIT_GROUP, TransactionType="Upsert")
    for event in row.events:
        for column, (oid, _, _) in VISIT_ITEMS.items():
            one, other = ((side or {}).get(column) for side in (event.before, event.after))
            if one in (None, "") and other in (None, ""):
                continue
            old = {"value": one} if one not in (None, "") else None
            new = {"value": other} if other not in (None, "") else None
            group.append(_item(oid, old, new, "value", event, site))
    return element("FormData", group, FormOID=VISIT_FORM, FormRepeatKey="1", TransactionType="Upsert")


# Who, when, why -----------------------------------------------------------------------------------------------------


def location_oid(site: str) -> str:
    """Identifier of a site."""
    return f"L.{site}"


def user_oid(actor_id: int | None, actor: str) -> str:
    """Identifier of a person, or of a part of the system that acts by itself."""
    return f"U.{actor_id}" if actor_id is not None else f"SYSTEM.{actor}"


def moment(at: datetime) -> str:
    """A moment with its offset."""
    return at.isoformat(timespec="milliseconds")


def audit_record(event: Event, site: str) -> etree._Element:
    """Who changed it when and why; `SourceID` is the number of the event in the trail."""
    made = element(
        "AuditRecord",
        element("UserRef", UserOID=user_oid(event.actor_id, event.actor)),
        element("LocationRef", LocationOID=site),
        element("DateTimeStamp", text=moment(event.at)),
    )
    if event.reason:
        made.append(element("ReasonForChange", text=event.reason))
    made.append(element("SourceID", text=str(event.pk)))
    return made


def _signature(record: SignedRecord, site: str, oid: str) -> etree._Element:
    signature = record.signature
    binding = (
        f"{signature.target_id} SHA-256 {record.digest} content version {record.content_version}"
        f" seal {signature.seal}"
    )
    return element(
        "Signature",
        element("UserRef", UserOID=user_oid(signature.signer_id, signature.signer_name)),
        element("LocationRef", LocationOID=site),
        element("SignatureRef", SignatureOID=f"SD.{signature.meaning}"),
        element("DateTimeStamp", text=moment(signature.at)),
        element("CryptoBindingManifest", text=binding),
        ID=oid,
    )
