"""What a reader judges in a read: outcomes of lesions, sizes, marks, and the response that follows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from imaging.models import ImageQuality, Measurement, Order, Question, Read, Series
from imaging.rules import new_lesions
from imaging.rules.ablation import LesionOutcome as Outcome
from imaging.rules.ablation import allowed_outcomes
from imaging.rules.course import WORDS, EarlierRead, standing
from imaging.rules.recist_course import (
    ABSENT,
    LIMIT,
    MERGED,
    NON_TARGET,
    NOT_EVALUABLE,
    SPLIT,
    TARGET,
    TOO_SMALL,
    Course,
    SizedLesion,
    Sizes,
    beyond_limit,
    how_sized,
    merged_into,
    recist_course,
    signed,
    size_of,
)
from imaging.selectors.answered import measurements_of, outcomes_of
from imaging.selectors.chosen import lesions_listed
from imaging.selectors.lesions import Lesion, as_listed
from imaging.selectors.priors import earlier_reads, points_of
from imaging.selectors.reads import time_points_of
from patients.models import Subject
from visits.models import Visit, VisitState

TENTH = Decimal("0.1")
ABLATION, RECIST = "ablation", "recist"
JUDGED_KINDS = frozenset({"follow_up", "unscheduled"})
SIZE_WORDS = (
    (TOO_SMALL, "Too small to measure (5 mm)"),
    (ABSENT, "Gone (0 mm)"),
    (NOT_EVALUABLE, "Not evaluable"),
    (SPLIT, "Split: its parts are measured and added up"),
)
AT_BASELINE = "A target lesion is measured at the first time point: later sizes are compared with it."


def size_in_words(status: str) -> str:
    """How a lesion is there that is not measured as one."""
    into = merged_into(status)
    return f"Merged with {into}" if into else dict(SIZE_WORDS)[status]


@dataclass(frozen=True)
class LesionToJudge:
    """A lesion in the list of the reading page.

    Attributes
    ----------
    options, outcome, before
        What may be said of its ablation on this scan, what was said, and what was said the last time, in words.
    rule
        Why just that may be said of it.
    asks_size, sizes
        Whether its size counts for the response, and what may be said instead of measuring it.
    beyond
        Whether it is a target lesion beyond those that may count, so that it takes no measure.
    status
        How it is there, where it was not measured.
    mm, before_mm
        Its size that counts, now and at the time point before, mm; None where there is none.
    """

    lesion: Lesion
    options: tuple[tuple[str, str], ...]
    outcome: str
    before: str
    rule: str = ""
    asks_size: bool = False
    sizes: tuple[tuple[str, str], ...] = ()
    beyond: bool = False
    status: str = ""
    mm: Decimal | None = None
    before_mm: Decimal | None = None

    @property
    def change_mm(self) -> Decimal | None:
        """By how much it grew since the time point before, mm."""
        return None if self.mm is None or self.before_mm is None else self.mm - self.before_mm

    @property
    def change(self) -> str:
        """The same in words, with its share of the size before."""
        if self.change_mm is None or self.before_mm is None:
            return ""
        words = f"{signed(self.change_mm.quantize(TENTH, ROUND_HALF_UP))} mm"
        if not self.before_mm:
            return words
        share = (self.change_mm * 100 / self.before_mm).quantize(Decimal(1), ROUND_HALF_UP)
        return f"{words} ({signed(share)} %)"

    @property
    def now(self) -> str:
        """Its answer as one reads it in the list."""
        if self.outcome:
            return dict(self.options).get(self.outcome, self.outcome)
        if merged_into(self.status):
            return f"in {merged_into(self.status)}"
        if self.mm is not None:
            return f"{self.mm.quantize(TENTH, ROUND_HALF_UP)} mm"
        return "Not evaluable" if self.status == NOT_EVALUABLE else ""

    @property
    def asked(self) -> bool:
        """Whether the read cannot be signed without it."""
        return bool(self.options) or self.asks_size

    @property
    def settled(self) -> bool:
        """Whether everything that is asked about it is answered."""
        return self.asked and bool(self.outcome or not self.options) and (self.sized or not self.asks_size)

    @property
    def sized(self) -> bool:
        """Whether its size is settled: measured, or said why not where that may be said."""
        if self.status and self.status not in dict(self.sizes):
            return False
        return self.mm is not None or self.status == NOT_EVALUABLE

    @property
    def in_parts(self) -> bool:
        """Whether it split, so that each measure is one of its parts."""
        return self.status == SPLIT


def lesions_to_judge(read: Read) -> list[LesionToJudge]:
    """Lesions of a read, with what may be said of each, what was said, and what the reader said the last time."""
    lesions = lesions_listed(read)
    said, statuses = outcomes_of(read), outcomes_of(read, Question.SIZE)
    earlier = [] if read.order == Order.RANDOM else _earlier_outcomes(read)
    procedures = _procedure_days(read)
    charter = read.subject.version.protocol.charter
    words = {each.code: each.label for each in charter.lesion_outcomes} if charter else {}
    judged = judges_outcomes(read)
    now, before = _sizes(read, lesions), _sizes_before(read, lesions)
    asked = _targets_asked(read, lesions)
    shown = []
    for lesion in lesions:
        state = standing(lesion.name, earlier, procedures, scan_day(read.visit))
        allowed = allowed_outcomes(state) if judged else frozenset[Outcome]()
        options = tuple((code, label) for code, label in words.items() if code in allowed)
        last = next(
            (each.outcomes[lesion.name] for each in reversed(earlier) if lesion.name in each.outcomes), ""
        )
        shown.append(
            LesionToJudge(
                lesion,
                options,
                said.get(lesion.name, ""),
                words.get(last, last),
                rule=WORDS[state] if judged else asked.rule(lesion),
                asks_size=lesion.name in asked.counted,
                sizes=asked.sizes_of(lesion, statuses),
                beyond=lesion.name in asked.beyond,
                status=statuses.get(lesion.name, ""),
                mm=now.get(lesion.name),
                before_mm=before.get(lesion.name),
            )
        )
    return shown


def list_rested_on(read: Read) -> dict[str, Any]:
    """Lesions on which a read rests, as they are listed: all where it judges them all, else those that it measured."""
    readable = read.image_quality != ImageQuality.INADEQUATE
    whole = readable and (judges_outcomes(read) or judges_response(read))
    measured = {mark.lesion for mark in measurements_of(read)}
    rests = [each for each in lesions_listed(read) if whole or each.name in measured]
    return {"whole": whole, "lesions": as_listed(rests)}


def judges_outcomes(read: Read) -> bool:
    """Whether the reader says what became of each ablated lesion: at follow-up scans, where the charter asks for it."""
    protocol = read.subject.version.protocol
    if protocol.charter is None or ABLATION not in protocol.charter.assessments:
        return False
    plan = next((each for each in protocol.visits if each.code == read.visit.code), None)
    return plan is None or plan.kind in JUDGED_KINDS


def judges_response(read: Read) -> bool:
    """Whether sizes and RECIST response are asked.

    Not where lesions are ablated: the zone of an ablation is larger than its tumour by intention, so that a growing
    size is no progression. Not in a random order: a response would tell which scan came first.
    """
    charter = read.subject.version.protocol.charter
    asked = charter is not None and RECIST in charter.assessments and ABLATION not in charter.assessments
    return asked and read.order != Order.RANDOM


def judges_non_target(read: Read) -> bool:
    """Whether the reader says how the non-target lesions are: after the first time point, where there are some."""
    return judges_overall(read) and any(each.kind == NON_TARGET for each in lesions_listed(read))


def judges_overall(read: Read) -> bool:
    """Whether the reader states an overall response: at every time point after the first."""
    return judges_response(read) and bool(earlier_reads(read))


def scan_day(visit: Visit) -> date:
    """The day by which a scan is ordered among procedures and other scans; never shown to readers."""
    return visit.happened_on or visit.target or date.max


def _earlier_outcomes(read: Read) -> list[EarlierRead]:
    return [EarlierRead(scan_day(each.visit), outcomes_of(each)) for each in earlier_reads(read)]


def _procedure_days(read: Read) -> list[date]:
    """Days of the procedures that took place; a follow-up scan without any on record is taken to follow one."""
    return procedure_days([read.subject])[read.subject_id] or [date.min]


def procedure_days(subjects: Collection[Subject]) -> dict[int, list[date]]:
    """Days of the procedures that took place, by subject; one statement."""
    treated = {
        (subject.pk, plan.code)
        for subject in subjects
        for plan in subject.version.protocol.visits
        if plan.kind == "treatment"
    }
    done = Visit.objects.filter(
        subject__in=[subject.pk for subject in subjects], state=VisitState.DONE, happened_on__isnull=False
    )
    found: dict[int, list[date]] = {subject.pk: [] for subject in subjects}
    for subject, code, day in done.values_list("subject", "code", "happened_on"):
        if (subject, code) in treated and day is not None:
            found[subject].append(day)
    return found


# Sizes and response ---------------------------------------------------------------------------------------------------


def _sizes(read: Read, lesions: Collection[Lesion]) -> dict[str, Decimal | None]:
    """Size of each lesion that was measured, or of which it was said how it is there."""
    statuses = outcomes_of(read, Question.SIZE)
    marks, found = diameters(measurements_of(read)), dict[str, Decimal | None]()
    for lesion in _sized_lesions(lesions):
        try:
            status = statuses.get(lesion.name, "")
            found[lesion.name] = size_of(status, marks.get(lesion.name, ()), nodal=lesion.nodal)
        except LookupError:
            continue
    return found


def diameters(marks: Iterable[Measurement]) -> dict[str, list[tuple[Decimal, Decimal | None]]]:
    """Long and short diameter of each mark by lesion, the newest last, which counts unless the lesion split."""
    found: dict[str, list[tuple[Decimal, Decimal | None]]] = {}
    for mark in sorted(marks, key=lambda mark: mark.pk):
        found.setdefault(mark.lesion, []).append((mark.length_mm, mark.short_mm))
    return found


def _how_sized(read: Read, lesions: Collection[Lesion]) -> dict[str, str]:
    """How sizes came about that are not one measure, by lesion."""
    statuses, marks = outcomes_of(read, Question.SIZE), diameters(measurements_of(read))
    said = {
        each.name: how_sized(statuses.get(each.name, ""), marks.get(each.name, ()), nodal=each.nodal)
        for each in _sized_lesions(lesions)
    }
    return {name: words for name, words in said.items() if words}


@dataclass(frozen=True)
class _Targets:
    """Which targets are sized in a read, which ones cannot count, and what may be said instead of measuring."""

    counted: frozenset[str] = frozenset()
    beyond: frozenset[str] = frozenset()
    instead: tuple[tuple[str, str], ...] = ()
    organs: Mapping[str, str] = field(default_factory=dict)

    def sizes_of(self, lesion: Lesion, statuses: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """What may be said instead of measuring a lesion; it merges with another target of its organ."""
        if not self.instead or lesion.name not in self.counted:
            return self.instead
        others = [
            name
            for name in sorted(self.counted - {lesion.name})
            if self.organs[name] == lesion.organ and not merged_into(statuses.get(name, ""))
        ]
        return (*self.instead, *((f"{MERGED} {name}", f"Merged with {name}") for name in others))

    def rule(self, lesion: Lesion) -> str:
        if lesion.name in self.beyond:
            return f"{LIMIT[:1].upper()}{LIMIT[1:]}"
        return AT_BASELINE if lesion.name in self.counted and not self.instead else ""


def _targets_asked(read: Read, lesions: Collection[Lesion]) -> _Targets:
    if not judges_response(read):
        return _Targets()
    first = _compared(read)[0]
    sized = [name for name, mm in _sizes(first, lesions).items() if mm]
    beyond = beyond_limit(_sized_lesions(lesions), sized)
    counted = frozenset(each.name for each in lesions if each.kind == TARGET) - beyond
    organs = {each.name: each.organ for each in lesions}
    return _Targets(counted, beyond, () if _is_baseline(read) else SIZE_WORDS, organs)


def _is_baseline(read: Read) -> bool:
    """Whether later sizes are compared with this read: no earlier time point of the case was readable."""
    unreadable = len(earlier_reads(read)) == time_points_of(read.subject_id)[read.visit_id] - 1
    return judges_response(read) and unreadable and len(_compared(read)) == 1


def _compared(read: Read) -> list[Read]:
    """Readable time points before a read and the read itself, the oldest first."""
    return [*(each for each in earlier_reads(read) if each.image_quality != ImageQuality.INADEQUATE), read]


def _sized_lesions(lesions: Collection[Lesion]) -> list[SizedLesion]:
    return [SizedLesion(each.name, each.organ, each.kind) for each in lesions]


def _sizes_before(read: Read, lesions: Collection[Lesion]) -> dict[str, Decimal | None]:
    earlier = earlier_reads(read)
    return _sizes(earlier[-1], lesions) if earlier else {}


def course_of(read: Read) -> Course | None:
    """Response at this time point with its arithmetic, from what was answered so far; None where none is asked."""
    if not judges_response(read):
        return None
    lesions, points = lesions_listed(read), _compared(read)
    numbers = time_points_of(read.subject_id)
    sizes = [_point(each, numbers[each.visit_id], lesions) for each in points]
    return recist_course(_sized_lesions(lesions), sizes, _thickest(points[0]))


def departs(read: Read, course: Course | None) -> bool:
    """Whether the reader must explain the overall response: the rules give another one, or none."""
    if course is None or course.waiting or not read.overall:
        return False
    return course.overall != read.overall


def _point(read: Read, number: int, lesions: Collection[Lesion]) -> Sizes:
    how = _how_sized(read, lesions)
    return Sizes(number, _sizes(read, lesions), read.non_target, read.new_lesion, how)


def new_lesion_options(read: Read) -> tuple[tuple[str, str], ...]:
    """What may be said of a new lesion: a doubtful one is followed where a response is asked, and may be confirmed."""
    offered = [new_lesions.NEW, new_lesions.NONE]
    if judges_overall(read):
        offered.append(new_lesions.EQUIVOCAL)
        if new_lesions.doubtful_since(points_of(earlier_reads(read))) is not None:
            offered.append(new_lesions.CONFIRMED)
    return tuple((code, new_lesions.WORDS[code]) for code in offered)


def _thickest(read: Read) -> Decimal | None:
    """Slice thickness of the series on which a read's marks lie, mm; the thickest where there are several."""
    series = Series.objects.filter(
        instances__in=[mark.instance_id for mark in measurements_of(read)], thickness_mm__isnull=False
    )
    return max((each for each in series.values_list("thickness_mm", flat=True) if each), default=None)


def marks_by_lesion(marks: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    """Marks of a read by their lesion."""
    found: dict[str, list[Measurement]] = {}
    for mark in marks:
        found.setdefault(mark.lesion, []).append(mark)
    return found
