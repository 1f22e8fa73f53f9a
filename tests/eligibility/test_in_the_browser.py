"""The eligibility pages in a real browser: signing with a wrong and the right password, and nothing that axe minds."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from casebook.rules.cells import Typed
from patients.services import screen_patient
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.eligibility.case import Case
from tests.journeys.conftest import Person, built_front_end, chromium, person  # noqa: F401  fixtures

pytestmark = pytest.mark.journey
TODAY = date(2025, 9, 15)
AXE = Path(settings.BASE_DIR) / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SHOTS = os.environ.get("HILUM_SHOTS", "")
"""A folder where pictures of the pages are left for somebody to look at."""


def violations(somebody: Person) -> list[Any]:
    """What axe minds about the page as it is."""
    somebody.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = somebody.page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
        ".then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' '))]))",
        TAGS,
    )
    return found


def look(somebody: Person, name: str) -> None:
    if SHOTS:
        somebody.page.wait_for_timeout(300)
        somebody.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_an_investigator_signs_and_is_asked_again_when_a_fact_changes(
    cast: Cast,
    person: Callable[..., Person],  # noqa: F811
) -> None:
    case = Case(cast)
    who = person("investigator")
    page = who.page
    page.goto(case.address)
    assert violations(who) == []
    look(who, "eligible")
    page.get_by_role("button", name="Sign as eligible for Excalibur 1").click()
    page.get_by_label("User name").fill("investigator")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("nothing was signed").wait_for()
    assert violations(who) == []
    assert page.get_by_label("Password").input_value() == ""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("Signed as eligible").wait_for()
    look(who, "signed")
    case.nurse.enter("LB", {"HGB": Typed("10.0", "g/dL")})
    page.reload()
    page.get_by_role("heading", name="The signed decision is out of date").wait_for()
    assert page.get_by_role("row", name="Haemoglobin").inner_text().split("\t")[1:] == [
        "12.4 g/dL, 10 Sep 2025",
        "10.0 g/dL, 10 Sep 2025",
    ]
    assert violations(who) == []
    look(who, "stale")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_missing_fact_is_one_click_from_its_field(
    cast: Cast,
    person: Callable[..., Person],  # noqa: F811
    width: int,
) -> None:
    case = Case(cast, BRAFRES=None, LIVMAX_MM="101")
    screen_patient(actor=cast.actor(), patient=case.subject.patient, trial=cast.trials["THERMODOX"])
    who = person("coordinator", width=width)
    who.page.goto(f"{case.address}trials/")
    assert violations(who) == []
    assert who.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    look(who, f"trials-{width}")
    who.page.goto(case.address)
    assert violations(who) == []
    assert who.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    look(who, f"hold-{width}")
    who.page.get_by_role("link", name="BRAF result").click()
    who.page.wait_for_url("**/SCR/GF/#row-BRAFRES")
    assert who.page.locator("#row-BRAFRES").is_visible()
