"""The trial, its sources, arms, sub-studies and settings."""

from __future__ import annotations

from decimal import Decimal

from trials.schema.base import NUMBER, Code, Day, Flag, Part, Plain, SettingName, Sourced, Text, Whole


class TrialInfo(Part):
    """Registry facts that name the trial."""

    code: Code
    short_title: Text
    title: Text
    sponsor: Text
    phase: str = ""
    registry_id: str = ""
    subject_prefix: Code


class VersionInfo(Part):
    """The label and first day of this version of the protocol."""

    label: Text
    effective_from: Day
    note: str = ""


class Source(Part):
    """A document that parts of the protocol refer to by key."""

    title: Text
    provisional: Flag = False
    note: str = ""


class Arm(Sourced):
    """A treatment arm."""

    code: Code
    name: Text
    description: str = ""


class ArmShare(Part):
    """An arm of a sub-study and its share in the allocation ratio."""

    arm: Code
    ratio: Whole = 1


class Stratum(Sourced):
    """A stratification factor and its levels, read from a fact where one is named."""

    name: Code
    label: Text
    levels: tuple[Text, ...]
    fact: str = ""


class SubStudy(Sourced):
    """Subjects under one set of criteria, allocated among its arms."""

    code: Code
    name: Text
    criteria_set: Code
    arms: tuple[ArmShare, ...]
    blocks: tuple[Whole, ...] = ()
    strata: tuple[Stratum, ...] = ()

    @property
    def randomised(self) -> bool:
        """Whether subjects are allocated by chance: more than one arm."""
        return len(self.arms) > 1


class Setting(Sourced):
    """A named number or choice of the protocol that rules need by name."""

    name: SettingName
    value: Plain
    unit: str = ""
    label: Text
    choices: tuple[Text, ...] = ()

    @property
    def number(self) -> Decimal | None:
        """The value as an exact number, in `unit`; None where the setting is null or no number."""
        if self.value is None or isinstance(self.value, bool):
            return None
        text = str(self.value)
        return Decimal(text) if NUMBER.fullmatch(text) else None
