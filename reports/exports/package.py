"""Putting an export together: the files, then the manifest that says what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import IO, Any

from casebook.models import Entry, Query, QueryMessage
from casebook.rules.picture import rules_of
from casebook.rules.projection import Row, latest_values
from foundation import clock
from patients.models import Subject
from reports.exports.csv_files import Written, write_csv
from reports.exports.provenance import provenance
from reports.exports.sources import rows_of
from reports.exports.tables import (
    CODELISTS,
    DICTIONARY,
    KEYS,
    Column,
    cells,
    codelists,
    columns_of,
    dictionary,
    forms_of,
)
from trials.models import ProtocolVersion, Trial
from trials.schema import Form, Protocol
from visits.models import Visit

Opener = Callable[[str], AbstractContextManager[IO[bytes]]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for: one trial, some of its sites (all where empty), now or at a moment."""

    trial: Trial
    sites: tuple[str, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True)
class _Frame:
    """What every file needs to know."""

    wanted: Wanted
    subjects: Mapping[int, Subject]
    visits: Mapping[int, Mapping[str, Any]]
    entries: Mapping[int, Sequence[Mapping[str, Any]]]
    then: Mapping[int, Mapping[str, Any]]
    versions: Mapping[int, Protocol]

    def protocol_of(self, subject_id: int) -> Protocol:
        """The protocol version that a subject was on."""
        row = self.then.get(subject_id)
        return self.versions[int(row["version_id"]) if row else self.subjects[subject_id].version_id]


def write_export(wanted: Wanted, opener: Opener, by: str, progress: Progress | None = None) -> dict[str, Any]:
    """Write all files of an export and its manifest.

    Parameters
    ----------
    opener
        Opens a file of the export by name, for bytes.
    by
        Name of the person who asked.
    progress
        Told after each file how many are done, of how many.

    Returns
    -------
    dict
        The manifest: trial, protocol versions, moment, files with row counts and SHA-256.
    """
    versions = _versions(wanted.trial)
    frame = _frame(wanted, versions)
    protocols = list(versions.values())
    forms = forms_of(protocols)
    parts = list(_parts(frame, protocols, forms))
    written = []
    for number, (name, heading, rows) in enumerate(parts, start=1):
        with opener(name) as out:
            written.append(write_csv(out, name, heading, rows))
        if progress:
            progress(number, len(parts))
    manifest = _manifest(frame, by, written)
    with opener("manifest.json") as out:
        out.write(json.dumps(manifest, indent=2, ensure_ascii=False).encode())
    return manifest


def _versions(trial: Trial) -> dict[int, Protocol]:
    """The protocol of each version by its key, the newest first."""
    versions = ProtocolVersion.objects.filter(trial=trial).order_by("-effective_from", "-pk")
    return {version.pk: version.protocol for version in versions}


def _frame(wanted: Wanted, versions: Mapping[int, Protocol]) -> _Frame:
    found = Subject.objects.filter(trial=wanted.trial).select_related("site", "version", "patient")
    if wanted.sites:
        found = found.filter(site__code__in=wanted.sites)
    if wanted.as_of:
        found = found.filter(screened_at__lte=wanted.as_of)
    subjects = {subject.pk: subject for subject in found.defer("version__definition")}
    visits = {row["id"]: row for row in rows_of(Visit, list(subjects), wanted.as_of)}
    entries: dict[int, list[Mapping[str, Any]]] = {key: [] for key in subjects}
    for row in rows_of(Entry, list(subjects), wanted.as_of):
        entries[row["subject_id"]].append(row)
    then = {row["id"]: row for row in rows_of(Subject, list(subjects), wanted.as_of, column="id")}
    return _Frame(wanted, subjects, visits, entries, then, versions)


Part = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def _parts(
    frame: _Frame, protocols: Sequence[Protocol], forms: Mapping[str, Sequence[Form]]
) -> Iterator[Part]:
    yield "subjects.csv", SUBJECTS, _subject_rows(frame)
    yield "visits.csv", VISITS, _visit_rows(frame)
    for code, versions in forms.items():
        columns = columns_of(versions)
        yield f"{code}.csv", [*KEYS, *(column.name for column in columns)], _form_rows(frame, code, columns)
    yield "queries.csv", QUERIES, _query_rows(frame)
    if protocols:
        yield "dictionary.csv", DICTIONARY, dictionary(protocols, forms)
    yield "codelists.csv", CODELISTS, codelists(protocols)


SUBJECTS = ("STUDYID", "SITEID", "SUBJID", "SUBSTUDY", "STATUS", "STATUSDAT", "PROTVERS", "SCREENED")
VISITS = (
    "STUDYID",
    "SITEID",
    "SUBJID",
    "VISIT",
    "VISITSEQ",
    "TARGET",
    "EARLIEST",
    "LATEST",
    "VISITDAT",
    "STATE",
    "REASON",
    "BECAUSE",
)
QUERIES = (
    "STUDYID",
    "SITEID",
    "SUBJID",
    "FORM",
    "VISIT",
    "ITEM",
    "ORIGIN",
    "CHECK",
    "STATE",
    "RAISED",
    "CLOSED",
    "CHANGED",
    "TEXT",
)


