"""The page that describes the interface, in a browser: nothing that axe or the security policy minds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.journeys.conftest import Person, built_front_end, chromium, visitor  # noqa: F401  fixtures

pytestmark = pytest.mark.journey
AXE = Path(settings.BASE_DIR) / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[Any]:
    """What axe minds about the page as it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
        ".then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' '))]))",
        TAGS,
    )
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_interface_can_be_read_by_anybody(
    visitor: Callable[..., Person],  # noqa: F811
    width: int,
    scheme: Any,
) -> None:
    page = visitor(width=width).page
    page.emulate_media(color_scheme=scheme)
    page.goto("/api/docs/")
    page.get_by_text("Save items of a form").click()
    assert page.get_by_text("items{}.expected").is_visible()
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page) == []
