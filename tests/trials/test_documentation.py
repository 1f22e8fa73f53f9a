"""`docs/protocol-pack.md` says what every key of a pack is, and no more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

import trials.schema
from trials.schema import Annotation, Part, Protocol, Sourced, vocabulary

PAGE = (Path(__file__).parents[2] / "docs" / "protocol-pack.md").read_text()
SECTIONS = {part.split(":")[0]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
SHARED = set(Annotation.model_fields)


def parts_reached(part: type[Part]) -> set[type[Part]]:
    """Every kind of part that a pack can hold."""
    found, waiting = {part}, [part]
    while waiting:
        for field in waiting.pop().model_fields.values():
            new = {each for each in classes_in(field.annotation) if each not in found}
            found |= new
            waiting += new
    return found


def classes_in(annotation: Any) -> set[type[Part]]:
    inner = {each for argument in get_args(annotation) for each in classes_in(argument)}
    return inner | ({annotation} if isinstance(annotation, type) and issubclass(annotation, Part) else set())


PARTS = sorted(parts_reached(Protocol), key=lambda each: each.__name__)


@pytest.mark.parametrize("part", PARTS, ids=[each.__name__ for each in PARTS])
def test_every_key_is_documented(part: type[Part]) -> None:
    section = SECTIONS[part.__name__]
    rows = {key: bool(bold) for bold, key in re.findall(r"^\| (\*\*)?`(\w+)`", section, flags=re.MULTILINE)}
    fields = {field.alias or name: field.is_required() for name, field in part.model_fields.items()}
    if issubclass(part, Annotation):
        fields = {key: required for key, required in fields.items() if key not in SHARED}
        assert ("*And source (required).*" in section) == issubclass(part, Sourced)
        assert "*And source" in section
    assert rows == fields


def test_no_section_is_about_something_that_is_gone() -> None:
    assert set(SECTIONS) == {each.__name__ for each in PARTS}


def test_every_part_of_the_schema_can_stand_in_a_pack() -> None:
    exported = {getattr(trials.schema, name) for name in trials.schema.__all__}
    classes = {each for each in exported if isinstance(each, type) and issubclass(each, Part)}
    assert classes - {Part, Annotation, Sourced} == set(PARTS)


@pytest.mark.parametrize("scope", list(vocabulary.TIMING_NAMES))
def test_the_names_of_timing_rules_are_documented(scope: str) -> None:
    for name, fact in vocabulary.TIMING_NAMES[scope].items():  # type: ignore[index]
        for word in (name, *(fact.fields or {})):
            assert word in SECTIONS["TimingRule"]
