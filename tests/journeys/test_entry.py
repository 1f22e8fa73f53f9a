"""Entry by keyboard, alone and together: what a study nurse does all day, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.urls import reverse
from playwright.sync_api import Page, expect

from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.models import Draft, Entry
from casebook.rules.cells import Typed
from foundation import clock
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person, all_saved, until
from tests.journeys.week8 import MOST_KEYS, VISIT
from visits.models import Visit
from visits.services import plan_visits_for

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nobody_is_here() -> None:
    caches["presence"].clear()


def values(subject: Subject, form: str, visit: str = "SCR") -> dict[str, dict[str, object]]:
    """What the server has."""
    entry = Entry.objects.filter(subject=subject, form=form, visit__code=visit).first()
    return dict(entry.values) if entry else {}


def go(page: Page, subject: Subject, form: str, visit: str = "SCR") -> None:
    """Open a form."""
    page.goto(reverse("form", args=[subject.number, visit, form]))


# ---- the visit before, one key for each value


def test_each_value_of_the_visit_before_is_confirmed_by_one_key(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    first = services.open_entry(
        actor=cast.actor(), subject=subject, visit=Visit.objects.get(subject=subject, code="SCR"), form="VS"
    )
    services.save_item(actor=cast.actor(), entry=first, item_id="VSPOS", typed=Typed("SITTING"))
    page = person("coordinator").page
    go(page, subject, "VS", "RAND")
    expect(page.locator("#row-VSPOS [data-proposal]")).to_have_count(0)
    page.get_by_role("button", name="Compare with last visit").click()
    expect(page.locator("#row-VSPOS [data-proposal]")).to_contain_text("SCR: Sitting")
    expect(page.locator("#row-VSPOS input:checked")).to_have_count(0)
    page.keyboard.press("F2")
    all_saved(page)
    assert values(subject, "VS", "RAND") == {"VSPOS": {"value": "SITTING"}}
    last = Event.objects.filter(table_name="casebook_entry").order_by("id").last()
    assert last is not None
    assert last.reason == "Confirmed from SCR"


# ---- one reason for the rest


def test_the_rest_is_left_blank_for_one_reason_and_taken_back_by_one_click(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    page = person("coordinator").page
    go(page, subject, "VS")
    page.locator("#f-WEIGHT").fill("71.5")
    page.get_by_role("button", name="Leave the rest blank").click()
    page.get_by_role("radio", name="Not done").check()
    page.get_by_role("button", name="Leave blank").click()
    expect(page.locator("#row-PULSE .missing-note")).to_have_text("Not done")
    assert values(subject, "VS")["WEIGHT"]["value"] == "71.5"
    assert values(subject, "VS")["PULSE"] == {"value": None, "missing": "ND"}
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#row-PULSE .missing-note")).to_have_count(0)
    assert values(subject, "VS").keys() == {"WEIGHT"}


# ---- dates of two readings


def test_a_date_of_two_readings_is_shown_in_words_before_anything_is_saved(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    page = person("coordinator").page
    go(page, subject, "LB")
    page.locator("#f-LBDAT").fill("03/04/25")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="04 Mar 2025").wait_for()
    assert values(subject, "LB") == {}
    page.get_by_role("button", name="04 Mar 2025").click()
    all_saved(page)
    assert values(subject, "LB")["LBDAT"]["value"] == "2025-03-04"


# ---- two people


def test_two_people_see_each_other_and_what_the_other_saved(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    first, second = person("coordinator").page, person("investigator").page
    go(first, subject, "LB")
    first.locator("#f-PLAT").fill("188")
    first.keyboard.press("Enter")
    all_saved(first)
    go(second, subject, "LB")
    expect(second.locator(".company")).to_have_text(
        "Coordinator Person has this form open too", timeout=25_000
    )
    second.locator("#f-WBC").focus()
    second.keyboard.type("6.")
    first.locator("#f-HGB").fill("12.4")
    first.keyboard.press("Enter")
    all_saved(first)
    expect(second.locator("#f-HGB")).to_have_value("12.4", timeout=25_000)
    expect(second.locator("#f-WBC")).to_have_value("6.")
    second.keyboard.type("1")
    second.keyboard.press("Enter")
    all_saved(second)
    until(lambda: values(subject, "LB").get("WBC", {}).get("value") == "6.1")


# ---- a session ends, a computer ends


@pytest.mark.req("SES-01")
def test_what_could_not_be_saved_is_offered_to_the_same_person_after_signing_in_again(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    somebody = person("coordinator")
    page = somebody.page
    go(page, subject, "LB")
    page.locator("#f-HGB").fill("12,4x")
    page.keyboard.press("Enter")
    page.get_by_text("is not a number").first.wait_for()
    until(Draft.objects.exists)
    with acting(SETUP):
        Session.objects.all().delete()
    page.close(run_before_unload=False)
    colleague = person("investigator").page
    go(colleague, subject, "LB")
    expect(colleague.locator("#row-HGB")).not_to_contain_text("12,4x")
    back = person("coordinator").page
    go(back, subject, "LB")
    expect(back.locator("#row-HGB [data-proposal]")).to_contain_text("12,4x")
    expect(back.locator("#f-HGB")).to_have_value("")
    assert back.evaluate("localStorage.length + sessionStorage.length") == 0
    back.locator("#f-HGB").fill("12.4")
    back.keyboard.press("Enter")
    all_saved(back)
    back.get_by_role("button", name="Throw away").click()
    until(lambda: not Draft.objects.exists())
    assert values(subject, "LB")["HGB"]["value"] == "12.4"


@pytest.mark.req("SES-01")
def test_what_is_typed_after_the_session_ended_is_offered_in_the_same_tab_to_the_same_person(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = cast.subject()
    page = person("coordinator").page
    go(page, subject, "LB")
    with acting(SETUP):
        Session.objects.all().delete()
    page.locator("#f-HGB").fill("12.4")
    page.keyboard.press("Enter")
    page.get_by_text("What you typed is kept for you").wait_for()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    page.get_by_role("link", name="Sign in again").click()
    sign_in_here(page, "investigator")
    page.wait_for_url("**/SCR/LB/")
    expect(page.locator("#row-HGB [data-proposal]")).to_have_count(0)
    with acting(SETUP):
        Session.objects.all().delete()
    page.reload()
    sign_in_here(page, "coordinator")
    page.wait_for_url("**/SCR/LB/")
    expect(page.locator("#row-HGB [data-proposal]")).to_contain_text("12.4")
    page.locator("#f-HGB").focus()
    page.keyboard.press("F2")
    all_saved(page)
    assert values(subject, "LB")["HGB"]["value"] == "12.4"
    assert Draft.objects.filter(person=cast.people["investigator"]).count() == 0


def sign_in_here(page: Page, username: str) -> None:
    """Sign in on the page that asks for it."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


