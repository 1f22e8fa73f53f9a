"""The small pieces of every page."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.template import TemplateSyntaxError

from foundation.templatetags import pieces

ROOT = Path(__file__).resolve().parents[2]
ICONS = set(json.loads((ROOT / "frontend" / "icons.json").read_text()))
SHAPES = set(
    re.findall(r"^  '?([a-z-]+)'?:", (ROOT / "frontend" / "build" / "shapes.js").read_text(), re.MULTILINE)
)
TEMPLATES = sorted([*(ROOT / "templates").rglob("*.html"), *(Path(__file__).parent / "pages").glob("*.html")])


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("IN_PROGRESS", "In progress"),
        ("NOT MET", "Not met"),
        ("absent", "Not present"),
        ("NA", "Does not apply"),
        ("EMPTY", "Not started"),
    ],
)
def test_a_state_may_be_written_as_the_database_has_it(written: str, word: str) -> None:
    assert pieces.word(written) == word


def test_a_state_that_nobody_defined_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError, match="sideways"):
        pieces.state("sideways")


def test_a_state_has_a_shape_and_a_word() -> None:
    markup = pieces.state("overdue")
    assert "#s-overdue" in markup
    assert "Overdue" in markup
    assert 'aria-hidden="true"' in markup


def test_a_quiet_state_still_speaks_to_a_screen_reader() -> None:
    assert '<span class="visually-hidden">Overdue</span>' in pieces.state("overdue", quiet=True)


def test_a_word_of_the_caller_is_escaped() -> None:
    assert "<i>" not in pieces.state("ok", "<i>x</i>")


def test_no_state_of_an_exclusion_criterion_says_met() -> None:
    assert {pieces.word("absent"), pieces.word("present")} == {"Not present", "Present"}


def test_every_state_has_a_drawn_shape() -> None:
    assert {shown.shape for shown in pieces.STATES.values()} <= SHAPES


def test_shapes_of_one_kind_of_thing_differ() -> None:
    """Colour-blind or printed grey: the outline alone must tell forms, visits and queries apart."""
    for kind in (
        ["planned", "not-started", "in-progress", "complete", "verified", "signed", "locked", "overdue", "not-done"],
        ["not-signed", "signed", "sign-again", "frozen", "locked", "reviewed", "review-again", "overdue"],
        ["verified", "part-verified", "changed", "overdue"],
        ["visit-planned", "visit-due", "visit-done", "visit-late", "visit-overdue", "visit-missed", "visit-unscheduled"],
        ["query-open", "query-answered", "query-closed"],
        ["met", "not-met", "unknown", "not-applicable"],
        ["stop", "check", "info"],
    ):  # fmt: skip
        assert len({pieces.STATES[name].shape for name in kind}) == len(kind), kind


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_icon_of_a_template_is_in_the_sprite(template: Path) -> None:
    text = template.read_text()
    used = set(re.findall(r"{% icon \"([^\"]+)\"", text)) | set(re.findall(r"icon_name=\"([^\"]+)\"", text))
    assert used <= ICONS


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_state_of_a_template_is_known(template: Path) -> None:
    for name in re.findall(r"{% (?:state|glyph|pill) \"([^\"]+)\"", template.read_text()):
        pieces.shown(name)


def test_a_value_in_an_attribute_cannot_end_it() -> None:
    assert '"' not in pieces.as_attribute({"value": 'a"b'})


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_class_of_a_template_is_in_the_style_sheets(template: Path) -> None:
    """A class that nobody styles is a misspelt one."""
    styles = "".join(path.read_text() for path in (ROOT / "frontend" / "src" / "css").glob("*.css"))
    known = set(re.findall(r"\.([a-z][\w-]*)", styles))
    text = re.sub(r"{[%{].*?[%}]}", "\0", template.read_text())
    used = {
        word
        for value in re.findall(r'class="([^"]*)"', text)
        for word in value.split()
        if re.fullmatch(r"[a-z][\w-]*", word)
    }
    assert used <= known
