"""Lists over many subjects: what waits for somebody, and what screening came to. Constant numbers of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse

from accounts.access import Access
from casebook.models import Entry
from eligibility.models import Assessment
from eligibility.policies import IN_SCREENING
from eligibility.rules.assessment import FAILING, CriterionOutcome, SetAssessment, Verdict
from eligibility.rules.outlook import Outlook, first_to_expire
from eligibility.selectors.evaluation import VIEW, Evaluation, evaluations_of
from eligibility.selectors.standing import Standing, compared_on, signed_of, standing
from patients.models import Subject
from patients.selectors import subjects_visible_to
from trials.models import Trial
from trials.schema import Criterion
from visits.rules.schedule import day_in_words

AHEAD = timedelta(days=7)
"""How long before facts run out somebody is told; a house rule."""
OVER = ("COMPLETED", "DISCONTINUED")
Kind = Literal["unsigned", "stale", "expiring"]


@dataclass(frozen=True)
class EligibilityTask:
    """Something about a subject's eligibility that waits for somebody.

    Attributes
    ----------
    kind
        Decided and not signed; signed and out of date; or resting on facts that run out soon.
    state
        Name of the status shape.
    due
        The day by which it should be done; None where no day presses.
    """

    kind: Kind
    subject: Subject
    state: str
    title: str
    detail: str
    due: date | None

    @property
    def url(self) -> str:
        """Address of the subject's eligibility page."""
        return reverse("eligibility", args=[self.subject.number])


def unsigned_or_stale(access: Access, on: date, *, permission: str = VIEW) -> list[EligibilityTask]:
    """Subjects whose eligibility waits: decided and unsigned, out of date, or about to run out; by deadline.

    Four statements, whatever the number of subjects.

    Parameters
    ----------
    on
        Today.
    permission
        Subjects where the person holds it; `eligibility.sign` gives those that they can sign themselves.
    """
    subjects = list(
        subjects_visible_to(access, permission).defer("version__definition").exclude(status__in=OVER)
    )
    signed = signed_of(subjects)
    touched = _touched_since_signed(signed)
    asked = [each for each in subjects if each.status in IN_SCREENING or each.pk in touched]
    days = {each.pk: compared_on(each, signed[each.pk], on) if each.pk in signed else on for each in asked}
    found = evaluations_of(asked, days)
    tasks = [task for each in asked for task in _tasks(each, found[each.pk], signed.get(each.pk), on)]
    return sorted(tasks, key=lambda task: (task.due or date.max, task.subject.number))


def _touched_since_signed(signed: Mapping[int, Assessment]) -> set[int]:
    """Subjects with an entry that was written after their assessment was signed: only those can be out of date."""
    later = Entry.objects.filter(subject=OuterRef("subject"), updated_at__gt=OuterRef("created_at"))
    rows: QuerySet[Assessment] = Assessment.objects.filter(pk__in=[each.pk for each in signed.values()])
    amended = rows.exclude(version=F("subject__version"))
    return set(rows.filter(Exists(later)).union(amended).values_list("subject_id", flat=True))


def _tasks(
    subject: Subject, now: Evaluation, assessment: Assessment | None, on: date
) -> Iterator[EligibilityTask]:
    if now.outlook is None:
        return
    stands = standing(subject, assessment, now, on) if assessment is not None else None
    if stands is not None and stands.state == "stale":
        yield _stale(subject, stands, on)
    elif subject.status == "SCREENING" and stands is None and not now.outlook.held:
        yield _unsigned(subject, now.outlook)
    elif subject.status in IN_SCREENING and now.outlook.verdict is not Verdict.INELIGIBLE:
        yield from _expiring(subject, now.outlook, on)


def _stale(subject: Subject, stands: Standing, on: date) -> EligibilityTask:
    named = [f"{each.label}: {each.before} → {each.after}" for each in stands.changes[:2]]
    more = len(stands.changes) - len(named)
    words = "; ".join(named) + (f" and {more} more" if more > 0 else "")
    ran_out = f"Held until {day_in_words(stands.expired)}." if stands.expired else ""
    return EligibilityTask(
        kind="stale",
        subject=subject,
        state="stale",
        title=f"{subject.number} · Eligibility is out of date",
        detail=f"{words}. {ran_out}".strip() if words else ran_out,
        due=stands.expired or on,
    )


