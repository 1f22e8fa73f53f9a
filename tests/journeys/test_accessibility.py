"""Every page, in every state that matters, broad and narrow, light and dark: no violation of WCAG 2.2 AA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page

from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person
from tests.journeys.walk import GUARDED, NO_PAGES, STOPS, Stop, names
from tests.journeys.world import World, guard_with_second_factor, make_world

AXE = Path(settings.BASE_DIR) / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that look at colours; a scheme changes nothing else."""
LOOKS = [
    (width, scheme, TAGS if scheme == "light" else COLOURS)
    for width in (1440, 390)
    for scheme in ("light", "dark")
]
TALLEST = 4000
VIOLATIONS = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})
  .then(found => found.violations.map(each =>
    `${each.id}: ${each.nodes.length} × ${each.nodes[0].html.slice(0, 200)}`))"""
TOO_BROAD = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_every_page_has_a_row_in_the_walk() -> None:
    walked = {stop.name for stop in STOPS}
    no_pages = {name for each in NO_PAGES.values() for name in each}
    known = set(names())
    assert known - walked - no_pages == set(), "add these to tests/journeys/walk.py"
    assert (walked | no_pages) - known == set(), "these are no addresses any more"
    assert walked & no_pages == set()


def bring_about(page: Page, state: str) -> None:
    """Do what a person does to see a state of the page."""
    if state == "refused":
        page.get_by_label("User name").fill("nobody")
        page.get_by_label("Password").fill("nothing")
        page.get_by_role("button", name="Sign in").click()
        page.locator(".message, .errorlist").first.wait_for()
    elif state == "menu":
        page.locator("header summary[aria-label$='menu']").click()
    elif state == "keys":
        page.keyboard.press("Control+/")
    elif state == "empty":
        page.get_by_role("button", name="Register").click()
        page.wait_for_load_state()
    elif state == "visit":
        page.locator("[data-open='#visit-m4']").first.click()
    elif state == "panel":
        page.locator("#f-HGB").focus()
        page.locator("#item-panel h2").wait_for()
    elif state == "problems":
        page.locator("#f-PLAT").fill("18800")
        page.locator("#f-NEUT").fill("0.9")
        page.locator("#f-HGB").focus()
        page.locator("#problems li").nth(1).wait_for()


def look(page: Page) -> Iterator[str]:
    """What is wrong with the page as it is, in each width and scheme."""
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        height = min(page.evaluate("() => document.documentElement.scrollHeight"), TALLEST)
        page.set_viewport_size(
            {"width": width, "height": max(height, 900)}
        )  # so the sticky bar covers nothing
        yield from (f"{width} {scheme} {found}" for found in page.evaluate(VIOLATIONS, rules))
        broad = page.evaluate(TOO_BROAD)
        if broad > 0:
            yield f"{width} {scheme} scrolls sideways by {broad} px"


class Walk:
    """People walking through the house."""

    def __init__(self, world: World, person: Callable[..., Person]) -> None:
        self.world, self.person = world, person
        self.people: dict[str, Person] = {}
        self.source = AXE.read_text(encoding="utf-8")
        self.guarded = False

    def page_of(self, who: str) -> Page:
        """The browser of somebody; the reader is whoever got the case."""
        name = self.world.read.reader.username if who == "reader" else who
        if name not in self.people:
            self.people[name] = self.person(name)
        return self.people[name].page

    def arrive(self, stop: Stop) -> Page:
        """Go to a stop and bring its state about."""
        page = self.page_of(stop.who)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        if stop.state == "guarded" and not self.guarded:
            guard_with_second_factor(self.world.cast.people[GUARDED])
            self.guarded = True
        if stop.state == "second factor":
            page = self.person().page
            page.goto(reverse("account_login"))
            page.get_by_label("User name").fill(GUARDED)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"**{reverse(stop.name)}*")
        else:
            answer = page.goto(stop.where(self.world))
            assert answer is not None
            refused = stop.name == "account_inactive"
            assert answer.status == (403 if refused else 200), (stop, answer.status)
            bring_about(page, stop.state)
        page.evaluate(self.source)
        return page


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_no_page_violates_wcag_or_scrolls_sideways(cast: Cast, person: Callable[..., Person]) -> None:
    walk = Walk(make_world(cast), person)
    wrong: list[str] = []
    for stop in STOPS:
        page = walk.arrive(stop)
        wrong += [f"{stop.name} {stop.state} as {stop.who or 'anybody'}: {found}" for found in look(page)]
        page.goto("about:blank")
    assert wrong == [], "\n".join(wrong)
