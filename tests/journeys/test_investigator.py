"""An investigator judges a candidate: sees why, signs, and is told when the ground moves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Signature
from eligibility.models import Assessment
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person, all_saved
from tests.journeys.world import candidate

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_candidate_on_hold_is_completed_signed_and_goes_stale(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = candidate(cast, BRAFRES=None)
    page = person("investigator").page
    page.goto(reverse("subject", args=[subject.number]))
    page.get_by_role("link", name="Eligibility", exact=True).click()
    decision = page.get_by_role("complementary", name="Decision")
    expect(decision).to_contain_text("Hold")

    # Each criterion: its outcome, the evidence with its limit, and where it was entered.
    haemoglobin = page.locator('[id="c-EX-I-5b.1"]')
    for words in ("Met", "12.4 g/dL", "limit > 10 g/dL"):
        expect(haemoglobin).to_contain_text(words)
    expect(haemoglobin.get_by_role("link", name=re.compile("Laboratory"))).to_have_attribute(
        "href", re.compile("/SCR/LB/#row-HGB$")
    )
    expect(page.locator("#c-EX-E-7")).to_contain_text("Not present")
    braf = page.locator("#c-E1-E-2")
    expect(braf).to_contain_text("Unknown")

    # What is missing leads to the field where it is entered.
    braf.get_by_role("link", name="BRAF").click()
    page.wait_for_url("**/SCR/GF/#row-BRAFRES")
    page.locator('#row-BRAFRES input[value="WT"]').check()
    page.get_by_role("heading", level=1).click()
    all_saved(page)
    page.get_by_role("link", name="Eligibility", exact=True).click()
    expect(braf).to_contain_text("Not present")
    expect(decision).to_contain_text("Offer Excalibur 1")

    # A wrong password signs nothing; the right one does, with name, meaning and time.
    decision.get_by_role("button", name=re.compile("^Sign as eligible")).click()
    dialog = page.get_by_role("dialog")
    for words in ("Investigator Person", "Approval of eligibility", subject.number):
        expect(dialog).to_contain_text(words)
    dialog.get_by_label("User name").fill("investigator")
    dialog.get_by_label("Password").fill("not my password")
    dialog.get_by_role("button", name="Sign", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("4 tries are left")
    assert not Signature.objects.exists()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign", exact=True).click()
    page.get_by_text("Signed as eligible").first.wait_for()
    signature = Signature.objects.get()
    assert signature.signer == cast.people["investigator"]
    assert Assessment.objects.get(signature=signature).decision == "ELIGIBLE"

    # The coordinator corrects a value that was judged: the decision is out of date and says what changed.
    other = person("coordinator").page
    other.goto(reverse("form", args=[subject.number, "SCR", "LB"]))
    other.locator("#f-HGB").fill("10.0")
    other.keyboard.press("Enter")
    all_saved(other)
    page.reload()
    stale = page.get_by_role("region", name="The signed decision is out of date")
    changed = stale.get_by_role("row").filter(has_text="12.4 g/dL")
    expect(changed).to_contain_text("10.0 g/dL")
    expect(changed).to_contain_text("Haemoglobin")
    expect(haemoglobin).to_contain_text("Not met")
    expect(page.get_by_role("region", name="Kept assessments")).to_contain_text(
        "Signed by Investigator Person"
    )


def test_a_coordinator_sees_the_decision_and_is_told_who_signs(
    cast: Cast, person: Callable[..., Person]
) -> None:
    subject = candidate(cast)
    page = person("coordinator").page
    page.goto(reverse("eligibility", args=[subject.number]))
    decision = page.get_by_role("complementary", name="Decision")
    button = decision.get_by_role("button", name=re.compile("^Sign as eligible"))
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(decision).to_contain_text("investigator")
