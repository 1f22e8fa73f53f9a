"""ODM-XML: valid by its schema, every reference resolves, every transaction of the trail is there, and signatures."""

from __future__ import annotations

import io
import resource
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from lxml import etree
from odmlib.schema_manager import get_schema_path

from audit.models import Event
from casebook import services as casebook
from casebook.models import Entry
from casebook.services.verification import verify_item
from foundation import clock
from patients.models import Subject
from reports.exports.frame import Wanted
from reports.exports.odm.clinical import ENTRIES, SUBJECTS, Told
from reports.exports.odm.document import Scope, write_odm, write_subject
from reports.exports.odm.metadata import ODM, metadata_version
from reports.models import Export
from tests.casebook.signing_case import Case, again
from tests.cast import Cast
from tests.reports.test_exports import export, unpacked
from trials.models import Site, Trial
from trials.packs import bundled_protocol

NAMES = {"o": ODM}
LIMITS = (".LO", ".HI")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(get_schema_path("odm", "1.3.2"))))


def written(case: Case, **wanted: Any) -> etree._Element:
    out = io.BytesIO()
    write_odm(Wanted(case.subject.trial, **wanted), out)
    return etree.fromstring(out.getvalue())


def found(root: etree._Element, path: str) -> list[Any]:
    return list(root.xpath(path, namespaces=NAMES))  # type: ignore[arg-type, call-overload]


def full(case: Case) -> Entry:
    """Two forms, a correction, a signature that a change took back, and one that holds."""
    entry, other = case.form("LB"), case.form("VS")
    case.form_of_a_log()
    for each in (entry, other):
        case.sign(case.key(entry=each))
    case.save(entry, "HGB", "12.9", "g/dL", reason="Read from the wrong line")
    return entry


@pytest.mark.django_db
@pytest.mark.req("EXP-01")
def test_it_is_valid_by_the_schema_of_the_standard(case: Case, schema: etree.XMLSchema) -> None:
    full(case)
    root = written(case)
    schema.validate(root)
    assert [str(error) for error in schema.error_log] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("trial", "amendment"), [("THERMODOX", ""), ("EXCALIBUR", ""), ("EXCALIBUR", "2023-05")]
)
@pytest.mark.req("EXP-02")
def test_every_reference_within_a_version_leads_somewhere(trial: str, amendment: str) -> None:
    version = metadata_version(bundled_protocol(trial, amendment))
    defined = Counter(version.xpath(".//@OID"))  # type: ignore[arg-type]
    assert {oid for oid, number in defined.items() if number > 1} == set()
    for name in ("FormOID", "ItemGroupOID", "ItemOID", "CodeListOID", "MethodOID", "StudyEventOID",
                 "CollectionExceptionConditionOID"):  # fmt: skip
        named = set(version.xpath(f".//@{name}"))  # type: ignore[arg-type]
        assert named <= defined.keys(), name


@pytest.mark.django_db
@pytest.mark.req("EXP-02")
def test_every_reference_of_the_data_leads_somewhere(case: Case) -> None:
    full(case)
    root = written(case)
    defined = set(found(root, "//@OID"))
    for path in ("//o:ClinicalData//@FormOID", "//o:ClinicalData//@ItemGroupOID", "//@ItemOID", "//@UserOID",
                 "//@LocationOID", "//@SignatureOID", "//@MeasurementUnitOID", "//o:ClinicalData//@StudyEventOID",
                 "//o:ClinicalData/@MetaDataVersionOID", "//@CodeListOID"):  # fmt: skip
        assert set(found(root, path)) <= defined, path


