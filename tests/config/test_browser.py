"""The browser of the journeys starts, and can do what the viewer needs."""

from __future__ import annotations

from playwright.sync_api import Playwright

from tests.browser import find_browser


def test_a_browser_opens_a_page_and_has_webgl(playwright: Playwright) -> None:
    browser = playwright.chromium.launch(**find_browser().launch_options())
    page = browser.new_page()
    page.set_content("<h1>Hilum</h1>")
    assert page.inner_text("h1") == "Hilum"
    assert page.evaluate("document.createElement('canvas').getContext('webgl2') !== null")
    browser.close()
