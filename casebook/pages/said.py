"""What forms say, item by item in words: as they stand, or as somebody signed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casebook.models import FormContent, RecordKind, SignedRecord
from casebook.pages.addresses import form_url
from casebook.pages.matrix import visit_name
from casebook.records import Part, Record, parts_of
from casebook.rules.cells import cell_text
from casebook.rules.content import CONTENT_VERSION, Line, differences, worked_out
from casebook.rules.picture import codelist_of
from patients.models import Subject
from trials.schema import Protocol
from visits.models import Visit


@dataclass(frozen=True)
class SaidForm:
    """A form in words.

    Attributes
    ----------
    items
        Label and value of each item that says something.
    beside
        The same of what nobody typed: the day of the visit, calculated values, suggested grades.
    lines
        What differs now from what is shown; empty for a form as it stands.
    status
        That it was not done, and why; empty otherwise.
    """

    name: str
    url: str
    digest: str
    items: tuple[tuple[str, str], ...]
    beside: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    status: str


def as_it_stands(record: Record) -> list[SaidForm]:
    """What a signature on a record would cover now."""
    return [_said(part, part.content, part.digest) for part in record.parts]


def as_signed(signed: SignedRecord, subject: Subject) -> list[SaidForm]:
    """What a signature covers, and what differs now; a constant number of statements."""
    digests = [line["digest"] for line in signed.manifest]
    stored = dict(FormContent.objects.filter(digest__in=digests).values_list("digest", "content"))
    now = {part.entry.pk: part for part in parts_of([subject]).get(subject.pk, [])}
    return [
        _said(now[line["entry"]], stored.get(line["digest"], {}), line["digest"]) for line in signed.manifest
    ]


def _said(part: Part, content: Mapping[str, Any], digest: str) -> SaidForm:
    protocol, entry = part.entry.protocol, part.entry
    typed = content.get("items", {})
    items = tuple(
        (item.label, cell_text(item, codelist_of(protocol, item), typed[item.id]))
        for item in part.form.items_by_id.values()
        if item.id in typed
    )
    beside = worked_out(protocol, part.form, content)
    status = content.get("status", {})
    now = part.said.content(content.get("version", CONTENT_VERSION))
    return SaidForm(
        name=place_words(entry.visit, part.name),
        url=form_url(entry.subject, entry.visit, entry.form, entry.repeat),
        digest=digest,
        items=items,
        beside=tuple((label, value) for (_, label), value in beside.items()),
        lines=() if part.says(digest) else differences(protocol, part.form, content, now),
        status=f"Not done: {status['not_done']}" if status.get("not_done") else "",
    )


def record_words(kind: str, protocol: Protocol, visit: Visit | None, form: str = "") -> str:
    """A form, a visit or a casebook within its subject: `SCR · Laboratory`, `SCR · Screening`, `Whole casebook`."""
    if kind == RecordKind.CASEBOOK:
        return "Whole casebook"
    if kind == RecordKind.VISIT and visit is not None:
        return place_words(visit, visit_name(protocol, visit))
    return place_words(visit, form)


def place_words(visit: Visit | None, name: str) -> str:
    """A name with the visit before it."""
    return f"{visit or 'Running log'} · {name}"
