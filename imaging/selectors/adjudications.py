"""Adjudications: the queue, and one case with both reads as A and B. Nothing names a reader, site, subject or date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Access
from accounts.models import Grant
from accounts.policies import ADJUDICATOR
from foundation import clock
from foundation.errors import NotFound
from imaging.masking import SLICE, unmasked
from imaging.models import (
    Adjudication,
    AdjudicationState,
    ImagingKey,
    Instance,
    Order,
    Read,
    ReadState,
    StudyState,
)
from imaging.policies import ADJUDICATORS_NUMBER
from imaging.rules.disagreement import WORDS
from imaging.rules.working_days import working_days_between
from imaging.selectors.judging import course_of, lesions_to_judge
from imaging.selectors.priors import prior_read
from imaging.selectors.reads import Case, cases_of, time_points_of
from imaging.selectors.time_order import earlier_than, later_than

PERMISSION = "adjudicate.read"
_first_or_second = Read.objects.exclude(number=ADJUDICATORS_NUMBER)


def _open_to(access: Access) -> QuerySet[Adjudication]:
    codes = access.trials(PERMISSION)
    found = Adjudication.objects.exclude(read_by(access.user_id))
    return found if "" in codes else found.filter(subject__trial__code__in=codes)


def read_by(user: int | None) -> Q:
    """Pairs of a case that somebody reads: whoever made one of the two reads, or others of the case, is no third."""
    return Q(Exists(_first_or_second.filter(subject=OuterRef("subject"), reader=user)))


def adjudicators_of(subject: int) -> QuerySet[Adjudication, int]:
    """Whoever decided a pair of a case, or has one open: they saw what its readers said."""
    seen = Adjudication.objects.filter(subject=subject, held_by__isnull=False)
    return seen.order_by().values_list("held_by_id", flat=True).distinct()


def without_adjudicator(trial: str) -> int:
    """How many pairs of a trial wait that nobody may decide: every adjudicator reads the case."""
    held = Grant.objects.held_at(clock.now()).filter(role=ADJUDICATOR, trial=trial, user__is_active=True)
    own = _first_or_second.filter(subject=OuterRef(OuterRef("subject")), reader=OuterRef("user"))
    free = held.exclude(Exists(own))
    waiting = Adjudication.objects.filter(
        current(), subject__trial__code=trial, state=AdjudicationState.WAITING
    )
    return waiting.exclude(Exists(free)).count()


def current() -> Q:
    """Pairs of which neither read was corrected since."""
    either = Q(supersedes=OuterRef("first")) | Q(supersedes=OuterRef("second"))
    later = Read.objects.filter(either, state=ReadState.SIGNED)
    return Q(~Exists(later))


def after_another() -> Q:
    """Pairs that wait for an earlier time point of their case, on whose result an adjudicator's read rests."""
    earlier = Adjudication.objects.filter(
        current(), earlier_than(), subject=OuterRef("subject"), state=AdjudicationState.WAITING
    )
    return ~Q(first__order=Order.RANDOM) & Q(Exists(earlier))


@dataclass(frozen=True)
class AdjudicationRow:
    """A disagreement in the queue, in words that blind."""

    adjudication: Adjudication
    case: str
    time_point: int
    differences: str
    working_days_left: int
    held: bool
    waits: bool

    @property
    def overdue(self) -> bool:
        """Whether its deadline has passed."""
        return self.working_days_left < 0


def adjudication_rows(access: Access) -> list[AdjudicationRow]:
    """What waits for an adjudicator, oldest due first; what another one holds now, or waits its turn, is said to."""
    now, today = clock.now(), clock.today()
    waiting = _open_to(access).filter(current(), state=AdjudicationState.WAITING)
    rows = list(waiting.annotate(waits=after_another()).order_by("due_on", "pk"))
    subjects = {row.subject_id for row in rows}
    cases = dict(ImagingKey.objects.filter(subject__in=subjects).values_list("subject", "case_code"))
    ranks = {subject: time_points_of(subject) for subject in subjects}
    return [
        AdjudicationRow(
            adjudication=row,
            case=cases.get(row.subject_id, ""),
            time_point=ranks[row.subject_id][row.visit_id],
            differences=in_words(row.differences),
            working_days_left=working_days_between(today, row.due_on),
            held=is_held(row, access.user_id, now),
            waits=row.waits,
        )
        for row in rows
    ]


DECIDED_SHOWN = 50


def decided_by(access: Access) -> list[tuple[Adjudication, Case]]:
    """What this adjudicator decided lately, the latest first, under the names that blind; four statements."""
    mine = _open_to(access).filter(held_by=access.user_id, state=AdjudicationState.SIGNED)
    rows = list(mine.select_related("first").order_by("-signed_at")[:DECIDED_SHOWN])
    cases = cases_of([row.first for row in rows])
    return [(row, cases[row.first_id]) for row in rows]


def is_held(row: Adjudication, user: int | None, now: datetime) -> bool:
    """Whether somebody else works on it at the moment."""
    until = row.held_until
    return row.held_by_id not in (None, user) and until is not None and until > now


def in_words(names: Sequence[str]) -> str:
    """Variables in which two readers differ, as one phrase."""
    return ", ".join(WORDS.get(name, name) for name in names)


