"""A coordinator's work: register, screen by keyboard, correct with a reason, treat, ask the patient, send a scan."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from audit.models import Event
from casebook.models import Entry, EntryState
from eligibility.services import sign_assessment
from imaging.models import Batch, Instance
from imaging.services import process_batch
from patients.models import Subject
from tests.cast import Cast
from tests.conftest import PASSWORD
from tests.journeys.conftest import Person, all_saved, until
from tests.journeys.world import ago, candidate, scan, treated
from visits.models import Visit

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

CELL = '.matrix a[aria-label^="{form}"][href*="/{visit}/"]'


def register(page: Page, code: str) -> None:
    """From Today, register a patient for both trials."""
    page.get_by_role("link", name="Register a patient").click()
    page.get_by_label("Patient code").fill(code)
    for trial in page.get_by_role("group", name="Screen for").get_by_role("checkbox").all():
        trial.check()
    page.get_by_role("button", name="Register").click()
    page.get_by_role("heading", name="Casebook").wait_for()


def open_form(page: Page, form: str, visit: str) -> None:
    """Open a form from the matrix."""
    page.locator(CELL.format(form=form, visit=visit)).click()
    page.get_by_role("heading", level=1, name=re.compile(f"^{form}")).wait_for()


def focused(page: Page) -> str:
    """Id of the control that has the focus."""
    return str(page.evaluate("() => document.activeElement.id"))


def type_and_go_on(page: Page, *texts: str) -> None:
    """Type into one field after the other; Enter goes to the next."""
    for text in texts:
        if text:
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.type(text)
        page.keyboard.press("Enter")


def cell(subject: Subject, form: str, item: str) -> dict[str, object]:
    """What the casebook holds of an item."""
    entry = Entry.objects.get(subject=subject, form=form)
    return dict(entry.values.get(item) or {})


def test_screening_by_keyboard_from_today_to_the_trail(cast: Cast, person: Callable[..., Person]) -> None:
    page = person("coordinator").page
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    register(page, "OUS-0815")
    subjects = Subject.objects.filter(patient__code="OUS-0815")
    assert {each.trial.code for each in subjects.select_related("trial")} == {"EXCALIBUR", "THERMODOX"}
    subject = subjects.get(trial__code="EXCALIBUR")
    page.goto(reverse("subject", args=[subject.number]))
    open_form(page, "Laboratory", "SCR")

    # Enter goes from value to value, Tab to units and limits too; U takes the next unit while a number is typed.
    page.get_by_label("Date of the sample").focus()
    type_and_go_on(page, "t-1", "", "")
    assert focused(page) == "f-HGB"
    page.keyboard.type("124u")
    for text in ("", "", "134", "170"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    assert focused(page) == "f-WBC"
    all_saved(page)
    until(lambda: cell(subject, "LB", "HGB") == {"value": "124", "unit": "g/L", "low": "134", "high": "170"})
    assert cell(subject, "LB", "LBDAT")["value"] == str(ago(1))

    # An impossible value is named at once, and stands in the way of completing.
    platelets = page.locator("#row-PLAT")
    platelets.get_by_label("Platelets", exact=True).fill("18800")
    page.keyboard.press("Enter")
    platelets.get_by_text("outside what is possible").wait_for()
    expect(page).to_have_title(re.compile("^1 to correct"))
    platelets.get_by_label("Platelets", exact=True).fill("188")
    page.keyboard.press("Enter")
    expect(platelets.locator(".message")).to_have_count(0)

    # An unusual one is confirmed with a reason.
    neutrophils = page.locator("#row-NEUT")
    neutrophils.get_by_label("Neutrophils", exact=True).fill("0.9")
    page.keyboard.press("Enter")
    neutrophils.get_by_text("below 1 ×10⁹/L").wait_for()
    neutrophils.get_by_role("button", name="It is correct").click()
    page.get_by_role("dialog").get_by_text("Checked against the source").click()
    page.get_by_role("dialog").get_by_role("button", name="It is correct").click()
    neutrophils.get_by_text("Confirmed: Checked against the source").wait_for()

    # What was not measured gets a coded reason, from the panel.
    page.locator("#f-BILI").focus()
    page.locator("#item-panel").get_by_role("heading", name="Bilirubin").wait_for()
    page.keyboard.press("F9")
    page.locator("#item-panel").get_by_role("button", name="Not done").click()
    page.locator("#row-BILI").get_by_text("Not done", exact=True).wait_for()
    assert cell(subject, "LB", "BILI") == {"value": None, "missing": "ND"}

    # Completing names what is missing; then it is complete, and a change asks why.
    page.keyboard.press("Control+Enter")
    page.locator("#problems").get_by_role("link", name="ASAT").wait_for()
    for item, value, limit, bound in (
        ("AST", "48", "hi", "45"), ("ALT", "55", "hi", "70"), ("ALB", "40", "lo", "36"), ("CREAT", "78", "hi", "105"),
    ):  # fmt: skip
        page.locator(f"#f-{item}").fill(value)
        page.locator(f"#{limit}-{item}").fill(bound)
        page.keyboard.press("Tab")
    all_saved(page)
    page.keyboard.press("Control+Enter")
    page.locator(".sheet-head").get_by_text("Complete", exact=True).wait_for()
    assert Entry.objects.get(subject=subject, form="LB").state == EntryState.COMPLETE

    page.locator("#f-ALT").fill("56")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Why did this value change?").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#f-ALT")).to_have_value("55")
    page.locator("#f-ALT").fill("57")
    page.keyboard.press("Enter")
    dialog.get_by_text("Typing mistake").click()
    dialog.get_by_role("button", name="Save with reason").click()
    until(lambda: cell(subject, "LB", "ALT").get("value") == "57")

    # The panel and the trail say who, what, when, why.
    page.reload()
    page.locator("#f-ALT").focus()
    history = page.locator("#item-panel .timeline")
    history.get_by_text("Typing mistake").wait_for()
    expect(history).to_contain_text("Coordinator Person")
    event = Event.objects.filter(reason="Typing mistake").latest("id")
    assert (event.actor, event.table_name, event.subject_id) == (
        "Coordinator Person",
        "casebook_entry",
        subject.pk,
    )
    monitor = person("monitor").page
    monitor.goto(reverse("audit"))
    expect(monitor.get_by_role("main")).to_contain_text("Typing mistake")


def test_one_patient_under_all_criteria_side_by_side(cast: Cast, person: Callable[..., Person]) -> None:
    subject = candidate(cast)
    page = person("coordinator").page
    page.goto(reverse("subject", args=[subject.number]))
    page.get_by_role("link", name="Eligibility", exact=True).click()
    page.get_by_role("link", name="All trials").click()
    for title, word in (
        ("Excalibur 1", "Eligible"),
        ("Excalibur 2", "Eligible"),
        ("ThermoDox", "Not decided yet"),
    ):
        column = page.get_by_role("region", name=title).first
        expect(column.locator(".decision")).to_contain_text(word)
    tops = {
        round(page.get_by_role("region", name=title).first.bounding_box()["y"])  # type: ignore[index]
        for title in ("Excalibur 1", "Excalibur 2", "ThermoDox")
    }
    assert len(tops) == 1, "they stand side by side"


def test_treatment_times_plan_the_visits(cast: Cast, person: Callable[..., Person]) -> None:
    subject = candidate(cast, "V08", "THERMODOX")
    sign_assessment(
        actor=cast.actor("investigator"), user=cast.people["investigator"], subject=subject, decision="ELIGIBLE",
        password=PASSWORD,
    )  # fmt: skip
    page = person("coordinator").page
    page.goto(reverse("subject", args=[subject.number]))
    open_form(page, "ThermoDox infusion", "P1")
    page.locator('#row-PROCNO input[value="1"]').focus()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    type_and_go_on(page, "91", "", "LTLD-2231")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#f-EXSTDAT")).to_be_focused()
    type_and_go_on(page, "t", "06:00", "t", "06:30")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    all_saved(page)
    assert cell(subject, "EX", "EXSTTIM")["value"] == "06:00"

    page.goto(reverse("form", args=[subject.number, "P1", "PR"]))
    for item, text in {
        "TULNKID": "T01", "PRSTDAT": "t", "PRSTTIM": "06:10", "PRENDAT": "t", "PRENTIM": "06:25",
    }.items():  # fmt: skip
        page.locator(f"#f-{item}").fill(text)
        page.keyboard.press("Enter")
    all_saved(page)

    page.get_by_role("link", name="Treatment", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("10 min")
    page.get_by_role("link", name="Casebook", exact=True).first.click()
    day14 = Visit.objects.get(subject=subject, code="D14", sequence=1)
    assert day14.target == ago(-14)
    header = page.locator(".matrix thead th", has_text="D14")
    expect(header).to_contain_text(f"{day14.target.day} {day14.target:%b}")
    expect(header.locator("svg")).to_have_count(1)


def test_answers_of_the_patient_are_entered_and_scored(cast: Cast, person: Callable[..., Person]) -> None:
    subject = treated(cast)
    page = person("coordinator").page
    page.goto(reverse("subject", args=[subject.number]))
    open_form(page, "FHSI-8", "M1")
    page.get_by_label("Completed on").fill("t-1")
    for item, answer in zip(
        ("GP1", "GP2", "GP4", "C2", "CNS7", "HI7", "HEP2", "HEP8"), "32222111", strict=True
    ):
        page.locator(f'#row-{item} input[type="radio"]').first.focus()
        page.keyboard.press(answer)  # its code, as it is printed beside it
    page.locator("#f-QSDAT").focus()
    all_saved(page)
    until(lambda: cell_at(subject, "M1", "HEP8") == "1")
    page.get_by_role("link", name="Quality of life").click()
    expect(page.get_by_role("main")).to_contain_text("18")  # 8 × 4 less 14 points of burden


def cell_at(subject: Subject, visit: str, item: str) -> str:
    """The value of an item of the questionnaire at a visit."""
    entry = Entry.objects.filter(subject=subject, visit__code=visit, form="QS").first()
    return str((entry.values.get(item) or {}).get("value")) if entry else ""


def test_a_folder_of_images_with_a_letter_among_them(
    cast: Cast, person: Callable[..., Person], tmp_path: Path
) -> None:
    subject = treated(cast)
    folder = tmp_path / "CD"
    files = {**scan(subject, "M1"), "letter.txt": b"Dear colleague"}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    page = person("coordinator").page
    page.goto(reverse("subject", args=[subject.number]))
    page.get_by_role("navigation", name="Subject").get_by_role("link", name="Images").click()
    page.get_by_role("link", name="Send images for Month 1", exact=True).click()
    page.locator("input[webkitdirectory]").set_input_files(folder)
    page.get_by_text("letter.txt").wait_for()
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/images/uploads/**")
    process_batch(Batch.objects.get().pk)
    page.reload()
    rejected = page.get_by_role("row").filter(has_text="(.txt)")  # a name of a file may name somebody
    expect(rejected).to_contain_text("not a DICOM file")
    assert Instance.objects.count() == len(files) - 1
    page.get_by_role("link", name="To the images").click()
    page.get_by_role("link", name=re.compile(rf"CT.*{len(files) - 1} slices")).wait_for()
