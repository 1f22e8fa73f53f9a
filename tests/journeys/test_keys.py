"""Keys of a form, in a real browser: nothing is skipped, nothing is pressed for the field before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import caches
from django.urls import reverse
from playwright.sync_api import Page, expect

from audit.context import acting
from casebook.models import Entry
from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.journeys.conftest import Person, all_saved, until

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nobody_is_here() -> None:
    caches["presence"].clear()


def opened(cast: Cast, page: Page, visit: str, form: str) -> Subject:
    """A new subject with a form open."""
    subject = cast.subject()
    page.goto(reverse("form", args=[subject.number, visit, form]))
    return subject


def stored(subject: Subject, form: str) -> dict[str, object]:
    """Values by item, as the server has them."""
    entry = Entry.objects.filter(subject=subject, form=form).first()
    return {item: cell.get("value") for item, cell in entry.values.items()} if entry else {}


@pytest.mark.parametrize("onward", ["Enter", "Tab"])
def test_a_field_that_an_answer_brings_is_not_passed_over(
    cast: Cast, person: Callable[..., Person], onward: str
) -> None:
    page = person("coordinator").page
    subject = opened(cast, page, "log", "AE")
    page.locator("#row-AEONGO input").first.focus()
    page.keyboard.press("2")
    page.keyboard.press(onward)
    page.keyboard.type("12mar25")
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    until(lambda: stored(subject, "AE") == {"AEONGO": "N", "AEENDAT": "2025-03-12", "AETOXGR": "3"})


def test_what_a_date_means_stands_beside_it_after_saving_too(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    opened(cast, page, "SCR", "LB")
    page.locator("#f-LBDAT").fill("12mar25")
    page.keyboard.press("Enter")
    all_saved(page)
    expect(page.locator("#row-LBDAT .side")).to_contain_text("Wednesday")
    expect(page.locator("#form-progress")).to_contain_text("In progress")
    expect(page.locator("#f-GCSFDAT")).to_have_attribute("placeholder", "dd Mmm yyyy")


def test_what_keeps_a_form_from_being_complete_gets_the_focus(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    opened(cast, page, "SCR", "VS")
    page.locator("#f-WEIGHT").fill("71")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#row-SYSBP")).to_contain_text("Not answered yet")
    expect(page.locator("#f-SYSBP")).to_be_focused()


def test_the_panel_that_is_entered_is_that_of_the_field(cast: Cast, person: Callable[..., Person]) -> None:
    page = person("coordinator").page
    opened(cast, page, "SCR", "LB")
    page.locator("#f-ALT").focus()
    expect(page.locator("#item-panel h2")).to_have_text("ALAT")
    page.locator("#f-AST").focus()
    page.keyboard.press("F9")
    expect(page.locator("#item-panel [data-missing='ND']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#row-AST .missing-note")).to_have_text("Not done")
    expect(page.locator("#row-ALT .missing-note")).to_have_count(0)
    expect(page.locator("#f-AST")).to_be_focused()
    page.keyboard.press("F9")
    page.keyboard.press("Escape")
    expect(page.locator("#f-AST")).to_be_focused()


def test_rows_are_added_to_a_log_without_loading_the_page_anew(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    subject = opened(cast, page, "log", "AE")
    page.locator("#f-AETERM").fill("Fever")
    page.keyboard.press("Enter")
    all_saved(page)
    page.get_by_role("button", name="Add a row").click()
    page.wait_for_url("**/log/AE/2/")
    assert Entry.objects.filter(subject=subject, form="AE").count() == 2


@pytest.mark.parametrize("key", ["Delete", "Backspace"])
def test_an_answer_is_taken_back_by_one_key(cast: Cast, person: Callable[..., Person], key: str) -> None:
    page = person("coordinator").page
    subject = opened(cast, page, "log", "AE")
    page.locator("#row-AEONGO input").first.focus()
    page.keyboard.press("2")
    all_saved(page)
    until(lambda: stored(subject, "AE") == {"AEONGO": "N"})
    page.keyboard.press(key)
    until(lambda: stored(subject, "AE") == {})
    expect(page.locator("#row-AEONGO input:checked")).to_have_count(0)


def test_an_answer_of_a_complete_form_is_taken_back_with_a_reason(
    cast: Cast, person: Callable[..., Person]
) -> None:
    page = person("coordinator").page
    subject = opened(cast, page, "SCR", "VS")
    page.locator("#row-VSPOS input").first.focus()
    page.keyboard.press("1")
    all_saved(page)
    before = stored(subject, "VS")
    with acting(SETUP):
        Entry.objects.filter(subject=subject, form="VS").update(state="COMPLETE")
    page.reload()
    page.locator("#row-VSPOS input:checked").focus()
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Why did this value change?").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#row-VSPOS input:checked")).to_have_count(1)
    assert stored(subject, "VS") == before
    page.locator("#row-VSPOS input:checked").focus()
    page.keyboard.press("Backspace")
    dialog.get_by_text("Entered for the wrong subject").click()
    dialog.get_by_role("button", name="Save with reason").click()
    until(lambda: stored(subject, "VS") == {})


def test_a_log_is_walked_opened_and_added_to_by_keys(cast: Cast, person: Callable[..., Person]) -> None:
    page = person("coordinator").page
    subject = opened(cast, page, "log", "MH")
    page.goto(reverse("form-rows", args=[subject.number, "log", "MH"]))
    expect(page.locator("[data-add]")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("Nothing recorded here")
    for row, term in enumerate(("Gout", "Asthma"), start=1):
        page.keyboard.press("n")
        page.wait_for_url("**/log/MH/" if row == 1 else f"**/log/MH/{row}/")
        page.locator("#f-MHTERM").fill(term)
        page.keyboard.press("Enter")
        all_saved(page)
        page.get_by_role("link", name="All rows").click()
        page.wait_for_url("**/log/MH/rows/")
        expect(page.locator("[data-line]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Asthma")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/log/MH/2/")