@pytest.mark.django_db
@pytest.mark.req("EXP-03", "AUD-09")
def test_every_change_of_the_trail_is_a_transaction_with_who_when_and_why(case: Case) -> None:
    entry = full(case)
    root = written(case)
    cells = sum(
        len({*((event.before or {}).get("values") or {}), *((event.after or {}).get("values") or {})})
        for event in Event.objects.filter(table_name="casebook_entry", subject_id=case.subject.pk)
    )
    told = [
        each
        for each in found(root, "//o:FormData[@FormOID!='F._VISIT']//o:ItemData")
        if not each.get("ItemOID").endswith(LIMITS)
    ]
    assert len(told) == cells
    series = [each for each in told if each.get("ItemOID") == "I.LB.HGB"]
    assert [(each.get("TransactionType"), each.get("Value")) for each in series] == [
        ("Insert", "12.4"),
        ("Update", "12.9"),
    ]
    last = series[-1]
    assert found(last, "o:AuditRecord/o:ReasonForChange/text()") == ["Read from the wrong line"]
    assert found(last, "o:MeasurementUnitRef/@MeasurementUnitOID") == ["MU.g/dL"]
    (event,) = found(last, "o:AuditRecord/o:SourceID/text()")
    kept = Event.objects.get(pk=int(event))
    assert found(last, "o:AuditRecord/o:UserRef/@UserOID") == [f"U.{kept.actor_id}"]
    assert found(root, f"//o:User[@OID='U.{kept.actor_id}']/o:FullName/text()") == ["Coordinator Person"]
    assert kept.row_id == str(entry.pk)


@pytest.mark.django_db
@pytest.mark.req("SIG-01")
def test_a_signature_has_its_name_moment_meaning_and_binding(case: Case) -> None:
    entry = full(case)
    root = written(case)
    assert len(found(root, "//o:Signatures/o:Signature")) == 2
    (form,) = found(root, "//o:FormData[@FormOID='F.VS']")
    (signer,) = found(form, "o:Signature/o:UserRef/@UserOID")
    assert found(root, f"//o:User[@OID='{signer}']/o:FullName/text()") == ["Investigator Person"]
    (meaning,) = found(form, "o:Signature/o:SignatureRef/@SignatureOID")
    assert found(root, f"//o:SignatureDef[@OID='{meaning}']/o:Meaning/text()") == ["Approval"]
    (moment,) = found(form, "o:Signature/o:DateTimeStamp/text()")
    assert moment.endswith("+00:00")
    assert "SHA-256" in found(form, "o:Signature/o:CryptoBindingManifest/text()")[0]
    (changed,) = found(root, "//o:FormData[@FormOID='F.LB']")
    assert found(changed, "o:Signature") == []
    assert "to be signed again" in found(changed, "o:Annotation/o:Comment/text()")[0]
    assert again(entry).signing == "AGAIN"


@pytest.mark.django_db
def test_a_missing_value_says_why_and_the_day_of_a_visit_is_there(case: Case) -> None:
    full(case)
    root = written(case)
    flags = found(root, "//o:FormData[@FormOID='F.LB']//o:ItemData[@IsNull='Yes']//o:FlagValue")
    assert {each.text for each in flags} == {"ND"}
    assert {each.get("CodeListOID") for each in flags} == {"CL._MISSING"}
    days = found(root, "//o:ItemData[@ItemOID='I._VISIT.DAT']/@Value")
    assert days == [clock.today(case.subject.site.time_zone).isoformat()]


@pytest.mark.django_db
def test_queries_and_verification_are_noted_at_their_forms(case: Case, schema: etree.XMLSchema) -> None:
    entry = case.form("LB")
    monitor = case.cast.actor("monitor")
    for item in ("HGB", "PLAT"):
        verify_item(actor=monitor, entry=again(entry), item=item)
    case.save(entry, "PLAT", "190", "10^9/L")
    query = casebook.raise_query(actor=monitor, entry=again(entry), item="HGB", text="Please look.")
    casebook.answer_query(actor=case.cast.actor(), query=query, text="It is right.")
    root = written(case)
    assert schema.validate(root)
    (form,) = found(root, "//o:FormData[@FormOID='F.LB']")
    said = {
        each.findtext("o:Comment", namespaces=NAMES): each.findtext("o:Flag/o:FlagValue", namespaces=NAMES)
        for each in found(form, "o:Annotation")
    }
    (thread,) = [text for text in said if text.startswith("Query")]
    assert said[thread] == "ANSWERED"
    assert ["Please look." in thread, "It is right." in thread] == [True, True]
    verified = {
        text.partition(",")[0]: flag for text, flag in said.items() if flag in {"VERIFIED", "CHANGED"}
    }
    assert verified == {"HGB": "VERIFIED", "PLAT": "CHANGED"}


