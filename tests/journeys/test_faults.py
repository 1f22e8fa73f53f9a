"""What people type survives: a failing server, a broken line, a colleague, a session that ended."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from audit.context import acting
from audit.models import Event
from casebook.models import Entry, Query
from config.database import superuser_dsn
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
    if choice == "Use mine":
        give_reason(second, "The source was corrected")
    expect(second.locator("#f-HGB")).to_have_value(kept)
    expect(row.locator(".message")).to_have_count(0)
    until(lambda: stored(subject) == kept)


def give_reason(page: Page, reason: str) -> None:
    """Say in the dialog why a value changes."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Somebody else recorded this meanwhile").wait_for()
    dialog.get_by_text(reason).click()
    dialog.get_by_role("button", name="Save with reason").click()


def test_nobody_overwrites_a_colleague_by_typing_on(cast: Cast, person: Callable[..., Person]) -> None:
    first, second = person("coordinator").page, person("investigator").page
    subject = laboratory(cast, first)
    second.goto(first.url)
    type_value(first, "12.4")
    all_saved(first)
    type_value(second, "13.4")
    expect(second.locator("#row-HGB")).to_contain_text("12.4 g/dL")
    type_value(second, "13.5")
    expect(second.get_by_role("dialog")).to_contain_text("Somebody else recorded this meanwhile")
    assert stored(subject) == "12.4"
    second.keyboard.press("Escape")
    expect(second.locator("#f-HGB")).to_have_value("12.4")
    type_value(second, "13.6")  # the colleague's value was taken; from here on it is an ordinary change
    all_saved(second)
    assert stored(subject) == "13.6"


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


def test_a_server_that_dies_between_saving_and_answering_has_saved_once(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    subject = laboratory(cast, page)
    deaths = [1]

    def die_once(route: Route) -> None:
        if deaths:
            deaths.pop()
            route.fetch()  # the server has it, and its answer never arrives
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/save/", die_once)
    type_value(page, "12.4")
    page.get_by_text("Not saved: 1 change. Trying again").wait_for()
    all_saved(page)
    assert stored(subject) == "12.4"
    assert Event.objects.filter(table_name="casebook_entry", after__values__has_key="HGB").count() == 1
    assert not Query.objects.filter(subject=subject).exists()


def test_a_value_typed_on_after_a_lost_answer_is_no_conflict_with_oneself(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    subject = laboratory(cast, page)
    lost = [1, 1]

    def lose(route: Route) -> None:
        if lost:
            lost.pop()
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/save/", lose)
    type_value(page, "12.4")
    page.get_by_text("Trying again").wait_for()
    type_value(page, "12.5")
    all_saved(page)
    assert stored(subject) == "12.5"
    expect(page.locator("#row-HGB .message.stop")).to_have_count(0)


def end_all_connections() -> None:
    """What a restart of PostgreSQL does to those who are connected; this process of the tests is one of them."""
    name = connection.settings_dict["NAME"]
    with psycopg2.connect(**superuser_dsn()) as attacker, attacker.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )
    connection.close()


def test_a_database_that_restarts_during_entry_loses_nothing(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    subject = laboratory(cast, page)
    for place, value in enumerate(("12.1", "12.2", "12.3")):
        type_value(page, value)
        if place < 2:
            end_all_connections()
    all_saved(page)
    until(lambda: stored(subject) == "12.3")


@pytest.mark.parametrize(
    ("text", "told"),
    [("x" * 10_001, "10,001 characters; 10,000 fit"), ("pain\x07 since noon", "cannot be kept")],
)
def test_a_comment_that_does_not_fit_stays_and_is_explained(
    cast: Cast, person: Callable[..., Person], text: str, told: str
) -> None:
    page = person("coordinator").page
    subject = cast.subject()
    page.goto(reverse("form", args=[subject.number, "log", "AE"]))
    page.locator("#f-AEACNOTH").fill(text)
    page.keyboard.press("Tab")
    expect(page.locator("#m-AEACNOTH")).to_contain_text(told)
    expect(page.locator("#f-AEACNOTH")).to_have_value(text)
    entry = Entry.objects.filter(subject=subject, form="AE").first()
    assert entry is None or entry.values == {}


@pytest.mark.parametrize(
    "text",
    [
        "חולשה אחרי הטיפול",
        "tired 😴 since ☕",
        '=HYPERLINK("http://example.org")',
        "x" * 10_000,
        "<b>bold</b> & 'so'",
    ],
)
def test_any_other_comment_is_kept_to_the_letter(
    cast: Cast, person: Callable[..., Person], text: str
) -> None:
    page = person("coordinator").page
    subject = cast.subject()
    page.goto(reverse("form", args=[subject.number, "log", "AE"]))
    page.locator("#f-AEACNOTH").fill(text)
    page.keyboard.press("Tab")
    all_saved(page)
    assert Entry.objects.get(subject=subject, form="AE").values["AEACNOTH"]["value"] == text
    page.reload()
    expect(page.locator("#f-AEACNOTH")).to_have_value(text)


def test_leaving_with_something_unsaved_asks_first(cast: Cast, person: Callable[..., Person]) -> None:
    somebody = person("coordinator")
    page = somebody.page
    laboratory(cast, page)
    somebody.context.set_offline(True)
    type_value(page, "13.1")
    page.get_by_text("Trying again").wait_for()
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    somebody.context.set_offline(False)
    all_saved(page)
