"""No wording without a licence, no link without wording; every version of it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from audit.context import acting
from qol.errors import InstrumentFileError, LicenceMissingError, LicenceReferenceMissingError
from qol.instrument_file import check_instrument
from qol.models import InstrumentLicence, InstrumentText, Invitation
from qol.rules.fhsi_8_version_4 import ITEMS
from qol.selectors import licensed_languages, why_not_licensed, wording_of
from qol.services import invite, load_instrument
from tests.cast import SETUP, Cast
from tests.qol.desk import Desk, licence, load, text

pytestmark = [pytest.mark.django_db, pytest.mark.req("PRO-06")]


def without(*path: str) -> dict[str, Any]:
    content = licence()
    part = content
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return content


@pytest.mark.parametrize("reference", ["", "   ", None, 7])
def test_a_file_without_licence_reference_is_refused(reference: object) -> None:
    content = licence()
    content["licence"]["reference"] = reference
    with pytest.raises(LicenceReferenceMissingError, match="number of the licence"):
        check_instrument(content)


def test_a_file_without_any_licence_is_refused() -> None:
    with pytest.raises(LicenceReferenceMissingError):
        check_instrument(without("licence"))


def one(**changes: Any) -> dict[str, Any]:
    return {**licence(), "texts": [{**text("en"), **changes}]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (one(language="de"), "does not cover de"),
        (one(items={"GP1": "x"}), "missing: GP2, GP4, C2, CNS7, HI7, Hep2, Hep8"),
        (one(items={**text("en")["items"], "GP9": "x"}), "not items of FHSI-8: GP9"),
        (one(anchors=["a", "b", "c", "d"]), "5 answers are needed"),
        (one(instruction=" "), r"texts\[0\].instruction"),
        ({**licence(), "instrument": "EQ-5D"}, "EQ-5D is not known here"),
        ({**licence(), "texts": [text("en"), text("en")]}, "stands twice"),
        ({**licence(), "texts": []}, "texts"),
        (licence(valid_from="01.02.2025"), "valid_from"),
        (licence(languages=[]), "languages"),
    ],
)
def test_an_incomplete_file_is_refused_in_words(content: dict[str, Any], words: str) -> None:
    with pytest.raises(InstrumentFileError, match=words):
        check_instrument(content)


@pytest.mark.parametrize(
    ("name", "write"),
    [("fhsi.json", json.dumps), ("fhsi.yaml", yaml.safe_dump), ("fhsi.yml", yaml.safe_dump)],
)
def test_the_command_loads_json_and_yaml_alike(
    cast: Cast, tmp_path: Path, name: str, write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.write_text(write(licence()), encoding="utf-8")
    call_command("load_instrument", str(file), trial="THERMODOX")
    assert "licence SAMPLE-2025-01, nb: version 1, new" in capsys.readouterr().out
    assert InstrumentText.objects.count() == 2 * (len(ITEMS) + 1)
    call_command("load_instrument", str(file), trial="THERMODOX")
    assert "version 1, unchanged" in capsys.readouterr().out
    assert InstrumentText.objects.count() == 2 * (len(ITEMS) + 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "not valid JSON"), ('{"licence": {}}', "Without one, no wording is loaded")],
)
def test_the_command_says_what_is_wrong_and_loads_nothing(
    cast: Cast, tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "fhsi.json"
    file.write_text(content)
    with pytest.raises(CommandError, match=words):
        call_command("load_instrument", str(file), trial="THERMODOX")
    with pytest.raises(CommandError, match="no trial NOWHERE"):
        call_command("load_instrument", str(file), trial="NOWHERE")
    with pytest.raises(CommandError, match="No such file"):
        call_command("load_instrument", str(tmp_path / "none.json"), trial="THERMODOX")
    assert not InstrumentText.objects.exists()
    assert not InstrumentLicence.objects.exists()


def test_a_changed_wording_is_the_next_version_and_the_earlier_one_stays(cast: Cast) -> None:
    load(cast)
    content = licence()
    content["texts"][0]["items"]["GP1"] = "Sample statement 1, corrected"
    loaded = load_instrument(actor=SETUP, trial=cast.trials["THERMODOX"], content=check_instrument(content))
    assert (loaded.versions, loaded.new) == ({"en": 2, "nb": 1}, frozenset({"en"}))
    texts = InstrumentText.objects.filter(language="en", item="GP1").order_by("version")
    assert [row.text for row in texts] == ["Sample statement 1", "Sample statement 1, corrected"]
    wording = wording_of(cast.trials["THERMODOX"], "FHSI-8", "en", date(2025, 4, 7))
    assert wording is not None
    assert (wording.version, wording.items["GP1"]) == (2, "Sample statement 1, corrected")
    assert (wording.items["GP2"], len(wording.anchors)) == ("Sample statement 2", 5)


def test_licensed_wording_cannot_be_changed_in_the_database(cast: Cast) -> None:
    load(cast)
    with pytest.raises(DatabaseError), transaction.atomic(), acting(SETUP):
        InstrumentText.objects.update(text="our own words")


@pytest.mark.parametrize(
    ("on", "languages", "why"),
    [
        (date(2024, 12, 31), [], "the licence begins on 01 Jan 2025"),
        (date(2025, 1, 1), ["en", "nb"], ""),
        (date(2027, 12, 31), ["en", "nb"], ""),
        (date(2028, 1, 1), [], "the licence ended on 31 Dec 2027"),
    ],
)
def test_a_licence_holds_from_its_first_to_its_last_day(
    cast: Cast, on: date, languages: list[str], why: str
) -> None:
    load(cast)
    trial = cast.trials["THERMODOX"]
    assert licensed_languages(trial, "FHSI-8", on) == languages
    assert why_not_licensed(trial, "FHSI-8", on) == why
    assert licensed_languages(cast.trials["EXCALIBUR"], "FHSI-8", on) == []


def test_a_language_that_the_licence_no_longer_covers_is_not_used(cast: Cast) -> None:
    load(cast)
    content = licence(languages=["en"])
    content["texts"] = [text("en")]
    load_instrument(actor=SETUP, trial=cast.trials["THERMODOX"], content=check_instrument(content))
    assert licensed_languages(cast.trials["THERMODOX"], "FHSI-8", date(2025, 4, 7)) == ["en"]
    assert wording_of(cast.trials["THERMODOX"], "FHSI-8", "nb", date(2025, 4, 7)) is None


def test_no_link_is_made_without_a_licence_in_force_for_the_language(cast: Cast) -> None:
    desk = Desk(cast)
    asked = {"actor": desk.actor, "subject": desk.subject, "visit": desk.visit("BL")}
    with pytest.raises(LicenceMissingError, match="no licence is recorded for this trial"):
        invite(**asked, language="en")
    load(cast, valid_until="2025-04-06")
    with pytest.raises(LicenceMissingError, match="ended on 06 Apr 2025"):
        invite(**asked, language="en")
    load(cast)
    with pytest.raises(LicenceMissingError, match="may not be sent in sv"):
        invite(**asked, language="sv")
    assert not Invitation.objects.exists()
    invite(**asked, language="nb")


def test_the_page_says_why_where_the_button_would_be_and_paper_stays_possible(cast: Cast) -> None:
    desk = Desk(cast)
    address = f"/subjects/{desk.subject.number}/quality-of-life/"
    page = cast.client("coordinator").get(address).content.decode()
    assert "may not be sent to patients: no licence is recorded for this trial" in page
    assert "Invite" not in page
    desk.paper("BL", "2025-03-01", "2 1 3 0 2 2 0 1", complete=True)
    load(cast)
    page = cast.client("coordinator").get(address).content.decode()
    assert "may not be sent" not in page
    assert "Invite" not in cast.client("monitor").get(address).content.decode()
