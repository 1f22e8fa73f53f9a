"""A patient in all trials, side by side: what each trial's criteria say today, what is against and what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from accounts.access import Access
from eligibility.pages.criteria import STATES, Missing, SetSummary, set_summaries
from eligibility.pages.places import Place, Places, fact_path
from eligibility.rules.assessment import CriterionResult
from eligibility.selectors import Screened, TrialEvaluation, pre_screening
from patients.models import Subject
from trials.models import Trial
from visits.models import Visit
from visits.selectors import visit_names


@dataclass(frozen=True)
class Stopping:
    """A criterion that fails, or one that is not decided with what it waits for."""

    result: CriterionResult
    state: str
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class SetInTrial:
    """One criteria set of one trial, for this patient.

    Attributes
    ----------
    subject
        This patient in that trial; None where screening has not begun.
    places
        The forms where what is missing is entered, each once.
    """

    trial: Trial
    version: str
    subject: Subject | None
    summary: SetSummary
    route: str
    against: tuple[Stopping, ...]
    unknown: tuple[Stopping, ...]
    places: tuple[Place, ...]


def trials_page(access: Access, subject: Subject, as_of: date) -> tuple[SetInTrial, ...]:
    """Every criteria set of every trial that the person may see: five statements."""
    screened = pre_screening(access, subject, as_of)
    own = [each.subject for each in screened.trials if each.subject is not None]
    visits: dict[int, list[Visit]] = {}
    for visit in visit_names([each.pk for each in own]):
        visits.setdefault(visit.subject_id, []).append(visit)
    ordered = sorted(own, key=lambda each: each.pk != subject.pk)
    return tuple(
        shown for each in screened.trials for shown in _sets(each, _places(each, screened, ordered, visits))
    )


def _places(
    trial: TrialEvaluation, screened: Screened, subjects: Iterable[Subject], visits: dict[int, list[Visit]]
) -> Places:
    """Missing facts are entered in this trial's casebook where there is one, else in that of another trial."""
    in_order = sorted(subjects, key=lambda each: trial.subject is None or each.pk != trial.subject.pk)
    return Places(
        trial.evaluation.protocol,
        trial.evaluation.projection,
        screened.entries,
        {each: visits.get(each.pk, []) for each in in_order},
    )


def _sets(trial: TrialEvaluation, places: Places) -> list[SetInTrial]:
    outlook = trial.evaluation.outlook
    return [
        _set(trial, each, outlook.route.decision if outlook is not None and each.decides else "", places)
        for each in set_summaries(trial.evaluation)
    ]


def _set(trial: TrialEvaluation, summary: SetSummary, route: str, places: Places) -> SetInTrial:
    unknown = tuple(_waiting(trial, each, places) for each in summary.unknown)
    forms = {each.place.words: each.place for stop in unknown for each in stop.missing}
    return SetInTrial(
        trial=trial.version.trial,
        version=trial.version.label,
        subject=trial.subject,
        summary=summary,
        route=route,
        against=tuple(Stopping(each, STATES[each.outcome]) for each in summary.against),
        unknown=unknown,
        places=tuple(forms.values()),
    )


def _waiting(trial: TrialEvaluation, result: CriterionResult, places: Places) -> Stopping:
    protocol = trial.evaluation.protocol
    notes = {each.path: each.note for each in result.evidence}
    missing = tuple(
        Missing(path.label, "too old" if outdated else "", places.to_enter(path, anew=outdated))
        for name in result.missing
        for path in [fact_path(protocol, name)]
        if path is not None
        for outdated in [notes.get(name, "").startswith("dated ")]
    )
    return Stopping(result, STATES[result.outcome], missing)
