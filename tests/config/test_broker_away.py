"""A broker that hangs: people work on, and what was asked for is done when it answers again."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import DEMO_PASSWORD, PATIENCE, Installation, started
from tests.journeys.conftest import Person, all_saved, chromium

pytestmark = pytest.mark.servers
__all__ = ["chromium"]


def visit(browser: Browser, installation: Installation, name: str) -> Page:
    person = Person(browser, f"http://127.0.0.1:{installation.port}")
    person.sign_in(name, DEMO_PASSWORD)
    return person.page


def test_work_goes_on_without_the_broker_and_is_made_up_for(tmp_path: Path, chromium: Browser) -> None:
    with started(tmp_path) as installation:
        broker = installation.find("valkey-server")
        broker.send_signal(signal.SIGSTOP)  # worse than dead: it takes connections and never answers
        try:
            installation.wait(lambda status, report: status == 503 and report["broker"] != "ok")
            coordinator = visit(chromium, installation, "coordinator")
            coordinator.goto("/subjects/TDX-001-005/SCR/CV/")
            coordinator.locator("#f-LVEF").fill("61")
            coordinator.keyboard.press("Tab")
            all_saved(coordinator)
            coordinator.reload()
            expect(coordinator.locator("#f-LVEF")).to_have_value("61")
            sponsor = visit(chromium, installation, "sponsor")
            sponsor.goto("/exports/")
            sponsor.get_by_role("button", name="Make the export").click()
            sponsor.wait_for_url(re.compile(r"/exports/\d+/"))
            expect(sponsor.get_by_role("main")).to_contain_text("Waiting")
        finally:
            broker.send_signal(signal.SIGCONT)
        # The page looks for itself until the export is there.
        expect(sponsor.get_by_role("link", name="Download")).to_be_visible(timeout=PATIENCE * 1000)
