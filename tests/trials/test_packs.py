"""Every fault of a pack is named with its file and its line, and says what was probably meant."""

# ruff: noqa: E501  (one mistake to a line reads best)

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from trials.packs import PackError, bundled, bundled_protocol, load_pack
from trials.rules.expressions import circles
from trials.schema import Protocol

THIRD = Path(__file__).parent / "third_trial"
ROOT = Path(__file__).parents[2]

# (file, text in it, text instead, line of the fault, what is said)
MISTAKES = [
    # names of things that are not there
    ("visits.yaml", "forms: [BL, WT]", "forms: [BL, WTT]", 3, "unknown form 'WTT': did you mean 'WT'?"),
    ("visits.yaml", "anchor: CONSENT, weeks: 2", "anchor: CONSNET, weeks: 2", 4, "unknown anchor 'CONSNET': did you mean 'CONSENT'?"),
    ("visits.yaml", "fact: RFICDAT", "fact: RFICDATE", 1, "unknown fact 'RFICDATE': did you mean 'RFICDAT'?"),
    ("facts.yaml", "from: BL.HEIGHT", "from: BL.HEIGTH", 10, "unknown item 'HEIGTH' of the form 'BL': did you mean 'HEIGHT'?"),
    ("facts.yaml", "from: BL.SEX", "from: BX.SEX", 5, "unknown form 'BX'"),
    ("facts.yaml", "codelist: FRAILTY", "codelist: FRAILITY", 7, "unknown codelist 'FRAILITY': did you mean 'FRAILTY'?"),
    ("forms/BL.yaml", "codelist: SEX", "codelist: SXE", 10, "unknown codelist 'SXE': did you mean 'SEX'?"),
    ("forms/WT.yaml", "date_item: WTDAT", "date_item: WTDATE", 4, "unknown item 'WTDATE': did you mean 'WTDAT'?"),
    ("forms/BL.yaml", "item: HGB, rule", "item: HBG, rule", 22, "unknown item 'HBG': did you mean 'HGB'?"),
    ("criteria.yaml", "facts: [LB.HGB]", "facts: [LB.HBG]", 16, "unknown fact 'LB.HBG': did you mean 'LB.HGB'?"),
    ("criteria.yaml", "sets: [{name: HEPAFIT,", "sets: [{name: HEPAFITT,", 3, "unknown criteria set 'HEPAFIT': did you mean 'HEPAFITT'?"),
    ("protocol.yaml", "{arm: USUAL}", "{arm: USAUL}", 20, "unknown arm 'USAUL': did you mean 'USUAL'?"),
    ("protocol.yaml", "unit: days, label: Days after the target, source: protocol", "label: x, source: protcol", 24, "unknown source 'protcol': did you mean 'protocol'?"),
    ("codelists.yaml", "unknown: [NOT ASSESSED]", "unknown: [NOT ASESSED]", 6, "unknown code 'NOT ASESSED': did you mean 'NOT ASSESSED'?"),
    # rules
    ("criteria.yaml", 'rule: "LB.HGB > 9 [g/dL]"', 'rule: "LB.HBG > 9 [g/dL]"', 15, "rule: there is no fact LB.HBG; did you mean LB.HGB?"),
    ("criteria.yaml", "9 [g/dL]", "9 [g/dl2]", 15, "rule: unit 'g/dl2' is not known; did you mean 'g/dL'?"),
    ("criteria.yaml", "      > 40", "      > FOURTY", 30, "rule: there is no fact FOURTY"),
    ("criteria.yaml", "FRAILTY = 'FRAIL'", "FRAILTY = 'FRIAL'", 20, "FRAIL"),
    ("criteria.yaml", "METRES >= 150", "METRES + 150", 6, "rule: must be true or false, and is a number"),
    ("criteria.yaml", "METRES >= 150", "METRES >= ", 6, "rule: "),
    ("criteria.yaml", "days: 14, source: default}", "days: 14}\n    applies: \"METTRES > 1\"", 17, "applies: there is no fact METTRES; did you mean METRES?"),
    ("forms/BL.yaml", "show_if: \"SEX = 'F'\"", "show_if: \"SXE = 'F'\"", 11, "show_if: there is no fact SXE; did you mean SEX?"),
    ("forms/WT.yaml", 'derive: "METRES / 6"', 'derive: "METERS / 6"', 11, "derive: there is no fact METERS; did you mean METRES?"),
    ("forms/WT.yaml", "WTDAT >= BL.RFICDAT", "WTDAT >= BL.RFICDATE", 14, "rule: there is no fact BL.RFICDATE; did you mean BL.RFICDAT?"),
    ("forms/WT.yaml", 'derive: "METRES / 6"', "derive: \"if(WTDONE = 'Y', WTDAT, REFDAT)\"", 11, "derive: must be a number or quantity, and is a date; see 'result'"),
    ("facts.yaml", "when: \"SEX = 'F'\"", "when: \"SEXX = 'F'\"", 6, "when: there is no fact SEXX; did you mean SEX?"),
    ("criteria.yaml", 'rule: "LB.HGB > 9 [g/dL]"', "rule: METRES > 9", 16, "the rule does not use 'LB.HGB', so looking back at it decides nothing"),
    ("forms/WT.yaml", "type: yesno}", "type: yesno, show_if: METRES > 1}", 10, "goes round in a circle: WT.METRES → WT.WTDONE → WT.METRES"),
    # units and limits
    ("forms/BL.yaml", "units: [g/dL, g/L, mmol/L]", "units: [g/dL, kg]", 20, "HGB has no unit 'kg'"),
    ("forms/BL.yaml", "analyte: HGB", "analyte: HBG", 20, "unknown analyte 'HBG': did you mean 'HGB'?"),
    ("forms/BL.yaml", "max: \"230\"", "max: \"23\"", 18, "the lower limit 100 is not below the upper, 23"),
    ("forms/BL.yaml", "unit: kg}", "unit: cm}", 19, "the unit of the limits must be one of the item's: kg, lb"),
    ("facts.yaml", "unit: cm", "unit: kg", 10, "HEIGHT has no unit 'kg'"),
    ("facts.yaml", "name: METRES, type: integer", "name: METRES, type: date", 13, "a date cannot be read from 'WT.METRES', which is a integer"),
    # the plan
    ("visits.yaml", "weeks: 4, after: 3", "weeks: 2, after: 3", 5, "the window of 'W4' overlaps that of 'W2'"),
    ("visits.yaml", "weeks: 4, after: 3", "weeks: 4, days: 1, after: 3", 5, "'W4' counts from an anchor: give one of 'days', 'weeks', 'months'"),
    ("visits.yaml", "after: 3, forms: [WT]", "after: -3, forms: [WT]", 4, "after: expected zero or more"),
    ("protocol.yaml", "blocks: [3, 6]", "blocks: [3, 4]", 21, "a block of 4 does not hold the ratio, which sums to 3"),
    ("protocol.yaml", "    blocks: [3, 6]\n", "", 20, "several arms need block sizes: add 'blocks'"),
    # the same name twice
    ("forms/BL.yaml", "id: WEIGHT,", "id: HEIGHT,", 19, "item 'HEIGHT' stands twice"),
    ("criteria.yaml", "id: HF-I-2,", "id: HF-I-1,", 4, "criterion 'HF-I-1' stands twice"),
    ("visits.yaml", "code: W4", "code: W2", 5, "visit 'W2' stands twice"),
    ("codelists.yaml", "{code: M,", "{code: F,", 3, "code 'F' stands twice"),
    ("facts.yaml", "name: METRES", "name: LB", 12, "'LB' is a fact itself, so it cannot hold 'LB.HGB'"),
    # the shape
    ("criteria.yaml", "label: Age 18 or more", "lable: Age 18 or more", 3, "unknown key 'lable' in 'criteria': did you mean 'label'?"),
    ("criteria.yaml", "label: Age 18 or more, ", "", 3, "missing key 'label' in 'criteria'"),
    ("criteria.yaml", "kind: exclusion", "kind: exlusion", 19, "kind: expected 'inclusion' or 'exclusion', not 'exlusion': did you mean 'exclusion'?"),
    ("criteria.yaml", ", source: protocol}\n  - {id: HF-I-2", "}\n  - {id: HF-I-2", 3, "missing key 'source' in 'criteria'"),
    ("criteria.yaml", "text: Adults", 'text: ""', 3, "text: must not be empty"),
    ("forms/BL.yaml", "message: Haemoglobin of 7 g/dL or less", 'message: ""', 22, "message: must not be empty"),
    ("protocol.yaml", 'value: "37.5"', "value: 37.5", 25, "quote the number: '37.5' (a float is not exact)"),
    ("protocol.yaml", 'label: "1.0"', "label: 1.0", 9, "quote the number: '1.0' (a float is not exact)"),
    ("protocol.yaml", "effective_from: 2026-01-15", "effective_from: 15.1.2026", 9, "effective_from: expected a date, such as 2025-03-04"),
    ("visits.yaml", "code: SCR", "code: SCR, code: SCR", 3, "'code' stands already on line 3"),
    ("facts.yaml", "facts:", "facts: [", 2, "not YAML"),
    ("visits.yaml", "anchors:", "anchros:", 1, "unknown key 'anchros': did you mean 'anchors'?"),
]  # fmt: skip


