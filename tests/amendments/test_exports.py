"""Exports keep every column and every word that any version had, and say which version a row belongs to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from foundation import clock
from reports.exports.frame import Wanted
from reports.exports.package import write_export
from tests.amendments.conftest import Bench

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-09")]


def exported(wanted: Wanted) -> dict[str, list[dict[str, str]]]:
    files: dict[str, io.BytesIO] = {}

    @contextmanager
    def opener(name: str) -> Iterator[IO[bytes]]:
        files[name] = io.BytesIO()
        yield files[name]

    write_export(wanted, opener, "Somebody")
    return {
        name: list(csv.DictReader(io.StringIO(content.getvalue().decode())))
        for name, content in files.items()
        if name.endswith(".csv")
    }


def test_a_row_is_read_by_the_version_under_which_it_was_entered(bench: Bench) -> None:
    bench.approve("two")
    old = bench.move(bench.screened_on("one", lump="2.4"), "two")
    new = bench.screened(lump="31")
    rows = {row["SUBJID"]: row for row in exported(Wanted(bench.trial))["LE.csv"]}
    assert (rows[old.number]["SIZE"], rows[old.number]["SIZE_U"], rows[old.number]["FORMVERS"]) == (
        "2.4",
        "cm",
        "1.0",
    )
    assert (rows[new.number]["SIZE"], rows[new.number]["SIZE_U"], rows[new.number]["FORMVERS"]) == (
        "31",
        "mm",
        "2.0",
    )
    assert (rows[old.number]["WHO"], rows[new.number]["WHO"]) == ("A.", "")


def test_what_was_retired_keeps_its_column_and_its_words(bench: Bench) -> None:
    bench.approve("two")
    bench.move(bench.screened_on("one"), "two")
    files = exported(Wanted(bench.trial))
    assert files["BL.csv"][0]["WILLING"] == "Y"
    assert "TIRED" in {row["COLUMN"] for row in files["dictionary.csv"] if row["FILE"] == "FS.csv"}
    said = {(row["FILE"], row["COLUMN"]): (row["FROMVERS"], row["TOVERS"]) for row in files["dictionary.csv"]}
    assert said["BL.csv", "WILLING"] == ("1.0", "1.0")
    assert said["LE.csv", "AGENT"] == ("2.0", "")
    assert said["LE.csv", "SIZE"] == ("1.0", "")
    codes = {(row["CODELIST"], row["CODE"]): row["LABEL"] for row in files["codelists.csv"]}
    assert codes["METHOD", "XRAY"] == "Plain film"


def test_an_export_of_an_earlier_moment_is_under_the_version_of_that_moment(bench: Bench) -> None:
    bench.approve("two")
    subject = bench.screened_on("one")
    before = clock.now()
    bench.move(subject, "two")
    then, now = exported(Wanted(bench.trial, as_of=before)), exported(Wanted(bench.trial))
    assert (then["subjects.csv"][0]["PROTVERS"], now["subjects.csv"][0]["PROTVERS"]) == ("1.0", "2.0")
    assert then["LE.csv"][0]["FORMVERS"] == now["LE.csv"][0]["FORMVERS"] == "1.0"
