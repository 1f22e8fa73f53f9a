"""Writing visits: planning them from anchors, recording that they happened or were missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Max

from audit.context import Actor, acting
from foundation import clock
from patients.models import Subject
from patients.selectors import moves_of
from trials.schema import Protocol
from trials.schema.visits import Visit as VisitPlan
from visits.errors import (
    DayChangeReasonError,
    NoReasonError,
    NotRecordedError,
    VisitClosedError,
    VisitInFutureError,
)
from visits.models import Visit, VisitState
from visits.rules.plans import schedule_of
from visits.rules.schedule import PlannedVisit, ScheduleAnchor, plan_visits
from visits.rules.settings import schedule_settings
from visits.signals import visit_dated

UNSCHEDULED = "UNS"
UNSCHEDULED_ORDINAL = 900

Anchors = Mapping[str, Sequence[date]]


def plan_visits_for(*, actor: Actor, subject: Subject, anchors: Anchors) -> None:
    """Bring the visits of a subject in line with its anchors.

    Visits that happened or were missed stay as they are. Planned ones move to their new dates, those that are
    no longer planned are superseded, and a visit that was done before the anchor moved is planned again.

    Parameters
    ----------
    anchors
        Dates by anchor name, as the protocol names them ("PROCEDURES").
    """
    protocol = subject.version.protocol
    plans = _plans_for(protocol, subject)
    planned = plan_visits(schedule_of(protocol, subject.sub_study), anchors, schedule_settings(protocol))
    joined = joined_on(subject)
    with acting(actor):
        rows = list(Visit.objects.select_for_update().filter(subject=subject).order_by("sequence"))
        places = {plan.code: place for place, plan in enumerate(plans)}
        known = {row.code for row in rows if row.state != VisitState.SUPERSEDED}
        asked = [each for each in planned if each.code in known or not _came_too_late(each, joined)]
        kept = {row.pk for row in _anchored(subject, protocol, rows, asked, places, anchors)}
        kept |= {row.pk for row in _unanchored(subject, plans, rows, places)}
        stale = [row.pk for row in rows if row.state == VisitState.PLANNED and row.pk not in kept]
        if stale:
            Visit.objects.filter(pk__in=stale).exclude(code=UNSCHEDULED).update(state=VisitState.SUPERSEDED)
        if joined:
            _put_in_order(rows, places)


def joined_on(subject: Subject) -> dict[str, date]:
    """For each visit that a later version brought to a subject: the day on which the subject consented to it."""
    joined: dict[str, date] = {}
    for move in moves_of(subject):
        before = {visit.code for visit in move.previous.protocol.visits}
        new = {visit.code for visit in move.version.protocol.visits} - before
        joined |= dict.fromkeys(new, move.reconsented_on)
    return joined


def _came_too_late(visit: PlannedVisit, joined: Mapping[str, date]) -> bool:
    """Whether a visit of a later version was over before the subject consented to that version."""
    return visit.code in joined and visit.latest < joined[visit.code]


def _put_in_order(rows: Sequence[Visit], places: Mapping[str, int]) -> None:
    """After an amendment: visits stand where the new plan has them."""
    for row in rows:
        place = places.get(row.code, row.ordinal)
        if place != row.ordinal:
            row.ordinal = place
            row.save(update_fields=["ordinal"])


def _plans_for(protocol: Protocol, subject: Subject) -> list[VisitPlan]:
    """Visits of the subject's sub-study; before routing, of every sub-study."""
    return [
        plan
        for plan in protocol.visits
        if not plan.sub_studies or not subject.sub_study or subject.sub_study in plan.sub_studies
    ]


def _unanchored(
    subject: Subject, plans: list[VisitPlan], rows: list[Visit], places: Mapping[str, int]
) -> list[Visit]:
    """Visits without a target (screening, procedures) exist from the start."""
    known = {row.code: row for row in rows}
    found: list[Visit] = []
    for plan in plans:
        if plan.scheduled or plan.code == UNSCHEDULED:
            continue
        row = known.get(plan.code)
        found.append(row or Visit.objects.create(subject=subject, code=plan.code, ordinal=places[plan.code]))
    return found


def _anchored(
    subject: Subject,
    protocol: Protocol,
    rows: list[Visit],
    planned: list[PlannedVisit],
    places: Mapping[str, int],
    anchors: Anchors,
) -> list[Visit]:
    taken: list[Visit] = []
    for visit in planned:
        plan = protocol.visit(visit.code)
        mine = [row for row in rows if row.code == visit.code and row.state != VisitState.SUPERSEDED]
        if plan.from_ == "each":
            mine = [row for row in mine if row.sequence == visit.sequence]
            anchored_on = None
        else:
            anchored_on = _anchored_on(protocol, plan, anchors[plan.anchor])
        taken.append(_fit(subject, visit, mine, rows, places[visit.code], anchored_on))
    return taken


def _anchored_on(protocol: Protocol, plan: VisitPlan, dates: Sequence[date]) -> date:
    """The date that a visit is counted from, as the schedule counts it."""
    chosen = schedule_settings(protocol).schedule_anchor
    first = plan.from_ == "first" if chosen is None else chosen is ScheduleAnchor.FIRST_PROC
    return min(dates) if first else max(dates)


