"""The list of trials and the protocol page, for those who belong to a trial and for those who do not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from accounts.policies import PERMISSIONS, ROLES
from audit.context import service_actor
from trials.models import ProtocolVersion
from trials.packs import load_pack
from trials.rules.overview import criteria_lists, open_decisions, timing_of, visit_plan
from trials.schema import Protocol
from trials.services import publish_protocol

THIRD = Path(__file__).parent / "third_trial"
SOMEBODY = service_actor("test")
SEES = {role for role in ROLES if role in PERMISSIONS["report.view"] | PERMISSIONS["subject.view"]}
SignIn = Callable[..., Client]


def words(page: str) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture(scope="module")
def third() -> Protocol:
    protocol, faults = load_pack(THIRD)
    assert protocol is not None
    assert not faults
    return protocol


@pytest.fixture
def version(db: None) -> ProtocolVersion:
    return publish_protocol(actor=SOMEBODY, pack=THIRD)


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("address", ["/trials/", "/trials/HEPAFIT/"])
def test_who_sees_a_protocol(version: ProtocolVersion, client_for: SignIn, role: str, address: str) -> None:
    answer = client_for(role, "" if role == "admin" else "HEPAFIT").get(address)
    assert answer.status_code == (200 if role in SEES else 404)


def test_people_of_another_trial_learn_nothing(version: ProtocolVersion, client_for: SignIn) -> None:
    stranger = client_for("coordinator", "OTHERTRIAL", "NO-02")
    assert stranger.get("/trials/HEPAFIT/").status_code == 404
    listed = stranger.get("/trials/")
    assert listed.status_code == 200
    assert "HEPAFIT" not in listed.content.decode()


def test_the_protocol_page_says_what_the_pack_says(version: ProtocolVersion, client_for: SignIn) -> None:
    sponsor = client_for("sponsor", "HEPAFIT")
    parts = ("", "visits", "eligibility", "decisions", "sources")
    text = " ".join(words(sponsor.get(f"/trials/HEPAFIT/?part={part}").content.decode()) for part in parts)
    assert "WALK 2 : USUAL 1" in text
    assert "2 weeks after informed consent, +3 d" in text
    assert "Hb above 9 g/dl" in text
    assert "LB.HGB &gt; 9 [g/dL]" in text
    assert "HepaFit protocol 1.0" in text
    assert "Half of the published range" in text
    assert version.sha256 in text


def test_an_older_version_can_still_be_read(
    version: ProtocolVersion, client_for: SignIn, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(THIRD, pack)
    for name, old, new in (("criteria.yaml", "Adults", "Adults only"), ("protocol.yaml", '"1.0"', '"1.1"')):
        (pack / name).write_text((pack / name).read_text().replace(old, new, 1))
    publish_protocol(actor=SOMEBODY, pack=pack, effective=date(2026, 2, 1))
    sponsor = client_for("sponsor", "HEPAFIT")
    assert "Adults only" in sponsor.get("/trials/HEPAFIT/?part=eligibility").content.decode()
    assert "Adults only" not in sponsor.get("/trials/HEPAFIT/?part=eligibility&version=1.0").content.decode()
    assert sponsor.get("/trials/HEPAFIT/?version=2.0").status_code == 404


def test_the_list_costs_the_same_for_one_trial_and_for_two(
    version: ProtocolVersion,
    client_for: SignIn,
    grant: Callable[..., object],
    statements: object,
    tmp_path: Path,
) -> None:
    sponsor = client_for("sponsor", "HEPAFIT")
    sponsor.get("/trials/")
    with statements() as one:  # type: ignore[operator]
        sponsor.get("/trials/")
    pack = tmp_path / "pack"
    shutil.copytree(THIRD, pack)
    path = pack / "protocol.yaml"
    path.write_text(path.read_text().replace("code: HEPAFIT\n  short", "code: SECOND\n  short"))
    publish_protocol(actor=SOMEBODY, pack=pack)
    grant(User.objects.get(username="sponsor"), "sponsor", "SECOND")
    with statements() as two:  # type: ignore[operator]
        assert "SECOND" in sponsor.get("/trials/").content.decode()
    assert len(two.counted) == len(one.counted)


def test_open_decisions_name_each_provisional_thing_once(third: Protocol) -> None:
    assert [(each.kind, each.name) for each in open_decisions(third)] == [
        ("Setting", "walk_gain"),
        ("Visit", "M3"),
        ("Item", "HGB"),
        ("Edit check", "BL-HGB-01"),
        ("Look-back", "HF-I-5"),
        ("Criterion", "HF-E-3"),
        ("Criterion", "HF-E-4"),
    ]
    gain = open_decisions(third)[0]
    assert (gain.value, gain.note) == ("37.5 m", "Half of the published range")


def test_the_plan_has_a_row_for_each_form(third: Protocol) -> None:
    assert [(row.form.code, row.at, row.log) for row in visit_plan(third)] == [
        ("BL", (True, False, False, True), False),
        ("WT", (True, True, True, True), False),
    ]
    assert timing_of(third.visit("M3"), third) == "3 months after informed consent, −7 d +7 d"
    assert timing_of(third.visit("SCR"), third) == ""


def test_leaves_of_one_number_stay_together(third: Protocol) -> None:
    inclusion = criteria_lists(third)[0]
    assert inclusion.kind == "inclusion"
    assert [(each.number, len(each.leaves)) for each in inclusion.numbered][3:] == [("4", 2), ("5", 1)]