@pytest.mark.django_db
def test_one_subject_and_a_moment_are_narrowed_to(case: Case, schema: etree.XMLSchema) -> None:
    entry = case.form("LB")
    then = clock.now()
    case.save(entry, "HGB", "12.9", "g/dL")
    Case(case.cast)
    root = written(case, subject=case.subject.number, as_of=then)
    assert set(found(root, "//@SubjectKey")) == {case.subject.number}
    assert found(root, "//o:ItemData[@ItemOID='I.LB.HGB']/@Value") == ["12.4"]
    assert schema.validate(root)


@pytest.mark.django_db
def test_it_is_made_in_the_browser_and_by_the_command(case: Case, tmp_path: Path) -> None:
    full(case)
    made = export(case.cast, file_format="odm", subject=case.subject.number)
    files = unpacked(made)
    assert files.keys() == {"odm.xml", "manifest.json"}
    assert made.manifest["files"][0]["bytes"] == len(files["odm.xml"])
    client = case.cast.client("sponsor")
    assert client.post("/exports/", {"trial": "EXCALIBUR", "format": "odm"}).status_code == 302
    assert Export.objects.latest("pk").format == "odm"
    call_command("export", "EXCALIBUR", "--format", "csv,odm", "--out", str(tmp_path))
    assert {"odm.xml", "LB.csv"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.django_db
@pytest.mark.req("EXP-05")
def test_what_it_costs_does_not_grow_with_the_subjects(
    case: Case, statements: Callable[[], Any], tmp_path: Path
) -> None:
    full(case)
    counted = []
    for _ in range(2):
        with statements() as done, (tmp_path / "odm.xml").open("wb") as out:
            write_odm(Wanted(case.subject.trial), out)
        counted.append(len(done.counted))
        Case(case.cast).form("LB")
    assert counted[0] == counted[1]


def crafted(subject: Subject, items: int) -> Told:
    """A subject of whom one form with many items was entered; nothing of it is in the database."""
    cells = {f"ITEM{number}": {"value": str(number), "unit": "g/dL"} for number in range(items)}
    rows: list[tuple[str, dict[str, Any]]] = [
        (SUBJECTS, {"id": subject.pk, "version_id": 1}),
        (
            ENTRIES,
            {
                "id": 1, "visit_id": None, "form": "LB", "repeat": 1, "values": cells, "state": "COMPLETE",
                "not_done": "", "signing": "", "struck_out": False, "frozen": False, "locked": False,
            },
        ),
    ]  # fmt: skip
    events = [
        Event(id=number, at=NOW, actor_id=1, actor="A", table_name=table, row_id="1", before=None, after=row,
              reason="")
        for number, (table, row) in enumerate(rows, start=1)
    ]  # fmt: skip
    return Told(subject, events, [], {1: bundled_protocol("EXCALIBUR")})


def test_a_long_file_is_written_subject_by_subject(tmp_path: Path) -> None:
    """A hundred thousand items in a file of many times the memory that it may take (EXP-05: 300 MB for a million)."""
    trial = Trial(code="EXCALIBUR")
    scope = Scope(Wanted(trial), NOW, {}, {1: bundled_protocol("EXCALIBUR")})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "long.xml"
    with path.open("wb") as out, etree.xmlfile(out, encoding="UTF-8") as file, file.element("ODM"):
        for number in range(200):
            subject = Subject(pk=number, number=f"EXC-{number}", trial=trial, site=Site(code="NO-01"))
            write_subject(file, scope, crafted(subject, 500))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert path.stat().st_size > 25_000_000
    assert grown < 25_000, "kilobytes"