def broken(folder: Path, file: str, old: str, new: str) -> Path:
    """The third trial with one mistake."""
    pack = folder / "pack"
    shutil.copytree(THIRD, pack)
    path = pack / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return pack


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "said"), MISTAKES, ids=[each[4][:60] for each in MISTAKES]
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, file: str, old: str, new: str, line: int, said: str
) -> None:
    pack = broken(tmp_path, file, old, new)
    _, faults = load_pack(pack)
    here = [fault for fault in faults if fault.file == str(pack / file)]
    assert any(fault.line == line and said in fault.message for fault in here), [
        str(fault) for fault in faults
    ]


def test_the_sound_pack_has_no_fault() -> None:
    protocol, faults = load_pack(THIRD)
    assert faults == []
    assert protocol is not None
    assert protocol.setting("walk_gain").number == Decimal("37.5")


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    pack = broken(tmp_path, "visits.yaml", "forms: [BL, WT]", "forms: [BX, WTT]")
    path = pack / "criteria.yaml"
    path.write_text(
        path.read_text().replace("METRES >= 150", "METERS >= 150").replace("LB.HGB >", "LB.HBG >")
    )
    assert len([fault for fault in load_pack(pack)[1] if "unknown form" in fault.message]) == 2
    assert len([fault for fault in load_pack(pack)[1] if "there is no fact" in fault.message]) == 2