def _fit(
    subject: Subject,
    visit: PlannedVisit,
    mine: list[Visit],
    rows: list[Visit],
    place: int,
    anchored_on: date | None,
) -> Visit:
    """The row that stands for a planned visit: one that satisfies it, one to move, or a new one."""
    for row in mine:
        if row.state == VisitState.PLANNED:
            return _moved(row, visit)
        if anchored_on is None or row.happened_on is None or row.happened_on > anchored_on:
            return row
    superseded = [row for row in rows if row.code == visit.code and row.state == VisitState.SUPERSEDED]
    if superseded and not mine:
        superseded[0].state = VisitState.PLANNED
        return _moved(superseded[0], visit, renewed=True)
    sequence = max((row.sequence for row in rows if row.code == visit.code), default=0) + 1
    return Visit.objects.create(
        subject=subject,
        code=visit.code,
        sequence=visit.sequence if not mine else sequence,
        ordinal=place,
        target=visit.target,
        earliest=visit.earliest,
        latest=visit.latest,
        because=visit.because,
    )


def _moved(row: Visit, visit: PlannedVisit, *, renewed: bool = False) -> Visit:
    new = (visit.target, visit.earliest, visit.latest, visit.because)
    if renewed or (row.target, row.earliest, row.latest, row.because) != new:
        row.target, row.earliest, row.latest, row.because = new
        row.save(update_fields=["target", "earliest", "latest", "because", "state"])
    return row


def record_visit(*, actor: Actor, visit: Visit, happened_on: date, reason: str = "") -> Visit:
    """Record the day that a visit happened.

    Parameters
    ----------
    reason
        Why a day that was recorded changes; needed then.

    Raises
    ------
    VisitInFutureError, VisitClosedError, DayChangeReasonError
    """
    if happened_on > clock.today(visit.subject.site.time_zone):
        raise VisitInFutureError(field="happened_on", on=f"{happened_on:%d %b %Y}")
    with acting(actor, reason=reason):
        held = Visit.objects.select_for_update().get(pk=visit.pk)
        if held.state == VisitState.SUPERSEDED:
            raise VisitClosedError(visit=str(held), state="superseded")
        if held.happened_on not in (None, happened_on) and not reason.strip():
            raise DayChangeReasonError(field="reason")
        moved = held.happened_on != happened_on
        held.happened_on, held.state, held.missed_reason = happened_on, VisitState.DONE, ""
        held.save(update_fields=["happened_on", "state", "missed_reason"])
        if moved:
            visit_dated.send(Visit, visit=held, actor=actor, reason=reason)
    return held


def take_visit_back(*, actor: Actor, visit: Visit, reason: str) -> Visit:
    """Take back that a visit happened, because it was recorded by mistake: planned again, or gone if nobody planned it.

    Raises
    ------
    DayChangeReasonError, NotRecordedError
    """
    words = reason.strip()
    if not words:
        raise DayChangeReasonError(field="reason")
    with acting(actor, reason=words):
        held = Visit.objects.select_for_update().get(pk=visit.pk)
        if held.state != VisitState.DONE:
            raise NotRecordedError(visit=str(held))
        held.happened_on = None
        held.state = VisitState.SUPERSEDED if held.code == UNSCHEDULED else VisitState.PLANNED
        held.save(update_fields=["happened_on", "state"])
        visit_dated.send(Visit, visit=held, actor=actor, reason=words)
    return held


def miss_visit(*, actor: Actor, visit: Visit, reason: str) -> Visit:
    """Record that a visit did not take place, and why.

    Raises
    ------
    NoReasonError, VisitClosedError
    """
    words = reason.strip()
    if not words:
        raise NoReasonError(field="reason")
    with acting(actor, reason=words):
        held = Visit.objects.select_for_update().get(pk=visit.pk)
        if held.state not in (VisitState.PLANNED, VisitState.MISSED):
            raise VisitClosedError(visit=str(held), state=held.get_state_display().lower())
        held.state, held.missed_reason = VisitState.MISSED, words
        held.save(update_fields=["state", "missed_reason"])
    return held


def add_unscheduled_visit(*, actor: Actor, subject: Subject, happened_on: date) -> Visit:
    """Record a visit that no plan asked for.

    Raises
    ------
    VisitInFutureError
    """
    if happened_on > clock.today(subject.site.time_zone):
        raise VisitInFutureError(field="happened_on", on=f"{happened_on:%d %b %Y}")
    with acting(actor):
        newest = Visit.objects.filter(subject=subject, code=UNSCHEDULED).aggregate(n=Max("sequence"))["n"]
        return Visit.objects.create(
            subject=subject,
            code=UNSCHEDULED,
            sequence=(newest or 0) + 1,
            ordinal=UNSCHEDULED_ORDINAL,
            happened_on=happened_on,
            state=VisitState.DONE,
        )


def supersede_visits(*, actor: Actor, subject: Subject, codes: Sequence[str]) -> None:
    """Take visits that were not done out of a subject's plan, because it will never have them (another arm)."""
    with acting(actor):
        Visit.objects.filter(subject=subject, code__in=codes, state=VisitState.PLANNED).update(
            state=VisitState.SUPERSEDED
        )
