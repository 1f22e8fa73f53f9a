"""A trial that nobody programmed: published from its pack, used in the browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from patients.models import Subject
from tests.cast import SETUP, Cast
from tests.journeys.conftest import Person, all_saved
from tests.journeys.world import ago
from tests.trials.test_versions import THIRD
from trials.models import Trial
from trials.services import open_site
from visits.models import Visit

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_pack_becomes_forms_visits_checks_and_criteria(
    cast: Cast, grant: Callable[..., object], person: Callable[..., Person]
) -> None:
    assert not list(Path(THIRD).rglob("*.py"))
    call_command("check_protocol", str(THIRD), stdout=io.StringIO())
    call_command("publish_protocol", str(THIRD), stdout=io.StringIO())
    open_site(actor=SETUP, trial=Trial.objects.get(code="HEPAFIT"), site=cast.home, on=date(2026, 1, 15))
    for role in ("coordinator", "investigator"):
        grant(cast.people[role], role, "HEPAFIT", cast.home.code)

    page = person("coordinator").page
    page.get_by_role("link", name="Register a patient").click()
    page.get_by_label("Patient code").fill("OUS-0900")
    page.get_by_label("HepaFit").check()
    page.get_by_role("button", name="Register").click()
    subject = Subject.objects.get(patient__code="OUS-0900")
    assert subject.number.startswith("HPF-")

    page.goto(reverse("form", args=[subject.number, "SCR", "BL"]))
    expect(page.locator("#row-PREGNANT")).to_be_hidden()
    page.get_by_label("Date of informed consent").fill("t-3")
    page.get_by_label("Date of birth").fill("1970-05-04")
    for item, code in {"SEX": "F", "FRAILTY": "FIT", "RESECT": "Y", "WILLING": "Y"}.items():
        page.locator(f'#row-{item} input[value="{code}"]').check()
    page.locator('#row-PREGNANT input[value="N"]').check()
    for item, value in {"HEIGHT": "168", "WEIGHT": "70", "HGB": "6.9"}.items():
        page.locator(f"#f-{item}").fill(value)
        page.keyboard.press("Tab")
    page.get_by_text("Haemoglobin of 7 g/dL or less").first.wait_for()
    page.locator("#f-HGB").fill("12.9")
    page.keyboard.press("Tab")
    all_saved(page)

    page.goto(reverse("form", args=[subject.number, "SCR", "WT"]))
    page.get_by_label("Date of the test").fill("t-10")
    page.locator('#row-WTDONE input[value="Y"]').check()
    page.get_by_text("before informed consent").first.wait_for()
    page.get_by_label("Date of the test").fill("t-1")
    page.get_by_label("Distance").fill("420")
    page.keyboard.press("Tab")
    all_saved(page)
    expect(page.locator("#f-SPEED")).to_have_text("70.0")

    page.get_by_role("link", name="Casebook", exact=True).first.click()
    assert Visit.objects.get(subject=subject, code="W2").target == ago(-11)
    expect(page.locator(".matrix thead")).to_contain_text(re.compile("W2.*W4.*M3", re.DOTALL))

    page.get_by_role("link", name="Eligibility", exact=True).click()
    expect(page.get_by_role("complementary", name="Decision")).to_contain_text("Eligible")
    expect(page.locator("#c-HF-I-5")).to_contain_text("12.9 g/dL")
    expect(page.locator("#c-HF-I-5")).to_contain_text("limit > 9 g/dL")
    expect(page.locator("#c-HF-E-1")).to_contain_text("Not present")
