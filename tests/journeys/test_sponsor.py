"""A sponsor looks at the progress of a trial and takes the data home, provably whole."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cast import Cast
from tests.eligibility.case import FACTS
from tests.journeys.conftest import Person
from tests.journeys.world import candidate, treated

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_charts_and_an_export_whose_digests_hold(
    cast: Cast, person: Callable[..., Person], tmp_path: Path
) -> None:
    candidate(cast)
    subject = treated(cast)
    page = person("sponsor").page
    expect(page.get_by_role("heading", level=1)).to_have_text("Progress")
    page.get_by_role("navigation", name="Trials").get_by_role("link", name="ThermoDox").click()
    for title in ("Enrolment", "Completeness of the data", "Screening outcome by criterion"):
        expect(page.get_by_role("region", name=title)).to_be_visible()
    completeness = page.get_by_role("region", name="Completeness of the data")
    expect(completeness.locator("svg").first).to_be_visible()
    assert subject.number not in page.content()

    page.get_by_role("link", name="Exports").first.click()
    page.get_by_label("Trial").select_option(label="ThermoDox mCRC (ABLATE)")
    page.get_by_role("button", name="Make the export").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download").click()
    target = tmp_path / "export.zip"
    coming.value.save_as(target)
    shown = page.locator("dd.code").first.inner_text().strip()
    assert hashlib.sha256(target.read_bytes()).hexdigest() == shown

    with zipfile.ZipFile(target) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        named = {each["name"]: each for each in manifest["files"]}
        assert set(archive.namelist()) == {*named, "manifest.json"}
        for name, each in named.items():
            content = archive.read(name)
            assert hashlib.sha256(content).hexdigest() == each["sha256"], name
            assert len(content) == each["bytes"], name
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
            assert len(rows) - 1 == each["rows"], name
        laboratory = archive.read("LB.csv").decode("utf-8-sig")
    assert subject.number in laboratory
    assert FACTS["V08"]["LB"]["HGB"]["value"] in laboratory
