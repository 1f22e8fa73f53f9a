"""The reader's browser ends in the middle of a read: what was drawn is sent when the read is opened again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from imaging.models import Measurement
from tests.imaging.conftest import Desk
from tests.imaging.test_journey import until
from tests.imaging.test_reading import send
from tests.journeys.conftest import built_front_end, chromium, person  # noqa: F401  fixtures of the journeys
from tests.journeys.test_radiologist import draw_length

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
OURS = "Object.keys(localStorage).filter(key => key.startsWith('hilum'))"


def test_a_mark_outlives_the_browser(desk: Desk, person: Callable[..., Any]) -> None:  # noqa: F811
    send(desk, "M1")
    read = desk.read("M1")
    somebody = person(read.reader.username)
    page, case = somebody.page, reverse("reading-case", args=[read.opaque])
    page.goto(case)
    until(lambda: page.locator("[data-load]").all_inner_texts() == [""])
    page.route("**/marks/", lambda route: route.abort())
    page.locator('[data-lesion-select="T01"][data-tool="length"]').click()
    draw_length(page, page.locator(".viewport").first)
    page.get_by_text("Not saved yet. Kept in this browser").wait_for()
    assert not Measurement.objects.exists()
    page.close(run_before_unload=False)

    again = somebody.page = somebody.context.new_page()
    again.goto(case)
    until(lambda: Measurement.objects.filter(lesion="T01").exists())
    again.get_by_text("All marks saved").wait_for()
    assert again.evaluate(OURS) == []
