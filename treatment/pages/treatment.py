"""The treatment page of a subject: each procedure with its picture, findings and dose; lesions; randomisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.safestring import SafeString

from casebook.pages.addresses import form_url
from patients.models import Subject
from treatment.pages.timeline import Day, Span, day_picture
from treatment.rules.doses import Cumulative, ProcedureDose, shown
from treatment.rules.forms import treatment_forms, treatment_visits
from treatment.rules.limits import limits_from_start
from treatment.rules.record import Ablated
from treatment.rules.timing import Finding, FindingOutcome, PlannedLesion, ProcedureTimes, span_in_words
from treatment.selectors.admission import NOT_YET, no_more_allowed
from treatment.selectors.allocation import Given, Readiness, allocation_of, is_randomised_trial, readiness
from treatment.selectors.record import SubjectTreatment, treatment_of
from trials.schema import Premedication, Protocol, TimingRule
from visits.models import Visit
from visits.selectors import visits_of

FAILED = {"hard": "Major deviation", "deviation": "Deviation", "soft": "Check"}
"""What a failure means, by the severity that the pack gives a rule."""
TONES = {FindingOutcome.PASS: "ok", FindingOutcome.FAIL: "stop", FindingOutcome.UNKNOWN: "attention"}
RULE_CLASSES = {FindingOutcome.FAIL: "against", FindingOutcome.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class FindingRow:
    """One finding in words.

    Attributes
    ----------
    severity
        What a failure means; empty while nothing failed.
    css
        Class of the row.
    """

    finding: Finding
    rule: TimingRule
    severity: str
    tone: str
    css: str

    @property
    def outcome(self) -> str:
        """The word of the state."""
        if self.finding.outcome is FindingOutcome.FAIL and self.finding.severity == "soft":
            return "check"
        return self.finding.outcome.value.lower()


@dataclass(frozen=True)
class FormLink:
    """A form of a procedure's visit."""

    name: str
    url: str


@dataclass(frozen=True)
class ProcedureCard:
    """One procedure as the page shows it; without a picture while its infusion has no start."""

    number: int
    name: str
    started: datetime | None
    picture: SafeString | None
    findings: tuple[FindingRow, ...]
    dose: ProcedureDose | None
    links: tuple[FormLink, ...]

    @property
    def failed(self) -> int:
        """How many rules fail."""
        return sum(row.finding.outcome is FindingOutcome.FAIL for row in self.findings)

    @property
    def unknown(self) -> int:
        """How many rules cannot be decided yet."""
        return sum(row.finding.outcome is FindingOutcome.UNKNOWN for row in self.findings)

    @property
    def failed_words(self) -> str:
        """Number of rules that fail, in words."""
        return f"{self.failed} not kept"

    @property
    def unknown_words(self) -> str:
        """Number of rules that wait for a time, in words."""
        return f"{self.unknown} not known yet"


@dataclass(frozen=True)
class LesionRow:
    """One lesion of the plan and where it was ablated."""

    lesion: PlannedLesion
    state: str
    words: str


@dataclass(frozen=True)
class TreatmentPage:
    """Everything that the page shows."""

    subject: Subject
    protocol: Protocol
    procedures: tuple[ProcedureCard, ...]
    plan: tuple[FindingRow, ...]
    doubts: tuple[str, ...]
    lesions: tuple[LesionRow, ...]
    cumulative: Cumulative | None
    too_early: bool
    randomised: bool
    allocation: Given | None
    readiness: Readiness | None
    forms: tuple[tuple[str, tuple[FormLink, ...]], ...]

    @property
    def timed(self) -> bool:
        """Whether the protocol has timed procedures."""
        return bool(self.protocol.timing or self.protocol.dose)

    @property
    def arm_names(self) -> str:
        """Arms of the sub-study, in words."""
        own = self.readiness.sub_study if self.readiness else None
        return ", ".join(self.protocol.arm(share.arm).name for share in own.arms) if own else ""

    @property
    def regimen(self) -> list[tuple[Premedication, str]]:
        """Steps of the premedication, each with its distance from the infusion in words."""
        return [(step, _before(step.minutes_before)) for step in self.protocol.premedication]

    @property
    def provisional_dose(self) -> list[str]:
        """Parts of the dose that the sponsor has not confirmed."""
        dose = self.protocol.dose
        parts = {"formula": dose.formula, "rounding": dose.round_mg, "vials": dose.vial_mg} if dose else {}
        return [name for name, part in parts.items() if part.provisional]