# ---- a whole visit without the mouse


class Keyboard:
    """Counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, key: str) -> None:
        self.pressed += 1
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        for character in text:
            self.press(character)


def visit_of_week_8(cast: Cast) -> Subject:
    """A randomised subject whose week 8 is due."""
    subject = cast.subject()
    anchor = clock.today("Europe/Oslo") - timedelta(days=56)
    plan_visits_for(actor=cast.actor(), subject=subject, anchors={"RANDOMISATION": [anchor]})
    return subject


def test_a_visit_of_34_values_is_typed_without_the_mouse(cast: Cast, person: Callable[..., Person]) -> None:
    """One key for each character, one to go on: nothing else but one into a form and one to the next."""
    subject = visit_of_week_8(cast)
    page = person("coordinator").page
    go(page, subject, VISIT[0][0], "W8")
    keyboard = Keyboard(page)
    forms = [code for code, _ in VISIT]
    for place, (form, typed) in enumerate(VISIT):
        page.wait_for_url(f"**/W8/{form}/")
        page.locator("edc-form .save-state").wait_for(state="attached")
        keyboard.press("Enter")
        for text in typed:
            keyboard.type(text)
            keyboard.press("Enter")
        all_saved(page)
        if place + 1 < len(forms):
            while f"/{forms[place + 1]}/" not in page.url:
                before = page.url
                keyboard.press("F4")
                page.wait_for_url(lambda url, before=before: url != before)
    stored = {form: values(subject, form, "W8") for form in forms}
    assert sum(len(cells) for cells in stored.values()) == 34
    assert stored["RS"]["ECOG"] == {"value": "1"}  # the grade, not the first option
    assert stored["LB"]["CEA"]["value"] == "3.2"
    assert stored["SS"]["SURVSTAT"]["value"]
    assert keyboard.pressed <= MOST_KEYS
