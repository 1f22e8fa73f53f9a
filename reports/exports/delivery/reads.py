"""The signed reads of a delivery: each as a DICOM structured report, and all of them as plain tables.

Every version of every signed read is in it, hidden repeats too; a row says which one counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from imaging.dicom.report import encoded
from imaging.errors import NoImagesError, StoredFileError
from imaging.models import Measurement, Read
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.selectors.delivery import adjudications_in, changed_since, signed_reads
from imaging.selectors.report import Answers, answers_of, report_from
from imaging.selectors.results import Result, results_of
from reports.exports.delivery.order import KEYS, Delivery
from reports.exports.packing import safe_part

AT_ONCE = 200
"""Reads whose answers are in memory at a time."""
READERS = {1: "R1", 2: "R2", ADJUDICATORS_NUMBER: "ADJUDICATOR"}

READS = (
    *KEYS, "TIMEPOINT", "READ", "READER", "VERSION", "SUPERSEDES", "SUPERSEDED", "REPEAT_OF", "RESULT", "STANDING",
    "IMAGE_QUALITY", "QUALITY_REASON", "NEW_LESION", "NON_TARGET", "OVERALL", "DERIVED", "RESPONSE_COMMENT", "COMMENT",
    "CORRECTION_REASON", "IMAGES_SINCE", "CHARTER_SHA256", "SOFTWARE", "SIGNED", "DIGEST", "REPORT",
)  # fmt: skip
ANSWERS = (*KEYS, "READ", "LESION", "QUESTION", "ANSWER")
MEASUREMENTS = (*KEYS, "READ", "LESION", "TOOL", "LONG_MM", "SHORT_MM", "POINTS_MM", "SOPUID")
ADJUDICATIONS = (
    *KEYS, "ADJUDICATION", "FIRST", "SECOND", "DIFFERENCES", "STATE", "CHOICE", "ACCEPTED", "REASON", "SIGNED",
    "DIGEST",
)  # fmt: skip

Add = Callable[[Sequence[Any]], None]


@dataclass(frozen=True)
class _Standing:
    """What is known of all reads together."""

    names: Mapping[int, UUID]
    superseded: frozenset[int]
    results: Mapping[int, Result]
    changed: Mapping[int, tuple[str, ...]]

    def name(self, read: int | None) -> UUID | str:
        """The name of another read; empty where there is none."""
        return self.names.get(read, "") if read is not None else ""

    def counts(self, read: Read) -> bool:
        """Whether this is the result of its time point."""
        result = self.results.get(read.visit_id)
        return result is not None and result.accepted is not None and result.accepted.pk == read.pk


def pack_reads(delivery: Delivery) -> None:
    """Pack a report of every signed read, and the tables."""
    reads = signed_reads(delivery.scope, delivery.moment)
    standing = _standing(delivery, reads)
    with ExitStack() as tables:
        add_read = tables.enter_context(delivery.packing.table("tables/reads.csv", READS))
        add_answer = tables.enter_context(delivery.packing.table("tables/answers.csv", ANSWERS))
        add_mark = tables.enter_context(delivery.packing.table("tables/measurements.csv", MEASUREMENTS))
        for answers in _in_turn(delivery, reads):
            report = _pack_report(delivery, answers)
            add_read(_read_row(delivery, answers, standing, report))
            _add_answers(delivery, answers, add_answer, add_mark)
            delivery.seen.add(answers.read.subject_id)
            delivery.step()
    delivery.counts["reads"] = len(reads)
    _pack_adjudications(delivery)


def _standing(delivery: Delivery, reads: Sequence[Read]) -> _Standing:
    results = results_of(list(delivery.subjects.values()))
    return _Standing(
        names={read.pk: read.opaque for read in reads},
        superseded=frozenset(read.supersedes_id for read in reads if read.supersedes_id is not None),
        results={result.visit: result for result in results},
        changed=changed_since(delivery.scope),
    )


def _in_turn(delivery: Delivery, reads: Sequence[Read]) -> Iterator[Answers]:
    """What each read says, some reads at a time."""
    for start in range(0, len(reads), AT_ONCE):
        batch = reads[start : start + AT_ONCE]
        for read in batch:
            read.subject = delivery.subjects[read.subject_id]
        yield from answers_of(batch)


def _pack_report(delivery: Delivery, answers: Answers) -> str:
    """Name of the report in the archive; empty where there is none, which is said."""
    read = answers.read
    repeat = f"-repeat-{read.opaque.hex[:8]}" if read.repeat_of_id is not None else ""
    folder = f"reads/{safe_part(read.subject.number)}/{safe_part(str(read.visit))}"
    name = f"{folder}/{READERS[read.number]}-v{read.version}{repeat}.dcm"
    try:
        content = encoded(report_from(answers))
    except (NoImagesError, StoredFileError) as error:
        delivery.lacks(name, error.code, error.message)
        return ""
    delivery.packing.content(name, content)
    delivery.counts["reports"] += 1
    return name


def _read_row(delivery: Delivery, answers: Answers, standing: _Standing, report: str) -> list[Any]:
    read = answers.read
    result = standing.results.get(read.visit_id)
    return [
        *delivery.keys(read.subject_id, read.visit),
        answers.case.time_point or "",
        read.opaque,
        READERS[read.number],
        read.version,
        standing.name(read.supersedes_id),
        _flag(read.pk in standing.superseded),
        standing.name(read.repeat_of_id),
        _flag(standing.counts(read)),
        result.standing if result else "",
        read.image_quality, read.quality_reason, read.new_lesion, read.non_target, read.overall, read.derived,
        read.response_comment, read.comment, read.correction_reason,
        " ".join(standing.changed.get(read.pk, ())),
        read.charter_sha256, read.software,
        read.signed_at.isoformat() if read.signed_at else "",
        read.digest,
        report,
    ]  # fmt: skip


def _flag(yes: bool) -> str:
    return "Y" if yes else "N"


def _add_answers(delivery: Delivery, answers: Answers, add_answer: Add, add_mark: Add) -> None:
    read = answers.read
    keys = [*delivery.keys(read.subject_id, read.visit), read.opaque]
    for question, said in (("ablation", answers.outcomes), ("size", answers.sizes)):
        for lesion, answer in sorted(said.items()):
            add_answer([*keys, lesion, question, answer])
    for mark in answers.marks:
        add_mark([*keys, *_mark(mark)])


def _mark(mark: Measurement) -> list[Any]:
    return [
        mark.lesion, mark.tool, mark.length_mm, mark.short_mm, json.dumps(mark.points), mark.instance.uid,
    ]  # fmt: skip


def _pack_adjudications(delivery: Delivery) -> None:
    with delivery.packing.table("tables/adjudications.csv", ADJUDICATIONS) as add:
        for row in adjudications_in(delivery.scope):
            add(
                [
                    *delivery.keys(row.subject_id, row.visit),
                    row.opaque,
                    row.first.opaque,
                    row.second.opaque,
                    " ".join(row.differences),
                    row.state,
                    _choice(row.choice, first_is_a=row.first_is_a),
                    row.accepted.opaque if row.accepted else "",
                    row.reason,
                    row.signed_at.isoformat() if row.signed_at else "",
                    row.digest,
                ]
            )
            delivery.counts["adjudications"] += 1


def _choice(choice: str, *, first_is_a: bool) -> str:
    """What an adjudicator took, who saw the two as A and B in an order that was drawn."""
    names = {"A": "R1" if first_is_a else "R2", "B": "R2" if first_is_a else "R1", "NEW": "ADJUDICATOR"}
    return names.get(choice, "")
