"""The packs hold what the trials' documents say: numbers, wording, and an honest mark on what is assumed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trials.packs import bundled, bundled_protocol, load_pack
from trials.schema import Protocol

TEXTS = Path(__file__).parent / "protocol_text"
TRIALS = ("THERMODOX", "EXCALIBUR")
INCLUSION = ["1a", "2a", "3", "4a", "4b", "5a", "5b.1", "5b.2", "5b.3", "5b.4", "5b.5", "5b.6", "5b.7", "5b.8",
             "5c", "5d", "5e", "6"]  # fmt: skip
IN_BOTH = [f"EX-I-{each}" for each in INCLUSION] + [f"EX-E-{each}" for each in range(1, 10)]
E1_ONLY = [f"E1-E-{each}" for each in range(2, 8)]
CLINIC = ["D14", "M1", "M4", "M7", "M10", "M13", "M16", "M19", "M22", "M25"]

# Forms of the trials, by what a person would call them.
IN_EVERY_TRIAL = {
    "DS_IC": "consent", "DS_RC": "consent to a later version", "DM": "demographics", "MH": "medical history",
    "CH": "cancer history", "GF": "molecular",
    "CMA": "chemotherapy lines", "VS": "vital signs", "RS": "ECOG", "LB": "laboratory", "RP": "reproductive status",
    "IE": "eligibility judgements", "TU": "lesions", "TR": "measurements", "RSR": "response", "IMG": "scans",
    "AE": "adverse events", "SAE": "serious events", "CM": "medication", "PRO": "procedures", "DV": "deviations",
    "DS_TRT": "end of treatment", "DS_STUDY": "end of study", "DD": "death",
    "SS": "survival", "STG": "liver at baseline",
}  # fmt: skip
OWN_FORMS = {
    "THERMODOX": {"CMH", "PTS", "CV", "CP", "CM_PRE", "EX", "PR", "QS"},
    "EXCALIBUR": {"EH", "MHC", "CHS", "PT", "LL", "MDT", "QSX", "HAI", "FILL", "WL", "LTX", "CONV"},
}
SAME_FORMS = [
    "CM",
    "CMA",
    "DD",
    "DM",
    "DS_IC",
    "DS_RC",
    "DS_STUDY",
    "DS_TRT",
    "DV",
    "IMG",
    "MH",
    "PRO",
    "RS",
    "SAE",
    "SS",
    "TR",
]


def plain(text: str) -> str:
    """Text without line breaks and list marks, so that wording can be compared letter by letter."""
    return re.sub(r"\s+", " ", re.sub(r"(?m)^\s*(- [a-e]\.|\d\.)", " ", text)).strip()


def protocol_text(code: str) -> str:
    return plain((TEXTS / f"{code.lower()}.txt").read_text(encoding="utf-8"))


@pytest.fixture(params=TRIALS)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return bundled_protocol(request.param)


@pytest.mark.parametrize("code", TRIALS)
def test_a_pack_has_no_fault(code: str) -> None:
    assert load_pack(bundled()[code])[1] == []


def test_excalibur_has_the_criteria_of_its_protocol_and_one_of_the_registry() -> None:
    protocol = bundled_protocol("EXCALIBUR")
    assert [each.id for each in protocol.criteria] == [*IN_BOTH, *E1_ONLY, "REG-AGE18"]
    assert len(IN_BOTH + E1_ONLY) == 33
    assert {each.id for each in protocol.criteria_of("EXCALIBUR-2")} == {*IN_BOTH, "REG-AGE18"}
    assert (
        len({each.number for each in protocol.criteria if each.kind == "inclusion" and each.source == "seed"})
        == 11
    )


def test_thermodox_has_the_criteria_of_its_summary_and_of_sibling_trials() -> None:
    ids = [each.id for each in bundled_protocol("THERMODOX").criteria]
    assert ids[:4] == ["TD-S-1", "TD-S-2", "TD-S-3", "TD-S-4"]
    assert ids[4:] == [
        *(f"TD-R-{n:02}" for n in range(1, 11)), *(f"TD-R-11{letter}" for letter in "abcdefg"), "TD-R-12",
    ]  # fmt: skip


def test_wording_is_the_protocols_own(protocol: Protocol) -> None:
    whole = protocol_text(protocol.trial.code)
    quoted = [*protocol.criteria, *protocol.timing]
    for part in quoted:
        if part.source == "seed":
            assert plain(part.text) in whole, part.id
    assert any(part.source == "seed" for part in quoted)


def test_no_criterion_of_the_excalibur_text_was_left_out() -> None:
    lines = (TEXTS / "excalibur.txt").read_text(encoding="utf-8").splitlines()
    quotes = {plain(each.text) for each in bundled_protocol("EXCALIBUR").criteria}
    preamble = bundled_protocol("EXCALIBUR").sets[0].preamble
    item = re.compile(r"^\s*(- [a-e]\.|\d\.)\s*(?P<text>.+?)\s*$")
    criteria = [
        match["text"] for match in map(item.match, lines) if match and not match["text"].endswith(":")
    ]
    criteria = [each for each in criteria if each not in {"Chemotherapy", "The patient"}]
    for criterion in criteria:
        assert criterion == preamble or any(quote in plain(criterion) for quote in quotes), criterion
    assert len(criteria) == 27


def test_the_preamble_of_excalibur_1_is_no_criterion() -> None:
    protocol = bundled_protocol("EXCALIBUR")
    assert protocol.sets[0].preamble.startswith(
        "Any of the following will preclude inclusion into Excalibur 1"
    )
    assert "E1-E-1" not in {each.id for each in protocol.criteria}


def test_a_criterion_that_can_be_read_in_two_ways_says_how_it_was_read() -> None:
    notes = {each.id: " ".join(each.notes) for each in bundled_protocol("EXCALIBUR").criteria}
    for criterion in (
        "EX-I-1a",
        "EX-I-2a",
        "EX-I-3",
        "EX-I-5b.3",
        "EX-I-5b.8",
        "EX-I-5c",
        "EX-E-4",
        "E1-E-3",
        "E1-E-6",
    ):
        assert notes[criterion]
    s4 = bundled_protocol("THERMODOX").criterion("TD-S-4")
    assert "in in nor more than 2" in s4.text
    assert "in no more than 2" in s4.notes[0]


def test_look_backs_are_proposals_not_protocol(protocol: Protocol) -> None:
    looks = [(each.id, each.look_back) for each in protocol.criteria if each.look_back]
    assert looks
    assert all(look.provisional for _, look in looks)
    days = {name: look.days for _, look in looks for name in look.facts}
    assert {days[name] for name in days if name.startswith("LB.")} == {14}
    assert days["ECOG"] == 14
    assert {days[name] for name in days if name.startswith("PREG")} == {7}


def test_every_open_decision_is_a_setting_that_says_so() -> None:
    found: set[int] = set()
    for code in TRIALS:
        for setting in bundled_protocol(code).settings:
            numbers = {int(each) for each in re.findall(r"Open decision (\d+)", setting.note)}
            found |= numbers
            if numbers and setting.name not in {
                "criteria_version",
                "win_before",
                "win_after",
                "readers",
                "qol_weeks",
            }:
                assert setting.provisional, setting.name
    assert found == set(range(1, 16))


def test_windows_of_thermodox_are_one_sided() -> None:
    protocol = bundled_protocol("THERMODOX")
    clinic = [each for each in protocol.visits if each.code in CLINIC]
    assert [each.code for each in clinic] == CLINIC
    assert {(each.before, each.after) for each in clinic} == {(0, 7)}
    assert [each.months for each in clinic[1:]] == [1, 4, 7, 10, 13, 16, 19, 22, 25]
    assert (clinic[0].days, clinic[0].from_) == (14, "each")
    assert {each.from_ for each in clinic[1:]} == {"last"}
    assert not any(each.provisional for each in clinic)


def test_scans_and_questionnaires_of_thermodox_are_where_the_summary_puts_them() -> None:
    protocol = bundled_protocol("THERMODOX")
    assert [each.code for each in protocol.visits if each.imaging] == ["BL", *CLINIC[1:], "UNS"]
    assert [each.code for each in protocol.visits_with("QS")] == ["BL", *CLINIC]
    survival_only = [each for each in protocol.visits if each.kind == "survival"]
    assert [(each.code, each.forms, each.provisional) for each in survival_only] == [
        (code, ("SS",), True) for code in ("M28", "M31", "M34", "M36")
    ]


@pytest.mark.parametrize("trial", ["EXCALIBUR", "THERMODOX"])
def test_a_suspicion_between_visits_can_be_shown_in_images(trial: str) -> None:
    unscheduled = bundled_protocol(trial).visit("UNS")
    assert unscheduled.imaging
    assert {"IMG", "RSR"} <= set(unscheduled.forms)


def test_the_course_of_excalibur_is_provisional_where_it_is_not_published() -> None:
    protocol = bundled_protocol("EXCALIBUR")
    weeks = [each for each in protocol.visits if each.code.startswith("W")]
    assert [each.days for each in weeks] == [56 * n for n in range(1, 13)]
    assert all(each.provisional for each in weeks)
    assert protocol.version.label == "2021"


def test_arms_and_allocation() -> None:
    excalibur = bundled_protocol("EXCALIBUR")
    shares = {each.code: [(a.arm, a.ratio) for a in each.arms] for each in excalibur.sub_studies}
    assert shares == {
        "EXCALIBUR-1": [("TX", 1), ("HAI", 1), ("CHEMO", 1)],
        "EXCALIBUR-2": [("HAI", 1), ("CHEMO", 1)],
    }
    assert {each.code: each.blocks for each in excalibur.sub_studies} == {
        "EXCALIBUR-1": (3, 6),
        "EXCALIBUR-2": (2, 4),
    }
    assert all(each.provisional for each in excalibur.sub_studies)
    assert not any(each.randomised for each in bundled_protocol("THERMODOX").sub_studies)


def test_every_form_of_the_trials_is_there(protocol: Protocol) -> None:
    assert {each.code for each in protocol.forms} == set(IN_EVERY_TRIAL) | OWN_FORMS[protocol.trial.code]


@pytest.mark.parametrize("form", SAME_FORMS)
def test_a_form_of_both_trials_is_the_same_in_both(form: str) -> None:
    first, second = (_without_own_checks(bundled()[code] / "forms" / f"{form}.yaml") for code in TRIALS)
    assert first == second


def _without_own_checks(path: Path) -> list[str]:
    """Lines of a form but for checks that need a form of one trial only: the infusion, the waiting list."""
    own = ("DS_IC-ORDER-01", "CMA-BEVA-01")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not any(each in line for each in own)]


def test_labels_are_short_and_plain(protocol: Protocol) -> None:
    for form in protocol.forms:
        for item in form.items:
            assert len(item.label) <= 88, (form.code, item.id)
            assert not item.label[0].islower(), (form.code, item.id)
            assert not item.label.endswith((".", ":", "?")), (form.code, item.id)


def test_every_number_on_a_form_has_a_unit_and_possible_limits(protocol: Protocol) -> None:
    for form in protocol.forms:
        for item in form.items:
            if item.type in {"quantity", "lab", "number", "integer"}:
                assert item.possible is not None, (form.code, item.id)
            if item.type == "number" and item.id != "CMDOSE":
                assert item.unit, (form.code, item.id)


def test_every_message_says_what_is_wrong_and_what_to_do(protocol: Protocol) -> None:
    ask = re.compile(
        r"[Cc]orrect|[Cc]onfirm|[Cc]heck|[Ee]nter|[Rr]ecord|Count on|Answer no|swapped|at least one|say why not"
    )
    for form in protocol.forms:
        for check in form.checks:
            assert ask.search(check.message), check.id
            items = set(re.findall(r"\{(\w+)\}", check.message))
            typed = {item.id for item in form.items if item.type != "derived"}
            assert items <= typed, check.id


def test_forms_are_marked_as_proposed(protocol: Protocol) -> None:
    assert all(form.provisional for form in protocol.forms if form.code != "QS")


def test_the_fhsi_8_is_there_without_its_wording() -> None:
    protocol = bundled_protocol("THERMODOX")
    answers = [item for item in protocol.form("QS").items if item.type == "instrument"]
    assert [item.id for item in answers] == ["GP1", "GP2", "GP4", "C2", "CNS7", "HI7", "HEP2", "HEP8"]
    assert not any(item.required for item in answers)
    assert [each.code for each in protocol.codelist("FHSI8RESP").codes] == ["0", "1", "2", "3", "4"]
    words = " ".join(item.label for item in answers) + " ".join(
        protocol.codelist("FHSI8RESP").labels.values()
    )
    assert not re.search(r"\bI (am|have|feel)\b|bothered|[Qq]uite a bit|[Vv]ery much|[Nn]ot at all", words)
    assert protocol.setting("fhsi8_licence_required").value is True


def test_endpoints() -> None:
    thermodox, excalibur = (bundled_protocol(code).endpoints for code in TRIALS)
    assert [each.paramcd for each in thermodox] == ["LTC24", "TTLC", "OS", "TTLR", "PROD"]
    assert [each.paramcd for each in excalibur] == [
        "OS24",
        "PFS",
        "MORB30",
        "MORB90",
        "MORT30",
        "MORT90",
        "CONV",
    ]
    assert all(each.provisional for each in (*thermodox, *excalibur))


@pytest.mark.parametrize(("trial", "assessed"), [("EXCALIBUR", "recist"), ("THERMODOX", "ablation")])
def test_readers_are_asked_what_the_charter_says_and_differ_in_nothing_else(
    trial: str, assessed: str
) -> None:
    charter = bundled_protocol(trial).charter
    assert charter is not None
    assert charter.assessments == (assessed,)
    of_others = {
        "recist": {"ltp", "ltp_date", "residual"},
        "ablation": {"overall_response", "progression_date"},
    }
    assert not set(charter.adjudicate_on) & of_others[assessed]


def test_one_reader_and_the_central_reading_ends_the_scans() -> None:
    charter = bundled_protocol("THERMODOX").charter
    assert charter is not None
    assert (charter.readers, charter.stop_on, charter.provisional) == (1, "CENTRAL", False)
    assert charter.sources["stop_on"] == "proposed"
    assert [each.code for each in charter.lesion_outcomes] == ["COMPLETE", "RESIDUAL", "LTP", "NE"]


@pytest.mark.parametrize("code", TRIALS)
def test_a_pack_names_published_documents_only(code: str) -> None:
    for path in bundled()[code].rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"DOMAIN\.md|fact sheet|/work|/home", text), path