def treatment_page(subject: Subject) -> TreatmentPage:
    """Work the page of a subject out, in a constant number of statements."""
    treatment = treatment_of(subject)
    visits = {visit.code: visit for visit in visits_of(subject)}
    randomised = is_randomised_trial(subject)
    given = allocation_of(subject) if randomised else None
    waits = (
        readiness(subject, treatment.projection.document, treatment.today)
        if randomised and given is None
        else None
    )
    to_come = _number_to_come(treatment)
    doses = treatment.doses(to_come)
    return TreatmentPage(
        subject=subject,
        protocol=treatment.protocol,
        procedures=tuple(_cards(treatment, visits, doses, to_come)),
        plan=tuple(_rows(treatment, [each for each in treatment.findings if each.procedure is None])),
        doubts=treatment.recorded.doubts,
        lesions=tuple(_lesions(treatment)),
        cumulative=treatment.anthracycline(doses) if doses else None,
        too_early=subject.status in NOT_YET,
        randomised=randomised,
        allocation=given,
        readiness=waits,
        forms=() if treatment.protocol.timing else tuple(_visit_forms(subject, visits, given)),
    )


def _number_to_come(treatment: SubjectTreatment) -> int | None:
    """The next procedure that the plan needs and the protocol allows; the first where there was none."""
    if not treatment.protocol.dose or no_more_allowed(treatment):
        return None
    recorded = treatment.recorded
    number = recorded.done + 1
    known = recorded.planned is None or number <= recorded.planned
    return number if number == 1 or known else None


def _cards(
    treatment: SubjectTreatment,
    visits: dict[str, Visit],
    doses: Sequence[ProcedureDose],
    to_come: int | None,
) -> list[ProcedureCard]:
    if not treatment.protocol.timing:
        return []
    by_number = {dose.number: dose for dose in doses}
    recorded = {each.number: each for each in treatment.recorded.known.procedures}
    numbers = sorted({*recorded, *([to_come] if to_come else [])})
    return [
        _card(treatment, recorded.get(number), number, by_number.get(number), visits) for number in numbers
    ]


def _card(
    treatment: SubjectTreatment,
    times: ProcedureTimes | None,
    number: int,
    dose: ProcedureDose | None,
    visits: dict[str, Visit],
) -> ProcedureCard:
    findings = [each for each in treatment.findings if each.procedure == number]
    plan = next((visit for visit in treatment_visits(treatment.protocol) if visit.number == number), None)
    visit = visits.get(plan.code) if plan else None
    started = times.t0.astimezone(treatment.zone) if times and times.t0 else None
    return ProcedureCard(
        number=number,
        name=plan.name if plan else f"Procedure {number}",
        started=started,
        picture=_picture(treatment, times, findings) if times and times.t0 else None,
        findings=tuple(_rows(treatment, findings)),
        dose=dose,
        links=_links(treatment.subject, visit, plan.forms if plan else ()),
    )


def _links(subject: Subject, visit: Visit | None, forms: Sequence[str]) -> tuple[FormLink, ...]:
    if visit is None:
        return ()
    protocol = subject.version.protocol
    return tuple(FormLink(protocol.form(code).name, form_url(subject, visit, code)) for code in forms)


def _visit_forms(
    subject: Subject, visits: dict[str, Visit], given: Given | None
) -> list[tuple[str, tuple[FormLink, ...]]]:
    """Treatment visits of the subject's arm, for protocols without timed procedures."""
    own = treatment_forms(subject.version.protocol)
    found = []
    for plan in treatment_visits(subject.version.protocol):
        if given and plan.arms and given.arm.code not in plan.arms:
            continue
        links = _links(subject, visits.get(plan.code), [code for code in plan.forms if code in own])
        if links and given:
            found.append((plan.name, links))
    return found


def _rows(treatment: SubjectTreatment, findings: Sequence[Finding]) -> list[FindingRow]:
    rules = {rule.id: rule for rule in treatment.protocol.timing}
    return [
        FindingRow(
            finding=each,
            rule=rules[each.rule],
            severity=FAILED[each.severity] if each.outcome is FindingOutcome.FAIL else "",
            tone=_tone(each),
            css=RULE_CLASSES.get(each.outcome, ""),
        )
        for each in findings
    ]


def _tone(finding: Finding) -> str:
    if finding.outcome is FindingOutcome.FAIL and finding.severity == "soft":
        return "attention"
    return TONES[finding.outcome]


