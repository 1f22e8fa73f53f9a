"""What an amendment changes in the design of a trial is told, part by part, with what it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trials.packs import bundled_protocol
from trials.rules.difference import CONSEQUENCES, PARTS, Change, difference
from trials.schema import Protocol

BEFORE = bundled_protocol("EXCALIBUR")
Craft = Callable[[dict[str, Any]], None]


def crafted(craft: Craft) -> Protocol:
    """The protocol with something changed by hand."""
    document = BEFORE.model_dump(by_alias=True)
    craft(document)
    return Protocol.model_validate(document)


def only(craft: Craft) -> Change:
    """The one change that is found."""
    (change,) = difference(BEFORE, crafted(craft)).changes
    return change


def study(document: dict[str, Any], place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document["sub_studies"][place]
    return found


def put(document: dict[str, Any], name: str, *more: dict[str, Any], without: int | None = None) -> None:
    """More of a kind, or one less."""
    kept = [each for place, each in enumerate(document[name]) if place != without]
    document[name] = (*kept, *more)


def of(name: str, place: int, **changed: Any) -> Craft:
    """Something of one part says something else."""

    def craft(document: dict[str, Any]) -> None:
        document[name][place].update(changed)

    return craft


STRATUM = {"name": "SIDE", "label": "Side of the primary", "levels": ("L", "R"), "source": "proposed"}


@pytest.mark.parametrize(
    ("craft", "part", "kind", "aspect", "before", "after"),
    [
        (lambda d: study(d)["arms"][0].update(ratio=2), "sub-study", "changed", "arms and ratio",
         "TX 1, HAI 1, CHEMO 1", "TX 2, HAI 1, CHEMO 1"),
        (lambda d: study(d).update(blocks=(6,)), "sub-study", "changed", "blocks", "3, 6", "6"),
        (lambda d: study(d).update(criteria_set="EXCALIBUR-2"), "sub-study", "changed", "criteria",
         "EXCALIBUR-1", "EXCALIBUR-2"),
        (lambda d: put(d, "sub_studies", {**study(d), "code": "EXCALIBUR-3"}), "sub-study", "added", "",
         "", "TX 1, HAI 1, CHEMO 1"),
        (lambda d: put(d, "sub_studies", without=1), "sub-study", "retired", "", "HAI 1, CHEMO 1", ""),
        (lambda d: put(d, "arms", {**d["arms"][0], "code": "NEW"}), "arm", "added", "", "", ""),
        (lambda d: put(d, "arms", without=0), "arm", "retired", "", "", ""),
        (of("arms", 0, description="Other"), "arm", "changed", "description", BEFORE.arms[0].description, "Other"),
        (lambda d: study(d).update(strata=(STRATUM,)), "stratum", "added", "", "", "L, R"),
        (of("settings", 5, value=21), "setting", "changed", "value", "7 days", "21 days"),
        (lambda d: put(d, "settings", without=5), "setting", "retired", "", "7 days", ""),
        (of("gradings", 0, worse="high"), "grading", "changed", "worse", "low", "high"),
        (lambda d: put(d, "gradings", without=0), "grading", "retired", "",
         "1: beyond 1 × LLN, 2: beyond 1.5 10^9/L, 3: beyond 1 10^9/L, 4: beyond 0.5 10^9/L", ""),
        (lambda d: d["verification"].update(first_subjects=99), "verification", "changed", "extent",
         str(BEFORE.verification.first_subjects), "99"),  # type: ignore[union-attr]
    ],
)  # fmt: skip
def test_a_change_of_the_design_is_told(
    craft: Craft, part: str, kind: str, aspect: str, before: str, after: str
) -> None:
    found = only(craft)
    assert (found.part, found.kind, found.aspect, found.before, found.after) == (
        part,
        kind,
        aspect,
        before,
        after,
    )
    assert found.consequence


def test_levels_of_a_stratum_that_change_are_told() -> None:
    one = crafted(lambda d: study(d).update(strata=(STRATUM,)))
    other = crafted(lambda d: study(d).update(strata=({**STRATUM, "levels": ("L", "R", "BOTH")},)))
    (change,) = difference(one, other).changes
    assert (change.part, change.aspect, change.before, change.after) == (
        "stratum",
        "levels",
        "L, R",
        "L, R, BOTH",
    )
    assert "a list of its own" in change.consequence


def test_the_same_protocol_differs_in_nothing_and_counts_all_parts() -> None:
    found = difference(BEFORE, BEFORE)
    assert found.changes == ()
    assert found.kept.keys() == set(PARTS)
    assert found.kept["setting"] == len(BEFORE.settings)
    assert found.kept["sub-study"] == 2


def test_every_kind_of_change_of_the_design_has_its_consequence_in_words() -> None:
    for part, words in CONSEQUENCES.items():
        assert part in PARTS
        assert {"added", "retired"} <= words.keys()
        assert all(text.endswith(".") for text in words.values())
