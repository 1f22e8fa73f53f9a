"""The smaller elements in a real browser: matrix, menus, search, dates, dialogs, uploads, progress; and axe over every sample page."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.frontend.conftest import until
from tests.frontend.data import PAGES
from tests.frontend.site import ROOT, Answer, Site

AXE = (ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def active(page: Page, what: str) -> Any:
    return page.evaluate(f"document.activeElement.{what}")


# ---- the matrix


def test_the_matrix_is_one_tab_stop_and_arrows_walk_in_it(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/casebook/")
    assert page.locator(".matrix td > a[tabindex='0']").count() == 1
    page.locator(".matrix td > a[tabindex='0']").focus()
    start = active(page, "getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    here = active(page, "getAttribute('aria-label')")
    assert here != start
    assert page.locator(".matrix-describe").inner_text() == here
    assert page.locator(".matrix td > a[tabindex='0']").count() == 1
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowLeft")
    assert "Demography" in active(page, "getAttribute('aria-label')")


def test_the_legend_filters_and_lets_go(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/casebook/")
    button = page.locator("[data-filter=overdue]")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert set(page.eval_on_selector_all(".matrix a.match", "all => all.map(a => a.dataset.state)")) == {
        "overdue"
    }
    page.locator("[data-filter=query-open]").click()
    assert button.get_attribute("aria-pressed") == "false"
    page.locator("[data-filter=query-open]").click()
    assert page.locator(".matrix.filtered").count() == 0


# ---- the frame


def test_slash_goes_to_the_search_but_not_while_typing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/casebook/")
    page.keyboard.press("/")
    assert active(page, "id") == "search"
    page.goto(f"{site.url}/form/")
    page.focus("#f-COM")
    page.keyboard.press("/")
    assert active(page, "id") == "f-COM"
    assert page.input_value("#f-COM") == "/"


def test_a_menu_opens_by_arrow_and_closes_by_escape(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/casebook/")
    page.locator(".switcher summary").first.focus()
    page.keyboard.press("ArrowDown")
    assert "THERMODOX" in active(page, "textContent")
    page.keyboard.press("Escape")
    assert page.locator(".switcher details[open]").count() == 0
    assert active(page, "tagName") == "SUMMARY"


def test_colours_are_chosen_and_kept_without_a_flash(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/casebook/")
    page.locator(".header-end summary").click()
    page.click("[data-theme-set=dark]")
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('color')") == "rgb(231, 237, 241)"
    page.reload(wait_until="commit")
    assert 'data-theme="dark"' in page.content()
    page.locator(".header-end summary").click()
    page.click("[data-density-set=comfortable]")
    page.reload()
    assert page.locator("html").get_attribute("data-density") == "comfortable"


def test_the_list_of_keys_opens_and_gives_the_focus_back(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/form/")
    page.focus("#f-K")
    page.keyboard.press("Control+/")
    assert page.locator("#keys[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#keys[open]").count() == 0
    assert active(page, "id") == "f-K"


def test_a_refusal_is_said_aloud_and_swaps_nothing(page: Page, site: Site) -> None:
    site.routes["/refuse/"] = lambda data: (
        409,
        "text/html",
        '<p role="alert">A third procedure is not allowed.</p>',
    )
    page.goto(f"{site.url}/upload/")
    page.evaluate(
        "document.querySelector('h1').insertAdjacentHTML('afterend', '<button id=go hx-post=/refuse/ hx-target=h1>Go</button>'); htmx.process(document.body)"
    )
    page.click("#go")
    until(lambda: page.locator("#notices .message").count())
    assert "A third procedure is not allowed." in page.locator("#notices").inner_text()
    assert page.locator("h1").inner_text() == "Scans of Week 16"


def test_a_button_that_is_not_possible_yet_does_nothing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/eligibility/")
    page.locator("text=Sign as eligible").click(force=True)
    assert page.locator("dialog[open]").count() == 0
    page.click("text=Sign as not eligible")
    assert active(page, "id") == "pw"


# ---- dates

READ = [
    ("10nov26", "10 Nov 2026", "2026-11-10"), ("t", "21 Nov 2026", "2026-11-21"), ("t-1", "20 Nov 2026", "2026-11-20"),
    ("y", "20 Nov 2026", "2026-11-20"), ("t+10", "01 Dec 2026", "2026-12-01"), ("12mar25", "12 Mar 2025", "2025-03-12"),
    ("12 March 2025", "12 Mar 2025", "2025-03-12"), ("2026-11-10", "10 Nov 2026", "2026-11-10"), ("10.11.2026", "10 Nov 2026", "2026-11-10"),
    ("25/11/2026", "25 Nov 2026", "2026-11-25"), ("29feb24", "29 Feb 2024", "2024-02-29"), ("1jan80", "01 Jan 1980", "1980-01-01"),
    ("un-nov-2026", "Nov 2026", "2026-11"), ("nov 2026", "Nov 2026", "2026-11"), ("//1980", "1980", "1980"),
    ("UN-UN-1980", "1980", "1980"), ("1980", "1980", "1980"), ("29feb25", "29feb25", "29feb25"), ("31 nov 2026", "31 nov 2026", "31 nov 2026"),
    ("10/11/2026", "10/11/2026", "10/11/2026"), ("03/25/2026", "25 Mar 2026", "2026-03-25"), ("03-04-25", "03-04-25", "03-04-25"),
    ("03.04.25", "03 Apr 2025", "2025-04-03"), ("25-03-12", "25-03-12", "25-03-12"), ("3/1980", "Mar 1980", "1980-03"),
    ("2025-03", "Mar 2025", "2025-03"), ("soon", "soon", "soon"), ("", "", ""),
]  # fmt: skip
SAID = [
    ("10nov26", "Tuesday"), ("31nov26", "31 Nov 2026 does not exist. November has 30 days."),
    ("10/11/2026", "can be 10 Nov 2026 or 11 Oct 2026. Write the month as a word."), ("soon", "is not a date"), ("nov 2026", "A full date is needed"),
]  # fmt: skip


def test_a_date_is_read_as_people_type_it(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/upload/")
    found = []
    for typed, _shown, _posted in READ:
        page.fill("#d", typed)
        page.keyboard.press("Tab")
        found.append((typed, page.input_value("#d"), page.locator("input[name=acquired]").input_value()))
    assert found == READ


def test_a_date_field_says_what_it_understood(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/upload/")
    assert "d-echo" in str(page.locator("#d").get_attribute("aria-describedby"))
    for typed, said in SAID:
        page.fill("#d", typed)
        page.keyboard.press("Tab")
        assert said in page.locator("#d-echo").inner_text(), typed


# ---- uploads


class Store:
    """The receiving end of an upload."""

    def __init__(self, site: Site) -> None:
        self.files: list[dict[str, Any]] = []
        self.arrived: set[int] = set()
        self.batches: list[list[int]] = []
        self.digests: set[bytes] = set()
        self.break_once = False
        self.reject: set[int] = set()
        site.routes["/manifest/"] = self.manifest
        site.routes["/batch/u1/"] = self.batch
        site.routes["/finish/"] = lambda data: (200, "application/json", json.dumps({"ok": data["upload"]}))

    def manifest(self, data: dict[str, Any]) -> Answer:
        self.files = data["files"]
        return (
            200,
            "application/json",
            json.dumps(
                {"upload": "u1", "missing": [n for n in range(len(self.files)) if n not in self.arrived]}
            ),
        )

    def batch(self, data: dict[str, Any]) -> Answer:
        indexes = [int(n) for n in re.findall(rb'name="file-(\d+)"', data["raw"])]
        if self.break_once:
            self.break_once = False
            return 503, "text/plain", "down"
        self.batches.append(indexes)
        self.arrived |= set(indexes)
        self.digests |= set(re.findall(rb'name="sha256-\d+"\r\n\r\n([0-9a-f]{64})\r\n', data["raw"]))
        results = [
            {
                "index": n,
                "state": "rejected" if n in self.reject else "received",
                "reason": "This is not a DICOM file." if n in self.reject else "",
            }
            for n in indexes
        ]
        return 200, "application/json", json.dumps({"results": results})


def files(folder: Path, count: int) -> list[str]:
    for number in range(count):
        (folder / f"IM{number:03}").write_bytes(b"x" * (100 + number))
    return sorted(str(path) for path in folder.iterdir())


def test_an_upload_sends_a_list_then_batches_of_twenty(page: Page, site: Site, tmp_path: Path) -> None:
    store = Store(site)
    page.goto(f"{site.url}/upload/")
    page.set_input_files("#files", files(tmp_path, 45))
    until(lambda: "45 of 45 files are here" in page.locator("edc-upload").inner_text())
    assert [len(batch) for batch in sorted(store.batches)] == [20, 20, 5]
    assert store.files[3] == {"path": "IM003", "size": 103}
    assert store.digests == {sha256(b"x" * (100 + n)).hexdigest().encode() for n in range(45)}


def test_what_is_there_already_is_not_sent_again(page: Page, site: Site, tmp_path: Path) -> None:
    store = Store(site)
    store.arrived = {0, 1}
    page.goto(f"{site.url}/upload/")
    page.set_input_files("#files", files(tmp_path, 3))
    until(lambda: "3 of 3 files are here; 2 were here before" in page.locator("edc-upload").inner_text())
    assert store.batches == [[2]]


def test_a_broken_upload_goes_on_where_it_stopped(page: Page, site: Site, tmp_path: Path) -> None:
    store = Store(site)
    store.break_once = True
    page.goto(f"{site.url}/upload/")
    page.set_input_files("#files", files(tmp_path, 3))
    until(lambda: "3 of 3 files are here" in page.locator("edc-upload").inner_text(), 8)


def test_a_refused_file_is_named_with_its_reason(page: Page, site: Site, tmp_path: Path) -> None:
    store = Store(site)
    store.reject = {1}
    page.goto(f"{site.url}/upload/")
    page.set_input_files("#files", files(tmp_path, 3))
    until(lambda: "2 of 3 files are here; 1 were not taken" in page.locator("edc-upload").inner_text())
    assert "IM001" in page.locator(".upload-files").inner_text()
    assert "This is not a DICOM file." in page.locator(".upload-files").inner_text()


# ---- every sample page


@pytest.mark.parametrize("name", [name for name in PAGES if name != "viewer"])
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_a_page_has_no_axe_violation(
    chromium: Browser, site: Site, name: str, width: int, scheme: Any
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{site.url}/{name}/")
    page.evaluate(AXE())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary)]))",
        TAGS,
    )
    page.close()
    assert found == []


@pytest.mark.parametrize("name", [name for name in PAGES if name != "viewer"])
@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_a_page_never_scrolls_sideways_and_its_targets_can_be_hit(
    chromium: Browser, site: Site, name: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{site.url}/{name}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(e => e.offsetParent && !e.closest('p, li > p, .visually-hidden, .evidence, .skip')
            && !e.matches('.visually-hidden, .answers input, .problems a, .skip, [type=hidden]')).map(e => { const box = (e.matches('input[type=radio], input[type=checkbox]') ? e.closest('label') : e).getBoundingClientRect();
            return [e.outerHTML.slice(0, 90), box.width, box.height] }).filter(([, w, h]) => w < 23.5 || h < 23.5)"""
    )
    page.close()
    assert small == []


def test_a_form_prints_its_values_and_no_navigation(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/form/")
    page.emulate_media(media="print")
    assert not page.locator(".header").is_visible()
    assert not page.locator(".save-bar").is_visible()
    assert page.locator("#f-K").is_visible()
    assert not page.locator("input[name=TAKEN][value=N]").is_visible()
