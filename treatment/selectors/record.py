"""What is recorded of a subject's treatment, read from the casebook in a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from casebook.rules.projection import Projection, Row, Source, project
from casebook.selectors import rows_of_subject
from foundation import clock
from patients.models import Subject
from treatment.rules.doses import Body, Cumulative, ProcedureDose, cumulative, procedure_doses
from treatment.rules.parameters import dose_parameters
from treatment.rules.record import (
    ABLATIONS,
    INFUSIONS,
    LESIONS,
    PREMEDICATIONS,
    FactRow,
    Recorded,
    read_record,
    record_findings,
)
from treatment.rules.timing import Finding
from trials.schema import Protocol

CONSENT, HEIGHT, WEIGHT = "RFICDAT", "HEIGHT_CM", "WEIGHT_KG"
PRIOR_YES_NO, PRIOR = "PRIORANTHRA", "PRIORDOX_MG_M2"


@dataclass(frozen=True)
class SubjectTreatment:
    """A subject's treatment: the record, what the timing rules find in it, the doses."""

    subject: Subject
    rows: Sequence[Row]
    today: date

    @property
    def protocol(self) -> Protocol:
        """The subject's protocol version."""
        return self.subject.version.protocol

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the site."""
        return ZoneInfo(self.subject.site.time_zone)

    @cached_property
    def projection(self) -> Projection:
        """Facts as known today."""
        return self.facts_on(self.today)

    def facts_on(self, day: date) -> Projection:
        """Facts as known at the end of a day; without those of upper rooms."""
        return project(self.protocol, self.rows, day, time_zone=self.subject.site.time_zone)

    @cached_property
    def recorded(self) -> Recorded:
        """Infusions, ablations, premedication and lesions, procedure by procedure."""
        return read_record(
            consent=self._consent,
            infusions=self.members(INFUSIONS),
            ablations=self.members(ABLATIONS),
            premedications=self.members(PREMEDICATIONS),
            lesions=self.members(LESIONS),
            drugs=self._drugs,
        )

    @cached_property
    def findings(self) -> list[Finding]:
        """Findings of all timing rules."""
        return record_findings(self.protocol, self.recorded)

    def members(self, fact: str) -> list[FactRow]:
        """Members of a list fact, each with the procedure of the visit where it was entered."""
        values = self.projection.document.get(fact) or []
        return [
            FactRow(value or {}, self._number_of_visit(source.visit))
            for value, source in zip(values, self.projection.sources.get(fact, ()), strict=True)
        ]

    def sources(self, fact: str) -> Sequence[Source]:
        """Where the members of a list fact were entered."""
        return self.projection.sources.get(fact, ())

    def doses(self, also: int | None = None) -> tuple[ProcedureDose, ...]:
        """Planned and given dose of each recorded procedure, and of one more that is to come."""
        section = self.protocol.dose
        if section is None:
            return ()
        bodies = {each.number: self._body(each.number, each.t0) for each in self.recorded.known.procedures}
        if also is not None and also not in bodies:
            bodies[also] = self._body(also, None)
        limit = section.reweigh_pct.value if section.reweigh_pct else None
        return procedure_doses(bodies, self.recorded.given_mg or {}, dose_parameters(section), limit)

    def anthracycline(self, doses: Sequence[ProcedureDose]) -> Cumulative:
        """Anthracycline so far: before the trial, and in it."""
        section = self.protocol.dose
        ceiling = section.lifetime_mg_m2.value if section and section.lifetime_mg_m2 else None
        return cumulative(doses, self._prior_anthracycline, ceiling)

    @property
    def _prior_anthracycline(self) -> Decimal | None:
        document = self.projection.document
        if document.get(PRIOR_YES_NO) == "N":
            return Decimal(0)
        return _number(document.get(PRIOR))

    def _body(self, number: int, begun: datetime | None) -> Body:
        """Height and weight as known on the day of the infusion, or today where there is none yet."""
        facts = self.facts_on(begun.astimezone(self.zone).date()) if begun else self.projection
        source = next(iter(facts.sources.get(WEIGHT, ())), None)
        return Body(
            _number(facts.document.get(HEIGHT)),
            _number(facts.document.get(WEIGHT)),
            date.fromisoformat(source.dated) if source and len(source.dated) == 10 else None,
            bool(source) and self._number_of_visit(source.visit if source else "") == number,
        )

    @property
    def _consent(self) -> date | datetime | None:
        """Day of consent, or its moment where the time beside the date is recorded."""
        day = str(self.projection.document.get(CONSENT) or "")
        source = next(iter(self.projection.sources.get(CONSENT, ())), None)
        if len(day) != 10 or source is None:
            return None
        row = next(row for row in self.rows if row.entry_id == source.entry_id)
        time = str((row.values.get(source.item.removesuffix("DAT") + "TIM") or {}).get("value") or "")
        if not time:
            return date.fromisoformat(day)
        moment = datetime.fromisoformat(f"{day}T{time}")
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    @property
    def _drugs(self) -> Mapping[str, str]:
        fact = next((each for each in self.protocol.facts if each.name == PREMEDICATIONS), None)
        field = fact.fields.get("CMTRT") if fact else None
        return self.protocol.codelist(field.codelist).labels if field and field.codelist else {}

    def _number_of_visit(self, name: str) -> int | None:
        code = name.partition(".")[0]
        return next((visit.number for visit in self.protocol.visits if visit.code == code), None)


def treatment_of(subject: Subject, rows: Sequence[Row] | None = None) -> SubjectTreatment:
    """A subject's treatment; one statement where the caller has no rows."""
    found = rows if rows is not None else rows_of_subject(subject)
    return SubjectTreatment(subject, found, clock.today(subject.site.time_zone))


def _number(value: object) -> Decimal | None:
    return Decimal(str(value)) if value not in (None, "") else None
