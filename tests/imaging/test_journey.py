"""A coordinator sends a folder in the browser; a radiologist sees it, measures, judges, signs, and goes on."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from imaging.dicom import phantom
from imaging.models import Batch, Instance, Measurement, Read
from imaging.services import process_batch
from tests.imaging.conftest import Desk
from tests.imaging.test_held import named
from tests.imaging.test_processing import states
from tests.imaging.test_reading import send
from tests.journeys.conftest import built_front_end, chromium, person  # noqa: F401  fixtures of the journeys
from tests.journeys.test_radiologist import opened

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def until(condition: Callable[[], Any], seconds: float = 40) -> Any:
    """Poll: the page's policy forbids waiting by a string of script."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_a_coordinator_sends_a_folder(
    desk: Desk,
    person: Callable[..., Any],  # noqa: F811
    stored: Callable[[], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "CD"
    folder.mkdir()
    for name, data in {**desk.slices("M1"), "letter.txt": b"Dear colleague"}.items():
        (folder / name).write_bytes(data)
    page = person("coordinator").page

    page.goto(reverse("visit-images", args=[desk.subject.number, "M1"]))
    page.locator("input[webkitdirectory]").set_input_files(folder)
    page.get_by_text("Names were taken out of 5 before they were sent.").wait_for()
    page.get_by_text("It was not sent").wait_for()
    came = b"".join(stored().values()).lower()
    assert came
    assert [word for word in phantom.Person().words() if word.lower().encode() in came] == []
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/images/uploads/**")

    process_batch(Batch.objects.get().pk)
    page.reload()
    page.get_by_text("This is not a DICOM file").wait_for()
    assert Instance.objects.count() == 5
    page.get_by_role("link", name="To the images").click()
    page.get_by_role("link", name="portal venous phase, 5 slices").click()
    page.get_by_text("What de-identification did").wait_for()
    page.get_by_text("Of these, before sending").wait_for()


UNREADABLE = """upload => upload.send([{ path: 'CD/IM0001', file: {
  size: 5, slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }) } }])"""


def test_a_disc_that_was_taken_out_is_said(desk: Desk, person: Callable[..., Any]) -> None:  # noqa: F811
    page = person("coordinator").page
    page.goto(reverse("visit-images", args=[desk.subject.number, "M1"]))
    page.locator("edc-upload").evaluate(UNREADABLE)
    page.get_by_text("CD/IM0001 cannot be read. Is the disc still in its drive?").wait_for()
    page.get_by_role("button", name="Send again").wait_for()
    assert not Batch.objects.exists()


def zipped(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("extra", "said", "fates"),
    [
        (
            {"letter.txt": b"Dear colleague", "CD/more.zip": b"PK\x03\x04"},
            "Names were taken out of 5 before they were sent.",
            {"ACCEPTED": 5, "REJECTED": 2},
        ),
        ({"../escape": b"x"}, "", {"UNPACKED": 1, "ACCEPTED": 5, "REJECTED": 1}),
    ],
    ids=["opened here", "odd, and sent whole"],
)
def test_an_archive_is_opened_before_it_is_sent_unless_it_is_odd(
    desk: Desk,
    person: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
    extra: dict[str, bytes],
    said: str,
    fates: dict[str, int],
) -> None:
    page = person("coordinator").page

    page.goto(reverse("visit-images", args=[desk.subject.number, "M1"]))
    archive = zipped({**desk.slices("M1"), **extra}, tmp_path / "scan.zip")
    page.locator("input[type=file]:not([webkitdirectory])").set_input_files(archive)
    if said:
        page.get_by_text(said).wait_for()
        page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/images/uploads/**")

    batch = Batch.objects.get()
    process_batch(batch.pk)
    assert states(batch) == fates


def test_a_radiologist_reads_a_case(desk: Desk, person: Callable[..., Any]) -> None:  # noqa: F811
    send(desk, "M1")
    read = desk.read("M1")
    page = person(read.reader.username).page

    page.goto(reverse("reading-queue"))
    page.get_by_role("link", name="Read the next case").click()
    until(lambda: page.locator("[data-load]").all_inner_texts() == [""])
    page.locator('[data-lesion-select="T01"][data-tool="length"]').click()
    page.get_by_role("button", name="Length").click()
    box = page.locator(".viewport").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)
    page.mouse.up()
    until(lambda: Measurement.objects.filter(lesion="T01").exists())
    page.get_by_text("Saved", exact=True).wait_for()

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
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("nothing was signed").wait_for()
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign", exact=True).click()

    page.get_by_text("No case waits for you").wait_for()
    assert Read.objects.get(pk=read.pk).state == "SIGNED"


def test_a_coordinator_covers_a_name_in_the_pictures(
    desk: Desk,
    person: Callable[..., Any],  # noqa: F811
) -> None:
    batch = desk.send(named(desk))
    page = person("coordinator").page
    page.goto(reverse("image-batch", args=[batch.opaque]))
    page.get_by_role("link", name="Look at them, and decide").click()
    picture = page.locator(".cover-picture svg")
    picture.locator("rect").first.wait_for()  # what was found is proposed
    found = page.locator(".area").count()
    assert picture.locator("rect").count() == found

    page.get_by_label("Picture 1 of 6").press("End")
    page.get_by_text("Picture 6 of 6").wait_for()
    place = picture.bounding_box()
    page.mouse.move(place["x"] + 10, place["y"] + 200)
    page.mouse.down()
    page.mouse.move(place["x"] + 110, place["y"] + 250, steps=4)
    page.mouse.up()
    page.locator(".area").nth(found).wait_for()
    assert picture.locator("rect").count() == found + 1
    drawn = page.locator(".area").last
    drawn.get_by_label("Left").fill("2")
    page.get_by_label("Why").fill("The name, and a number below")
    page.get_by_role("button", name="Cover these areas").click()

    page.get_by_text("6 files pass").wait_for()
    process_batch(batch.pk)
    assert states(batch) == {"ACCEPTED": 6}
    areas = Instance.objects.first().ledger.content["covered"]
    assert len(areas) >= 2
    assert areas[-1].startswith("2,")
