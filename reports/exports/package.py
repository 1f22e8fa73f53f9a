"""Putting an export together: the files, then the manifest that says what they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import IO, Any

from casebook.rules.picture import rules_of
from casebook.rules.projection import latest_values
from reports.exports import standing
from reports.exports.csv_files import Written, write_csv
from reports.exports.frame import Frame, Wanted, make_frame, utc
from reports.exports.provenance import provenance
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
    study_day_of,
)
from trials.schema import Form, Protocol

Opener = Callable[[str], AbstractContextManager[IO[bytes]]]
Progress = Callable[[int, int], None]


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
    frame, files = write_files(wanted, opener, progress)
    manifest = _manifest(frame, by, files)
    with opener("manifest.json") as out:
        out.write(json.dumps(manifest, indent=2, ensure_ascii=False).encode())
    return manifest


def write_files(
    wanted: Wanted, opener: Opener, progress: Progress | None = None
) -> tuple[Frame, list[dict[str, Any]]]:
    """Write all files of an export but its manifest.

    Returns
    -------
    tuple
        What the export is about, and each file with its rows, bytes and SHA-256.
    """
    frame = make_frame(wanted)
    protocols = list(frame.versions.values())
    parts = list(_parts(frame, protocols, forms_of(protocols)))
    written: list[Written] = []
    for number, (name, heading, rows) in enumerate(parts, start=1):
        with opener(name) as out:
            written.append(write_csv(out, name, heading, rows))
        if progress:
            progress(number, len(parts))
    return frame, [asdict(each) for each in written]


Part = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def _parts(
    frame: Frame, protocols: Sequence[Protocol], forms: Mapping[str, Sequence[Form]]
) -> Iterator[Part]:
    yield "subjects.csv", SUBJECTS, _subject_rows(frame)
    yield "visits.csv", VISITS, _visit_rows(frame)
    for code, versions in forms.items():
        columns = columns_of(versions)
        yield f"{code}.csv", [*KEYS, *(column.name for column in columns)], _form_rows(frame, code, columns)
    yield from standing.parts(frame)
    if protocols:
        yield "dictionary.csv", DICTIONARY, dictionary(protocols, forms)
    yield "codelists.csv", CODELISTS, codelists(protocols)


SUBJECTS = (
    "STUDYID",
    "SITEID",
    "SUBJID",
    "SUBSTUDY",
    "STATUS",
    "STATUSDAT",
    "PROTVERS",
    "SCREENED",
    "RFSTDTC",
)
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
    "VISITDY",
    "STATE",
    "REASON",
    "BECAUSE",
)


def _subject_rows(frame: Frame) -> Iterator[list[Any]]:
    for key, subject in frame.subjects.items():
        row = frame.then.get(key)
        if row is not None:
            yield [
                *frame.who(subject),
                row["sub_study"],
                row["status"],
                row["status_since"],
                frame.protocol_of(key).version.label,
                utc(row["screened_at"]),
                frame.starts.get(key, ""),
            ]


def _visit_rows(frame: Frame) -> Iterator[list[Any]]:
    for row in frame.visits.values():
        subject = frame.subjects[row["subject_id"]]
        dates = [row[name] for name in ("target", "earliest", "latest", "happened_on")]
        yield [
            *frame.who(subject),
            row["code"],
            row["sequence"],
            *dates,
            study_day_of(frame.starts.get(subject.pk), row["happened_on"]),
            row["state"],
            row["missed_reason"],
            row["because"],
        ]


def _form_rows(frame: Frame, code: str, columns: Sequence[Column]) -> Iterator[list[Any]]:
    for key, subject in frame.subjects.items():
        mine = [row for row in frame.entries[key] if row["form"] == code and not row["struck_out"]]
        for row in mine:
            visit = frame.visits.get(row["visit_id"]) or {}
            entered = frame.entered(row)
            start = frame.starts.get(key)
            yield [
                *frame.who(subject),
                visit.get("code", ""),
                visit.get("sequence", ""),
                visit.get("happened_on", ""),
                study_day_of(start, visit.get("happened_on")),
                row["repeat"],
                entered.version.label,
                row["state"],
                row["not_done"],
                *cells(
                    columns,
                    {**row["values"], **_derived(frame, key, row)},
                    entered.form(code),
                    start,
                ),
            ]


def _derived(frame: Frame, subject: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Cells that the form derives, worked out as its page does."""
    protocol = frame.entered(row)
    if row["form"] not in {form.code for form in protocol.forms}:
        return {}
    rules = rules_of(protocol, row["form"])
    if not rules.reads:
        return {}
    on = frame.dated(rules.form, row)
    others = latest_values(protocol, frame.rule_rows(subject), on) if rules.looks_at else {}
    return rules.derived(row["values"], others, on)


def _manifest(frame: Frame, by: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    wanted = frame.wanted
    return {
        **provenance(wanted.trial, by),
        "sites": list(wanted.sites) or "all",
        "as_of": wanted.as_of.isoformat() if wanted.as_of else None,
        "subjects": len(frame.subjects),
        "files": files,
    }