def _picture(treatment: SubjectTreatment, times: ProcedureTimes, findings: Sequence[Finding]) -> SafeString:
    assert times.t0 is not None
    limits = limits_from_start(treatment.protocol)
    doses = [dose for dose in treatment.recorded.known.premedication if dose.procedure == times.number]
    ablated = [each for each in treatment.recorded.ablated if each.number == times.number]
    bars = [
        Span("Infusion", "info", times.t0, times.t1, _span_words("Infusion", times.t0, times.t1, treatment))
    ]
    bars += [_ablation_bar(treatment, times.t0, each) for each in sorted(ablated, key=_when)]
    day = Day(
        start=times.t0,
        zone=treatment.zone,
        doses=tuple(
            Span(dose.drug, "signed", dose.at, words=_span_words(dose.drug, dose.at, None, treatment))
            for dose in sorted(doses, key=lambda each: (each.at is None, each.at and each.at.timestamp()))
        ),
        bars=tuple(bars) if ablated else (*bars, Span("Ablation", "attention", None)),
        limits=limits,
        label=_label(times, findings, treatment),
    )
    return day_picture(day)


def _when(ablated: Ablated) -> float:
    return ablated.start.timestamp() if ablated.start else float("inf")


def _ablation_bar(treatment: SubjectTreatment, start: datetime, ablated: Ablated) -> Span:
    """Red where this ablation alone breaks a limit, amber where a time is missing."""
    broken = any(
        (limit.of == "start" and ablated.start and _minutes(start, ablated.start) < limit.minutes)
        or (limit.of == "end" and ablated.end and _minutes(start, ablated.end) > limit.minutes)
        for limit in limits_from_start(treatment.protocol)
    )
    whole = ablated.start is not None and ablated.end is not None
    name = f"Ablation {ablated.lesion}".strip()
    return Span(
        name,
        "stop" if broken else "ok" if whole else "attention",
        ablated.start,
        ablated.end,
        _span_words(name, ablated.start, ablated.end, treatment),
    )


def _minutes(start: datetime, moment: datetime) -> Decimal:
    return Decimal(int((moment - start).total_seconds())) / 60


def _span_words(name: str, start: datetime | None, end: datetime | None, treatment: SubjectTreatment) -> str:
    times = [f"{moment.astimezone(treatment.zone):%d %b %H:%M}" for moment in (start, end) if moment]
    return f"{name}, {' to '.join(times)}" if times else f"{name}, time not recorded"


def _label(times: ProcedureTimes, findings: Sequence[Finding], treatment: SubjectTreatment) -> str:
    parts = [f"Procedure {times.number}."]
    if times.p0 and times.t0:
        before = span_in_words(_minutes(times.p0, times.t0) / 60, "h")
        parts.append(f"First prophylaxis {before} before the infusion.")
    parts.append(_span_words("Infusion", times.t0, times.t1, treatment) + ".")
    parts.append(_span_words("Ablation", times.a0, times.a1, treatment) + ".")
    failed = [each.because for each in findings if each.outcome is FindingOutcome.FAIL]
    return " ".join([*parts, *(f"{because}." for because in failed)])


def _lesions(treatment: SubjectTreatment) -> list[LesionRow]:
    done = treatment.recorded.done
    return [
        _lesion(lesion, done, treatment.recorded.planned) for lesion in treatment.recorded.known.lesions or ()
    ]


def _lesion(lesion: PlannedLesion, done: int, planned: int | None) -> LesionRow:
    if lesion.ablated_in:
        numbers = ", ".join(str(number) for number in lesion.ablated_in)
        return LesionRow(lesion, "complete", f"Ablated in procedure {numbers}")
    if lesion.unresectable is False:
        return LesionRow(lesion, "not-applicable", "Resectable, not to be ablated")
    if lesion.unresectable is None:
        return LesionRow(lesion, "unknown", "Not said whether it is unresectable")
    if not lesion.planned_procedure:
        return LesionRow(lesion, "stop", "Not planned for any procedure")
    if planned is not None and done >= planned:
        return LesionRow(lesion, "fail", "Not ablated, and all planned procedures are done")
    late = done >= lesion.planned_procedure
    return LesionRow(
        lesion,
        "check" if late else "planned",
        f"Not ablated in procedure {lesion.planned_procedure}"
        if late
        else f"Planned for procedure {lesion.planned_procedure}",
    )


def _before(minutes: int) -> str:
    return f"{minutes // 60} h" if minutes >= 120 and minutes % 60 == 0 else f"{minutes} min"


def difference_words(dose: ProcedureDose) -> str:
    """Given against planned dose in words: `+2.2 %`."""
    if dose.difference_pct is None:
        return ""
    sign = "+" if dose.difference_pct > 0 else "\N{MINUS SIGN}" if dose.difference_pct < 0 else ""
    return f"{sign}{shown(abs(dose.difference_pct), '0.1')} %"