def test_parts_take_source_and_mark_from_what_is_around_them() -> None:
    protocol, _ = load_pack(THIRD)
    assert protocol is not None
    metres, haemoglobin = protocol.form("WT").item("METRES"), protocol.form("BL").item("HGB")
    assert (metres.source, metres.provisional) == ("protocol", False)
    assert (haemoglobin.source, haemoglobin.provisional) == ("default", True)
    look_back = protocol.criterion("HF-I-5").look_back
    assert look_back is not None
    assert look_back.provisional
    assert not protocol.criterion("HF-I-5").provisional


def test_a_mark_of_its_own_wins_over_that_of_the_source(tmp_path: Path) -> None:
    pack = broken(
        tmp_path,
        "criteria.yaml",
        "source: default\n    note: The",
        "source: default\n    provisional: false\n    note: The",
    )
    protocol, faults = load_pack(pack)
    assert protocol is not None
    assert not faults
    assert protocol.criterion("HF-E-3").provisional is False
    again = Protocol.model_validate(protocol.definition())
    assert again.criterion("HF-E-3").provisional is False
    assert again.sha256 == protocol.sha256


def test_layout_and_comments_do_not_change_the_content(tmp_path: Path) -> None:
    protocol, _ = load_pack(THIRD)
    pack = broken(tmp_path, "visits.yaml", "visits:", "# the plan\n\nvisits:")
    (pack / "endpoints.yaml").rename(pack / "zz.yaml")
    other, faults = load_pack(pack)
    assert protocol is not None
    assert other is not None
    assert not faults
    assert other.sha256 == protocol.sha256
    assert json.loads(other.canonical()) == protocol.definition()


