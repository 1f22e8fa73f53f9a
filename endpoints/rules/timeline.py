"""What a subject's follow-up looked like on the day of the data cut-off, and the row that an endpoint makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from imaging.rules.ablation import LesionOutcome
from visits.rules.schedule import PlannedVisit, add_months, assign_visit


@dataclass(frozen=True)
class Scan:
    """A scan with its final central read. `signed` None: not read yet. Dated by acquisition, never by reading."""

    acquired: date
    signed: date | None
    adequate: bool
    lesions: Mapping[str, LesionOutcome]

    def assessed_all(self) -> bool:
        """Whether every ablated lesion that the read names could be evaluated (and it names one)."""
        return bool(self.lesions) and LesionOutcome.NE not in self.lesions.values()


@dataclass(frozen=True)
class FormScore:
    """A questionnaire with its score, None when it is not evaluable. `completed` is a date or an aware datetime."""

    completed: date | datetime
    score: Decimal | None

    @property
    def on(self) -> date:
        return self.completed.date() if isinstance(self.completed, datetime) else self.completed


@dataclass(frozen=True)
class FollowUp:
    """Recorded facts of one treated subject.

    Attributes
    ----------
    procedures
        Dates of the procedures, ascending, at least one.
    scans, forms
        In any order.
    death
        Date of death: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    last_alive
        Last date known alive.
    discontinued
        Withdrawal or discontinuation from the study.
    survival_follow_up
        Whether survival may be followed after discontinuation.
    cut_off
        Data cut-off; None for no cut.
    imaging_visits
        Planned imaging visits in order, as the schedule derives them.
    ablated
        When each lesion was ablated; a lesion that is not named counts as treated in every procedure.
    first_infusion
        Start of the first infusion, where the time is known.
    """

    procedures: tuple[date, ...]
    scans: tuple[Scan, ...] = ()
    forms: tuple[FormScore, ...] = ()
    death: str | None = None
    last_alive: date | None = None
    discontinued: date | None = None
    survival_follow_up: bool = True
    cut_off: date | None = None
    imaging_visits: tuple[PlannedVisit, ...] = ()
    ablated: Mapping[str, Sequence[date]] = field(default_factory=dict)
    first_infusion: datetime | None = None

    @property
    def start(self) -> date:
        """TRTSDT: the day of the first procedure."""
        return self.procedures[0]

    @property
    def alive_on(self) -> date:
        """The last day that a contact or a procedure shows the subject alive."""
        return max(self.last_alive or self.start, *self.procedures)

    def last_ablation(self, lesion: str) -> date:
        """The day of the last planned ablation of a lesion."""
        return max(self.ablated.get(lesion) or self.procedures)


@dataclass(frozen=True)
class EndpointRow:
    """One endpoint of one subject, as a row of ADTTE. `cnsr` 0 is an event, 1 is censored, None is not analysed."""

    paramcd: str
    start: date
    adt: date | None
    cnsr: int | None
    description: str
    because: str
    result: str | None = None
    competing: date | None = None

    @property
    def aval(self) -> int | None:
        """Days from start to event or censoring, both counted: the day of treatment is day 1."""
        return None if self.adt is None else (self.adt - self.start).days + 1


def as_known(follow_up: FollowUp) -> FollowUp:
    """The follow-up as it stood at the data cut-off: what happened, or was signed, later is left out.

    Raises
    ------
    ValueError
        No procedure on or before the cut-off.
    """
    cut = follow_up.cut_off or date.max
    procedures = tuple(sorted(day for day in follow_up.procedures if day <= cut))
    if not procedures:
        raise ValueError("no procedure on or before the data cut-off, so there is nothing to count from")
    return replace(
        follow_up,
        procedures=procedures,
        scans=tuple(
            scan for scan in follow_up.scans if scan.acquired <= cut and scan.signed and scan.signed <= cut
        ),
        forms=tuple(form for form in follow_up.forms if form.on <= cut),
        discontinued=_until(follow_up.discontinued, cut),
        ablated={lesion: [day for day in days if day <= cut] for lesion, days in follow_up.ablated.items()},
    )


def _until(day: date | None, cut: date) -> date | None:
    return day if day is not None and day <= cut else None


def adequate_scans(follow_up: FollowUp, limit: date) -> list[Scan]:
    """Adequate, signed scans after the start of treatment and not after `limit`, in order of acquisition."""
    scans = [scan for scan in follow_up.scans if scan.adequate and follow_up.start < scan.acquired <= limit]
    return sorted(scans, key=lambda scan: scan.acquired)


def observed_until(follow_up: FollowUp, horizon: date) -> date:
    """The last day that counts: the end of the observation period or the discontinuation, whichever is earlier."""
    return min(horizon, follow_up.discontinued or horizon)


def horizon_after(start: date, months: int) -> date:
    """End of an observation period of so many calendar months."""
    return add_months(start, months)


def missed_scans(follow_up: FollowUp, before: Scan | None, after: Scan) -> int:
    """How many protocol scans in a row are missing between two adequate scans (`before` None: since treatment)."""
    visits = follow_up.imaging_visits
    codes = [visit.code for visit in visits]

    def place(scan: Scan | None) -> int:
        if scan is None or scan.acquired <= follow_up.procedures[-1]:
            return -1
        visit = assign_visit(visits, scan.acquired)
        return -1 if visit is None else codes.index(visit.code)

    return max(0, place(after) - place(before) - 1)


def lesions_with(scan: Scan, *outcomes: LesionOutcome) -> list[str]:
    """Names of the lesions with one of these outcomes, sorted."""
    return sorted(name for name, outcome in scan.lesions.items() if outcome in outcomes)
