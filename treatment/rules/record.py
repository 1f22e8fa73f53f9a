"""From the facts of a subject to the record that timing rules are asked about. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from treatment.rules.timing import (
    Finding,
    FindingOutcome,
    PlannedLesion,
    PremedicationDose,
    ProcedureTimes,
    TreatmentRecord,
    timing_findings,
)
from trials.schema import Protocol

INFUSIONS, ABLATIONS, PREMEDICATIONS, LESIONS = "INFUSIONS", "ABLATIONS", "PREMEDICATIONS", "LESIONS"
"""List facts that a pack declares when its treatment is a timed infusion and ablation.

Fields: infusions PROCNO, T0, T1, EXITRPYN, EXDOSE; ablations PROCNO, TULNKID, A0, A1; premedication PROCNO, CMTRT,
CMROUTE, AT; lesions TULNKID, UNRESECT, PLANPROC.
"""


@dataclass(frozen=True)
class FactRow:
    """One member of a list fact, with the number of the procedure whose visit it stands at."""

    values: Mapping[str, Any]
    place: int | None = None

    def moment(self, name: str) -> datetime | None:
        """A time with its offset; None when it is not recorded."""
        text = self.values.get(name)
        return datetime.fromisoformat(text) if text else None

    def whole(self, name: str) -> int | None:
        """A whole number; None when it is not recorded."""
        text = self.values.get(name)
        return int(str(text)) if text not in (None, "") else None

    def text(self, name: str) -> str:
        """A text; empty when it is not recorded."""
        return str(self.values.get(name) or "").strip()

    @property
    def number(self) -> int | None:
        """Which procedure the row says that it belongs to, else the one of its visit."""
        said = self.whole("PROCNO")
        return self.place if said is None else said


@dataclass(frozen=True)
class Ablated:
    """One ablation record."""

    number: int | None
    lesion: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Recorded:
    """What is recorded of a subject's treatment.

    Attributes
    ----------
    sure
        The record in which a procedure's first or last ablation time is unknown while any of its ablations
        lacks that time.
    known
        The same with the first and the last of the times that are there: enough to say that a limit is broken.
    ablated
        All ablation records, by procedure and time.
    given_mg
        Dose given by procedure.
    doubts
        What does not fit together, as sentences.
    """

    sure: TreatmentRecord
    known: TreatmentRecord
    ablated: tuple[Ablated, ...] = ()
    given_mg: Mapping[int, Decimal] | None = None
    doubts: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """How many procedures have begun: their infusion has a start."""
        return sum(procedure.t0 is not None for procedure in self.known.procedures)

    @property
    def planned(self) -> int | None:
        """The last procedure that the plan of the lesions needs; None without such a plan."""
        numbers = [lesion.planned_procedure for lesion in self.known.lesions or () if lesion.unresectable]
        return max((number for number in numbers if number), default=None)

    def procedure(self, number: int) -> ProcedureTimes | None:
        """Times of a procedure; None when nothing of it is recorded."""
        return next((each for each in self.known.procedures if each.number == number), None)


def read_record(
    *,
    consent: date | datetime | None,
    infusions: Sequence[FactRow] = (),
    ablations: Sequence[FactRow] = (),
    premedications: Sequence[FactRow] = (),
    lesions: Sequence[FactRow] = (),
    drugs: Mapping[str, str] | None = None,
) -> Recorded:
    """Put a subject's infusions, ablations, premedication and lesions together, procedure by procedure.

    Parameters
    ----------
    consent
        Day or moment of consent.
    drugs
        Words for the codes of the premedication.

    Returns
    -------
    Recorded
        The first prophylaxis dose is the earliest dose of its procedure; the ablation runs from the first
        energy in any lesion to the last removal of the probe.

    Notes
    -----
    Two infusions under one number are two procedures: the later takes the number of its visit, or the next free
    one, and the doubt is said.
    """
    numbered, doubts = _numbered(infusions)
    ablated = tuple(_ablated(row) for row in ablations)
    doses = tuple(_dose(row, drugs or {}) for row in premedications if row.number is not None)
    under_way = _under_way(numbered, ablated)
    plan = tuple(_lesion(row, ablated, under_way) for row in lesions if row.text("TULNKID")) or None
    numbers = sorted({*numbered, *_numbers(ablated), *(dose.procedure for dose in doses)})
    times = [_times(number, numbered.get(number), ablated, doses) for number in numbers]
    known = TreatmentRecord(tuple(times), consent, doses, plan)
    sure = replace(known, procedures=tuple(_sure(each, ablated) for each in times))
    given = {number: Decimal(row.text("EXDOSE")) for number, row in numbered.items() if row.text("EXDOSE")}
    strangers = _strangers(ablated, plan)
    return Recorded(sure, known, ablated, given, (*doubts, *strangers))


def record_findings(protocol: Protocol, recorded: Recorded) -> list[Finding]:
    """Findings of all timing rules: a limit that the known times break is broken whatever else comes."""
    broken = {
        key: finding
        for key, finding in _keyed(timing_findings(protocol, recorded.known))
        if finding.outcome is FindingOutcome.FAIL
    }
    return [broken.get(key, finding) for key, finding in _keyed(timing_findings(protocol, recorded.sure))]


def _keyed(findings: Iterable[Finding]) -> Iterator[tuple[tuple[str, int | None, int], Finding]]:
    """Findings with rule, procedure and which of several (a rule asks every dose of the premedication)."""
    seen: Counter[tuple[str, int | None]] = Counter()
    for finding in findings:
        about = finding.rule, finding.procedure
        yield (*about, seen[about]), finding
        seen[about] += 1


def breaches_of_one_more(
    protocol: Protocol, recorded: Recorded, number: int, at: datetime
) -> tuple[Finding, ...]:
    """Hard rules about the whole plan that would fail if one more infusion began.

    Parameters
    ----------
    number
        Number of the procedure that would begin.
    at
        When, with offset.
    """
    taken = {procedure.number for procedure in recorded.known.procedures if procedure.t0 is not None}
    free = number if number not in taken else max(taken) + 1
    others = [each for each in recorded.known.procedures if each.number != free]
    one_more = replace(recorded.known, procedures=(*others, ProcedureTimes(number=free, t0=at)))
    return broken_plan(timing_findings(protocol, one_more))


def broken_plan(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings that forbid: hard rules about the whole plan that fail."""
    return tuple(
        each
        for each in findings
        if each.procedure is None and each.severity == "hard" and each.outcome is FindingOutcome.FAIL
    )


