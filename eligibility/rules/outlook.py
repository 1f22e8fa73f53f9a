"""What the criteria sets of a protocol come to together: which decides, where it leads, how long it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eligibility.rules.assessment import (
    FAILING,
    HOLD,
    Assessment,
    CriterionOutcome,
    CriterionResult,
    Route,
    SetAssessment,
    Verdict,
    earliest,
    route,
)
from trials.schema import Protocol


@dataclass(frozen=True)
class Outlook:
    """The sets that decide, in their order, and where they lead.

    Attributes
    ----------
    order
        Sets that are part of the gate; a set that waits for the sponsor's confirmation may not be among them.
    verdict
        Eligible where a set is offered, undetermined while held, ineligible otherwise.
    deciding
        The set that the verdict rests on: the offered one, or the one that holds, or the last that could be offered.
    valid_until
        The last day on which the same facts are certain to lead here; None where no such day is known.
    """

    order: tuple[SetAssessment, ...]
    route: Route
    verdict: Verdict
    deciding: SetAssessment
    valid_until: date | None

    @property
    def held(self) -> bool:
        """Whether nobody may be routed anywhere yet."""
        return self.route.decision == HOLD


def outlook_of(protocol: Protocol, assessment: Assessment) -> Outlook | None:
    """The outlook of an assessment; None where the protocol has no criteria.

    A protocol without routing is decided by its first set that is not provisional.

    References
    ----------
    Protocol, routing: the first eligible set in order is offered; an undetermined one before it holds.
    """
    names = protocol.routing.order if protocol.routing is not None else _first_set(protocol)
    order = tuple(assessment.sets[name] for name in names)
    if not order:
        return None
    taken = assessment.route or route(order)
    if taken.offer is not None:
        asked = order[: names.index(taken.offer) + 1]
        return Outlook(order, taken, Verdict.ELIGIBLE, asked[-1], _until(asked))
    if taken.decision == HOLD:
        deciding = next(each for each in order if each.verdict is Verdict.UNDETERMINED)
        return Outlook(order, taken, Verdict.UNDETERMINED, deciding, None)
    return Outlook(order, taken, Verdict.INELIGIBLE, order[-1], _until(order))


def _first_set(protocol: Protocol) -> tuple[str, ...]:
    confirmed = [each.name for each in protocol.sets if not each.provisional]
    return tuple((confirmed or [each.name for each in protocol.sets])[:1])


def _until(sets: tuple[SetAssessment, ...]) -> date | None:
    return earliest(each.valid_until for each in sets)


def sub_study_for(protocol: Protocol, set_name: str) -> str:
    """Code of the sub-study that takes the eligible subjects of a set; empty where there is none."""
    return next((each.code for each in protocol.sub_studies if each.criteria_set == set_name), "")


def against(assessment: SetAssessment) -> tuple[CriterionResult, ...]:
    """The criteria of a set that fail."""
    return tuple(each for each in assessment.criteria if each.outcome in FAILING)


def unknown(assessment: SetAssessment) -> tuple[CriterionResult, ...]:
    """The criteria of a set that are not decided."""
    return tuple(each for each in assessment.criteria if each.outcome is CriterionOutcome.UNDETERMINED)


def first_to_expire(assessment: SetAssessment) -> CriterionResult | None:
    """The passed criterion of a set that is the first not to be certain any more; None where none expires."""
    passed = [each for each in assessment.criteria if each.passed and each.valid_until is not None]
    return min(passed, key=lambda each: each.valid_until or date.max, default=None)
