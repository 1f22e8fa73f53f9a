"""Finding work: Today and the casebooks by keyboard, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from casebook import services
from foundation import clock
from tests.cast import Cast
from tests.journeys.conftest import Person
from visits.models import Visit
from visits.services import plan_visits_for

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def work(cast: Cast) -> list[str]:
    """Three subjects: one with an overdue visit, one with a query, one at the other site."""
    late, asked, elsewhere = (
        cast.subject("THERMODOX"),
        cast.subject("THERMODOX"),
        cast.subject("THERMODOX", site=cast.away),
    )
    plan_visits_for(
        actor=cast.actor(), subject=late, anchors={"PROCEDURES": [clock.today() - timedelta(days=60)]}
    )
    screening = Visit.objects.get(subject=asked, code="SCR")
    entry = services.open_entry(actor=cast.actor(), subject=asked, visit=screening, form="LB")
    services.raise_query(actor=cast.actor("monitor"), entry=entry, item="HGB", text="Please check.")
    return [late.number, asked.number, elsewhere.number]


def focused(page: Page) -> str:
    """What the line or cell with the focus says."""
    return str(
        page.evaluate("() => document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()")
    )


def test_today_is_worked_off_by_keyboard(cast: Cast, person: Callable[..., Person]) -> None:
    late, asked, _ = work(cast)
    page = person("coordinator").page
    page.goto("/today/")
    first = focused(page)
    assert late in first
    page.keyboard.press("j")
    second = focused(page)
    assert second != first
    page.keyboard.press("k")
    assert focused(page) == first
    page.keyboard.press("End")
    assert asked in focused(page)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/subjects/{asked}/SCR/LB/#row-HGB")


def test_an_overdue_visit_opens_where_its_date_is_typed(cast: Cast, person: Callable[..., Person]) -> None:
    late, _, _ = work(cast)
    page = person("coordinator").page
    page.goto("/today/?kind=visits")
    page.get_by_role("link", name=f"{late} · Month 1").click()
    expect(page.get_by_role("dialog", name="Month 1")).to_be_visible()


def test_the_casebooks_are_walked_by_arrow_keys(cast: Cast, person: Callable[..., Person]) -> None:
    late, asked, elsewhere = work(cast)
    page = person("coordinator").page
    page.goto("/casebooks/?trial=THERMODOX")
    expect(page.get_by_role("rowheader", name=late)).to_be_visible()
    expect(page.get_by_text(elsewhere)).to_have_count(0)
    page.locator(".matrix td > a").first.focus()
    assert focused(page).startswith(f"{late}, Screening")
    page.keyboard.press("ArrowDown")
    assert focused(page) == f"{asked}, Screening: in progress, 0 of 13 forms complete; 1 open query"
    expect(page.locator(".matrix-describe")).to_have_text(focused(page))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/subjects/{asked}/SCR/**")


def test_slash_finds_on_the_page_and_control_k_everywhere(cast: Cast, person: Callable[..., Person]) -> None:
    late, asked, _ = work(cast)
    page = person("coordinator").page
    page.goto("/casebooks/?trial=THERMODOX")
    page.keyboard.press("/")
    page.keyboard.type(asked)
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    expect(page.get_by_role("rowheader", name=asked)).to_be_visible()
    expect(page.get_by_role("rowheader", name=late)).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type(late)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/subjects/{late}/")


def test_a_phone_shows_a_card_for_each_subject(cast: Cast, person: Callable[..., Person]) -> None:
    late, _, _ = work(cast)
    page = person("coordinator", width=390).page
    page.goto("/casebooks/?trial=THERMODOX")
    expect(page.get_by_role("rowheader", name=late)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert page.locator(".matrix td > a:visible").count() < page.locator(".matrix td > a").count()
