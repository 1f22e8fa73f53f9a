"""The treatment page of a subject: each procedure with its picture, findings and dose; lesions; randomisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from casebook.pages.addresses import form_url
from patients.models import Subject
from treatment.pages.day import procedure_picture
from treatment.rules.doses import Cumulative, ProcedureDose, shown
from treatment.rules.forms import treatment_forms, treatment_visits
from treatment.rules.timing import Finding, FindingOutcome, PlannedLesion, ProcedureTimes
from treatment.selectors.admission import NOT_YET, no_more_allowed
from treatment.selectors.allocation import Given, Readiness, allocation_of, is_randomised_trial, readiness
from treatment.selectors.record import SubjectTreatment, treatment_of
from trials.schema import Premedication, Protocol, TimingRule
from visits.models import Visit
from visits.rules.schedule import day_in_words
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
    def detail(self) -> str:
        """What the finding says beyond the label of its rule: which dose, what is missing, or yes and no."""
        about, _, said = self.finding.because.removeprefix(self.rule.label).strip().partition(":")
        if self.finding.outcome is FindingOutcome.UNKNOWN or self.finding.measured is None:
            return " · ".join(filter(None, [about.strip("() "), said.strip().capitalize()]))
        return about.strip("() ")

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
    def begun(self) -> str:
        """Start of the infusion on the clock of the site."""
        return moment_words(self.started) if self.started else ""

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


DOSE_HEADS = ("Height", "Weight", "Body surface", "Planned", "Volume", "Vials", "Given", "Difference")


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
    def dose_heads(self) -> tuple[str, ...]:
        """Heads of the table of a dose."""
        return DOSE_HEADS

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
        picture=procedure_picture(treatment, times, findings) if times and times.t0 else None,
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
    if lesion.ablated_in is None:
        return LesionRow(
            lesion, "unknown", f"Planned for procedure {lesion.planned_procedure}, not recorded yet"
        )
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


def moment_words(moment: datetime) -> str:
    """A moment on the clock of its own zone, with the zone's name: `4 Mar 2025, 08:30 CET`."""
    return f"{day_in_words(moment.date())}, {moment:%H:%M %Z}"


def difference_words(dose: ProcedureDose) -> str:
    """Given against planned dose in words: `+2.2 %`."""
    if dose.difference_pct is None:
        return ""
    sign = "+" if dose.difference_pct > 0 else "\N{MINUS SIGN}" if dose.difference_pct < 0 else ""
    return f"{sign}{shown(abs(dose.difference_pct), '0.1')} %"
