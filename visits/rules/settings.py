"""The schedule settings that a protocol makes."""

from __future__ import annotations

from trials.schema import Protocol
from visits.rules.schedule import MonthMode, ScheduleAnchor, ScheduleSettings


def schedule_settings(protocol: Protocol) -> ScheduleSettings:
    """What the protocol's settings say of its schedule; without one the visit list stands as it is.

    Raises
    ------
    ValueError
        A setting with a value that is no choice of the schedule.

    Notes
    -----
    Windows are not taken from settings: each visit of the protocol carries its own.
    """
    values = {setting.name: setting.value for setting in protocol.settings}
    anchor, mode = values.get("schedule_anchor"), values.get("month_mode")
    return ScheduleSettings(
        schedule_anchor=None if anchor is None else ScheduleAnchor(str(anchor)),
        month_mode=MonthMode.CALENDAR if mode is None else MonthMode(str(mode)),
    )
