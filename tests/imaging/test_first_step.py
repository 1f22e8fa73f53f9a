"""What a browser takes out before it sends a file: names stay at the site, and the server ends where it would have."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from imaging.dicom import phantom
from imaging.dicom.deidentify import deidentify, identity_words, words_of
from imaging.dicom.elements import EXPLICIT_LITTLE, encode_element
from imaging.dicom.errors import DicomFault
from imaging.dicom.first_step import (
    BLOCK,
    CONTENT,
    CREATOR,
    blinded_number,
    first_step_of,
    table,
    without_block,
    words_found,
)
from imaging.dicom.intake import Verdict, examine
from imaging.dicom.profile import TECHNICAL_TEXTS
from imaging.dicom.reader import read
from imaging.models import Batch, BatchFile, Instance
from scripts.setup import FRONTEND, find_node
from tests.imaging.conftest import Desk
from tests.imaging.dicom_files import (
    CANARY,
    bundled_files,
    changed,
    identity,
    one_slice,
    with_element,
)
from tests.imaging.test_deidentify import text_elements
from tests.imaging.test_processing import reasons, states
from tests.imaging.test_whose import of_another

pytestmark = pytest.mark.django_db
SITE = "NO-01"


def first_steps(files: dict[str, bytes], folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files as the browser's program prepares them, by name, and what it says of them all."""
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    after.mkdir()
    for name, data in files.items():
        (before / name).write_bytes(data)
    (folder / "table.json").write_text(json.dumps(table()))
    module, program = (
        FRONTEND / "src" / "upload" / "first-step.js",
        Path(__file__).with_name("first_step.mjs"),
    )
    command = [find_node()[0], program, module, folder / "table.json", SITE, before, after]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {path.name: path.read_bytes() for path in after.iterdir()}, json.loads(said)


def with_a_name_everywhere(data: bytes) -> bytes:
    """The name in every element of the dictionary that is no technical text, at the top and in a sequence."""

    def write(dataset: Any) -> None:
        item = Dataset()
        for tag, vr in text_elements():
            if tag not in TECHNICAL_TEXTS:
                item.add_new(tag, vr, CANARY)
                if tag not in dataset:
                    dataset.add_new(tag, vr, CANARY)
        dataset.RequestAttributesSequence = Sequence([item])
        dataset.DerivationCodeSequence = Sequence([item])

    return changed(data, write)


def with_a_code_of_the_site(data: bytes) -> bytes:
    """A code of a vocabulary of the site's own, whose words name somebody."""

    def write(dataset: Any) -> None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99HOSP", f"Liver, Dr {CANARY}"
        dataset.ProcedureCodeSequence = dataset.DerivationCodeSequence = Sequence([code])

    return changed(data, write)


def with_a_code(data: bytes, value: str, scheme: str) -> bytes:
    """A code of a public vocabulary, in whose words a name stands."""

    def write(dataset: Any) -> None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
            value,
            scheme,
            f"Liver, Dr {CANARY} Eksempel",
        )
        dataset.AnatomicRegionSequence = Sequence([code])

    return changed(data, write)


def made_files() -> dict[str, bytes]:
    """Phantoms with what is hard: names everywhere, odd representations, overlays, words behind the pixels."""
    plain = one_slice()
    return {
        "plain": plain,
        "canary": with_a_name_everywhere(plain),
        "local-code": with_a_code_of_the_site(plain),
        "slipped": changed(plain, ConvolutionKernel="B30f EKSEMPEL"),
        "overlay": changed(plain, lambda dataset: dataset.add_new(0x60000102, "US", 12)),
        "slipped-short": changed(plain, PatientName="Lee^Wu", ConvolutionKernel="B30f LEE"),
        "slipped-together": changed(plain, ConvolutionKernel="xEKSEMPELKARI"),
        "burned-in": changed(plain, BurnedInAnnotation="YES"),
        "phase": changed(plain, SeriesDescription="Portal venous EKSEMPEL"),
        "no-phase": changed(plain, SeriesDescription="EKSEMPEL"),
        "odd-text": changed(plain, BodyPartExamined="LIVEROFX").replace(b"LIVEROFX", b"eksempel"),
        "no-contrast": changed(plain, ContrastBolusAgent=""),
        "old": changed(plain, PatientAge="093Y"),
        "behind": plain + encode_element(0xFFFCFFFC, "OB", b"EKSEMPEL", EXPLICIT_LITTLE),
        "date-as-time": with_element(plain, 0x00080020, "TM", b"20240115"),
        "time-of-a-date": with_element(plain, 0x00080030, "TM", b"20240115101500"),
        "number-as-time": with_element(plain, 0x00380010, "TM", b"55512345"),
        "text-as-number": with_element(plain, 0x00080041, "US", b"Kari Eksempel..."),
        "text-in-a-number": with_element(plain, 0x00280009, "AT", b"Kari Eksempel..."),
        "wide-number": with_element(plain, 0x00280010, "UL", (64).to_bytes(4, "little")),
        "code-as-text": with_element(plain, 0x00185100, "LO", b"Kari Eksempel."),
        "no-sequence": with_element(plain, 0x00081140, "LO", b"Kari Eksempel."),
        "window": with_element(plain, 0x00281055, "LO", b"DR EKSEMPEL LIVER "),
        "usual-window": with_element(plain, 0x00281055, "LO", b"WINDOW1\\WINDOW2 "),
        "character-set": with_element(plain, 0x00080005, "CS", b"Kari Eksempel "),
        "look-up": with_element(plain, 0x00283006, "OW", b"Kari Eksempel."),
        "nul": with_element(plain, 0x00181210, "SH", b"B\0X "),
        "known-code": with_a_code(plain, "10200004", "SCT"),
        "unknown-code": with_a_code(plain, "X1", "SCT"),
        "code-of-nobody": with_a_code(plain, "X1", ""),
        "no-number": changed(plain, PatientID=""),
    }