def test_a_list_may_stand_in_several_files(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(THIRD, pack)
    (pack / "more.yaml").write_text(
        "endpoints:\n  - {PARAMCD: PFS, label: Progression, kind: progression_free_survival, source: prtcl}\n"
    )
    _, faults = load_pack(pack)
    assert [str(fault) for fault in faults] == [
        f"{pack / 'more.yaml'}:2: unknown source 'prtcl': did you mean 'protocol'?"
    ]


def test_yaml_words_stay_words(tmp_path: Path) -> None:
    pack = broken(tmp_path, "codelists.yaml", "{code: FIT, label: Fit}", "{code: NO, label: Off}")
    protocol, _ = load_pack(pack)
    assert protocol is not None
    assert protocol.codelist("FRAILTY").labels["NO"] == "Off"


def test_a_pack_that_is_not_there() -> None:
    protocol, faults = load_pack("/nowhere/at/all")
    assert protocol is None
    assert [str(fault) for fault in faults] == ["/nowhere/at/all:0: no such folder"]


def test_a_pack_that_contains_itself(tmp_path: Path) -> None:
    (tmp_path / "protocol.yaml").write_text("trial: &t\n  code: X\n  again: *t\n")
    assert any("contains itself" in fault.message for fault in load_pack(tmp_path)[1])


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({"A": {"B"}, "B": {"C"}}, []),
        ({"A": {"A"}}, [("A",)]),
        ({"A": {"B"}, "B": {"A"}, "C": {"A"}}, [("A", "B")]),
        ({"A": {"B"}, "B": {"C"}, "C": {"A"}, "D": {"D"}}, [("A", "B", "C"), ("D",)]),
    ],
)
def test_circles_among_rules(needs: dict[str, set[str]], found: list[tuple[str, ...]]) -> None:
    assert list(circles(needs)) == found


def test_the_command_prints_every_fault_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = broken(tmp_path, "criteria.yaml", "METRES >= 150", "METERS >= 150")
    with pytest.raises(SystemExit) as end:
        call_command("check_protocol", str(pack))
    assert end.value.code == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"{pack}/criteria.yaml:6: rule: there is no fact METERS; did you mean METRES?",
        "1 fault",
    ]


def test_the_command_counts_what_a_sound_pack_holds(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_protocol", str(THIRD))
    said = capsys.readouterr().out
    assert said.startswith(
        "no faults: HEPAFIT 1.0, 4 visits, 2 forms with 14 items and 3 checks, 12 facts, 10 criteria"
    )


def test_packs_are_read_without_django() -> None:
    program = (
        "import sys; from trials.packs import load_pack; protocol, faults = load_pack(sys.argv[1]);"
        "assert not faults; assert not [m for m in sys.modules if m.split('.')[0] == 'django']; print(protocol.trial.code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(THIRD)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "HEPAFIT"


@pytest.mark.parametrize("code", sorted(bundled()))
def test_a_bundled_pack_has_no_fault(code: str) -> None:
    assert [str(fault) for fault in load_pack(bundled()[code])[1]] == []
    assert bundled_protocol(code).trial.code == code
    assert bundled_protocol(code) is bundled_protocol(code)


def test_a_bundled_pack_with_faults_is_not_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = broken(tmp_path, "criteria.yaml", "METRES >= 150", "METERS >= 150")
    monkeypatch.setattr("trials.packs.bundled", lambda: {"BROKEN": pack})
    with pytest.raises(PackError, match=r"criteria\.yaml:6: rule: there is no fact METERS"):
        bundled_protocol("BROKEN")
