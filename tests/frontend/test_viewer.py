"""The reading page in a real browser: pictures of a phantom whose lesions have a known size."""

# ruff: noqa: E501 - tables and markup read better on one line

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import imagecodecs
import numpy as np
import pytest
from playwright.sync_api import Page

from tests.frontend import phantom
from tests.frontend.conftest import until
from tests.frontend.site import Answer, Site

RAW = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
HTJ2K = "image/jphc; transfer-syntax=1.2.840.10008.1.2.4.202"


class Desk:
    """The reading page and the server behind it."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        self.marks: list[dict[str, Any]] = []
        self.answers: list[Answer] = []
        self.known: list[dict[str, Any]] = []
        self.modality = "CT"
        self.second = False
        self.kind = RAW
        site.routes["/viewer-data/"] = self.series
        site.routes["/viewer-frames/"] = self.frame
        site.routes["/viewer-marks/"] = self.mark

    def series(self, data: dict[str, Any]) -> Answer:
        name = data["path"].strip("/").split("/")[-1]
        described = phantom.series(name, marks=self.known if name == "current" else [])
        described["series"][0]["modality"] = self.modality
        if self.second and name == "current":
            described["series"] += phantom.series("second")["series"]
        return 200, "application/json", json.dumps(described)

    def frame(self, data: dict[str, Any]) -> Answer:
        raw = phantom.frame(int(data["path"].split("/")[3]))
        if self.kind == RAW:
            return 200, RAW, raw
        pixels = np.frombuffer(raw, "<u2").reshape(phantom.SIZE, phantom.SIZE)
        return 200, HTJ2K, bytes(imagecodecs.htj2k_encode(pixels, reversible=True))

    def mark(self, data: dict[str, Any]) -> Answer:
        self.marks.append(data)
        return (
            self.answers.pop(0) if self.answers else (200, "application/json", json.dumps({"id": data["id"]}))
        )

    def open(self) -> Desk:
        self.page.goto(f"{self.site.url}/viewer/")
        until(lambda: self.page.locator("[data-load]").all_inner_texts() == ["", ""], 40)
        return self

    def line(self, view: str = "current") -> str:
        return self.page.locator(f"[data-view={view}] .viewer-line").inner_text()

    def at(self, view: str = "current") -> int:
        return int(self.line(view).split("/")[0])

    def press(self, *keys: str) -> None:
        self.page.locator("[data-view=current] .viewport").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def drag_over(self, lesion: str) -> None:
        """Drag the mouse across a lesion, from its left edge to its right."""
        x, y, _z, radius = phantom.LESIONS[lesion]
        box = self.page.locator("[data-view=current] .viewport").bounding_box()
        assert box
        scale = min(box["width"], box["height"]) / (phantom.SIZE * phantom.SPACING)
        left = box["x"] + box["width"] / 2 + (x - radius) * scale
        top = box["y"] + box["height"] / 2 + y * scale
        self.page.mouse.move(left, top)
        self.page.mouse.down()
        for step in (0.5, 1.0):
            self.page.mouse.move(left + 2 * radius * scale * step, top, steps=4)
        self.page.mouse.up()

    def choose(self, series: str) -> None:
        """Another series of the same study, until its middle slice is shown."""
        self.page.locator("[data-view=current] .viewer-series").select_option(f"s-{series}")
        until(lambda: self.page.locator("[data-load]").all_inner_texts() == ["", ""], 40)

    def said(self) -> str:
        return self.page.locator(".viewer-marks").inner_text().replace("\n", " ")


@pytest.fixture
def desk(page: Page, site: Site) -> Desk:
    return Desk(page, site)


def test_a_lesion_is_measured_and_the_server_has_its_points(desk: Desk) -> None:
    desk.open()
    assert desk.at() == 11
    desk.press("l")
    desk.drag_over("T01")
    until(lambda: "Saved" in desk.said())
    mark = desk.marks[0]
    assert mark["length_mm"] == pytest.approx(42.0, abs=1.0)  # the mouse stands on whole pixels, 0.7 mm each
    assert {key: mark[key] for key in ("action", "tool", "sop", "series", "frame_of_reference", "lesion")} == {
        "action": "save", "tool": "Length", "sop": "current-10", "series": "s-current", "frame_of_reference": "for-current", "lesion": "T01",
    }  # fmt: skip
    assert [point[2] for point in mark["points"]] == [0, 0]
    assert mark["points"][0][1] == pytest.approx(10, abs=1)
    kept = Decimal(str(mark["length_mm"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert f"{kept.quantize(Decimal('0.1'), ROUND_HALF_UP)} mm" in desk.said(), "as the server writes it"


def test_two_diameters_travel_with_four_points(desk: Desk) -> None:
    desk.open()
    desk.press("b")
    desk.drag_over("T01")
    until(lambda: "Saved" in desk.said())
    assert len(desk.marks[-1]["points"]) == 4
    assert desk.marks[-1]["width_mm"] > 0


def test_a_mark_is_sent_again_until_the_server_has_it(desk: Desk) -> None:
    desk.answers = [(503, "text/plain", "down")]
    desk.open()
    desk.press("l")
    desk.drag_over("T01")
    until(lambda: "Not saved. Trying again" in desk.said())
    until(lambda: desk.said().count("Saved") == 1 and "Not saved" not in desk.said())
    assert [mark["id"] for mark in desk.marks] == [desk.marks[0]["id"]] * 2


def test_a_refused_mark_says_why(desk: Desk) -> None:
    desk.answers = [(422, "application/json", json.dumps({"detail": "The mark leaves the picture."}))]
    desk.open()
    desk.press("l")
    desk.drag_over("T01")
    until(lambda: "The mark leaves the picture." in desk.said())


def test_a_mark_that_is_taken_away_is_taken_away_on_the_server(desk: Desk) -> None:
    desk.known = [
        {
            "id": "m1",
            "tool": "Length",
            "points": [[30, -25, 20], [42, -25, 20]],
            "sop": "current-14",
            "lesion": "T02",
            "length_mm": "12.0",
        }
    ]
    desk.open()
    assert desk.at() == 15  # opens where the reader has been
    assert "T02 · 12.0 mm Saved" in desk.said()
    desk.page.click(".viewer-remove")
    until(lambda: desk.marks)
    assert desk.marks == [{"action": "delete", "id": "m1"}]
    assert desk.said() == ""


def test_a_mark_on_another_series_outlives_the_browser(desk: Desk) -> None:
    desk.second = True
    desk.open().choose("second")
    desk.page.route("**/viewer-marks/", lambda route: route.abort())
    desk.press("l")
    desk.drag_over("T01")
    until(lambda: "Not saved" in desk.said())
    context = desk.page.context
    desk.page.close(run_before_unload=False)
    desk.page = context.new_page()
    desk.open()
    until(lambda: "Saved" in desk.said())
    assert [(mark["action"], mark["series"]) for mark in desk.marks] == [("save", "s-second")]
    desk.choose("second")
    assert desk.page.locator(".viewer-marks li").count() == 1


def test_a_mark_taken_away_does_not_come_back_with_its_series(desk: Desk) -> None:
    desk.second = True
    point = [[30, -25, 20], [42, -25, 20]]
    desk.known = [
        {
            "id": "m1",
            "tool": "Length",
            "points": point,
            "sop": "current-14",
            "lesion": "T02",
            "length_mm": "12.0",
        }
    ]
    desk.open()
    desk.page.click(".viewer-remove")
    until(lambda: desk.marks)
    desk.choose("second")
    desk.choose("current")
    assert desk.page.locator(".viewer-marks li").count() == 0
    assert desk.marks == [{"action": "delete", "id": "m1"}]


def test_a_mark_leads_back_to_its_slice(desk: Desk) -> None:
    desk.known = [
        {
            "id": "m1",
            "tool": "Length",
            "points": [[30, -25, 20], [42, -25, 20]],
            "sop": "current-14",
            "lesion": "T02",
            "length_mm": "12.0",
        }
    ]
    desk.open()
    desk.press("Home")
    until(lambda: desk.at() == 1)
    desk.page.click(".viewer-goto")
    until(lambda: desk.at() == 15)


def test_both_pictures_scroll_together_until_they_are_parted(desk: Desk) -> None:
    desk.open()
    desk.press("ArrowDown", "ArrowDown")
    until(lambda: (desk.at("prior"), desk.at()) == (13, 13))
    desk.press("k", "ArrowDown")
    until(lambda: desk.at() == 14)
    assert desk.at("prior") == 13
    desk.press("k", "ArrowUp")
    until(lambda: (desk.at("prior"), desk.at()) == (12, 13))


def test_the_wheel_and_the_keys_do_the_same(desk: Desk) -> None:
    desk.open()
    desk.page.locator("[data-view=current] .viewport").hover()
    desk.page.mouse.wheel(0, 100)
    until(lambda: desk.at() == 12)
    desk.press("PageUp")
    until(lambda: desk.at() == 2)
    desk.press("End")
    until(lambda: desk.at() == 21)
    desk.press("1")
    until(lambda: "W 160 L 60" in desk.line())
    desk.press("Shift+ArrowUp")
    until(lambda: "W 160 L 70" in desk.line())


def test_a_lesion_can_be_measured_without_a_mouse(desk: Desk) -> None:
    desk.open()
    desk.press("l", "Enter", *["Shift+ArrowLeft"] * 3, "Enter", *["Shift+ArrowRight"] * 6, "Enter")
    until(lambda: "Saved" in desk.said())
    assert desk.marks[0]["length_mm"] == pytest.approx(43, abs=5)
    assert desk.marks[0]["tool"] == "Length"


def test_the_lesion_of_a_mark_is_chosen_beside_the_pictures(desk: Desk) -> None:
    desk.open()
    desk.page.click("[data-lesion-select=T02]")
    desk.press("Home", *["ArrowDown"] * 14)
    until(lambda: desk.at() == 15)
    desk.drag_over("T02")
    until(lambda: desk.marks)
    assert desk.marks[0]["lesion"] == "T02"
    assert desk.marks[0]["length_mm"] == pytest.approx(24, abs=1.0)


def test_compressed_frames_are_shown_too(desk: Desk) -> None:
    desk.kind = HTJ2K
    desk.open()
    desk.press("l")
    desk.drag_over("T01")
    until(lambda: "Saved" in desk.said())
    assert not desk.page.locator(".viewer-fault").count()


def test_a_ct_window_never_goes_over_mr(desk: Desk) -> None:
    desk.modality = "MR"
    desk.open()
    assert "W 400 L 60" in desk.line()  # as in the header
    desk.press("3")
    desk.page.wait_for_timeout(200)
    assert "W 400 L 60" in desk.line()


def test_missing_images_are_said_in_a_sentence(desk: Desk) -> None:
    desk.site.routes["/viewer-data/"] = lambda data: (404, "application/json", "{}")
    desk.page.goto(f"{desk.site.url}/viewer/")
    until(lambda: "These images are not here any more." in desk.page.locator("edc-viewer").inner_text())