def last_procedure_is_complete(recorded: Recorded, *, no_more_allowed: bool) -> bool:
    """Whether the treatment is over: the last planned procedure is done and its ablation has ended.

    Parameters
    ----------
    no_more_allowed
        Whether the protocol forbids another procedure.

    Notes
    -----
    Without a plan of the lesions nobody can tell that no other procedure follows, unless none is allowed.
    """
    begun = [each for each in recorded.sure.procedures if each.t0 is not None]
    if not begun:
        return False
    last = max(begun, key=lambda each: each.number)
    reached = recorded.planned is not None and last.number >= recorded.planned
    covered = all(lesion.ablated_in for lesion in recorded.known.lesions or () if lesion.unresectable)
    return last.a1 is not None and (no_more_allowed or (reached and covered))


def _numbered(infusions: Sequence[FactRow]) -> tuple[dict[int, FactRow], list[str]]:
    numbered: dict[int, FactRow] = {}
    doubts: list[str] = []
    for row in sorted(infusions, key=lambda each: each.text("T0") or "9999"):
        number = row.number
        if number is None or number in numbered:
            place = row.place
            free = place if place is not None and place not in numbered else max(numbered, default=0) + 1
            if number is not None:
                doubts.append(
                    f"Two infusions say that they belong to procedure {number}. Correct one of them."
                )
            number = free
        numbered[number] = row
    return numbered, doubts


def _numbers(ablated: Iterable[Ablated]) -> set[int]:
    return {each.number for each in ablated if each.number is not None}


def _ablated(row: FactRow) -> Ablated:
    return Ablated(row.number, row.text("TULNKID"), row.moment("A0"), row.moment("A1"))


def _dose(row: FactRow, drugs: Mapping[str, str]) -> PremedicationDose:
    code = row.text("CMTRT")
    number = row.number
    assert number is not None
    return PremedicationDose(number, drugs.get(code, code), row.moment("AT"), row.text("CMROUTE") or None)


def _under_way(numbered: Mapping[int, FactRow], ablated: Iterable[Ablated]) -> bool:
    """Whether an infusion has begun whose ablations are not recorded yet."""
    begun = {number for number, row in numbered.items() if row.moment("T0") is not None}
    return not begun <= {each.number for each in ablated if each.end is not None}


def _lesion(row: FactRow, ablated: Iterable[Ablated], under_way: bool) -> PlannedLesion:
    name = row.text("TULNKID")
    answer = row.text("UNRESECT")
    numbers = {
        each.number
        for each in ablated
        if each.number is not None and each.lesion.casefold() == name.casefold()
    }
    return PlannedLesion(
        name,
        answer == "Y" if answer else None,
        row.whole("PLANPROC"),
        None if under_way and not numbers else tuple(sorted(numbers)),
    )


def _strangers(ablated: Iterable[Ablated], plan: Sequence[PlannedLesion] | None) -> list[str]:
    if plan is None:
        return []
    names = {lesion.name.casefold() for lesion in plan}
    unknown = sorted({each.lesion for each in ablated if each.lesion and each.lesion.casefold() not in names})
    return [
        f"{name} was ablated, but is not on the list of lesions. Correct one of them." for name in unknown
    ]


def _times(
    number: int, infusion: FactRow | None, ablated: Sequence[Ablated], doses: Sequence[PremedicationDose]
) -> ProcedureTimes:
    mine = [each for each in ablated if each.number == number]
    given = [dose.at for dose in doses if dose.procedure == number and dose.at is not None]
    interrupted = infusion.text("EXITRPYN") if infusion else ""
    return ProcedureTimes(
        number=number,
        p0=min(given, default=None),
        t0=infusion.moment("T0") if infusion else None,
        t1=infusion.moment("T1") if infusion else None,
        a0=min((each.start for each in mine if each.start), default=None),
        a1=max((each.end for each in mine if each.end), default=None),
        interrupted=interrupted == "Y" if interrupted else None,
        ablations=len(mine) or None,
    )


def _sure(times: ProcedureTimes, ablated: Sequence[Ablated]) -> ProcedureTimes:
    mine = [each for each in ablated if each.number == times.number]
    return replace(
        times,
        a0=times.a0 if all(each.start for each in mine) else None,
        a1=times.a1 if all(each.end for each in mine) else None,
    )
