"""`calculate TOPIC` from the outside: JSON in, JSON out, and bad input named by its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foundation.documents import DocumentError
from reports.management.commands.calculate import TOPICS, calculate
from tests.vectors import vectors

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = vectors("patients")["rows"]
READ = {"acquired": "2025-04-05", "signed": "2025-04-10", "adequate": True, "lesions": {"T01": "COMPLETE"}}
ENDPOINTS = {
    "trial": "THERMODOX", "procedures": ["2025-03-04"], "reads": [READ],
    "fhsi8": [{"date": "2025-03-01", "score": "24"}],
    "death": None, "last_alive": "2025-05-01", "discontinued": None, "cut_off": "2025-06-30",
}  # fmt: skip
BASELINE = {"date": "2025-01-06", "targets": {"T01": {"organ": "liver", "nodal": False, "mm": "50"}},
            "non_target": None,
            "new_lesion": False}  # fmt: skip
TIMEPOINT = {
    **BASELINE,
    "date": "2025-03-03",
    "targets": {"T01": {"organ": "liver", "nodal": False, "mm": "35"}},
}


def ask(topic: str, document: object) -> dict[str, Any]:
    return json.loads(calculate(topic, json.dumps(document).encode()))


def run(topic: str | None, text: str) -> subprocess.CompletedProcess[str]:
    """The command as an outsider starts it, with a database address that leads nowhere."""
    nowhere = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "only for a command that signs nothing",
        "ALLOWED_HOSTS": "localhost",
    }
    command = [sys.executable, "manage.py", "calculate", *([topic] if topic else [])]
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **nowhere},
        timeout=60,
        check=False,
    )


def test_the_command_answers_without_a_database():
    done = run("dose", '{"height_cm": "168", "weight_kg": 71, "formula": "mosteller"}')
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    shown = {key: answer[key] for key in ("bsa_m2", "dose_mg", "volume_ml", "vials")}
    assert shown == {"bsa_m2": "1.8203", "dose_mg": "91", "volume_ml": "45.5", "vials": 4}
    assert answer["dose_exact_mg"].startswith("91.01")


@pytest.mark.parametrize(
    ("topic", "text", "path"),
    [
        ("fhsi8", '{"responses": {"GP1": 7}}', "responses.GP1"),
        ("fhsi8", "{", ""),
        ("weather", "{}", "topic"),
        (None, "{}", "topic"),
    ],
)
def test_bad_input_ends_with_2_and_one_object_on_standard_error(topic, text, path):
    done = run(topic, text)
    assert (done.returncode, done.stdout) == (2, "")
    fault = json.loads(done.stderr)
    assert fault["path"] == path
    assert fault["error"]


def test_every_topic_of_the_contract_is_there():
    assert set(TOPICS) == {"eligibility", "visits", "dose", "timing", "fhsi8", "recist", "endpoints"}


@pytest.mark.parametrize("row", PATIENTS, ids=lambda row: row["id"])
def test_eligibility(row):
    answer = ask("eligibility", {"trial": row["trial"], "facts": row["facts"]})
    assert answer["as_of"] == row["facts"]["REFDAT"]
    assert {name: each["verdict"] for name, each in answer["sets"].items()} == row["verdicts"]
    keys = {"id", "kind", "outcome", "because", "evidence", "missing", "valid_until"}
    assert all(keys <= set(criterion) for each in answer["sets"].values() for criterion in each["criteria"])
    assert set(answer["routing"]) == {"decision", "because"}


def test_visits():
    answer = ask("visits", {"trial": "THERMODOX", "procedures": ["2025-01-31"]})
    codes = [visit["code"] for visit in answer["visits"]]
    assert codes == ["D14", "M1", "M4", "M7", "M10", "M13", "M16", "M19", "M22", "M25"]
    assert answer["visits"][1] == {
        "code": "M1",
        "target": "2025-02-28",
        "earliest": "2025-02-28",
        "latest": "2025-03-07",
        "because": "Month 1 = last procedure 31 Jan 2025 + 1 month (February 2025 has no day 31, so its last day)",
    }


@pytest.mark.parametrize("row", vectors("schedule")["rows"], ids=lambda row: row["anchor"])
def test_visits_of_the_pack_are_those_of_the_reference_table(row):
    answer = ask("visits", {"trial": "THERMODOX", "procedures": [row["anchor"]]})
    assert {visit["code"]: [visit["earliest"], visit["latest"]] for visit in answer["visits"]} == row[
        "visits"
    ]


def test_visits_with_other_settings():
    document = {"trial": "THERMODOX", "procedures": ["2025-03-04", "2025-04-01"],
                "settings": {"schedule_anchor": "FIRST_PROC", "month_mode": "28", "win_before": 7,
                             "win_after": "3"}}  # fmt: skip
    visit = next(each for each in ask("visits", document)["visits"] if each["code"] == "M1")
    assert (visit["earliest"], visit["target"], visit["latest"]) == ("2025-03-25", "2025-04-01", "2025-04-04")


def test_fhsi8():
    responses = {"GP1": 1, "GP2": None, "GP4": 2, "C2": 0, "CNS7": 1, "HI7": 2, "Hep2": 0, "Hep8": 1}
    answer = ask("fhsi8", {"responses": responses})
    assert (answer["score"], answer["answered"], answer["evaluable"]) == ("24", 7, True)
    assert ask("fhsi8", {"responses": {"GP1": 1}})["score"] is None


def test_recist():
    answer = ask("recist", {"timepoints": [BASELINE, TIMEPOINT]})
    first, second = answer["timepoints"]
    assert (first["sum_mm"], first["target"], first["overall"]) == ("50", None, None)
    assert {key: second[key] for key in second if key != "because"} == {
        "date": "2025-03-03", "sum_mm": "35", "measured_mm": "35", "nadir_mm": "50", "change_from_baseline_pct": "-30",
        "change_from_nadir_pct": "-30", "target": "PR", "overall": "PR",
    }  # fmt: skip


def test_endpoints():
    rows = {row["PARAMCD"]: row for row in ask("endpoints", ENDPOINTS)["endpoints"]}
    assert set(rows) == {"OS", "TTLR", "TTLC", "LTC24", "PROD"}
    assert (rows["OS"]["ADT"], rows["OS"]["AVAL"], rows["OS"]["CNSR"]) == ("2025-05-01", 59, 1)
    assert rows["LTC24"]["RESULT"] == "NOT EVALUABLE"
    assert all({"STARTDT", "EVNTDESC", "because"} <= set(row) for row in rows.values())


@pytest.mark.parametrize(
    ("topic", "document", "path"),
    [
        ("visits", {"procedures": []}, "trial"),
        ("visits", {"trial": "NOPE", "procedures": []}, "trial"),
        ("visits", {"trial": "THERMODOX", "procedures": ["2025-03-04", "2025-04-04", "2025-05-04"]}, "procedures"),
        ("visits", {"trial": "THERMODOX", "procedures": ["2025-02-30"]}, "procedures[0]"),
        ("visits", {"trial": "THERMODOX", "procedures": ["4 Mar 2025"]}, "procedures[0]"),
        ("visits", {"trial": "THERMODOX", "procedures": ["9999-12-31"]}, "procedures[0]"),
        ("visits", {"trial": "THERMODOX", "procedures": [20250304]}, "procedures[0]"),
        ("visits", {"trial": "THERMODOX", "procedures": ["2025-03-04", "2025-03-04"]}, "procedures[1]"),
        ("visits", {"trial": "THERMODOX", "procedures": [], "settings": {"anchor": "X"}}, "settings.anchor"),
        ("visits", {"trial": "THERMODOX", "procedures": [], "settings": {"win_after": -1}}, "settings.win_after"),
        ("visits", {"trial": "THERMODOX", "procedures": [], "settings": {"month_mode": "31"}}, "settings.month_mode"),
        ("visits", [], ""),
        ("dose", {"height_cm": "168"}, "weight_kg"),
        ("dose", {"height_cm": "168", "weight_kg": "0"}, "weight_kg"),
        ("dose", {"height_cm": "1.68", "weight_kg": "71"}, "height_cm"),
        ("dose", {"height_cm": "168", "weight_kg": True}, "weight_kg"),
        ("dose", {"height_cm": "168 cm", "weight_kg": "71"}, "height_cm"),
        ("dose", {"height_cm": "168", "weight_kg": "71", "formula": "boyd"}, "formula"),
        ("recist", {"timepoints": []}, "timepoints"),
        ("recist", {"timepoints": [TIMEPOINT, BASELINE]}, "timepoints[1].date"),
        ("recist", {"timepoints": [{**BASELINE, "non_target": "SD"}]}, "timepoints[0].non_target"),
        ("recist", {"timepoints": [{**BASELINE, "new_lesion": "no"}]}, "timepoints[0].new_lesion"),
        ("endpoints", {**ENDPOINTS, "procedures": []}, "procedures"),
        ("endpoints", {**ENDPOINTS, "cut_off": None}, "cut_off"),
        ("endpoints", {**ENDPOINTS, "cut_off": "2025-03-03"}, "cut_off"),
        ("endpoints", {**ENDPOINTS, "last_alive": None}, "last_alive"),
        ("endpoints", {**ENDPOINTS, "death": "2025-04-01"}, "death"),
        ("endpoints", {**ENDPOINTS, "reads": [{**READ, "signed": "2025-04-04"}]}, "reads[0].signed"),
        ("endpoints", {**ENDPOINTS, "reads": [{**READ, "lesions": {"T01": "GONE"}}]}, "reads[0].lesions.T01"),
        ("endpoints", {**ENDPOINTS, "fhsi8": [{"date": "2025-03-01", "score": "33"}]}, "fhsi8[0].score"),
        ("eligibility", {"trial": "EXCALIBUR", "facts": {}}, "facts.REFDAT"),
        ("eligibility", {"trial": "EXCALIBUR", "facts": {"REFDAT": "2025-09"}}, "facts.REFDAT"),
        ("eligibility", {"trial": "EXCALIBUR", "facts": {"REFDAT": "2025-09-15", "ECGO": 1}}, "facts.ECGO"),
        ("eligibility", {"trial": "EXCALIBUR", "facts": {"REFDAT": "2025-09-15", "SEX": "X"}}, "facts.SEX"),
        ("eligibility", {"trial": "EXCALIBUR", "criteria_version": "1999", "facts": {}}, "criteria_version"),
        ("eligibility", {"trial": "EXCALIBUR", "facts": []}, "facts"),
    ],
)  # fmt: skip
def test_bad_documents_are_refused_at_their_place(topic, document, path):
    with pytest.raises(DocumentError) as refused:
        calculate(topic, json.dumps(document).encode())
    assert refused.value.path == path


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(raw):
    with pytest.raises(DocumentError, match="not valid JSON"):
        calculate("dose", raw)


def test_numbers_stay_exact_on_the_way_in():
    raw = b'{"trial": "EXCALIBUR", "facts": {"REFDAT": "2025-09-15", "WEIGHT_KG": 86.7, "HEIGHT_CM": 170}}'
    answer = json.loads(calculate("eligibility", raw))
    outcomes = {each["id"]: each["outcome"] for each in answer["sets"]["EXCALIBUR-1"]["criteria"]}
    assert outcomes["E1-E-5"] == "ABSENT"
