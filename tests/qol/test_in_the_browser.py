"""A patient on a phone, with and without script, and the site's page: nothing that axe or the security policy minds."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from casebook.models import EntryState
from casebook.selectors import entries
from qol.models import Invitation
from qol.rules.fhsi_8_version_4 import ITEMS
from qol.services import invite
from tests.cast import Cast
from tests.journeys.conftest import Person, built_front_end, chromium, person  # noqa: F401  fixtures
from tests.qol.desk import Desk, load

pytestmark = pytest.mark.journey
TODAY = date(2026, 1, 5)
"""Within the window of Month 10 after a procedure of 4 March 2025."""

AXE = Path(settings.BASE_DIR) / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOTS = os.environ.get("HILUM_SHOTS", "")
"""A folder where pictures of the pages are left for somebody to look at."""

PAPER = {
    "BL": ("2025-03-01", "1 - 2 0 1 2 0 1"),
    "D14": ("2025-03-19", "2 1 3 0 2 2 0 1"),
    "M1": ("2025-04-06", "2 1 - - 1 - 0 -"),
    "M4": ("2025-07-07", "1 1 2 0 1 2 0 1"),
    "M7": ("2025-10-20", "3 2 3 1 2 3 0 2"),
}


def violations(page: Page) -> list[Any]:
    """What axe minds about the page as it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
        ".then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' '))]))",
        TAGS,
    )
    return found


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(200)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """A subject with questionnaires up to Month 7."""
    load(cast)
    made = Desk(cast)
    made.paper("BL", *PAPER["BL"], complete=True)
    made.treat("2025-03-04T10:00")
    for visit in ("D14", "M1", "M4", "M7"):
        made.paper(visit, *PAPER[visit], complete=True)
        made.happened(visit, PAPER[visit][0])
    return made


def link(desk: Desk, base: str) -> str:
    _, token = invite(actor=desk.actor, subject=desk.subject, visit=desk.visit("M10"), language="nb")
    return f"{base}/q/{token}/"


def phone(browser: Browser, *, script: bool = True, dark: bool = False) -> tuple[Page, list[str]]:
    """A phone, and what its console complained about."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
    )
    page, faults = context.new_page(), list[str]()
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    return page, faults


@pytest.mark.parametrize("dark", [False, True])
def test_a_patient_answers_on_a_phone(
    live_server: Any,
    built_front_end: None,  # noqa: F811
    chromium: Browser,  # noqa: F811
    desk: Desk,
    *,
    dark: bool,
) -> None:
    page, faults = phone(chromium, dark=dark)
    name = "dark" if dark else "light"
    page.goto(link(desk, live_server.url))
    assert violations(page) == []
    look(page, f"start-{name}")
    page.get_by_role("link", name="Begynn").click()
    for number in range(1, len(ITEMS) + 1):
        page.get_by_role("heading", name=f"Eksempel {number}", exact=True).wait_for()
        if number == 3:
            page.get_by_role("button", name="Neste").click()
            page.get_by_text("Velg ett svar").wait_for()
            assert violations(page) == []
            look(page, f"missing-{name}")
            page.get_by_role("button", name="Jeg vil helst ikke svare").click()
            look(page, f"skip-{name}")
            assert violations(page) == []
            page.get_by_role("button", name="Hopp over").click()
            continue
        page.get_by_label(f"Eksempel answer {number % 5}", exact=True).check()
        if number == 2:
            assert violations(page) == []
            assert fits(page)
            targets = page.locator(".answer").evaluate_all(
                "all => all.map(e => e.getBoundingClientRect().height)"
            )
            assert min(targets) >= 44
            look(page, f"question-{name}")
        page.get_by_role("button", name="Neste").click()
    page.get_by_role("heading", name="Se over svarene dine").wait_for()
    assert violations(page) == []
    look(page, f"review-{name}")
    page.get_by_role("link", name="Endre").nth(2).click()
    page.get_by_label("Eksempel answer 4", exact=True).check()
    page.get_by_role("button", name="Neste").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Takk. Vi har mottatt svarene dine.").wait_for()
    assert violations(page) == []
    look(page, f"thanks-{name}")
    page.go_back()
    page.reload()
    page.get_by_text("Takk.").wait_for()
    page.context.close()
    assert faults == []
    entry = entries().get(subject=desk.subject, visit=desk.visit("M10"), form="QS")
    assert (entry.state, entry.values["GP4"]["value"]) == (EntryState.COMPLETE, "4")
    told = Invitation.objects.get().device_time
    assert len(told) == len("2026-01-05T11:00:00+01:00")
    assert told[19] in "+-"


def test_it_works_without_script(
    live_server: Any,
    built_front_end: None,  # noqa: F811
    chromium: Browser,  # noqa: F811
    desk: Desk,
) -> None:
    page, faults = phone(chromium, script=False)
    page.goto(link(desk, live_server.url))
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Go on").or_(page.get_by_role("link", name="Begin")).click()
    for number in range(1, len(ITEMS) + 1):
        page.get_by_role("heading", name=f"Sample statement {number}", exact=True).wait_for()
        page.get_by_label("Sample statement answer 1", exact=True).check()
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Your answers have been received.").wait_for()
    page.context.close()
    assert faults == []
    entry = entries().get(subject=desk.subject, visit=desk.visit("M10"), form="QS")
    assert (entry.values["QSLANG"]["value"], entry.values["HEP8"]["value"]) == ("en", "1")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_site_sees_the_course_and_makes_a_link(
    desk: Desk,
    person: Callable[..., Person],  # noqa: F811
    width: int,
) -> None:
    link(desk, "")
    who = person("coordinator", width=width)
    page = who.page
    page.goto(f"/subjects/{desk.subject.number}/quality-of-life/")
    assert violations(page) == []
    assert fits(page)
    look(page, f"site-{width}")
    page.get_by_role("row").filter(has_text="Month 10").get_by_role("button", name="New link").click()
    page.locator("dialog[open]").get_by_label("Language").select_option("en")
    assert violations(page) == []
    look(page, f"dialog-{width}")
    page.get_by_role("button", name="Make the link").click()
    page.get_by_role("img", name="The address as a code").wait_for()
    assert violations(page) == []
    assert fits(page)
    look(page, f"link-{width}")
    page.get_by_role("link", name="Quality of life").last.click()
    page.get_by_role("button", name="Take back the link of Month 10").click()
    page.get_by_text("opens nothing any more").wait_for()


@pytest.mark.parametrize("width", [1440, 390])
def test_endpoint_pages_hold(
    desk: Desk,
    person: Callable[..., Person],  # noqa: F811
    width: int,
) -> None:
    desk.enter("M7", "SS", SSDAT="2025-10-06", LSTALVDT="2025-10-06")
    page = person("investigator", width=width).page
    for name, address in (
        ("subject", f"/subjects/{desk.subject.number}/endpoints/"),
        ("trial", "/trials/THERMODOX/endpoints/"),
    ):
        page.goto(address)
        assert violations(page) == []
        assert fits(page)
        look(page, f"endpoints-{name}-{width}")
