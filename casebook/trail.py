"""The trail of the casebook in words: forms at visits, items with their labels, codes decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import BigIntegerField, DateField, Exists, F, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import reverse

from audit.labels import changes
from audit.models import Event
from audit.registry import Described, Forms, LookFor, register_describer, register_forms, register_look
from casebook.models import Entry, Query, SignedRecord
from casebook.pages.addresses import form_url
from casebook.rules.cells import cell_text, confirmations
from casebook.rules.picture import codelist_of
from casebook.selectors import HEAVY
from trials.models import ProtocolVersion
from trials.schema import Item, Protocol
from visits.models import Visit

TECHNICAL = {
    "version",
    "entry_id",
    "query_id",
    "visit_id",
    "form",
    "repeat",
    "subject_id",
    "entered_under_id",
}
TABLE = "casebook_entry"
LATE = timedelta(days=14)
BEFORE_SIGNING = timedelta(hours=24)


def register() -> None:
    """Tell the trail how to read the casebook's events, and what a reviewer may look for."""
    register_describer(TABLE, describe_entries)
    for table, column in (
        ("casebook_query", "id"),
        ("casebook_querymessage", "query_id"),
        ("casebook_verification", "entry_id"),
        ("casebook_review", "entry_id"),
    ):
        register_describer(table, _beside(table, column))
    register_describer("casebook_signedrecord", describe_signatures)
    register_describer("visits_visit", describe_visits)
    register_forms(Forms(form_names, of_form))
    for look in LOOKS:
        register_look(look)


def describe_entries(events: list[Event]) -> dict[int, Described]:
    """Events of forms; one statement."""
    entries = _entries({int(event.row_id) for event in events})
    return {
        event.pk: Described(place_of(entry), _address(entry), changes_of(event, entry))
        for event in events
        if (entry := entries.get(int(event.row_id))) is not None
    }


def describe_visits(events: list[Event]) -> dict[int, Described]:
    """Events of visits; one statement."""
    keys = {int(event.row_id) for event in events}
    visits = {
        visit.pk: visit
        for visit in Visit.objects.filter(pk__in=keys).select_related("subject__version").defer(HEAVY)
    }
    return {
        event.pk: Described(f"Visit {visit}", "", _plain_changes(event))
        for event in events
        if (visit := visits.get(int(event.row_id))) is not None
    }


def describe_signatures(events: list[Event]) -> dict[int, Described]:
    """Events of signed records; one statement. The forms that a signature covers stand on its page."""
    found = SignedRecord.objects.filter(pk__in={int(event.row_id) for event in events})
    signed = {
        record.pk: record for record in found.select_related("signature", "subject", "visit", "entry__visit")
    }
    return {
        event.pk: _signature(record)
        for event in events
        if (record := signed.get(int(event.row_id))) is not None
    }


def _signature(record: SignedRecord) -> Described:
    place = record.entry.visit if record.entry is not None else record.visit
    form = f" {record.entry.form}" if record.entry is not None else ""
    return Described(
        f"Signature, {record.get_kind_display().lower()}{form} {place or ''}".rstrip(),
        reverse("signed-record", args=[record.subject.number, record.pk]),
        [
            ("signed by", None, record.signature.signer_name),
            ("meaning", None, record.signature.get_meaning_display()),
            ("forms", None, len(record.manifest)),
            ("SHA-256", None, record.digest),
        ],
    )


def _beside(table: str, column: str) -> Callable[[list[Event]], dict[int, Described]]:
    """Events of rows that belong to a form: a query, a message, a verification. Two statements at most."""

    def describe(events: list[Event]) -> dict[int, Described]:
        keys = {event.pk: _key(event, column) for event in events}
        wanted = {key for key in keys.values() if key is not None}
        if column == "entry_id":
            of = {key: (key, "") for key in wanted}
        else:
            found = Query.objects.filter(pk__in=wanted).values_list("pk", "entry_id", "item")
            of = {key: (entry, item) for key, entry, item in found}
        entries = _entries({entry for entry, _ in of.values()})
        described = {}
        for event in events:
            entry_key, item = of.get(keys[event.pk] or 0, (0, ""))
            entry = entries.get(entry_key)
            if entry is not None:
                item = item or str((event.after or event.before or {}).get("item") or "")
                described[event.pk] = Described(
                    f"{WORDS[table]}, {_item_label(entry, item)}{place_of(entry)}",
                    _address(entry) + (f"#row-{item}" if item else ""),
                    [change for change in _plain_changes(event) if change[0] != "item"],
                )
        return described

    return describe


WORDS = {
    "casebook_query": "Query",
    "casebook_querymessage": "Query",
    "casebook_verification": "Verified against source",
    "casebook_review": "Reviewed",
}


def _key(event: Event, column: str) -> int | None:
    if column == "id":
        return int(event.row_id)
    return (event.after or event.before or {}).get(column)


def _entries(keys: Iterable[int]) -> dict[int, Entry]:
    found = Entry.objects.filter(pk__in=set(keys)).select_related("visit", "subject__version").defer(HEAVY)
    return {entry.pk: entry for entry in found}


def place_of(entry: Entry) -> str:
    """`Liver and chemistry, M4`: the form and where it is."""
    row = f" row {entry.repeat}" if entry.repeat > 1 else ""
    return f"{_form_name(protocol_of(entry), entry.form)}{row}, {entry.visit or 'running log'}"