def get_adjudication(access: Access, opaque: UUID) -> Adjudication:
    """An adjudication that this person may decide, or decided.

    Raises
    ------
    NotFound
    """
    row = (
        _open_to(access)
        .filter(opaque=opaque)
        .select_related(
            "subject__trial", "subject__version", "visit", "first__visit", "second__visit", "signature"
        )
        .first()
    )
    if row is None:
        raise NotFound(what="case", name=str(opaque))
    return row


def case_of(row: Adjudication) -> Case:
    """Name and time point."""
    code = ImagingKey.objects.filter(subject=row.subject_id).values_list("case_code", flat=True).first()
    return Case(code or "", time_points_of(row.subject_id)[row.visit_id])


def sides(row: Adjudication) -> dict[str, Read]:
    """The two reads under the letters that were drawn for them."""
    a, b = (row.first, row.second) if row.first_is_a else (row.second, row.first)
    for read in (a, b):
        read.subject = row.subject
    return {"A": a, "B": b}


@dataclass(frozen=True)
class Line:
    """One answer of both readers."""

    what: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """Whether they say different things."""
        return self.a != self.b


def comparison(row: Adjudication) -> list[Line]:
    """Answers of both reads side by side; what differs first."""
    said = {letter: _answers(read) for letter, read in sides(row).items()}
    names = list(dict.fromkeys([*said["A"], *said["B"]]))
    lines = [Line(name, said["A"].get(name, "—"), said["B"].get(name, "—")) for name in names]
    return sorted(lines, key=lambda line: not line.differs)


def _answers(read: Read) -> Mapping[str, str]:
    charter = read.subject.version.protocol.charter
    words = {each.code: each.label for each in charter.lesion_outcomes} if charter else {}
    found = {"Image quality": read.get_image_quality_display()}
    own_list = charter is not None and charter.lesions == "reader"
    for each in lesions_to_judge(read):
        name = each.lesion.name
        name = f"{name}, {each.lesion.place}" if own_list else name
        if each.outcome:
            found[f"{name}, outcome"] = words.get(each.outcome, each.outcome)
        if each.mm is not None or each.status:
            found[f"{name}, size"] = _mm(each.mm)
    course = course_of(read)
    if course is not None and course.assessed:
        found["Sum of diameters"] = _mm(course.assessed[-1].sum_mm)
    found["Non-target lesions"] = read.non_target
    found["New lesion"] = read.get_new_lesion_display() if read.new_lesion else ""
    found["Overall response"] = read.overall
    found["Why it differs from the rules"] = read.response_comment
    found["What limits the images"] = read.quality_reason
    found["Comment"] = read.comment
    return {name: value for name, value in found.items() if value}


def _mm(value: Decimal | None) -> str:
    return "not evaluable" if value is None else f"{value.normalize():f} mm"


def own_read(row: Adjudication, user: int | None) -> Read | None:
    """The read that this adjudicator made of the same images since the pair differed."""
    return (
        Read.objects.filter(
            visit=row.visit_id, number=ADJUDICATORS_NUMBER, reader=user, assigned_at__gte=row.assigned_at
        )
        .order_by("-pk")
        .first()
    )


def frame_key(access: Access, opaque: UUID, name: UUID) -> str:
    """Where the frame of a slice is stored, if an adjudication that this person may see shows it, or an earlier one.

    Raises
    ------
    NotFound
    """
    pk = unmasked(opaque, SLICE, name)
    own = Q(visit=OuterRef("series__study__visit"))
    earlier = later_than("series__study__visit") & Q(subject=OuterRef("series__study__subject"))
    shown = _open_to(access).filter(own | earlier, opaque=opaque)
    found = (
        Instance.objects.filter(Exists(shown), pk=pk, series__study__state=StudyState.QC_PASS)
        .values_list("frame_key", flat=True)
        .first()
        if pk is not None
        else None
    )
    if found is None:
        raise NotFound(what="image", name=str(name))
    return found


def shown_reads(row: Adjudication, *, prior: bool) -> dict[str, Read]:
    """Both reads under their letters, or those of the time point before, where each has one of the same."""
    both = sides(row)
    if not prior:
        return both
    earlier = {letter: prior_read(read) for letter, read in both.items()}
    return {letter: read for letter, read in earlier.items() if read is not None}


def adjudication_share(trial: str) -> tuple[int, int]:
    """Pairs of signed reads that were compared in a trial, and how many of them an adjudicator must decide or did."""
    second = Read.objects.filter(
        visit=OuterRef("visit"), number=2, state=ReadState.SIGNED, repeat_of__isnull=True
    )
    pairs = Read.objects.filter(
        Exists(second), number=1, state=ReadState.SIGNED, repeat_of__isnull=True, subject__trial__code=trial
    )
    differing = Adjudication.objects.filter(subject__trial__code=trial)
    return pairs.values("visit").distinct().count(), differing.values("visit").distinct().count()


def accepted_letter(row: Adjudication) -> str:
    """Whose read an adjudicator took: `first`, `second`, or empty where the images were read anew."""
    return {row.first_id: "first", row.second_id: "second"}.get(row.accepted_id or 0, "")
