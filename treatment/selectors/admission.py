"""Whether a treatment form may be opened for a subject: eligibility first, allocation next, no procedure too many."""

from __future__ import annotations

from casebook.rules.projection import Source
from foundation import clock
from foundation.errors import DomainError
from patients.models import Subject, SubjectStatus
from treatment.errors import NotYetAllocatedError, NotYetEligibleError, OtherArmError, TooManyProceduresError
from treatment.models import Allocation
from treatment.rules.forms import infusion_form, treatment_forms
from treatment.rules.record import INFUSIONS, breaches_of_one_more
from treatment.rules.strata import randomises, sub_study_of
from treatment.rules.timing import Finding
from treatment.selectors.record import SubjectTreatment, treatment_of
from trials.schema import Protocol
from visits.models import Visit
from visits.rules.schedule import day_in_words

NOT_YET = frozenset({SubjectStatus.SCREENING, SubjectStatus.SCREEN_FAILURE})
"""Statuses without a signed decision that the subject is eligible. Later ones stay open for late data."""


def objection_to_opening(subject: Subject, form: str, visit: Visit | None) -> DomainError | None:
    """What stands against opening a form; None for forms that record no treatment.

    References
    ----------
    ICH E6(R3) 2.4, 4.2 (order of steps); protocol, treatment (number of procedures).
    """
    protocol = subject.version.protocol
    if form not in treatment_forms(protocol):
        return None
    if subject.status in NOT_YET:
        return NotYetEligibleError(
            form=protocol.form(form).name, number=subject.number, status=subject.get_status_display()
        )
    return _objection_of_arm(subject, protocol, form, visit) or _objection_of_plan(subject, form, visit)


def _objection_of_arm(
    subject: Subject, protocol: Protocol, form: str, visit: Visit | None
) -> DomainError | None:
    own = sub_study_of(protocol, subject.sub_study)
    if not (own.randomised if own else randomises(protocol)):
        return None
    name = protocol.form(form).name
    allocation = Allocation.objects.filter(subject=subject).first()
    if allocation is None:
        return NotYetAllocatedError(form=name, number=subject.number)
    arms = protocol.visit(visit.code).arms if visit else ()
    if arms and allocation.arm not in arms:
        return OtherArmError(
            form=name,
            arms=" or ".join(protocol.arm(code).name for code in arms),
            number=subject.number,
            arm=protocol.arm(allocation.arm).name,
        )
    return None


def _objection_of_plan(subject: Subject, form: str, visit: Visit | None) -> DomainError | None:
    """A hard rule about the whole plan that one more infusion, at this visit, would break."""
    protocol = subject.version.protocol
    infusion = infusion_form(protocol)
    if visit is None or not infusion or infusion not in protocol.visit(visit.code).forms:
        return None
    treatment = treatment_of(subject)
    if any(source.visit == str(visit) for source in _begun(treatment)):
        return None
    number = protocol.visit(visit.code).number or treatment.recorded.done + 1
    broken = breaches_of_one_more(protocol, treatment.recorded, number, clock.now())
    return too_many(treatment, broken[0]) if broken else None


def _begun(treatment: SubjectTreatment) -> list[Source]:
    members = treatment.members(INFUSIONS)
    return [
        source
        for row, source in zip(members, treatment.sources(INFUSIONS), strict=True)
        if row.moment("T0") is not None
    ]


def too_many(treatment: SubjectTreatment, finding: Finding) -> TooManyProceduresError:
    """The refusal of one more procedure, with what is recorded and the protocol's own words."""
    rule = next(each for each in treatment.protocol.timing if each.id == finding.rule)
    begun = [each.t0 for each in treatment.recorded.known.procedures if each.t0 is not None]
    days = sorted(moment.astimezone(treatment.zone).date() for moment in begun)
    return TooManyProceduresError(
        done=f"{len(days)} procedure{'' if len(days) == 1 else 's'}",
        on=" and ".join(day_in_words(day) for day in days),
        rule=rule.label,
    )


def no_more_allowed(treatment: SubjectTreatment) -> bool:
    """Whether the protocol forbids another procedure after those that are recorded."""
    recorded = treatment.recorded
    return bool(breaches_of_one_more(treatment.protocol, recorded, recorded.done + 1, clock.now()))
