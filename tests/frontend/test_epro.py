"""The questionnaire on a phone: answered, interrupted, cut off from the network, and sent once."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.frontend.conftest import until
from tests.frontend.site import Answer, Site


class Inbox:
    def __init__(self, site: Site) -> None:
        self.sent: list[dict[str, Any]] = []
        self.status = 200
        site.routes["/answers/"] = self.take

    def take(self, data: dict[str, Any]) -> Answer:
        self.sent.append(data)
        return self.status, "application/json", "{}"


@pytest.fixture
def inbox(site: Site) -> Inbox:
    return Inbox(site)


@pytest.fixture
def phone(page: Page, site: Site, inbox: Inbox) -> Page:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/epro/")
    until(lambda: page.locator("h1").count())
    return page


def answer(page: Page, *places: int) -> None:
    for place in places:
        page.locator(".q-options label").nth(place).click()
        page.click(".q-next")


def test_answers_arrive_once_with_skipped_ones_left_open(phone: Page, inbox: Inbox) -> None:
    answer(phone, 2, 0)
    phone.click(".q-skip")
    assert phone.locator(".q-review dd").all_inner_texts() == ["Very much", "Not at all", "Not answered"]
    phone.click(".q-next")
    until(lambda: "have arrived" in phone.locator("h1").inner_text())
    assert inbox.sent[0]["answers"] == {"Q1": 2, "Q2": 0, "Q3": None}
    assert len(inbox.sent) == 1


def test_nobody_passes_a_question_by_mistake(phone: Page) -> None:
    phone.click(".q-next")
    assert phone.locator(".q-count").inner_text() == "1 of 3"


def test_a_changed_answer_leads_back_to_the_check(phone: Page, inbox: Inbox) -> None:
    answer(phone, 0, 0, 0)
    phone.locator(".q-change").nth(1).click()
    answer(phone, 2)
    assert phone.locator(".q-review dd").nth(1).inner_text() == "Very much"


def test_an_interrupted_questionnaire_goes_on_where_it_stopped(phone: Page) -> None:
    answer(phone, 1)
    until(lambda: phone.locator(".q-count").inner_text() == "2 of 3")
    phone.wait_for_timeout(150)
    phone.reload()
    until(lambda: phone.locator(".q-count").count())
    assert phone.locator(".q-count").inner_text() == "2 of 3"


def test_what_is_kept_on_the_phone_cannot_be_read_there(phone: Page) -> None:
    answer(phone, 1)
    phone.wait_for_timeout(150)
    kept = phone.evaluate(
        """() => new Promise(done => { const r = indexedDB.open('hilum-questionnaire'); r.onsuccess = () => { const g = r.result.transaction('answers').objectStore('answers').get('link-1');
        g.onsuccess = () => done(Object.keys(g.result).join() + new TextDecoder().decode(g.result.cipher)) } })"""
    )
    assert kept.startswith("iv,cipher")
    assert "Q1" not in kept


def test_without_a_network_the_answers_wait_and_are_sent_later(phone: Page, inbox: Inbox) -> None:
    answer(phone, 0, 1, 2)
    phone.context.set_offline(True)
    phone.click(".q-next")
    until(lambda: "safe on this device" in phone.locator("h1").inner_text())
    assert inbox.sent == []
    phone.context.set_offline(False)
    until(lambda: "have arrived" in phone.locator("h1").inner_text(), 8)
    assert len({sent["key"] for sent in inbox.sent}) == 1


def test_a_refused_questionnaire_names_whom_to_tell(phone: Page, inbox: Inbox) -> None:
    inbox.status = 410
    answer(phone, 0, 1, 2)
    phone.click(".q-next")
    until(lambda: "tell your study team" in phone.locator("h1").inner_text())


def test_the_language_changes_at_once_and_reads_from_the_right(phone: Page) -> None:
    answer(phone, 0)
    phone.select_option("select", "ar")
    assert phone.locator("html").get_attribute("dir") == "rtl"
    assert "جملة 2" in phone.locator("h1").inner_text()


def test_every_target_is_large_enough_for_a_thumb(phone: Page) -> None:
    heights = phone.eval_on_selector_all(
        "button, label, select", "all => all.map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44
