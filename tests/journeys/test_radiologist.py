"""A radiologist reads a case without learning whose it is."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Response, expect

from imaging.models import Measurement, Read
from patients.models import Subject
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person, until
from tests.journeys.world import ago, send, treated

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

WAYS_TO_WRITE_A_DAY = ("%Y-%m-%d", "%Y%m%d", "%d %b %Y", "%d.%m.%Y", "%d/%m/%Y")


def shades(picture: Locator) -> int:
    """Number of different grey values that a person sees."""
    seen = Image.open(io.BytesIO(picture.screenshot())).convert("L")
    return len(seen.getcolors(256) or [])


def identifying(subject: Subject, day: date) -> list[str]:
    """What a reader must not meet."""
    plain = day.strftime("%d %b %Y").lstrip("0")
    return [
        subject.number, subject.patient.code, subject.site.code, subject.site.name, "Eksempel", "MRN-0048213377",
        plain, *(day.strftime(form) for form in WAYS_TO_WRITE_A_DAY),
    ]  # fmt: skip


def draw_length(page: Page, view: Locator) -> None:
    """Drag a length over the middle of the picture."""
    box = view.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.up()


def opened(page: Page, lesion: str) -> None:
    """Choose a lesion in the list, where it is not the one that is meant already."""
    row = page.locator(f'details[data-lesion="{lesion}"]')
    if row.get_attribute("open") is None:
        row.locator("summary").click()


def test_from_the_queue_to_the_next_case(cast: Cast, person: Callable[..., Person]) -> None:
    first = treated(cast)
    send(cast, first, "M1")
    reader = Read.objects.get().reader.username
    second = treated(cast)
    send(cast, second, "M1")
    reader_reads = Read.objects.filter(reader__username=reader).order_by("due_on", "pk")

    somebody = person()
    sent: list[str] = []
    somebody.page.on("response", lambda answer: sent.append(text_of(answer)))
    somebody.sign_in(reader)
    page = somebody.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Reading queue")
    expect(page).to_have_url(re.compile(reverse("reading-queue") + "$"))
    page.get_by_role("link", name="Read the next case").click()
    until(lambda: page.locator("[data-load]").all_inner_texts() == [""], 40)

    # The picture is there, and scrolling shows another slice.
    view = page.locator(".viewport").first
    assert shades(view) > 30
    before = view.screenshot()
    place = page.locator(".viewer-line").first.inner_text()
    view.hover()
    page.mouse.wheel(0, 120)
    until(lambda: page.locator(".viewer-line").first.inner_text() != place)
    assert view.screenshot() != before

    # A length is drawn by hand and measured by the server.
    page.locator('[data-lesion-select="T01"][data-tool="length"]').click()
    draw_length(page, view)
    mark = until(lambda: Measurement.objects.filter(lesion="T01").first())
    page.get_by_role("button", name=f"{mark.length_mm} mm").wait_for()

    # Nothing that a reader received says who, where or when.
    read = mark.read
    assert read == reader_reads.first()
    day = read.visit.happened_on
    assert day == ago(1)
    whole = "\n".join(sent) + page.content()
    assert [word for word in identifying(read.subject, day) if word in whole] == []

    for lesion in ("T01", "T02"):
        opened(page, lesion)
        page.get_by_role("radiogroup", name=f"Outcome of {lesion}").get_by_text("Complete ablation").click()
        until(lambda lesion=lesion: lesion in set(read.outcomes.values_list("lesion", flat=True)))
    page.get_by_text("Optimal", exact=True).click()
    until(lambda: Read.objects.get(pk=read.pk).image_quality == "OPTIMAL")
    opened(page, "NEW")
    page.get_by_role("radiogroup", name="New lesion").get_by_role("radio", name="No", exact=True).check()
    until(lambda: Read.objects.get(pk=read.pk).new_lesion == "N")
    page.get_by_role("button", name="Sign, and read the next case").click()
    page.get_by_label("User name").fill(read.reader.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    until(lambda: Read.objects.get(pk=read.pk).state == "SIGNED")

    # Signed, and on to the next case, or to the empty queue when there is none.
    left = reader_reads.exclude(pk=read.pk).first()
    if left is None:
        page.get_by_text("No case waits for you").wait_for()
    else:
        page.wait_for_url(f"**{reverse('reading-case', args=[left.opaque])}")


def text_of(answer: Response) -> str:
    """Address, headers and, where it is text of ours, the body of an answer."""
    kind = answer.headers.get("content-type", "")
    static = "/static/" in answer.url
    ours = not static and ("html" in kind or "json" in kind)
    # The day on which the front end was built may be the day of a visit, and says nothing about it.
    headers = {
        name: said for name, said in answer.headers.items() if not (static and name == "last-modified")
    }
    try:
        body = answer.text() if ours and answer.status == 200 else ""
    except PlaywrightError:  # a redirect or an answer that the page did not wait for has no body
        body = ""
    return f"{answer.url}\n{headers}\n{body}"
