"""What every file of an export needs to know: subjects, visits and forms, now or at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from casebook.models import Entry
from casebook.rules.projection import Answer, Row, project
from casebook.services.anchors import anchor_dates
from foundation import clock
from patients.models import Subject
from reports.exports.sources import rows_of
from treatment.facts import RANDOMISED_ON
from treatment.models import Allocation
from trials.models import ProtocolVersion, Trial
from trials.schema import Form, Protocol
from visits.models import Visit


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for: one trial, some of its sites (all where empty) or one subject, now or at a moment."""

    trial: Trial
    sites: tuple[str, ...] = ()
    as_of: datetime | None = None
    subject: str = ""


@dataclass(frozen=True)
class Frame:
    """The trial's subjects with their visits and forms, by key, at the moment of the export."""

    wanted: Wanted
    subjects: Mapping[int, Subject]
    visits: Mapping[int, Mapping[str, Any]]
    entries: Mapping[int, Sequence[Mapping[str, Any]]]
    then: Mapping[int, Mapping[str, Any]]
    versions: Mapping[int, Protocol]

    @cached_property
    def entries_by_key(self) -> dict[int, Mapping[str, Any]]:
        """Each form by its own key."""
        return {row["id"]: row for rows in self.entries.values() for row in rows}

    @cached_property
    def starts(self) -> dict[int, date]:
        """Reference start of each subject that has one: day 1 of the study (SDTM `RFSTDTC`)."""
        return _starts(self)

    @property
    def last_day(self) -> date:
        """The day of the export's moment: what is dated later does not count."""
        return self.wanted.as_of.date() if self.wanted.as_of else clock.today()

    def protocol_of(self, subject_id: int) -> Protocol:
        """The protocol version that a subject was on."""
        row = self.then.get(subject_id)
        return self.versions[int(row["version_id"]) if row else self.subjects[subject_id].version_id]

    def entered(self, row: Mapping[str, Any]) -> Protocol:
        """The version under which a form was entered: its own, else that of its subject at that moment."""
        own = row.get("entered_under_id")
        return self.versions[own] if own else self.protocol_of(row["subject_id"])

    def who(self, subject: Subject) -> list[str]:
        """The first columns of every row."""
        return [self.wanted.trial.code, subject.site.code, subject.number]

    def place(self, entry: Mapping[str, Any]) -> list[Any]:
        """Where a form stands: form, visit, which visit of that code, row."""
        visit = self.visits.get(entry["visit_id"], {})
        return [entry["form"], visit.get("code", ""), visit.get("sequence", ""), entry["repeat"]]

    def rule_rows(self, subject_id: int) -> list[Row]:
        """The subject's forms that count, as rules see them."""
        return [self._rule_row(each) for each in self.entries[subject_id] if not each["struck_out"]]

    def _rule_row(self, row: Mapping[str, Any]) -> Row:
        own = row.get("entered_under_id")
        visit = self.visits.get(row["visit_id"], {})
        return Row(
            row["id"],
            row["form"],
            str(visit.get("code", "")),
            day_of(visit.get("happened_on")),
            row["repeat"],
            row["values"],
            entered=self.versions[own].form(row["form"]) if own else None,
        )

    def dated(self, form: Form, row: Mapping[str, Any]) -> date:
        """The day for which a form is worked out: its own, else the visit's, else that of the export."""
        own = (row["values"].get(form.date_item) or {}).get("value") if form.date_item else None
        visit = self.visits.get(row["visit_id"], {})
        typed = day_of(own) if own and len(own) == len("2026-01-31") else None
        return typed or day_of(visit.get("happened_on")) or self.last_day


def make_frame(wanted: Wanted) -> Frame:
    """Read what an export is about; a constant number of statements."""
    found = Subject.objects.filter(trial=wanted.trial).select_related("site", "version", "patient")
    if wanted.sites:
        found = found.filter(site__code__in=wanted.sites)
    if wanted.as_of:
        found = found.filter(screened_at__lte=wanted.as_of)
    subjects = {subject.pk: subject for subject in found.defer("version__definition").order_by("pk")}
    visits = {row["id"]: row for row in rows_of(Visit, list(subjects), wanted.as_of)}
    entries: dict[int, list[Mapping[str, Any]]] = {key: [] for key in subjects}
    for row in rows_of(Entry, list(subjects), wanted.as_of):
        entries[row["subject_id"]].append(row)
    then = {row["id"]: row for row in rows_of(Subject, list(subjects), wanted.as_of, column="id")}
    return Frame(wanted, subjects, visits, entries, then, _versions(wanted))


def _versions(wanted: Wanted) -> dict[int, Protocol]:
    """The protocol of each version that was published by then, by its key, the newest first.

    Before the first one there is nothing to tell: the files have the columns of today, and no rows.
    """
    versions = list(ProtocolVersion.objects.filter(trial=wanted.trial).order_by("-effective_from", "-pk"))
    then = [each for each in versions if not wanted.as_of or each.published_at <= wanted.as_of]
    return {version.pk: version.protocol for version in then or versions}


def _starts(frame: Frame) -> dict[int, date]:
    """Day 1 is the first date of the protocol's last anchor: randomisation, or the first procedure."""
    randomised = {
        row["subject_id"]: day_of(row["on"])
        for row in rows_of(Allocation, list(frame.subjects), frame.wanted.as_of)
    }
    found: dict[int, date] = {}
    for key, subject in frame.subjects.items():
        protocol = frame.protocol_of(key)
        if not protocol.anchors or key not in frame.then:
            continue
        anchor, on = protocol.anchors[-1], randomised.get(key)
        document = project(
            protocol,
            frame.rule_rows(key),
            frame.last_day,
            time_zone=subject.site.time_zone,
            answers={RANDOMISED_ON: Answer(on.isoformat(), on)} if on else {},
            names={anchor.fact},
        ).document
        dates = anchor_dates(protocol, document).get(anchor.name)
        if dates:
            found[key] = dates[0]
    return found


def day_of(value: Any) -> date | None:
    """A day as the database or the trail holds it."""
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None


def utc(value: Any) -> str:
    """A moment in UTC, ISO 8601; the same whether it came from the database or from the trail."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) and value else value or None
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""