@dataclass(frozen=True)
class Corpus:
    """Files before and after the first step."""

    before: dict[str, bytes]
    after: dict[str, bytes]
    said: dict[str, Any]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    real = {f"{number:03}-{path.name}": path.read_bytes() for number, path in enumerate(bundled_files())}
    before = {**made_files(), **real}
    after, said = first_steps(before, tmp_path_factory.mktemp("first-step"))
    return Corpus(before, after, said)


def test_most_real_files_can_be_prepared(corpus: Corpus) -> None:
    """The rest is deflated, broken, or without a word on how it is encoded; those are sent as they are."""
    assert set(made_files()) <= set(corpus.after)
    assert len(corpus.after) > 140
    assert len(corpus.said["failed"]) <= 8


def test_what_is_stored_is_the_same_to_the_byte_and_so_is_the_verdict(corpus: Corpus) -> None:
    compared = 0
    for name, prepared in corpus.after.items():
        original = corpus.before[name]
        assert (name, examine(prepared).code) == (name, examine(original).code)
        try:
            result = deidentify(read(original), identity())
        except DicomFault:
            continue
        file = read(prepared)
        again = deidentify(without_block(file), identity())
        assert again.data == result.data, name
        step = first_step_of(file)
        assert step is not None
        again.ledger.take_over(step.emptied, step.replaced, step.removed)
        for part in ("kept", "emptied", "replaced", "removed"):
            assert set(getattr(again.ledger, part)) == set(getattr(result.ledger, part)), (name, part)
        compared += 1
    assert compared > 130


def test_no_word_of_the_patient_leaves_the_site(corpus: Corpus) -> None:
    words = [word.lower().encode() for word in phantom.Person().words()]
    for name in made_files():
        if not name.startswith("slipped"):  # a name where no table expects it: the server's net is for that
            assert [word for word in words if word in corpus.after[name].lower()] == [], name
    assert CANARY.encode() not in corpus.after["canary"]
    for name in ("local-code", "known-code", "unknown-code", "code-of-nobody"):
        assert CANARY.encode() not in corpus.after[name], name
    assert b"EKSEMPEL" not in corpus.after["behind"]


def test_no_real_file_carries_a_word_of_its_header_on(corpus: Corpus) -> None:
    for name, prepared in corpus.after.items():
        if not name.endswith("MR_truncated.dcm"):
            assert not identity_words(without_block(read(prepared))), name


def test_paths_lose_the_words_that_name_somebody(corpus: Corpus) -> None:
    assert corpus.said["covered"] == "CD/…_…/MRN-…/IM0001"


def test_a_name_in_a_technical_text_is_noticed_by_its_digest(corpus: Corpus) -> None:
    for name, noticed in (
        ("slipped", True),
        ("slipped-short", True),
        ("slipped-together", True),
        ("plain", False),
    ):
        file = read(corpus.after[name])
        step = first_step_of(file)
        assert step is not None
        result = deidentify(without_block(file), identity())
        assert words_found(step, words_of(result, identity())) is noticed


def test_browser_and_server_blind_a_number_alike(corpus: Corpus) -> None:
    for name in ("plain", "no-number"):
        step = first_step_of(read(corpus.after[name]))
        original = identity_number(corpus.before[name])
        assert step is not None
        assert step.number == blinded_number(original, SITE)
    assert blinded_number(original, SITE) != blinded_number(original, "SE-02")


def identity_number(data: bytes) -> str:
    dataset = read(data)
    return next(
        text
        for tag in (0x00100020, 0x00100010)
        if (text := dataset.raw(dataset.by_tag[tag]).decode().strip())
    )


# ---- from the browser to the storage


