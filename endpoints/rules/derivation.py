"""All endpoints of a protocol for one subject: the pack names the derivation, this table knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from endpoints.rules.local_control import local_control, time_to_loss_of_control
from endpoints.rules.local_recurrence import time_to_local_recurrence
from endpoints.rules.overall_survival import overall_survival
from endpoints.rules.pro_deterioration import time_to_deterioration
from endpoints.rules.timeline import EndpointRow, FollowUp, as_known
from trials.schema import Endpoint, Protocol
from visits.rules.plans import schedule_of
from visits.rules.schedule import PlannedVisit, ScheduleAnchor, plan_visits
from visits.rules.settings import schedule_settings

PROCEDURES = "PROCEDURES"


class UnderivableEndpoint(ValueError):
    """The protocol names an endpoint that its own parts do not suffice to derive."""


@dataclass(frozen=True)
class Derived:
    """An endpoint of the protocol and its row for the subject."""

    endpoint: Endpoint
    row: EndpointRow


@dataclass(frozen=True)
class _Course:
    """The subject's follow-up with its schedule as of the cut-off."""

    follow_up: FollowUp
    planned: Mapping[str, PlannedVisit]
    anchor: date

    def window_end(self, endpoint: Endpoint) -> date:
        code = str(endpoint.parameters.get("control_visit", ""))
        if code not in self.planned:
            raise UnderivableEndpoint(f"{endpoint.paramcd}: no planned visit {code!r}")
        return self.planned[code].latest


def derive_endpoints(protocol: Protocol, follow_up: FollowUp) -> list[Derived]:
    """The endpoints of the protocol that are counted from treatment, in its order.

    Parameters
    ----------
    protocol
        Its endpoints with their parameters, and its visit plan.
    follow_up
        Recorded facts; `imaging_visits` are filled in from the visit plan.

    Returns
    -------
    list of Derived
        Endpoints whose kind is not known here, or that are counted from another day than the first
        procedure, are left out.

    Raises
    ------
    ValueError
        Facts that contradict each other, or no procedure on or before the cut-off.
    """
    course = _course(protocol, follow_up)
    return [
        Derived(endpoint, _KINDS[endpoint.kind](endpoint, course))
        for endpoint in protocol.endpoints
        if endpoint.kind in _KINDS and endpoint.parameters.get("start", "treatment") == "treatment"
    ]


def _course(protocol: Protocol, follow_up: FollowUp) -> _Course:
    procedures = as_known(follow_up).procedures
    settings = schedule_settings(protocol)
    planned = plan_visits(schedule_of(protocol), {PROCEDURES: procedures}, settings)
    first = settings.schedule_anchor is ScheduleAnchor.FIRST_PROC
    imaging = tuple(visit for visit in planned if protocol.visit(visit.code).imaging)
    return _Course(
        follow_up=replace(follow_up, imaging_visits=imaging),
        planned={visit.code: visit for visit in planned},
        anchor=procedures[0] if first else procedures[-1],
    )


def _months(endpoint: Endpoint) -> int:
    return _number(endpoint, "months")


def _number(endpoint: Endpoint, name: str) -> int:
    value = endpoint.parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnderivableEndpoint(f"{endpoint.paramcd}: the parameter {name} must be a whole number")
    return value


def _overall_survival(endpoint: Endpoint, course: _Course) -> EndpointRow:
    return overall_survival(course.follow_up, _months(endpoint), endpoint.paramcd)


def _time_to_local_recurrence(endpoint: Endpoint, course: _Course) -> EndpointRow:
    missed = _number(endpoint, "missed_limit")
    return time_to_local_recurrence(course.follow_up, _months(endpoint), missed, endpoint.paramcd)


def _time_to_loss_of_control(endpoint: Endpoint, course: _Course) -> EndpointRow:
    return time_to_loss_of_control(course.follow_up, course.window_end(endpoint), endpoint.paramcd)


def _local_control(endpoint: Endpoint, course: _Course) -> EndpointRow:
    end = course.window_end(endpoint)
    return local_control(course.follow_up, _months(endpoint), course.anchor, end, endpoint.paramcd)


def _time_to_deterioration(endpoint: Endpoint, course: _Course) -> EndpointRow:
    threshold = Decimal(str(endpoint.parameters["threshold"]))
    confirmed = endpoint.parameters.get("confirmed") is True
    return time_to_deterioration(
        course.follow_up, _months(endpoint), threshold, confirmed=confirmed, paramcd=endpoint.paramcd
    )


_KINDS: dict[str, Callable[[Endpoint, _Course], EndpointRow]] = {
    "overall_survival": _overall_survival,
    "time_to_local_recurrence": _time_to_local_recurrence,
    "time_to_loss_of_control": _time_to_loss_of_control,
    "local_control": _local_control,
    "time_to_deterioration": _time_to_deterioration,
}