def protocol_of(entry: Entry) -> Protocol:
    """The protocol under which an entry is read."""
    return entry.protocol


def _form_name(protocol: Protocol, code: str) -> str:
    return next((form.name for form in protocol.forms if form.code == code), code)


def _item_label(entry: Entry, item: str) -> str:
    known = items_of(protocol_of(entry), entry.form).get(item)
    return f"{known.label}, " if known else ""


def items_of(protocol: Protocol, form: str) -> Mapping[str, Item]:
    """Items of a form by identifier; empty where the protocol does not know the form any more."""
    known = next((each for each in protocol.forms if each.code == form), None)
    return known.items_by_id if known else {}


def _address(entry: Entry) -> str:
    return form_url(entry.subject, entry.visit, entry.form, entry.repeat)


def changes_of(event: Event, entry: Entry) -> list[tuple[str, Any, Any]]:
    """Changed items by label with their values in words, then the other columns of the form."""
    before, after = event.before or {}, event.after or {}
    old, new = before.get("values") or {}, after.get("values") or {}
    protocol = protocol_of(entry)
    items = items_of(protocol, entry.form)
    found = [
        (
            items[key].label,
            worded(protocol, items[key], old.get(key)),
            worded(protocol, items[key], new.get(key)),
        )
        if key in items
        else (key, (old.get(key) or {}).get("value"), (new.get(key) or {}).get("value"))
        for key in sorted(
            {*old, *new}, key=lambda key: list(items).index(key) if key in items else len(items)
        )
    ]
    return found + [change for change in _plain_changes(event) if not change[0].startswith("values")]


def worded(protocol: Protocol, item: Item, cell: Mapping[str, Any] | None) -> str | None:
    """A cell in words, a confirmed check told; None where there was none."""
    if not cell:
        return None
    said = "; ".join(f"confirmed: {reason}" for reason in confirmations(cell).values())
    text = cell_text(item, codelist_of(protocol, item), cell)
    return f"{text} ({said})" if said else text or None


def _plain_changes(event: Event) -> list[tuple[str, Any, Any]]:
    hidden = {name.replace("_", " ") for name in TECHNICAL} | {
        name.removesuffix("_id").replace("_", " ") for name in TECHNICAL
    }
    return [(each.name, each.old, each.new) for each in changes(event) if each.name not in hidden]


def form_names() -> list[tuple[str, str]]:
    """Code and name of every form of every protocol; one statement and the protocols in memory."""
    names: dict[str, str] = {}
    for version in ProtocolVersion.objects.order_by("pk").defer("definition"):
        names |= {form.code: form.name for form in version.protocol.forms}
    return sorted(names.items(), key=lambda each: each[1])


def of_form(events: QuerySet[Event], code: str) -> QuerySet[Event]:
    """Events of a form's values and states."""
    keys = Entry.objects.filter(form=code).annotate(key=Cast("pk", TextField())).values("key")
    return events.filter(table_name=TABLE, row_id__in=keys)


def _after_signing(events: QuerySet[Event], _: str) -> QuerySet[Event]:
    return events.filter(table_name=TABLE, before__signing="SIGNED", action="U")


def _unlocked(events: QuerySet[Event], _: str) -> QuerySet[Event]:
    return events.filter(table_name=TABLE, action="U", before__locked=True, after__locked=False)


def _before_signing(events: QuerySet[Event], _: str) -> QuerySet[Event]:
    signed = Event.objects.filter(
        subject_id=OuterRef("subject_id"),
        table_name=TABLE,
        after__signing="SIGNED",
        at__gte=OuterRef("at"),
        at__lte=OuterRef("at") + BEFORE_SIGNING,
    )
    return events.filter(Exists(signed), table_name=TABLE, action="U", after__has_key="values").exclude(
        reason=""
    )


def _late(events: QuerySet[Event], _: str) -> QuerySet[Event]:
    limit = Cast(F("at") - LATE, DateField())
    entered = events.annotate(limit=limit).filter(
        table_name=TABLE, action="U", reason="", after__has_key="values"
    )
    visited = Entry.objects.filter(
        pk=Cast(OuterRef("row_id"), BigIntegerField()), visit__happened_on__lt=OuterRef("limit")
    )
    return entered.filter(Exists(visited))


def _own_answers(events: QuerySet[Event], _: str) -> QuerySet[Event]:
    """Queries closed by whoever answered last."""
    answered = Event.objects.filter(
        table_name="casebook_query",
        row_id=OuterRef("row_id"),
        after__state="ANSWERED",
        actor_id=OuterRef("actor_id"),
    )
    closed = events.filter(table_name="casebook_query", after__state="CLOSED", actor_id=F("actor_id"))
    return closed.filter(Exists(answered))


LOOKS = (
    LookFor("signed", "Signed forms changed", "What was signed is no longer what is there.", _after_signing),
    LookFor("unlocked", "Forms unlocked", "A lock ends work; each unlocking needs its reason.", _unlocked),
    LookFor(
        "before-signing",
        "Corrected within a day before a signature",
        "Many corrections at once may be tidying up for the signature.",
        _before_signing,
    ),
    LookFor(
        "late",
        "Entered more than 14 days after the visit",
        "Late entry rests on memory more than on source.",
        _late,
    ),
    LookFor(
        "own-answers",
        "Queries answered and closed by one person",
        "Somebody else should judge an answer.",
        _own_answers,
    ),
)
