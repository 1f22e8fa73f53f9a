"""Journeys: whole tasks in a real Chromium against a real server, database and built front end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_vite.core.asset_loader import DjangoViteAppClient, DjangoViteAssetLoader, DjangoViteConfig
from playwright.sync_api import Browser, Page, Playwright

from foundation import sprite
from foundation.templatetags import pieces
from tests.browser import find_browser
from tests.cast import Cast
from tests.conftest import PASSWORD

SITE_CLOCK = "Europe/Oslo"  # "today" is the same day in the browser and at the site
NO_CONNECTION = ("Failed to load resource", "Failed to fetch")  # said by the browser; what we say is tested
DIST = Path(settings.BASE_DIR) / "frontend" / "dist"
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all journeys; there can be only one `playwright`, shared with the front-end tests."""
    browser = playwright.chromium.launch(**find_browser().launch_options())
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def built_front_end() -> Iterator[None]:
    """Pages name the built files, as in production."""
    assert (DIST / "manifest.json").is_file(), "run `make setup` first: the front end is not built"
    loader = DjangoViteAssetLoader.instance()
    before = loader._apps["default"]
    loader._apps["default"] = DjangoViteAppClient(
        DjangoViteConfig(dev_mode=False, manifest_path=str(DIST / "manifest.json"))
    )
    for cached in (sprite.asset_url, pieces._svg):
        cached.cache_clear()
    yield
    loader._apps["default"] = before
    for cached in (sprite.asset_url, pieces._svg):
        cached.cache_clear()


class Person:
    """Somebody at a browser. Script errors and refusals of the security policy fail the journey."""

    def __init__(self, browser: Browser, base: str, *, width: int = 1440) -> None:
        self.base = base
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, base_url=base, timezone_id=SITE_CLOCK
        )
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type == "error" and not any(each in message.text for each in NO_CONNECTION):
            self.faults.append(message.text)

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Sign in as people do."""
        self.page.goto("/")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "sign-in" not in url)


@contextmanager
def arriving(browser: Browser, base: str) -> Iterator[Callable[..., Person]]:
    """`arrive("coordinator")`: somebody at a browser, signed in; their faults are told at the end."""
    people: list[Person] = []

    def arrive(username: str = "", *, width: int = 1440) -> Person:
        somebody = Person(browser, base, width=width)
        people.append(somebody)
        if username:
            somebody.sign_in(username)
        return somebody

    try:
        yield arrive
    finally:
        for somebody in people:
            somebody.context.close()
    faults = [fault for somebody in people for fault in somebody.faults]
    assert not faults, faults


@pytest.fixture
def person(
    live_server: Any, built_front_end: None, chromium: Browser, cast: Cast
) -> Iterator[Callable[..., Person]]:
    """`person("coordinator")`: one of the cast, signed in, at 1440 px unless said otherwise."""
    with arriving(chromium, live_server.url) as arrive:
        yield arrive


@pytest.fixture
def visitor(live_server: Any, built_front_end: None, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """The same in an installation that the test fills itself."""
    with arriving(chromium, live_server.url) as arrive:
        yield arrive


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Poll: the security policy of the pages forbids waiting by a string of script."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def all_saved(page: Page) -> None:
    """Wait until the form says that the server has everything."""
    page.locator(".save-state.ok", has_text="All changes saved").wait_for()
