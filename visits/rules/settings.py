"""The schedule settings that a protocol makes."""

from __future__ import annotations

from trials.schema import Protocol
from visits.rules.schedule import MonthMode, ScheduleAnchor, ScheduleSettings


def schedule_settings(protocol: Protocol) -> ScheduleSettings:
    """What the protocol's settings say of its schedule; where it has no such setting, the visit list stands
    as it is.

    Raises
    ------
    ValueError
        A setting with a value that is no choice of the schedule.
    """
    values = {setting.name: setting.value for setting in protocol.settings}
    anchor, mode = values.get("schedule_anchor"), values.get("month_mode")
    return ScheduleSettings(
        schedule_anchor=None if anchor is None else ScheduleAnchor(str(anchor)),
        month_mode=MonthMode.CALENDAR if mode is None else MonthMode(str(mode)),
        win_before=_days(values.get("win_before")),
        win_after=_days(values.get("win_after")),
    )


def _days(value: object) -> int | None:
    return None if value is None else int(str(value))
