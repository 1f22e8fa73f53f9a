"""Forms that do not apply are not asked for; a form of which that is unknown is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from casebook.rules.applicability import forms_left_out
from trials.packs import bundled_protocol

DAY = date(2025, 3, 4)


@pytest.mark.parametrize(
    ("trial", "latest", "form", "left_out"),
    [
        ("THERMODOX", {"DM": {"SEX": "M"}}, "PTS", True),
        ("THERMODOX", {"DM": {"SEX": "F"}}, "PTS", False),
        ("THERMODOX", {}, "PTS", False),
        ("THERMODOX", {"DM": {"SEX": "F"}, "RP": {"CHILDPOT": "N"}}, "PTS", True),
        ("THERMODOX", {"DM": {"SEX": "F"}, "RP": {"CHILDPOT": "Y"}}, "PTS", False),
        ("EXCALIBUR", {"CH": {"EHHIST": "N"}}, "EH", True),
        ("EXCALIBUR", {"CH": {"EHHIST": "Y"}}, "EH", False),
        ("EXCALIBUR", {}, "EH", False),
        ("EXCALIBUR", {"STG": {"LUNGYN": "N"}}, "LL", True),
        ("EXCALIBUR", {"CH": {"MALIGYN": "N"}}, "MHC", True),
        ("EXCALIBUR", {"CH": {"MALIGYN": "Y"}}, "LB", False),
    ],
)
def test_a_form_is_left_out_only_where_its_rule_says_so(
    trial: str, latest: dict[str, Any], form: str, left_out: bool
) -> None:
    assert (form in forms_left_out(bundled_protocol(trial), latest, DAY)) is left_out
