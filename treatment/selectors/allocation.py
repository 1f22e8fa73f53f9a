"""Who was randomised, and what is still in the way. The list itself is read by nobody but the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from patients.models import Subject, SubjectStatus
from treatment.models import Allocation
from treatment.registry import GateAnswer, gate_answer
from treatment.rules.strata import missing_factor, randomises, sub_study_of
from treatment.selectors.record import CONSENT
from trials.schema import Arm, SubStudy


@dataclass(frozen=True)
class Step:
    """One thing that must hold before randomisation, and whether it does; `because` where it does not."""

    name: str
    holds: bool
    because: str = ""


@dataclass(frozen=True)
class Given:
    """An allocation as people see it: never more of the list than the subject's own place."""

    allocation: Allocation
    sub_study: SubStudy
    arm: Arm


@dataclass(frozen=True)
class Readiness:
    """What stands before the randomisation of a subject, and what the gate says."""

    sub_study: SubStudy | None
    steps: tuple[Step, ...]
    gate: GateAnswer | None

    @property
    def ready(self) -> bool:
        """Whether the subject can be randomised now."""
        return self.gate is not None and self.gate.open

    @property
    def because(self) -> str:
        """Why not: the first thing that is in the way."""
        waits = next((step.because for step in self.steps if not step.holds), "")
        return waits or ("" if self.gate is None or self.gate.open else self.gate.because)


def allocation_of(subject: Subject) -> Given | None:
    """The arm that a subject was allocated to; None before."""
    found = Allocation.objects.filter(subject=subject).first()
    if found is None:
        return None
    protocol = subject.version.protocol
    return Given(found, protocol.sub_study(found.sub_study), protocol.arm(found.arm))


def is_randomised_trial(subject: Subject) -> bool:
    """Whether subjects like this one are allocated by chance."""
    protocol = subject.version.protocol
    own = sub_study_of(protocol, subject.sub_study)
    return own.randomised if own else randomises(protocol)


def readiness(subject: Subject, document: Mapping[str, Any], on: date) -> Readiness:
    """What stands before the randomisation of a subject on a day.

    Parameters
    ----------
    document
        The subject's facts on that day.

    Notes
    -----
    The gate evaluates all criteria, so it is asked only when everything else is in place.
    """
    sub_study = sub_study_of(subject.version.protocol, subject.sub_study)
    steps = (_consented(document), _eligible(subject), _routed(sub_study), _stratified(sub_study, document))
    return Readiness(
        sub_study=sub_study,
        steps=steps,
        gate=gate_answer(subject, on) if all(step.holds for step in steps) else None,
    )


def _consented(document: Mapping[str, Any]) -> Step:
    known = len(str(document.get(CONSENT) or "")) == 10
    return Step("Consent", known, "no date of consent is recorded.")


def _eligible(subject: Subject) -> Step:
    because = f"the subject is “{subject.get_status_display()}”, not signed as eligible."
    return Step("Eligibility signed", subject.status == SubjectStatus.ELIGIBLE, because)


def _routed(sub_study: SubStudy | None) -> Step:
    if sub_study is None:
        return Step("Sub-study", False, "it is not routed to a sub-study yet.")
    return Step(
        f"Sub-study: {sub_study.name}",
        sub_study.randomised,
        f"{sub_study.name} has one arm; nothing is drawn.",
    )


def _stratified(sub_study: SubStudy | None, document: Mapping[str, Any]) -> Step:
    if sub_study is None or not sub_study.strata:
        return Step("Not stratified", True)
    missing = missing_factor(sub_study, document)
    return Step("Stratification", not missing, f"{missing} is not recorded, and it decides the stratum.")