def _unsigned(subject: Subject, outlook: Outlook) -> EligibilityTask:
    offered = f": {outlook.deciding.title}" if outlook.verdict is Verdict.ELIGIBLE else ""
    word = "Eligible" if outlook.verdict is Verdict.ELIGIBLE else "Not eligible"
    until = f" The facts hold until {day_in_words(outlook.valid_until)}." if outlook.valid_until else ""
    return EligibilityTask(
        kind="unsigned",
        subject=subject,
        state=word.lower().replace("not eligible", "ineligible"),
        title=f"{subject.number} · Eligibility to sign",
        detail=f"{word}{offered}.{until}",
        due=outlook.valid_until,
    )


def _expiring(subject: Subject, outlook: Outlook, on: date) -> Iterator[EligibilityTask]:
    first = first_to_expire(outlook.deciding)
    if first is None or first.valid_until is None or first.valid_until > on + AHEAD:
        return
    yield EligibilityTask(
        kind="expiring",
        subject=subject,
        state="check",
        title=f"{subject.number} · Facts run out",
        detail=f"{first.criterion.label}: certain until {day_in_words(first.valid_until)}.",
        due=first.valid_until,
    )


@dataclass(frozen=True)
class CriterionCount:
    """How many subjects a criterion stopped, and for how many it is not decided."""

    criterion: Criterion
    failed: int
    undetermined: int

    @property
    def failed_word(self) -> str:
        """`NOT MET` for an inclusion, `PRESENT` for an exclusion."""
        failing = CriterionOutcome.NOT_MET if self.criterion.kind == "inclusion" else CriterionOutcome.PRESENT
        return str(failing)


@dataclass(frozen=True)
class ScreeningOutcomes:
    """What screening came to in a trial, over each subject's newest assessment.

    Attributes
    ----------
    subjects
        How many subjects were counted.
    signed
        For how many of them the investigator's signed assessment counts; the others as they are evaluated now.
    verdicts
        Number of subjects by verdict, for each criteria set.
    criteria
        Every criterion, in the order of the protocol.
    """

    subjects: int
    signed: int
    verdicts: Mapping[str, Mapping[str, int]]
    criteria: tuple[CriterionCount, ...]


def screening_outcomes(
    trial: Trial, access: Access, on: date, *, permission: str = "report.view"
) -> ScreeningOutcomes:
    """Counts per criterion over the newest assessment of each subject; four statements, whatever their number.

    A signed assessment counts as it was signed; a subject in screening without one as its facts are today.
    Criteria are those of the versions that the subjects are under, the newest version's words where they share an id.
    """
    subjects = list(subjects_visible_to(access, permission).filter(trial=trial).defer("version__definition"))
    signed = signed_of(subjects)
    open_ones = [each for each in subjects if each.pk not in signed and each.status in IN_SCREENING]
    live = evaluations_of(open_ones, {each.pk: on for each in open_ones})
    counted = [*(_of_signed(each) for each in signed.values()), *(_of_live(each) for each in live.values())]
    outcomes = Counter(pair for outcome, _ in counted for pair in outcome.items())
    verdicts: dict[str, Counter[str]] = {}
    for _, sets in counted:
        for name, verdict in sets.items():
            verdicts.setdefault(name, Counter())[verdict] += 1
    return ScreeningOutcomes(
        subjects=len(counted),
        signed=len(signed),
        verdicts=verdicts,
        criteria=tuple(_counted(each, outcomes) for each in _criteria_of(subjects)),
    )


def _criteria_of(subjects: Collection[Subject]) -> list[Criterion]:
    versions = {each.version_id: each.version for each in subjects}.values()
    in_order = sorted(versions, key=lambda each: (each.effective_from, each.pk))
    return list(
        {criterion.id: criterion for each in in_order for criterion in each.protocol.criteria}.values()
    )


def _of_signed(assessment: Assessment) -> tuple[dict[str, str], dict[str, str]]:
    outcomes = {name: each["outcome"] for name, each in assessment.outcomes["criteria"].items()}
    return outcomes, {name: each["verdict"] for name, each in assessment.outcomes["sets"].items()}


def _of_live(evaluation: Evaluation) -> tuple[dict[str, str], dict[str, str]]:
    sets: Mapping[str, SetAssessment] = evaluation.assessment.sets
    outcomes = {each.criterion.id: str(each.outcome) for each in evaluation.results}
    return outcomes, {name: str(each.verdict) for name, each in sets.items()}


def _counted(criterion: Criterion, outcomes: Counter[tuple[str, str]]) -> CriterionCount:
    failed = sum(outcomes[criterion.id, str(outcome)] for outcome in FAILING)
    return CriterionCount(criterion, failed, outcomes[criterion.id, str(CriterionOutcome.UNDETERMINED)])
