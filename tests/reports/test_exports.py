"""Exports: complete, unmistakable for a spreadsheet, provable, and only of what one may see."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from accounts.selectors import access_of
from casebook import services as casebook
from casebook.rules.cells import Typed
from casebook.selectors import entries
from foundation import clock
from foundation.errors import Forbidden, NotFound
from foundation.spreadsheets import safe
from reports import work
from reports.errors import FutureMomentError, UnknownFormatError, UnknownSiteError
from reports.models import Export, ExportState
from reports.services import make_export, request_export
from tests.cast import Cast
from tests.conftest import setting_up
from visits.models import Visit

pytestmark = pytest.mark.django_db


def enter(cast: Cast, trial: str = "EXCALIBUR", value: str = "12.4", comment: str = "") -> int:
    subject = cast.subject(trial)
    visit = Visit.objects.get(subject=subject, code="SCR")
    entry = casebook.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    casebook.save_item(
        actor=cast.actor(), entry=entry, item_id="HGB", typed=Typed(value, "g/dL", "11.5", "16")
    )
    return entry.pk


def export(cast: Cast, role: str = "sponsor", trial: str = "EXCALIBUR", **wanted: object) -> Export:
    access = access_of(cast.people[role])
    made = request_export(
        actor=cast.actor(role),
        access=access,
        trial=cast.trials[trial],
        **wanted,  # type: ignore[arg-type]
    )
    make_export(made.pk)
    made.refresh_from_db()
    return made


def unpacked(made: Export) -> dict[str, bytes]:
    with default_storage.open(made.file) as file, zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_value_comes_out_as_it_was_typed_with_unit_and_limits(cast: Cast) -> None:
    enter(cast)
    [row] = rows(unpacked(export(cast))["LB.csv"])
    assert (row["HGB"], row["HGB_U"], row["HGB_LO"], row["HGB_HI"]) == ("12.4", "g/dL", "11.5", "16")
    assert (row["STUDYID"], row["SITEID"], row["SUBJID"], row["VISIT"]) == (
        "EXCALIBUR",
        "NO-01",
        "EXC-001-001",
        "SCR",
    )


def test_every_form_of_the_protocol_has_its_file_and_every_column_is_in_the_dictionary(cast: Cast) -> None:
    enter(cast)
    files = unpacked(export(cast))
    protocol = cast.subject("EXCALIBUR").version.protocol
    assert {f"{form.code}.csv" for form in protocol.forms} <= files.keys()
    described = {(row["FILE"], row["COLUMN"]) for row in rows(files["dictionary.csv"])}
    for form in protocol.forms:
        heading = files[f"{form.code}.csv"].decode().splitlines()[0].split(",")
        items = heading[heading.index("NOTDONE") + 1 :]
        assert {(f"{form.code}.csv", name) for name in items} <= described


def test_the_manifest_proves_each_file(cast: Cast) -> None:
    enter(cast)
    made = export(cast)
    files = unpacked(made)
    manifest = json.loads(files.pop("manifest.json"))
    assert {each["name"] for each in manifest["files"]} == files.keys()
    for each in manifest["files"]:
        assert each["sha256"] == hashlib.sha256(files[each["name"]]).hexdigest()
        assert each["rows"] == len(rows(files[each["name"]]))
    with default_storage.open(made.file) as file:
        assert made.sha256 == hashlib.sha256(file.read()).hexdigest()


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+47 22", "'+47 22"),
        ("@sum", "'@sum"),
        ("-1.5", "-1.5"),
        ("+3", "+3"),
        ("-", "'-"),
        ("\tx", "'\tx"),
        ("none", "none"),
        (None, ""),
    ],
)
def test_no_cell_is_taken_for_a_formula_and_numbers_stay_numbers(typed: str | None, cell: str) -> None:
    assert safe(typed) == cell


def test_an_export_as_of_a_moment_shows_what_stood_then(cast: Cast) -> None:
    entry = enter(cast)
    then = clock.now()
    casebook.save_item(
        actor=cast.actor(), entry=entries().get(pk=entry), item_id="HGB", typed=Typed("13.1", "g/dL")
    )
    assert rows(unpacked(export(cast))["LB.csv"])[0]["HGB"] == "13.1"
    assert rows(unpacked(export(cast, as_of=then))["LB.csv"])[0]["HGB"] == "12.4"
    before = then - timedelta(days=1)
    assert rows(unpacked(export(cast, as_of=before))["LB.csv"]) == []


def test_an_export_of_a_site_holds_that_site_only(cast: Cast) -> None:
    enter(cast)
    away = cast.subject("EXCALIBUR", cast.away)
    files = unpacked(export(cast, sites=("SE-02",)))
    assert [row["SUBJID"] for row in rows(files["subjects.csv"])] == [away.number]
    assert rows(files["LB.csv"]) == []


@pytest.mark.parametrize(
    ("role", "error"), [("outsider", NotFound), ("coordinator", Forbidden), ("radiologist", Forbidden)]
)
def test_who_may_not_export_is_refused(cast: Cast, role: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        export(cast, role)
    assert not Export.objects.exists()


def test_bad_wishes_are_refused_in_words(cast: Cast) -> None:
    with pytest.raises(UnknownFormatError, match="is not a format"):
        export(cast, file_format="xls")
    with pytest.raises(FutureMomentError, match="in the future"):
        export(cast, as_of=clock.now() + timedelta(days=1))
    with pytest.raises(UnknownSiteError, match="is not a site"):
        export(cast, sites=("XX-99",))


def test_making_twice_makes_once_and_a_lost_worker_is_replaced(cast: Cast) -> None:
    enter(cast)
    made = export(cast)
    make_export(made.pk)
    assert Export.objects.get(pk=made.pk).file == made.file
    with setting_up():
        Export.objects.filter(pk=made.pk).update(
            state=ExportState.RUNNING, started_at=clock.now() - timedelta(hours=1)
        )
    assert work.waiting(Export) == [made.pk]
    make_export(made.pk)
    assert Export.objects.get(pk=made.pk).state == ExportState.DONE


def test_the_pages_are_for_the_one_who_asked(cast: Cast) -> None:
    enter(cast)
    client = cast.client("sponsor")
    asked = client.post("/exports/", {"trial": "EXCALIBUR"})
    made = Export.objects.get()
    assert asked["Location"] == f"/exports/{made.pk}/"
    make_export(made.pk)
    assert client.get(f"/exports/{made.pk}/status/").json()["state"] == "done"
    assert client.get(f"/exports/{made.pk}/file/")["Content-Disposition"].startswith("attachment")
    assert cast.client("datamanager").get(f"/exports/{made.pk}/file/").status_code == 404
    assert cast.client("outsider").get("/exports/").status_code == 404


def test_the_command_writes_the_same_files(cast: Cast, tmp_path: Path) -> None:
    enter(cast)
    call_command("export", "EXCALIBUR", "--out", str(tmp_path))
    browser = unpacked(export(cast))
    assert (tmp_path / "LB.csv").read_bytes() == browser["LB.csv"]
    with pytest.raises(CommandError, match="There is no trial"):
        call_command("export", "NOPE", "--out", str(tmp_path))


def test_the_number_of_statements_does_not_grow_with_subjects(
    cast: Cast, statements: object, tmp_path: Path
) -> None:
    enter(cast)
    with statements() as one:  # type: ignore[operator]
        call_command("export", "EXCALIBUR", "--out", str(tmp_path))
    for _ in range(3):
        enter(cast)
    with statements() as four:  # type: ignore[operator]
        call_command("export", "EXCALIBUR", "--out", str(tmp_path))
    assert len(four.counted) == len(one.counted)
