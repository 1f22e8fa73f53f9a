"""Readers: what is on record of them, and that only qualified ones are assigned reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import DatabaseError
from django.urls import reverse

from accounts.models import Grant
from audit.context import acting
from foundation import clock
from imaging.errors import ReaderRecordRefusedError, ReasonMissingError
from imaging.models import Read, ReaderRecord
from imaging.rules.qualification import Noted, lacking
from imaging.selectors.readers import readers_for, readers_of
from imaging.services import queue_waiting, record_reader
from tests.cast import SETUP, Cast, qualify
from tests.imaging.conftest import Desk
from tests.imaging.reader import charter_of, send

TODAY = date(2026, 3, 1)
TRAINING, TEST = "training in the imaging charter", "a passed set of test cases"
INDEPENDENCE, AT_SITE = "a statement of independence", "no role at a site of the study"


def noted(kind: str, month: int = 1, until: date | None = None) -> Noted:
    return Noted(kind, date(2026, month, 1), until)


WHOLE = [noted("TRAINED"), noted("TESTED"), noted("INDEPENDENT")]


@pytest.mark.parametrize(
    ("records", "at_site", "lacks"),
    [
        ([], False, (TRAINING, TEST, INDEPENDENCE)),
        (WHOLE, False, ()),
        (WHOLE, True, (AT_SITE,)),
        (WHOLE[:2], False, (INDEPENDENCE,)),
        ([*WHOLE, noted("TOLD")], False, ()),
        ([noted("TRAINED", until=TODAY), *WHOLE[1:]], False, (TRAINING,)),
        ([noted("TRAINED", until=TODAY + timedelta(days=1)), *WHOLE[1:]], False, ()),
        ([noted("TRAINED", month=4), *WHOLE[1:]], False, (TRAINING,)),
        ([*WHOLE, noted("SUSPENDED", month=2)], False, (TRAINING, TEST)),
        ([*WHOLE, noted("SUSPENDED", month=2), noted("TRAINED", month=2)], False, (TEST,)),
        ([*WHOLE, noted("SUSPENDED", month=2), *WHOLE[:2]], False, ()),
        ([*WHOLE, noted("SUSPENDED", month=4)], False, ()),
    ],
)
def test_what_a_reader_lacks(records: list[Noted], lacks: tuple[str, ...], *, at_site: bool) -> None:
    assert lacking(records, TODAY, at_site=at_site) == lacks


@pytest.mark.req("IMG-05")
def test_reads_are_assigned_to_qualified_readers_only(desk: Desk) -> None:
    manager, people = desk.cast.actor("datamanager"), desk.cast.people
    said = {"on": clock.today(), "reference": "Letter 7", "reason": "Kappa 0.4 over repeats"}
    for name in ("radiologist", "radiologist2"):
        record_reader(actor=manager, trial=desk.subject.trial, reader=people[name], kind="SUSPENDED", **said)
    send(desk, "M1")
    assert not Read.objects.exists()

    for kind in ("TRAINED", "TESTED"):
        record_reader(
            actor=manager, trial=desk.subject.trial, reader=people["radiologist2"], kind=kind, **said
        )
    assert queue_waiting() == 1
    assert Read.objects.get().reader == people["radiologist2"]
    assert ReaderRecord.objects.filter(recorded_by=manager.name).count() == 4


@pytest.mark.req("IMG-05")
def test_somebody_of_a_site_of_the_study_reads_nothing_of_it(cast: Cast, grant: Callable[..., Grant]) -> None:
    reader = cast.people["radiologist"]
    assert reader in readers_for("THERMODOX")
    grant(reader, "investigator", "THERMODOX", "NO-01")
    assert reader not in readers_for("THERMODOX")
    assert reader in readers_for("EXCALIBUR"), "another study is not concerned"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reason": " "}, ReasonMissingError),
        ({"reference": ""}, ReaderRecordRefusedError),
        ({"kind": "LIKED"}, ReaderRecordRefusedError),
        ({"on": date(2999, 1, 1)}, ReaderRecordRefusedError),
        ({"until": date(2021, 9, 1)}, ReaderRecordRefusedError),
        ({"reader": "coordinator"}, ReaderRecordRefusedError),
    ],
)
def test_what_is_put_on_record_is_complete(
    cast: Cast, changes: dict[str, object], error: type[Exception]
) -> None:
    said = {
        "kind": "TRAINED",
        "on": date(2021, 9, 1),
        "reference": "Log 3",
        "reason": "Before the first read",
    }
    said = {**said, "reader": "radiologist", **changes}
    said["reader"] = cast.people[str(said["reader"])]
    with pytest.raises(error):
        record_reader(actor=cast.actor("datamanager"), trial=cast.trials["THERMODOX"], **said)  # type: ignore[arg-type]


def test_what_is_on_record_stays(cast: Cast) -> None:
    with pytest.raises(DatabaseError), acting(SETUP):
        ReaderRecord.objects.update(reference="Another one")


def test_the_page_shows_who_may_read_and_takes_a_record(cast: Cast) -> None:
    manager, reader = cast.client("datamanager"), cast.people["radiologist"]
    said = {
        "trial": "THERMODOX",
        "reader": reader.pk,
        "kind": "SUSPENDED",
        "on": clock.today().isoformat(),
        "reference": "Letter 7",
        "reason": "Kappa 0.4",
    }
    assert "No, lacks" not in manager.get(reverse("readers")).text
    page = manager.post(reverse("reader-record"), said, follow=True).text
    assert f"No, lacks {TRAINING}, {TEST}" in page
    assert "Letter 7" in page
    assert manager.post(reverse("reader-record"), {**said, "on": "soon"}).status_code == 422
    assert manager.post(reverse("reader-record"), {**said, "reader": "0"}).status_code == 422
    assert cast.client("radiologist").get(reverse("readers")).status_code == 404


@pytest.mark.req("IMG-01")
def test_nothing_is_read_without_a_charter_in_effect(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, version = desk.subject.version.protocol, desk.subject.version
    with monkeypatch.context() as before:
        day = version.effective_from - timedelta(days=1)
        before.setattr("imaging.services.reading.clock.today", lambda: day)
        send(desk, "M1")
    charter = protocol.charter
    object.__setattr__(protocol, "charter", None)
    try:
        assert queue_waiting() == 0
    finally:
        object.__setattr__(protocol, "charter", charter)
    assert not Read.objects.exists()

    assert queue_waiting() == 1
    assert Read.objects.get().charter_sha256 == version.sha256


def test_a_reader_may_qualify_for_one_trial_alone(cast: Cast, grant: Callable[..., Grant]) -> None:
    person = cast.people["outsider"]
    for trial in ("THERMODOX", "EXCALIBUR"):
        grant(person, "radiologist", trial)
    qualify(person, cast.trials["EXCALIBUR"])
    lacks = {trial: {each.reader: each.lacks for each in readers_of(trial)}[person] for trial in cast.trials}
    assert lacks == {"THERMODOX": (TRAINING, TEST, INDEPENDENCE), "EXCALIBUR": ()}
    with charter_of(Desk(cast, cast.subject("EXCALIBUR"), {}, lambda: None), readers=1):
        assert person in readers_for("EXCALIBUR")
