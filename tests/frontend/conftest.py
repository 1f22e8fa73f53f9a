"""Sample pages in a real browser."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django_vite.core.asset_loader import DjangoViteAppClient, DjangoViteAssetLoader, DjangoViteConfig
from playwright.sync_api import Browser, Page, Playwright

from foundation import sprite
from foundation.templatetags import pieces
from tests.browser import find_browser
from tests.frontend.site import DIST, Site

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread


@pytest.fixture(scope="session")
def built() -> None:
    """The built files must be there: `make setup` makes them."""
    assert (DIST / "manifest.json").is_file(), "run `make setup` first: the front end is not built"


@pytest.fixture(scope="module")
def built_assets(built: None) -> Iterator[None]:
    """Templates name the built files, as in production."""
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


@pytest.fixture
def site(built_assets: None) -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all sample pages."""
    browser = playwright.chromium.launch(**find_browser().launch_options())
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page whose script errors and policy violations fail the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield page
    context.close()
    assert not faults, faults


def until(condition: Any, seconds: float = 5.0) -> Any:
    """Poll until a condition holds (the page's policy forbids waiting by a string of script)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.03)
    raise AssertionError("it did not happen in time")
