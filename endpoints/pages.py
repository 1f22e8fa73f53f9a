"""What the pages of the room show: the endpoints of a subject, and those of all subjects together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.utils.safestring import SafeString

from casebook.pages.addresses import form_url
from casebook.rules.projection import Source
from endpoints.policies import FROM_CENTRAL_READS, may_see_aggregate, may_see_central_result
from endpoints.rules.derivation import Derived
from endpoints.rules.kaplan_meier import Curve, kaplan_meier
from endpoints.rules.local_control import FAIL, NOT_EVALUABLE
from endpoints.selectors import SubjectEndpoints
from foundation import charts
from patients.models import Subject
from trials.schema import Endpoint, Protocol
from visits.models import Visit
from visits.rules.schedule import day_in_words

DAYS_PER_MONTH = Decimal("30.4375")
"""Mean length of a month, 365.25 / 12, in which times to events are reported."""

DRAWN = frozenset({"overall_survival", "time_to_local_recurrence"})
"""Kinds of endpoints that are drawn as a survival curve."""

FACT_WORDS = {
    "PROCEDURE_DATES": "Procedure",
    "ABLATIONS": "Ablation",
    "DTHDAT": "Death",
    "LSTALVDT": "Last known alive",
    "DISCDAT": "End of study",
    "SURVOK": "Survival follow-up",
    "FHSI8": "Questionnaire",
}


def months(days: Decimal | int) -> Decimal:
    """Days as months of 30.4375 days, unrounded."""
    return Decimal(days) / DAYS_PER_MONTH


def one_decimal(number: Decimal) -> str:
    """A number as shown: rounded half away from zero to one decimal."""
    return format(number.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP), "f")


# One subject ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """Where something that an endpoint rests on comes from; `url` is empty for a central read."""

    words: str
    url: str = ""


@dataclass(frozen=True)
class EndpointRow:
    """One endpoint of a subject as the page shows it."""

    endpoint: Endpoint
    derived: Derived | None
    state: str
    outcome: str
    months: str
    because: str
    evidence: tuple[Evidence, ...]


def subject_rows(
    found: SubjectEndpoints, visits: Iterable[Visit], roles: Collection[str]
) -> list[EndpointRow]:
    """Every endpoint of the subject's protocol; what cannot be derived or shown says why."""
    protocol = found.subject.version.protocol
    stop_on = protocol.charter.stop_on if protocol.charter else "SITE"
    derived = {each.endpoint.paramcd: each for each in found.derived}
    places = {str(visit): visit for visit in visits}
    return [
        _row(endpoint, derived.get(endpoint.paramcd), found, places)
        if may_see_central_result(endpoint.kind, roles, stop_on)
        else _without(endpoint, "Rests on central reads, which the site does not see in this trial")
        for endpoint in protocol.endpoints
    ]


def _row(
    endpoint: Endpoint, derived: Derived | None, found: SubjectEndpoints, places: Mapping[str, Visit]
) -> EndpointRow:
    if derived is None:
        return _without(endpoint, why_not_derived(endpoint, found))
    row = derived.row
    state, outcome = _outcome(derived)
    return EndpointRow(
        endpoint=endpoint,
        derived=derived,
        state=state,
        outcome=outcome,
        months="" if row.aval is None else one_decimal(months(row.aval)),
        because=row.because,
        evidence=tuple(_evidence(endpoint, found, places)),
    )


def _without(endpoint: Endpoint, because: str) -> EndpointRow:
    return EndpointRow(endpoint, None, "not-applicable", "Not derived", "", because, ())


def why_not_derived(endpoint: Endpoint, found: SubjectEndpoints) -> str:
    """Why a subject has no value for an endpoint."""
    start = endpoint.parameters.get("start", "treatment")
    if start != "treatment":
        return f"Counted from {start}; it is not derived here"
    if found.follow_up is None:
        return "No procedure up to the data cut-off"
    return found.problem or "It is not derived here"


def _outcome(derived: Derived) -> tuple[str, str]:
    row = derived.row
    if row.result is not None:
        states = {"SUCCESS": "met", "FAIL": "not-met"}
        return states.get(row.result, "unknown"), row.result.capitalize()
    if row.cnsr is None:
        return "not-applicable", "Not analysed"
    return ("present", "Event") if row.cnsr == 0 else ("waiting", "Censored")


def _evidence(endpoint: Endpoint, found: SubjectEndpoints, places: Mapping[str, Visit]) -> Iterable[Evidence]:
    for fact, source in found.sources_of(endpoint):
        yield Evidence(f"{FACT_WORDS[fact]}, {_place(source)}", _address(found.subject, source, places))
    if endpoint.kind in FROM_CENTRAL_READS:
        for each in found.scans:
            yield Evidence(f"Central read of {each.visit}, scan of {day_in_words(each.scan.acquired)}")


