"""What rooms above tell the trail: who the subjects are, what else has to be verified, how events read in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from audit.models import Event

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
        `visible(access, permission)` gives a queryset of rows with a `number`, and a `trial` and a `site` that have
        a `code`.
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


@dataclass(frozen=True)
class Described:
    """An event in the words of the room that has the table.

    Attributes
    ----------
    what
        What the row is, such as a form at a visit.
    url
        Its page; empty without one.
    changes
        Name, old and new value of each changed field, decoded.
    """

    what: str
    url: str
    changes: list[tuple[str, Any, Any]]


type_describer = Callable[[list[Event]], dict[int, Described]]
_describers: dict[str, type_describer] = {}


def register_describer(table: str, describe: type_describer) -> None:
    """Put events of a table into words, many at a time; events that are left out are described by their columns."""
    _describers[table] = describe


def describer_of(table: str) -> type_describer | None:
    """Who puts the events of a table into words."""
    return _describers.get(table)


@dataclass(frozen=True)
class Forms:
    """The forms that events can be narrowed to.

    Parameters
    ----------
    choices
        Gives code and name of each form.
    narrow
        Keeps the events of a form.
    """

    choices: Callable[[], list[tuple[str, str]]]
    narrow: Callable[[QuerySet[Event], str], QuerySet[Event]]


@dataclass(frozen=True)
class LookFor:
    """Something that a reviewer of the trail may look for; a count of events, and no verdict.

    Parameters
    ----------
    code, title, why
        For the address, for people, and why it is worth a look.
    narrow
        Keeps such events; given the reader's time zone.
    """

    code: str
    title: str
    why: str
    narrow: Callable[[QuerySet[Event], str], QuerySet[Event]]


_forms: list[Forms] = []
_looks: dict[str, LookFor] = {}


def register_forms(forms: Forms) -> None:
    """Say which forms there are."""
    _forms[:] = [forms]


def forms() -> Forms | None:
    """The forms; None while no room has forms."""
    return _forms[0] if _forms else None


def register_look(look: LookFor) -> None:
    """Offer something to look for when the trail is reviewed."""
    _looks[look.code] = look


def registered_looks() -> dict[str, LookFor]:
    """All that is offered, by code."""
    return dict(_looks)
