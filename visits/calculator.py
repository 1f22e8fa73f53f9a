"""The visit schedule for a table of cases: `calculate visits`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from foundation.documents import Document, DocumentError, IsoDate, Text, Whole, parse_document
from trials.packs import bundled, bundled_protocol
from trials.schema import Protocol
from visits.rules.plans import schedule_of
from visits.rules.schedule import MonthMode, PlannedVisit, ScheduleAnchor, ScheduleSettings, plan_visits
from visits.rules.settings import schedule_settings

PROCEDURES = "PROCEDURES"
SURVIVAL_CONTACT = "survival"  # by telephone: no visit of the schedule
LONGEST_WINDOW_DAYS = 366


def _anchor(value: object) -> ScheduleAnchor:
    if value in set(ScheduleAnchor):
        return ScheduleAnchor(str(value))
    raise ValueError(f"must be one of {', '.join(ScheduleAnchor)}")


def _mode(value: object) -> MonthMode:
    text = "" if isinstance(value, bool) else str(value).lower().removesuffix("d").strip()
    if text in set(MonthMode):
        return MonthMode(text)
    raise ValueError(f"must be one of {', '.join(MonthMode)}")


WindowDays = Annotated[Whole, Field(ge=0, le=LONGEST_WINDOW_DAYS)]


class SettingsInput(Document):
    """What to set otherwise than the protocol does."""

    schedule_anchor: Annotated[ScheduleAnchor, BeforeValidator(_anchor)] | None = None
    month_mode: Annotated[MonthMode, BeforeValidator(_mode)] | None = None
    win_before: WindowDays | None = None
    win_after: WindowDays | None = None


class VisitsInput(Document):
    """A trial and the procedures that have happened."""

    trial: Text
    procedures: list[IsoDate]
    settings: SettingsInput = SettingsInput()


def calculate_visits(document: object) -> dict[str, object]:
    """Targets and windows of all visits that the procedures make due, in order."""
    given = parse_document(VisitsInput, document)
    protocol = protocol_named(given.trial)
    check_procedures(protocol, given.procedures)
    settings = _settings(protocol, given.settings)
    planned = plan_visits(schedule_of(protocol), {PROCEDURES: given.procedures}, settings)
    attended = [visit for visit in planned if protocol.visit(visit.code).kind != SURVIVAL_CONTACT]
    return {"visits": [_row(visit) for visit in attended]}


def protocol_named(trial: str) -> Protocol:
    """The bundled protocol of a trial; `DocumentError` at `trial` where there is none."""
    if trial not in bundled():
        raise DocumentError("trial", f"unknown trial {trial!r}; known: {', '.join(sorted(bundled()))}")
    return bundled_protocol(trial)


def check_procedures(protocol: Protocol, procedures: list[date]) -> None:
    """Refuse more procedures than the protocol allows, and two on one day."""
    most = {setting.name: setting for setting in protocol.settings}.get("max_procedures")
    limit = most.number if most is not None else None
    if limit is not None and len(procedures) > limit:
        raise DocumentError(
            "procedures", f"{len(procedures)} procedures; the protocol allows at most {limit}"
        )
    for place, day in enumerate(procedures):
        if day in procedures[:place]:
            raise DocumentError(f"procedures[{place}]", f"a second procedure on {day}")


def _settings(protocol: Protocol, given: SettingsInput) -> ScheduleSettings:
    chosen = {
        name: value for name in SettingsInput.model_fields if (value := getattr(given, name)) is not None
    }
    return replace(schedule_settings(protocol), **chosen)


def _row(visit: PlannedVisit) -> dict[str, object]:
    return {
        "code": visit.code,
        "target": visit.target,
        "earliest": visit.earliest,
        "latest": visit.latest,
        "because": visit.because,
    }
