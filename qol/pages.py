"""The quality-of-life page of a subject: each questionnaire with its score, and what is still expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from casebook.models import Entry, EntryState
from casebook.pages.addresses import form_url
from casebook.rules.projection import Projection
from casebook.rules.status import Status, form_status, planned_forms
from foundation import clock
from patients.models import Subject
from qol.models import Invitation, InvitationState
from qol.rules.course import Filled, Point, course_of, points
from qol.rules.fhsi_8_version_4 import score_fhsi8
from qol.rules.questionnaire import Questionnaire, deterioration_of
from qol.selectors import Standing, invitations_of, licensed_languages, standing_of, why_not_licensed
from qol.words import language_name
from trials.schema import Endpoint
from visits.models import Visit, VisitState
from visits.selectors import visits_of

LINK_STATES = {
    Standing.EARLY: ("sent", "Link sent, opens later"),
    Standing.OPEN: ("sent", "Link sent, not answered"),
    Standing.ANSWERED: ("answered", "Answered by the patient"),
    Standing.EXPIRED: ("expired", "Link expired, not received"),
    Standing.REVOKED: ("closed", "Link taken back"),
}


MOST_DRAWN = 8
"""Points that the chart of a panel holds without words running into each other."""


@dataclass(frozen=True)
class Link:
    """The newest link of a visit, in words."""

    invitation: Invitation
    standing: Standing
    state: str
    words: str
    corrected: bool

    @property
    def open(self) -> bool:
        """Whether it still waits for the patient."""
        return self.standing in {Standing.OPEN, Standing.EARLY}


@dataclass(frozen=True)
class Row:
    """One visit that has the questionnaire.

    Attributes
    ----------
    timing
        "3 d late" where the form was filled in outside of the visit's window; empty otherwise.
    may_invite
        Whether a link could be sent now, licence and role aside.
    """

    visit: Visit
    name: str
    url: str
    status: Status
    point: Point | None
    score: str
    change: str
    timing: str
    link: Link | None
    may_invite: bool


@dataclass(frozen=True)
class QualityOfLife:
    """Everything on the page but the banner.

    Attributes
    ----------
    unlicensed
        Why no link may be sent; empty where one may.
    chart
        (visit, score) of the baseline and the newest evaluable forms by completion, rounded for the drawing.
    """

    questionnaire: Questionnaire
    rows: tuple[Row, ...]
    languages: tuple[tuple[str, str], ...]
    unlicensed: str
    threshold: Decimal | None
    endpoint: Endpoint | None
    chart: tuple[tuple[str, Decimal], ...]
    baseline: Point | None
    latest: Point | None
    latest_visit: str

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.questionnaire.instrument.items)

    @property
    def baseline_score(self) -> str:
        """The baseline in points."""
        return _points_of(self.baseline)

    @property
    def latest_score(self) -> str:
        """The newest score in points."""
        return _points_of(self.latest)

    @property
    def threshold_points(self) -> str:
        """The threshold in points."""
        return "" if self.threshold is None else points(self.threshold)


def _points_of(point: Point | None) -> str:
    score = point.filled.result.score if point else None
    return "" if score is None else points(score)


@dataclass(frozen=True)
class Score:
    """A scored form and where it stands in the casebook."""

    entry_id: int
    visit: str
    point: Point


def quality_of_life_page(
    subject: Subject, questionnaire: Questionnaire, projection: Projection
) -> QualityOfLife:
    """Make the page; five statements besides the projection."""
    protocol, today = subject.version.protocol, clock.today(subject.site.time_zone)
    deterioration = deterioration_of(protocol, questionnaire.instrument)
    scores = scores_of(questionnaire, projection, deterioration[0] if deterioration else None)
    entries = {
        entry.visit_id: entry
        for entry in Entry.objects.filter(subject=subject, form=questionnaire.form, struck_out=False)
    }
    links = invitations_of(subject)
    by_entry = {score.entry_id: score.point for score in scores}
    rows = [
        _row(visit, subject, questionnaire, entries.get(visit.pk), by_entry, links.get(visit.pk), today)
        for visit in visits_of(subject)
        if questionnaire.form in planned_forms(protocol, visit.code)
        and (protocol.visit(visit.code).kind != "unscheduled" or visit.pk in entries)
    ]
    code = questionnaire.instrument.code
    languages = licensed_languages(subject.trial_id, code, today)
    evaluable = [score for score in in_order(scores) if score.point.filled.result.evaluable]
    return QualityOfLife(
        questionnaire=questionnaire,
        rows=tuple(rows),
        languages=tuple((language, language_name(language)) for language in languages),
        unlicensed="" if languages else why_not_licensed(subject.trial_id, code, today),
        threshold=deterioration[0] if deterioration else None,
        endpoint=deterioration[1] if deterioration else None,
        chart=tuple((score.visit, Decimal(points(_known(score)))) for score in _drawn(evaluable)),
        baseline=next((score.point for score in scores if score.point.baseline), None),
        latest=evaluable[-1].point if evaluable else None,
        latest_visit=evaluable[-1].visit if evaluable else "",
    )


def scores_of(
    questionnaire: Questionnaire, projection: Projection, threshold: Decimal | None
) -> tuple[Score, ...]:
    """Every questionnaire in the facts, scored and compared with the baseline."""
    instrument, document = questionnaire.instrument, projection.document
    members: Sequence[Mapping[str, Any]] = document.get(instrument.fact) or ()
    sources = projection.sources.get(instrument.fact, ())
    filled = [_filled(questionnaire, member) for member in members]
    started, first_infusion = treatment_start(document)
    course = course_of(filled, started=started, first_infusion=first_infusion, threshold=threshold)
    return tuple(
        Score(source.entry_id, source.visit, point) for source, point in zip(sources, course, strict=True)
    )


def _filled(questionnaire: Questionnaire, member: Mapping[str, Any]) -> Filled:
    answers = {item: member.get(item) for item in questionnaire.instrument.items}
    moment, day = member.get("COMPLETED"), member.get(questionnaire.date_item)
    completed = datetime.fromisoformat(moment) if moment else date.fromisoformat(day) if day else None
    return Filled(completed, score_fhsi8(answers))


def treatment_start(document: Mapping[str, Any]) -> tuple[date | None, datetime | None]:
    """Day of the first procedure, and time of its infusion, as far as they are recorded."""
    days = [date.fromisoformat(day) for day in document.get("PROCEDURE_DATES") or () if day]
    moments = [
        datetime.fromisoformat(each["T0"])
        for each in document.get("INFUSIONS") or ()
        if each and each.get("T0")
    ]
    first = min(days, default=None)
    return first, min((moment for moment in moments if moment.date() == first), default=None)


def in_order(scores: Sequence[Score]) -> list[Score]:
    """By completion; those without a date first."""
    return sorted(
        scores,
        key=lambda each: (
            each.point.filled.on or date.min,
            each.point.filled.completed.timestamp()
            if isinstance(each.point.filled.completed, datetime)
            else 0.0,
        ),
    )


def _drawn(evaluable: Sequence[Score]) -> list[Score]:
    """The baseline and the newest scores: as many as the small chart holds."""
    newest = list(evaluable[-MOST_DRAWN:])
    earlier = [score for score in evaluable[: len(evaluable) - len(newest)] if score.point.baseline]
    return [*earlier, *newest[len(earlier) :]]


def _known(score: Score) -> Decimal:
    value = score.point.filled.result.score
    assert value is not None
    return value


def _row(
    visit: Visit,
    subject: Subject,
    questionnaire: Questionnaire,
    entry: Entry | None,
    by_entry: Mapping[int, Point],
    invitation: Invitation | None,
    today: date,
) -> Row:
    point = by_entry.get(entry.pk) if entry else None
    score = point.filled.result.score if point else None
    status = form_status(
        state=entry.state if entry else None,
        not_done=bool(entry and entry.not_done),
        locked=bool(entry and entry.locked),
        visit_state=visit.state,
        happened_on=visit.happened_on,
        latest=visit.latest,
        today=today,
    )
    answered = bool(point and point.filled.result.answered)
    closed = visit.latest is not None and today > visit.latest
    return Row(
        visit=visit,
        name=subject.version.protocol.visit(visit.code).name,
        url=form_url(subject, visit, questionnaire.form),
        status=status,
        point=point,
        score="" if score is None else points(score),
        change="" if point is None or point.change is None else _signed(point.change),
        timing=_timing(visit, point),
        link=_link(invitation, entry) if invitation else None,
        may_invite=not answered and not closed and not _complete(entry) and visit.state != VisitState.MISSED,
    )


def _complete(entry: Entry | None) -> bool:
    return entry is not None and entry.state == EntryState.COMPLETE


def _signed(change: Decimal) -> str:
    text = points(abs(change))
    if not change:
        return "0"
    return f"+{text}" if change > 0 else f"\N{MINUS SIGN}{text}"


def _timing(visit: Visit, point: Point | None) -> str:
    on = point.filled.on if point else None
    if on is None:
        return ""
    if visit.latest is not None and on > visit.latest:
        return f"{(on - visit.latest).days} d late"
    if visit.earliest is not None and on < visit.earliest:
        return f"{(visit.earliest - on).days} d early"
    return ""


def _link(invitation: Invitation, entry: Entry | None) -> Link:
    standing = standing_of(invitation, clock.now())
    state, words = LINK_STATES[standing]
    corrected = (
        invitation.state == InvitationState.ANSWERED
        and entry is not None
        and invitation.entry_version is not None
        and entry.version > invitation.entry_version
    )
    return Link(invitation, standing, state, words, corrected)
