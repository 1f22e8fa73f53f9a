"""What rooms above tell the trail: who the subjects are, and what else has to be verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

type_subjects = Callable[[Any, str], QuerySet[Any]]
type_check = Callable[[], Iterable[str]]

_subjects: list[type_subjects] = []
_checks: dict[str, type_check] = {}


@dataclass(frozen=True)
class Section:
    """Records, such as signatures, that a bundle of the trail carries besides the events.

    Parameters
    ----------
    name
        What the records are called; also the name of the file.
    table, column
        Where the trail recorded the digest of each of them.
    rows
        Gives key, text and SHA-256 of the text (hexadecimal) of each record.
    """

    name: str
    table: str
    column: str
    rows: Callable[[], Iterable[tuple[int, str, str]]]


_sections: dict[str, Section] = {}


def register_subjects(visible: type_subjects) -> None:
    """Say how to find the subjects that somebody may see.

    Parameters
    ----------
    visible
        `visible(access, permission)` gives a queryset of rows with a `number`.
    """
    _subjects[:] = [visible]


def subjects_visible(access: Any, permission: str) -> QuerySet[Any] | None:
    """The subjects that somebody may see with a permission; None while no room has subjects."""
    return _subjects[0](access, permission) if _subjects else None


def register_check(name: str, check: type_check) -> None:
    """Let `verify_trail` run another check; each text that it yields is one broken place."""
    _checks[name] = check


def registered_checks() -> dict[str, type_check]:
    """All checks by name."""
    return dict(_checks)


def register_section(section: Section) -> None:
    """Let every bundle of the trail carry these records."""
    _sections[section.name] = section


def registered_sections() -> list[Section]:
    """All sections by name."""
    return [_sections[name] for name in sorted(_sections)]