def _who(frame: _Frame, subject: Subject) -> list[str]:
    return [frame.wanted.trial.code, subject.site.code, subject.number]


def _subject_rows(frame: _Frame) -> Iterator[list[Any]]:
    for key, subject in frame.subjects.items():
        row = frame.then.get(key)
        if row is not None:
            yield [
                *_who(frame, subject),
                row["sub_study"],
                row["status"],
                row["status_since"],
                frame.protocol_of(key).version.label,
                _moment(row["screened_at"]),
            ]


def _visit_rows(frame: _Frame) -> Iterator[list[Any]]:
    for row in frame.visits.values():
        subject = frame.subjects[row["subject_id"]]
        dates = [row[name] for name in ("target", "earliest", "latest", "happened_on")]
        yield [
            *_who(frame, subject),
            row["code"],
            row["sequence"],
            *dates,
            row["state"],
            row["missed_reason"],
            row["because"],
        ]


def _form_rows(frame: _Frame, code: str, columns: Sequence[Column]) -> Iterator[list[Any]]:
    for key, subject in frame.subjects.items():
        mine = [row for row in frame.entries[key] if row["form"] == code and not row["struck_out"]]
        for row in mine:
            visit = frame.visits.get(row["visit_id"]) or {}
            entered = _entered(frame, row)
            yield [
                *_who(frame, subject),
                visit.get("code", ""),
                visit.get("sequence", ""),
                visit.get("happened_on", ""),
                row["repeat"],
                entered.version.label,
                row["state"],
                row["not_done"],
                *cells(
                    columns,
                    {**row["values"], **_derived(frame, subject, row)},
                    entered.form(code),
                ),
            ]


def _entered(frame: _Frame, row: Mapping[str, Any]) -> Protocol:
    """The version under which a form was entered: its own, else that of its subject at the moment of the export."""
    own = row.get("entered_under_id")
    return frame.versions[own] if own else frame.protocol_of(row["subject_id"])


def _derived(frame: _Frame, subject: Subject, row: Mapping[str, Any]) -> dict[str, Any]:
    """Cells that the form derives, worked out as its page does."""
    protocol = _entered(frame, row)
    if row["form"] not in {form.code for form in protocol.forms}:
        return {}
    rules = rules_of(protocol, row["form"])
    if not any(item.derive for item in rules.form.items):
        return {}
    rows = [_rule_row(frame, each) for each in frame.entries[subject.pk] if not each["struck_out"]]
    on = _dated(frame, rules.form, row)
    others = latest_values(protocol, rows, on) if rules.looks_at else {}
    return rules.derived(row["values"], others, on)


def _rule_row(frame: _Frame, row: Mapping[str, Any]) -> Row:
    own = row.get("entered_under_id")
    visit = frame.visits.get(row["visit_id"]) or {}
    return Row(
        row["id"],
        row["form"],
        str(visit.get("code", "")),
        _day(visit.get("happened_on")),
        row["repeat"],
        row["values"],
        entered=frame.versions[own].form(row["form"]) if own else None,
    )


def _dated(frame: _Frame, form: Form, row: Mapping[str, Any]) -> date:
    own = (row["values"].get(form.date_item) or {}).get("value") if form.date_item else None
    visit = frame.visits.get(row["visit_id"]) or {}
    limit = frame.wanted.as_of.date() if frame.wanted.as_of else clock.today()
    return (_day(own) if own and len(own) == 10 else None) or _day(visit.get("happened_on")) or limit


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None


def _moment(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _query_rows(frame: _Frame) -> Iterator[list[Any]]:
    entries = {row["id"]: row for rows in frame.entries.values() for row in rows}
    words: dict[int, str] = {}
    for message in QueryMessage.objects.filter(query__subject__in=list(frame.subjects)).order_by("at", "pk"):
        words.setdefault(message.query_id, message.text)
    for row in rows_of(Query, list(frame.subjects), frame.wanted.as_of):
        entry = entries.get(row["entry_id"])
        if entry is None:
            continue
        visit = frame.visits.get(entry["visit_id"]) or {}
        yield [
            *_who(frame, frame.subjects[row["subject_id"]]),
            entry["form"],
            visit.get("code", ""),
            row["item"],
            row["origin"],
            row["check_id"],
            row["state"],
            _moment(row["raised_at"]),
            _moment(row["closed_at"] or ""),
            "Y" if row["led_to_change"] else "N",
            words.get(row["id"], ""),
        ]


def _manifest(frame: _Frame, by: str, written: Sequence[Written]) -> dict[str, Any]:
    wanted = frame.wanted
    return {
        **provenance(wanted.trial, by),
        "sites": list(wanted.sites) or "all",
        "as_of": wanted.as_of.isoformat() if wanted.as_of else None,
        "subjects": len(frame.subjects),
        "files": [asdict(each) for each in written],
    }