def prepared(files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    return first_steps(files, folder)[0]


def test_a_prepared_scan_is_kept_with_a_ledger_that_says_where_it_was_done(
    desk: Desk, tmp_path: Path
) -> None:
    batch = desk.send(prepared(desk.slices("M1"), tmp_path))

    assert states(batch) == {"ACCEPTED": 5}
    ledger = Instance.objects.first().ledger.content  # type: ignore[union-attr]
    assert "(0010,0010) PatientName" in ledger["before_sending"]
    assert "(0010,0030) PatientBirthDate" in ledger["emptied"]
    assert "(0010,0030) PatientBirthDate" not in ledger["kept"]


def test_the_same_scan_raw_and_prepared_is_one(desk: Desk, tmp_path: Path) -> None:
    files = desk.slices("M1")
    desk.send(files)
    assert states(desk.send(prepared(files, tmp_path))) == {"DUPLICATE": 5}


@pytest.mark.parametrize("first_prepared", [True, False])
def test_another_patient_is_noticed_whichever_way_files_come(
    desk: Desk, tmp_path: Path, first_prepared: bool
) -> None:
    def by(way: bool, files: dict[str, bytes], name: str) -> dict[str, bytes]:
        return prepared(files, tmp_path / name) if way else files

    desk.send(by(first_prepared, desk.slices("BL"), "first"), "BL")
    same = desk.send(by(not first_prepared, desk.slices("M1"), "same"), "M1")
    stranger = desk.slices("M4", person=phantom.Person(record="MRN-999"))
    other = desk.send(by(not first_prepared, stranger, "other"), "M4")

    assert states(same) == {"ACCEPTED": 5}
    assert set(reasons(other)) == {"other_patient"}


def test_the_number_of_another_subject_is_recognised(desk: Desk, tmp_path: Path) -> None:
    neighbour = of_another(desk, "THERMODOX")
    desk.send(desk.slices("BL"), "BL")
    batch = neighbour.send(prepared(neighbour.slices("BL"), tmp_path), "BL")
    assert set(reasons(batch)) == {"other_patient"}
    file = BatchFile.objects.filter(batch=batch).first()
    assert file is not None
    assert desk.subject.number in file.reason


def with_block(data: bytes, content: str) -> bytes:
    def write(dataset: Any) -> None:
        dataset.add_new(BLOCK, "LO", CREATOR)
        dataset.add_new(CONTENT, "UT", content)

    return changed(data, write)


def nothing_done(**parts: object) -> str:
    plain = {"salt": "0" * 32, "number": "", "words": [], "emptied": [], "replaced": [], "removed": []}
    return json.dumps(plain | {"behind": False} | parts)


def test_a_file_that_says_that_names_are_gone_and_has_them_waits_for_a_person(desk: Desk) -> None:
    batch = desk.send({"IM1": with_block(one_slice(), nothing_done())})
    assert set(reasons(batch)) == {"names_sent"}


@pytest.mark.parametrize(
    "content",
    [
        "", "no json", "[" * 100_000, "[]", "{}", nothing_done(salt="short"), nothing_done(number="MRN-0048213377"),
        nothing_done(words=["eksempel"]), nothing_done(words="eksempel"), nothing_done(removed=[0] * 20_001),
        nothing_done(emptied=None),
    ],
)  # fmt: skip
def test_nonsense_about_the_first_step_is_refused_with_a_reason(desk: Desk, content: str) -> None:
    batch = desk.send({"IM1": with_block(one_slice(), content)})
    assert set(reasons(batch)) == {"first_step"}


def test_only_names_of_elements_reach_the_ledger() -> None:
    said = nothing_done(
        removed=["00100010", "00081111[0].00100010", "Kari Eksempel", "00100010 Kari", 7, {"a": 1}]
    )
    step = first_step_of(read(with_block(one_slice(), said)))
    assert step is not None
    assert step.removed == (
        "(0010,0010) PatientName",
        "(0008,1111) ReferencedPerformedProcedureStepSequence[0].(0010,0010) PatientName",
    )


def test_a_file_that_was_released_keeps_nothing_of_the_block() -> None:
    file = read(with_block(one_slice(), nothing_done()))
    result = deidentify(without_block(file), identity())
    assert CREATOR.encode() not in result.data
    assert not any("(0009," in name for name in result.ledger.removed)
    assert examine(result.data).verdict is Verdict.ACCEPTED


def test_what_a_browser_did_not_send_is_on_record(desk: Desk) -> None:
    client = desk.cast.client("coordinator")
    url = f"/subjects/{desk.subject.number}/visits/M1/images/manifest/"
    files = [
        {"path": "letter.txt", "size": 14, "refused": "not_dicom"},
        {"path": "IM2", "size": 0, "refused": "empty"},
        {"path": "CD/Thumbs.db", "size": 5, "refused": "not_dicom"},
        {"path": "all.zip/more.zip", "size": 500, "refused": "nested_archive"},
    ]
    answer = client.post(url, {"files": files}, content_type="application/json").json()
    assert answer["missing"] == []
    assert [(each["index"], each["state"]) for each in answer["refused"]] == [
        (0, "rejected"),
        (1, "rejected"),
        (2, "skipped"),
        (3, "rejected"),
    ]
    assert answer["refused"][0]["reason"].endswith("It was not sent.")
    assert states(Batch.objects.get()) == {"REJECTED": 3, "SKIPPED": 1}
    files[0]["refused"] = "whatever"
    assert client.post(url, {"files": files}, content_type="application/json").status_code == 422
