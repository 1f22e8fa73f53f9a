"""From a protocol's visit list to the plan that the schedule is worked out from."""

from __future__ import annotations

from trials.schema import Protocol
from trials.schema.visits import Visit
from visits.rules.schedule import SchedulePlan, Start, VisitRule


def schedule_of(protocol: Protocol, sub_study: str = "") -> SchedulePlan:
    """The anchored visits of a protocol.

    Parameters
    ----------
    sub_study
        Code of the sub-study; empty while a subject is not routed yet, then visits of every sub-study count.
    """
    return SchedulePlan(
        visits=tuple(
            _rule(visit)
            for visit in protocol.visits
            if visit.scheduled and (not sub_study or not visit.sub_studies or sub_study in visit.sub_studies)
        ),
        anchor_labels={anchor.name: anchor.label for anchor in protocol.anchors},
    )


def _rule(visit: Visit) -> VisitRule:
    days = visit.days if visit.weeks is None else 7 * visit.weeks
    return VisitRule(
        code=visit.code,
        name=visit.name,
        anchor=visit.anchor,
        start=Start(visit.from_),
        days=days,
        months=visit.months,
        before=visit.before,
        after=visit.after,
        imaging=visit.imaging,
    )
