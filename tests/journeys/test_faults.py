"""What people type survives: a failing server, a broken line, a colleague, a session that ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from audit.context import acting
from casebook.models import Entry
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person, all_saved, until

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def laboratory(cast: Cast, page: Page) -> Subject:
    """Open the laboratory form of a new subject."""
    subject = cast.subject("EXCALIBUR")
    page.goto(reverse("form", args=[subject.number, "SCR", "LB"]))
    return subject


def stored(subject: Subject, item: str = "HGB") -> str | None:
    """The value that the server has."""
    entry = Entry.objects.filter(subject=subject, form="LB").first()
    found = (entry.values if entry else {}).get(item)
    return str(found["value"]) if found else None


def type_value(page: Page, text: str, item: str = "HGB") -> None:
    """Type a value and go on."""
    page.locator(f"#f-{item}").fill(text)
    page.keyboard.press("Enter")


def test_a_server_that_fails_once_loses_nothing(cast: Cast, person: Callable[..., Person]) -> None:
    page = person("coordinator").page
    subject = laboratory(cast, page)
    failures = [500]

    def fail_once(route: Route) -> None:
        if failures:
            route.fulfill(status=failures.pop(), body="<h1>Server error</h1>", content_type="text/html")
        else:
            route.continue_()

    page.route("**/save/", fail_once)
    type_value(page, "12.4")
    page.get_by_text("Not saved: 1 change. Trying again").wait_for()
    expect(page.locator("#f-HGB")).to_have_value("12.4")
    assert stored(subject) is None
    all_saved(page)
    assert stored(subject) == "12.4"


def test_a_broken_line_keeps_what_is_typed_and_sends_it_when_it_is_back(
    cast: Cast, person: Callable[..., Person]
) -> None:
    somebody = person("coordinator")
    page = somebody.page
    subject = laboratory(cast, page)
    type_value(page, "12.4")
    all_saved(page)
    somebody.context.set_offline(True)
    type_value(page, "13.1")
    type_value(page, "188", "PLAT")
    page.get_by_text("Not saved: 2 changes. Trying again").wait_for()
    assert stored(subject) == "12.4"
    somebody.context.set_offline(False)
    all_saved(page)
    until(lambda: (stored(subject), stored(subject, "PLAT")) == ("13.1", "188"))


@pytest.mark.parametrize(("choice", "kept"), [("Keep 12.4 g/dL", "12.4"), ("Use mine", "13.4")])
def test_the_second_of_two_people_is_told_and_decides(
    cast: Cast, person: Callable[..., Person], choice: str, kept: str
) -> None:
    first, second = person("coordinator").page, person("investigator").page
    subject = laboratory(cast, first)
    second.goto(first.url)
    type_value(first, "12.4")
    all_saved(first)
    type_value(second, "13.4")
    row = second.locator("#row-HGB")
    expect(row).to_contain_text("12.4 g/dL")
    expect(second.locator(".save-state")).to_have_text("Someone else changed this")
    expect(second.locator("#f-HGB")).to_have_value("13.4")
    assert stored(subject) == "12.4"
    row.get_by_role("button", name=choice).click()
    expect(second.locator("#f-HGB")).to_have_value(kept)
    expect(row.locator(".message")).to_have_count(0)
    until(lambda: stored(subject) == kept)


def sign_in_in_another_tab(somebody: Person, username: str) -> None:
    """Sign in beside a page that stays open."""
    tab = somebody.context.new_page()
    tab.goto("/")
    tab.get_by_label("User name").fill(username)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("heading", name="Today").wait_for()
    tab.close()


@pytest.mark.parametrize(("again", "kept"), [("coordinator", "12.4"), ("investigator", None)])
def test_what_was_typed_as_a_session_ended_is_saved_for_the_same_person_only(
    cast: Cast, person: Callable[..., Person], again: str, kept: str | None
) -> None:
    somebody = person("coordinator")
    page = somebody.page
    subject = laboratory(cast, page)
    with acting(SETUP):
        Session.objects.all().delete()
    type_value(page, "12.4")
    page.get_by_text("You are signed out").wait_for()
    expect(page.locator("#f-HGB")).to_have_value("12.4")
    assert stored(subject) is None

    sign_in_in_another_tab(somebody, again)
    if kept:
        all_saved(page)
    else:
        with page.expect_response(lambda answer: answer.url == page.url):
            """The page asks who is signed in, and finds a colleague."""
        page.get_by_text("You are signed out").wait_for()
        expect(page.locator("#f-HGB")).to_have_value("12.4")
    assert stored(subject) == kept
