"""A delivery of images and signed reads: whole, as stored, provable, and honest about what is not in it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from highdicom import sr
from pydicom import dcmread

from accounts.access import Access, RoleGrant
from accounts.selectors import access_of
from audit.models import Event
from foundation import clock
from foundation.errors import Forbidden, NotFound
from imaging.dicom.phantom import Person
from imaging.models import Adjudication, BatchFile, FileState, Instance, Read, Study
from imaging.services import (
    correct_read,
    question_quality,
    read_anew,
    restore_study,
    sign_adjudication,
    withdraw_study,
)
from imaging.services.reading import queue_repeats
from reports.errors import (
    ExportNotReadyError,
    ExportOutdatedError,
    NothingToDeliverError,
    OneSubjectOnlyOfImagesError,
    OnlyAsItIsError,
    UnknownSiteError,
    UnknownSubjectError,
)
from reports.models import Export, ExportState, ExportTaken
from reports.services import make_export, request_export
from tests.casebook.locked_site import lock_site_of
from tests.conftest import PASSWORD
from tests.imaging.conftest import Desk, desk_of
from tests.imaging.dicom_files import small_phantom
from tests.imaging.reader import actor_of, charter_of, fill, mark, read_of, send, sign

pytestmark = [pytest.mark.django_db, pytest.mark.req("IMG-14")]


@dataclass(frozen=True)
class Unpacked:
    """A delivery and what is in it."""

    export: Export
    files: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.files["manifest.json"])
        return found

    def table(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files[f"tables/{name}.csv"].decode())))

    def within(self, folder: str) -> dict[str, bytes]:
        return {name: data for name, data in self.files.items() if name.startswith(f"{folder}/")}


def ask(desk: Desk, role: str = "datamanager", **wanted: Any) -> Export:
    wanted.setdefault("access", access_of(desk.cast.people[role]))
    return request_export(
        actor=desk.cast.actor(role),
        trial=desk.cast.trials["THERMODOX"],
        file_format="dicom",
        **wanted,
    )


def deliver(desk: Desk, role: str = "datamanager", **wanted: Any) -> Unpacked:
    asked = ask(desk, role, **wanted)
    make_export(asked.pk)
    made = Export.objects.get(pk=asked.pk)
    assert made.state == ExportState.DONE, made.problem
    with default_storage.open(made.file) as file, zipfile.ZipFile(BytesIO(file.read())) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        return Unpacked(made, {name: archive.read(name) for name in archive.namelist()})


def stored(instance: Instance) -> bytes:
    with default_storage.open(instance.file_key) as file:
        return bytes(file.read())


def store(instance: Instance, content: bytes) -> None:
    default_storage.delete(instance.file_key)
    assert default_storage.save(instance.file_key, ContentFile(content)) == instance.file_key


@pytest.fixture
def read_once(desk: Desk) -> Desk:
    """A time point with a signed read, one lesion measured."""
    send(desk, "M1")
    read = fill(read_of(desk, "M1"))
    mark(read, "T01", 20.0)
    sign(read)
    return desk


def test_every_image_is_byte_for_byte_as_it_is_stored(read_once: Desk) -> None:
    made = deliver(read_once)
    images = made.within("images")
    kept = {each.uid: each for each in Instance.objects.all()}
    assert len(images) == len(kept) == 5
    for name, content in images.items():
        instance = kept[str(dcmread(BytesIO(content)).SOPInstanceUID)]
        assert hashlib.sha256(content).hexdigest() == instance.file_sha256
        assert content == stored(instance)
        assert name.startswith(f"images/{read_once.subject.number}/M1/E1/S01-CT/")
    depths = [float(dcmread(BytesIO(images[name])).ImagePositionPatient[2]) for name in sorted(images)]
    assert depths == sorted(depths), "slices are numbered as they lie in the patient"
    with default_storage.open(made.export.file) as file, zipfile.ZipFile(BytesIO(file.read())) as archive:
        assert {archive.getinfo(name).compress_type for name in images} == {zipfile.ZIP_STORED}


def test_manifest_and_sums_prove_each_file_and_the_archive(read_once: Desk) -> None:
    made = deliver(read_once)
    listed = {each["name"]: each for each in made.manifest["files"]}
    assert made.files.keys() == listed.keys() | {"manifest.json", "SHA256SUMS"}
    for name, each in listed.items():
        assert each["sha256"] == hashlib.sha256(made.files[name]).hexdigest()
        assert each["bytes"] == len(made.files[name])
    sums = [line.split("  ", 1) for line in made.files["SHA256SUMS"].decode().splitlines()]
    assert {name: digest for digest, name in sums} == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in made.files.items()
        if name != "SHA256SUMS"
    }
    with default_storage.open(made.export.file) as file:
        assert made.export.sha256 == hashlib.sha256(file.read()).hexdigest()
    assert made.manifest["complete"] is True
    assert made.manifest["created_by"] == "Datamanager Person"
    assert made.manifest["protocol_versions"][0]["sha256"] == read_once.subject.version.sha256
    assert "sha256sum -c SHA256SUMS" in made.files["README.txt"].decode()
    assert made.export.problem == ""


@pytest.mark.req("DCM-13")
def test_a_signed_read_is_a_report_and_rows_that_say_the_same(read_once: Desk) -> None:
    made = deliver(read_once)
    read = read_of(read_once, "M1")
    [row] = made.table("reads")
    assert (row["READ"], row["READER"], row["VERSION"]) == (str(read.opaque), "R1", "1")
    assert (row["RESULT"], row["STANDING"], row["SUPERSEDED"]) == ("Y", "SINGLE", "N")
    assert (row["IMAGE_QUALITY"], row["DIGEST"]) == (read.image_quality, read.digest)
    document = sr.srread(BytesIO(made.files[row["REPORT"]]))
    assert document.SOPInstanceUID == f"2.25.{read.opaque.int}"
    [group] = document.content.get_image_measurement_groups(tracking_uid=None)[:1]
    [measured] = made.table("measurements")
    assert group.tracking_identifier == measured["LESION"] == "T01"
    assert [each.value for each in group.get_measurements()] == [float(measured["LONG_MM"])] == [20.0]
    answers = {row["LESION"]: row["ANSWER"] for row in made.table("answers")}
    assert answers == {"T01": "COMPLETE", "T02": "COMPLETE"}
    files = {row["SOPUID"]: row["FILE"] for row in made.table("images")}
    assert files[measured["SOPUID"]] in made.files, "a table leads from the measurement to its slice"


def test_all_versions_are_there_and_one_counts(read_once: Desk) -> None:
    first = read_of(read_once, "M1")
    again = correct_read(actor=actor_of(first.reader), read=first, reason="Mixed up the lesions.")
    sign(fill(read_of(read_once, "M1"), "RESIDUAL"))
    correct_read(actor=actor_of(first.reader), read=read_of(read_once, "M1"), reason="Not signed yet.")
    made = deliver(read_once)
    old, new = made.table("reads")
    assert (old["VERSION"], old["SUPERSEDED"], old["RESULT"]) == ("1", "Y", "N")
    assert (new["VERSION"], new["SUPERSEDED"], new["RESULT"]) == ("2", "N", "Y")
    assert (new["SUPERSEDES"], new["READ"]) == (old["READ"], str(again.opaque))
    assert new["CORRECTION_REASON"] == "Mixed up the lesions."
    assert {old["REPORT"], new["REPORT"]} == set(made.within("reads"))


def test_a_hidden_repeat_is_there_and_never_a_result(read_once: Desk) -> None:
    with charter_of(read_once, reread_pct=Decimal(100), reread_after_days=0):
        assert queue_repeats() == 1
        again = Read.objects.select_related("visit", "subject__version", "reader").get(
            repeat_of__isnull=False
        )
        sign(fill(again, "RESIDUAL"))
        made = deliver(read_once)
    first, repeat = made.table("reads")
    assert (repeat["REPEAT_OF"], repeat["RESULT"], repeat["SUPERSEDED"]) == (first["READ"], "N", "N")
    assert (first["REPEAT_OF"], first["RESULT"]) == ("", "Y")
    assert {first["REPORT"], repeat["REPORT"]} == set(made.within("reads"))


def test_why_an_examination_waits_is_what_holds_now(read_once: Desk) -> None:
    actor, study = read_once.cast.actor(), Study.objects.get()
    withdraw_study(actor=actor, study=study, reason="Taken for another's.")
    restore_study(actor=actor, study=study, reason="They are hers after all.")
    question_quality(actor=actor, study=study, reason="A slice is missing.", corrective_action="Send it")
    [left] = deliver(read_once).manifest["left_out"]["examinations"]
    assert left["reason"] == "A slice is missing."


@contextmanager
def adjudicated(desk: Desk) -> Iterator[Read]:
    """A time point read by two who differ, and read anew by the adjudicator; gives the read that counts."""
    with charter_of(desk, readers=2, adjudicator="either"):
        send(desk, "M1")
        sign(fill(read_of(desk, "M1", 1)))
        sign(fill(read_of(desk, "M1", 2), "RESIDUAL"))
        row = Adjudication.objects.select_related("subject__version").get()
        actor, user = desk.cast.actor("adjudicator"), desk.cast.people["adjudicator"]
        read_anew(actor=actor, adjudication=row)
        third = sign(fill(read_of(desk, "M1", 3), "RESIDUAL"))
        sign_adjudication(
            actor=actor, user=user, adjudication=row, choice="NEW", reason="A rim is left.", password=PASSWORD
        )
        yield third


def test_two_readers_and_what_was_decided(desk: Desk) -> None:
    with adjudicated(desk) as third:
        made = deliver(desk)
    rows = made.table("reads")
    assert [row["READER"] for row in rows] == ["R1", "R2", "ADJUDICATOR"]
    assert [row["RESULT"] for row in rows] == ["N", "N", "Y"]
    assert {row["STANDING"] for row in rows} == {"ADJUDICATED"}
    [decided] = made.table("adjudications")
    assert (decided["FIRST"], decided["SECOND"]) == (rows[0]["READ"], rows[1]["READ"])
    assert (decided["CHOICE"], decided["ACCEPTED"]) == ("ADJUDICATOR", str(third.opaque))
    assert decided["REASON"] == "A rim is left."
    assert len(made.within("reads")) == 3


def test_nobody_is_named_who_read_and_nothing_tells_the_patient(desk: Desk) -> None:
    with adjudicated(desk):
        made = deliver(desk)
    people = desk.cast.people
    names = {people[role].full_name for role in ("radiologist", "radiologist2", "adjudicator", "coordinator")}
    names |= {"radiologist", "radiologist2", desk.subject.patient.code, *small_phantom().person.words()}
    names |= {day.isoformat() for visit in desk.visits.values() if (day := visit.happened_on)}
    names |= {f"{day:%Y%m%d}" for visit in desk.visits.values() if (day := visit.happened_on)}
    for name, content in made.files.items():
        text = f"{name}\n{content.decode('latin-1')}"
        assert not [word for word in names if word in text], name
    assert "R1" in made.manifest["notes"]["readers"]


def test_the_readers_are_a_list_of_its_own_and_the_trail_knows_who_took_it(read_once: Desk) -> None:
    made = deliver(read_once)
    client = read_once.cast.client("datamanager")
    answer = client.get(reverse("export-readers", args=[made.export.pk]))
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["READ"], row["READER"]) == (made.table("reads")[0]["READ"], "R1")
    assert row["NAME"] == "Radiologist Person"
    assert b"".join(client.get(reverse("export-file", args=[made.export.pk])).streaming_content)  # type: ignore[attr-defined]
    assert set(ExportTaken.objects.values_list("what", "sha256")) == {
        ("readers", made.export.sha256),
        ("file", made.export.sha256),
    }
    events = Event.objects.filter(table_name="reports_exporttaken")
    assert {event.actor for event in events} == {"Datamanager Person"}


def test_what_was_taken_out_rejected_or_held_back_is_named_and_does_not_go_out(
    read_once: Desk,
) -> None:
    send(read_once, "BL", "M4")
    actor = read_once.cast.actor("coordinator")
    studies = {study.visit.code: study for study in Study.objects.select_related("visit")}
    withdraw_study(actor=actor, study=studies["M4"], reason="Of another examination.")
    question_quality(
        actor=actor, study=studies["BL"], reason="Motion.", corrective_action="Scan again", reject=True
    )
    read_once.send({"cover.dcm": b"no image"}, "M1")
    kept_back = BatchFile.objects.exclude(state__in=(FileState.ACCEPTED, FileState.UNPACKED))
    assert {each.state for each in kept_back} <= {
        FileState.REJECTED,
        FileState.SKIPPED,
        FileState.QUARANTINED,
    }

    made = deliver(read_once)
    assert {row["VISIT"] for row in made.table("images")} == {"M1"}
    gone = {uid for code in ("BL", "M4") for uid in _uids(studies[code])}
    assert not gone & {str(dcmread(BytesIO(data)).SOPInstanceUID) for data in made.within("images").values()}
    left = {each["visit"]: each for each in made.manifest["left_out"]["examinations"]}
    assert (left["M4"]["state"], left["M4"]["reason"]) == ("Taken out", "Of another examination.")
    assert (left["BL"]["state"], left["BL"]["reason"]) == ("Quality rejected", "Motion.")
    assert left["M4"]["images"] == 5
    assert made.manifest["complete"] is True, "what is left out on purpose is not missing"
    assert {row["VISIT"]: row["DELIVERED"] for row in made.table("examinations")} == {
        "BL": "N",
        "M1": "Y",
        "M4": "N",
    }
    assert {row["DECISION"] for row in made.table("quality")} == {"WITHDRAW", "REJECT"}
    page = read_once.cast.client("datamanager").get(reverse("export", args=[made.export.pk]))
    assert "Of another examination." in page.content.decode()


def _uids(study: Study) -> set[str]:
    return set(Instance.objects.filter(series__study=study).values_list("uid", flat=True))


def test_a_file_in_quarantine_never_leaves(read_once: Desk) -> None:
    held = read_once.send(read_once.slices("M4", person=Person(record="ANOTHER-77")), "M4")
    files_held = list(BatchFile.objects.filter(batch=held, state=FileState.QUARANTINED))
    assert len(files_held) == 5
    made = deliver(read_once)
    assert len(made.within("images")) == 5
    [told] = made.manifest["left_out"]["files"]
    assert told == {
        "subject": read_once.subject.number,
        "visit": "M4",
        "state": "QUARANTINED",
        "code": "other_patient",
        "reason": "other patient",
        "files": 5,
    }


def test_a_stored_file_that_is_missing_or_changed_is_said_plainly(read_once: Desk) -> None:
    lost, hurt, *_ = Instance.objects.order_by("depth")
    default_storage.delete(lost.file_key)
    content = bytearray(stored(hurt))
    content[-1] ^= 1
    store(hurt, bytes(content))

    made = deliver(read_once)
    assert len(made.within("images")) == 3
    assert bytes(content) not in made.files.values()
    assert made.manifest["complete"] is False
    problems = {each["name"]: each["code"] for each in made.manifest["problems"]}
    states = {row["SOPUID"]: (row["FILE"], row["STATE"]) for row in made.table("images")}
    assert states[lost.uid][1] == "file_missing"
    assert states[hurt.uid][1] == "file_changed"
    assert problems == {states[lost.uid][0]: "file_missing", states[hurt.uid][0]: "file_changed"}
    assert not set(problems) & made.files.keys()
    assert "INCOMPLETE: 2 files are missing" in made.files["README.txt"].decode()
    assert made.export.problem == "Incomplete: 2 files are missing in it."
    page = read_once.cast.client("datamanager").get(reverse("export", args=[made.export.pk])).content.decode()
    assert "This delivery is incomplete: 2 files could not be put in." in page
    assert "its SHA-256 differs" in page


def test_a_read_whose_slice_is_damaged_has_its_rows_and_no_report_that_rests_on_it(read_once: Desk) -> None:
    measured = read_of(read_once, "M1").measurements.get().instance
    store(measured, b"not what it was")
    made = deliver(read_once)
    [row] = made.table("reads")
    assert row["REPORT"] == ""
    assert [each["LONG_MM"] for each in made.table("measurements")] == ["20.00"]
    assert {each["code"] for each in made.manifest["problems"]} == {"file_changed"}
    assert len(made.manifest["problems"]) == 2, "the image, and the report"
    client = read_once.cast.client("datamanager")
    assert client.get(reverse("read-report", args=[row["READ"]])).status_code == 409


def test_a_read_whose_images_were_taken_out_is_told_to_rest_on_them(read_once: Desk) -> None:
    study = Study.objects.get()
    withdraw_study(actor=read_once.cast.actor(), study=study, reason="Another person's images.")
    made = deliver(read_once)
    [row] = made.table("reads")
    assert row["IMAGES_SINCE"] == "The quality check withdrew images on which this read rests."
    assert (row["RESULT"], row["STANDING"]) == ("N", "IMAGES_WITHDRAWN")
    assert made.within("images") == {}
    assert row["REPORT"] in made.files, "what was signed is kept on record"


def test_a_delivery_is_not_given_out_once_its_images_were_taken_out(read_once: Desk) -> None:
    made = deliver(read_once)
    client = read_once.cast.client("datamanager")
    address = reverse("export-file", args=[made.export.pk])
    assert client.get(address).status_code == 200
    withdraw_study(actor=read_once.cast.actor(), study=Study.objects.get(), reason="Another person's images.")
    refused = client.get(address)
    assert refused.status_code == ExportOutdatedError.status == 409
    assert "were taken out or rejected since" in refused.content.decode()
    page = client.get(reverse("export", args=[made.export.pk])).content.decode()
    assert "not given out any more" in page
    assert address not in page
    assert "Complete:" not in page


def test_the_ledger_of_each_file_is_there_without_any_value(read_once: Desk) -> None:
    made = deliver(read_once)
    for row in made.table("images"):
        ledger = json.loads(made.files[f"deidentification/{row['LEDGER']}.json"])
        assert ledger.keys() == {"edition", "kept", "emptied", "replaced", "removed"}
        assert any("Patient" in each or "(0010" in each for each in ledger["replaced"] + ledger["emptied"])


def test_one_subject_or_some_sites(read_once: Desk) -> None:
    other = desk_of(read_once.cast, read_once.committing, read_once.cast.away)
    other.send(other.slices("M1"), "M1", role="coordinator2")
    whole = deliver(read_once)
    assert {row["SUBJID"] for row in whole.table("images")} == {
        read_once.subject.number,
        other.subject.number,
    }
    for wanted in ({"subject": other.subject.number}, {"sites": ("SE-02",)}):
        part = deliver(read_once, **wanted)
        assert {row["SUBJID"] for row in part.table("images")} == {other.subject.number}
        assert part.table("reads") == []
        assert read_once.subject.number not in part.files["manifest.json"].decode()
        assert read_once.subject.number not in part.files["tables/examinations.csv"].decode()


@pytest.mark.req("LCK-02")
def test_images_and_reads_of_a_locked_site_can_still_be_taken_away(read_once: Desk) -> None:
    lock_site_of(read_once.cast, read_once.subject)
    assert deliver(read_once, subject=read_once.subject.number).manifest["counts"]["images"]


@pytest.mark.parametrize(
    ("role", "error"),
    [
        ("outsider", NotFound),
        ("coordinator", Forbidden),
        ("investigator", Forbidden),
        ("monitor", Forbidden),
        ("radiologist", Forbidden),
        ("adjudicator", Forbidden),
        ("sponsor", Forbidden),
        ("admin", NotFound),
    ],
)
def test_who_may_not_see_reads_and_images_gets_neither(
    read_once: Desk, role: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(read_once, role)
    assert not Export.objects.exists()
    client = read_once.cast.client(role)
    assert client.get(reverse("deliver")).status_code == 404
    assert client.post(reverse("deliver"), {"trial": "THERMODOX"}).status_code == 404


def access_at(desk: Desk, *grants: tuple[str, str, str], only: frozenset[str] | None = None) -> Access:
    user = desk.cast.people["datamanager"]
    return Access(user.pk, user.full_name, tuple(RoleGrant(*grant) for grant in grants), only)


def test_whoever_oversees_one_site_or_trial_gets_no_other(read_once: Desk) -> None:
    other = desk_of(read_once.cast, read_once.committing, read_once.cast.away)
    other.send(other.slices("M1"), "M1", role="coordinator2")
    away = access_at(read_once, ("datamanager", "THERMODOX", "SE-02"), ("sponsor", "THERMODOX", ""))
    made = deliver(read_once, access=away)
    assert made.export.sites == ["SE-02"]
    assert {row["SUBJID"] for row in made.table("images")} == {other.subject.number}
    with pytest.raises(UnknownSiteError):
        ask(read_once, access=away, sites=("NO-01",))
    with pytest.raises(UnknownSubjectError):
        ask(read_once, access=away, subject=read_once.subject.number)
    with pytest.raises(NotFound):
        ask(read_once, access=access_at(read_once, ("datamanager", "EXCALIBUR", "")))
    for missing in ("export.run", "image.view", "read.oversee"):
        short = frozenset({"export.run", "image.view", "read.oversee"}) - {missing}
        with pytest.raises(Forbidden):
            ask(read_once, access=access_at(read_once, ("datamanager", "THERMODOX", ""), only=short))


def test_bad_wishes_are_refused_in_words(read_once: Desk) -> None:
    with pytest.raises(OnlyAsItIsError, match="as they are now"):
        ask(read_once, as_of=clock.now() - timedelta(days=1))
    with pytest.raises(UnknownSubjectError, match="is no subject of"):
        ask(read_once, subject="TDX-009-999")
    with pytest.raises(NothingToDeliverError, match="no signed read and no accepted image of ThermoDox"):
        ask(read_once, sites=("SE-02",))
    with pytest.raises(OneSubjectOnlyOfImagesError):
        request_export(
            actor=read_once.cast.actor("datamanager"),
            access=access_of(read_once.cast.people["datamanager"]),
            trial=read_once.subject.trial,
            subject=read_once.subject.number,
        )
    assert not Export.objects.exists()


def test_asking_in_the_browser(read_once: Desk) -> None:
    client = read_once.cast.client("datamanager")
    page = client.get(reverse("deliver")).content.decode()
    assert "Accepted images" in page
    wrong = client.post(reverse("deliver"), {"trial": "THERMODOX", "subject": "TDX-009-999"})
    assert wrong.status_code == 422
    assert "is no subject of" in wrong.content.decode()
    asked = client.post(reverse("deliver"), {"trial": "THERMODOX", "subject": read_once.subject.number})
    made = Export.objects.get()
    assert asked["Location"] == reverse("export", args=[made.pk])
    assert client.get(reverse("export-file", args=[made.pk])).status_code == ExportNotReadyError.status
    assert client.get(reverse("export-readers", args=[made.pk])).status_code == ExportNotReadyError.status
    assert "Waiting for a worker" in client.get(reverse("export", args=[made.pk])).content.decode()
    make_export(made.pk)
    assert client.get(reverse("export-status", args=[made.pk])).json()["state"] == "done"
    done = client.get(reverse("export-file", args=[made.pk]))
    assert read_once.subject.number in done["Content-Disposition"]
    assert "images and reads" in client.get(reverse("exports")).content.decode()
    for role in ("sponsor", "coordinator", "radiologist", "outsider"):
        for name in ("export", "export-file", "export-status", "export-readers"):
            answer = read_once.cast.client(role).get(reverse(name, args=[made.pk]))
            assert answer.status_code == 404, (role, name)


def test_before_anything_is_there_the_page_says_so(desk: Desk) -> None:
    page = desk.cast.client("datamanager").get(reverse("deliver")).content.decode()
    assert "There is no signed read and no accepted image yet." in page
    assert '<form class="plain-form"' not in page


def test_as_many_statements_for_three_subjects_as_for_one(
    read_once: Desk, statements: Callable[[], Any]
) -> None:
    deliver(read_once)
    with statements() as one:
        make_export(ask(read_once).pk)
    for _ in range(2):
        other = desk_of(read_once.cast, read_once.committing)
        for visit in ("BL", "M1"):
            other.send(other.slices(visit, person=Person(record=f"MRN-{other.subject.number}")), visit)
            read = fill(read_of(other, visit))
            mark(read, "T01", 12.0)
            sign(read)
    with statements() as three:
        make_export(ask(read_once).pk)
    made = Export.objects.latest("pk")
    assert made.manifest is not None
    assert (made.manifest["counts"]["reads"], made.manifest["counts"]["images"]) == (5, 25)
    assert _without_progress(three.counted) == _without_progress(one.counted)


def _without_progress(counted: list[str]) -> int:
    """Statements, but for those that tell how far the work is, of which there are no more than steps in a bar."""
    told = [sql for sql in counted if '"done" = ' in sql]
    assert len(told) <= 51
    return len(counted) - len(told)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The operating system lets no file of this process grow further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_there_is_no_room_nothing_is_half_delivered(read_once: Desk) -> None:
    asked = ask(read_once)
    with no_file_beyond(20_000):
        make_export(asked.pk)
    asked.refresh_from_db()
    assert asked.state == ExportState.FAILED
    assert asked.problem.startswith("A file could not be read or written: File too large.")
    assert "Nothing of this export was kept" in asked.problem
    assert asked.file == ""
    assert not default_storage.exists(f"exports/THERMODOX-{asked.pk}.zip")
    client = read_once.cast.client("datamanager")
    assert asked.problem in client.get(reverse("export", args=[asked.pk])).content.decode()
    assert client.get(reverse("export-file", args=[asked.pk])).status_code == 409
