"""The documentation of the language says what the language does."""

from __future__ import annotations

import doctest

import logic
from logic.signatures import FUNCTIONS, QUANTIFIED


def test_the_example_in_the_documentation_runs() -> None:
    assert doctest.testmod(logic).failed == 0


def test_every_function_and_quantifier_is_documented() -> None:
    text = str(logic.__doc__)
    assert [
        name for name in {*FUNCTIONS, *QUANTIFIED} if f"{name}(" not in text and f"``{name}``" not in text
    ] == []
