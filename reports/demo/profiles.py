"""The subjects of the demonstration, as their file describes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

FILE = Path(__file__).with_name("patients.yaml")


class Part(BaseModel):
    """A part of the description; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LesionProfile(Part):
    """A liver lesion: segment, size, and the procedure that is planned for it (none: not planned yet)."""

    at: str
    mm: int
    procedure: int | None = None


class QueryProfile(Part):
    """A question of the monitor."""

    visit: str
    form: str
    item: str
    text: str


class Profile(Part):
    """One subject. Days are relative to the day of filling."""

    patient: str
    trial: str
    site: str
    about: str
    screened: int
    person: dict[str, str]
    lesions: tuple[LesionProfile, ...] = ()
    screening: dict[str, dict[str, Any]] = Field(default_factory=dict)
    open: tuple[str, ...] = ()
    decision: str = ""
    randomise: bool = False
    procedures: tuple[int, ...] = ()
    visits: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    unfinished: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    queries: tuple[QueryProfile, ...] = ()


@cache
def profiles() -> tuple[Profile, ...]:
    """All subjects, in the order of the file."""
    return tuple(
        Profile.model_validate(each) for each in YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
    )