def _place(source: Source) -> str:
    parts = [source.visit or "running log", source.dated and _day_words(source.dated)]
    return ", ".join(part for part in parts if part)


def _day_words(text: str) -> str:
    return day_in_words(date.fromisoformat(text)) if len(text) == 10 else text


def _address(subject: Subject, source: Source, places: Mapping[str, Visit]) -> str:
    visit = places.get(source.visit)
    return "" if source.visit and visit is None else form_url(subject, visit, source.form)


# All subjects -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """One endpoint over all subjects.

    Attributes
    ----------
    withheld
        Why it is not shown; everything else is empty then.
    left_out
        Subjects with a procedure who are not analysed.
    results
        How many subjects have each result, for an endpoint that is no time; those not evaluable are not analysed.
    """

    endpoint: Endpoint
    withheld: str = ""
    analysed: int = 0
    events: int = 0
    left_out: int = 0
    median: str = ""
    results: tuple[tuple[str, int], ...] = ()
    chart: SafeString | str = ""

    @property
    def censored(self) -> int:
        """Subjects without an event."""
        return self.analysed - self.events


def summaries(
    protocol: Protocol, subjects: Collection[SubjectEndpoints], roles: Collection[str], *, locked: bool
) -> list[Summary]:
    """Every endpoint of the protocol over all subjects, both arms together, as far as the person may see it."""
    return [
        _summary(endpoint, subjects)
        if may_see_aggregate(endpoint.kind, roles, locked=locked)
        else Summary(endpoint, withheld="Shown to the sponsor when the trial is locked")
        for endpoint in protocol.endpoints
    ]


def _summary(endpoint: Endpoint, subjects: Collection[SubjectEndpoints]) -> Summary:
    derived = [
        each for found in subjects for each in found.derived if each.endpoint.paramcd == endpoint.paramcd
    ]
    treated = sum(found.follow_up is not None for found in subjects)
    timed = [(each.row.aval, each.row.cnsr) for each in derived if each.row.cnsr is not None]
    durations = [months(days) for days, _ in timed if days is not None]
    observed = [cnsr == 0 for days, cnsr in timed if days is not None]
    results = [each.row.result for each in derived if each.row.result]
    if results:
        return _summary_of_results(endpoint, results, treated)
    curve = kaplan_meier(durations, observed)
    median = curve.median()
    return Summary(
        endpoint=endpoint,
        analysed=len(durations),
        events=sum(observed),
        left_out=treated - len(durations),
        median="" if median is None else one_decimal(median),
        chart=drawn(endpoint, curve) if endpoint.kind in DRAWN and durations else "",
    )


def _summary_of_results(endpoint: Endpoint, results: Sequence[str], treated: int) -> Summary:
    analysed = sum(result != NOT_EVALUABLE for result in results)
    return Summary(
        endpoint=endpoint,
        analysed=analysed,
        events=results.count(FAIL),
        left_out=treated - analysed,
        results=tuple((name.capitalize(), results.count(name)) for name in sorted(set(results))),
    )


def drawn(endpoint: Endpoint, curve: Curve) -> SafeString:
    """A survival curve with its 95 % limits; months since the first procedure."""
    median = curve.median()
    events = sum(step.events for step in curve.steps)
    label = f"{endpoint.label}: {_counted(curve.subjects, 'subject')}, {_counted(events, 'event')}, " + (
        f"median {one_decimal(median)} months" if median is not None else "median not reached"
    )
    return charts.survival(
        [_drawing(curve)],
        x_label="Months since the first procedure",
        label=label,
        median=None if median is None else float(median),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _drawing(curve: Curve) -> charts.Curve:
    changes = [step for step in curve.steps if step.events]
    last = float(curve.steps[-1].time)
    limits = [(float(step.time), _limits(curve, step.time)) for step in changes]
    return charts.Curve(
        name="All subjects",
        steps=[(0.0, 1.0), *((float(step.time), float(step.survival)) for step in changes)],
        lower=[(0.0, 1.0), *((time, low) for time, (low, _) in limits)],
        upper=[(0.0, 1.0), *((time, high) for time, (_, high) in limits)],
        censored=[float(step.time) for step in curve.steps if step.censored],
        at_risk=[
            (tick, curve.at_risk_at(Decimal(str(tick)))) for tick in charts.nice_ticks(0, max(last, 1.0), 5)
        ],
    )


def _limits(curve: Curve, time: Decimal) -> tuple[float, float]:
    interval = curve.interval_at(time)
    if interval is None:
        value = float(curve.survival_at(time))
        return value, value
    return float(interval[0]), float(interval[1])


def problems(subjects: Sequence[SubjectEndpoints]) -> list[SubjectEndpoints]:
    """Subjects whose facts contradict each other."""
    return [found for found in subjects if found.problem]
