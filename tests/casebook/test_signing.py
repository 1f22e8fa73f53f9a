"""Signatures on forms, visits and casebooks: bound to content, taken back by a change, never wider than allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.errors import SignatureRefused
from accounts.models import Signature
from accounts.selectors import is_genuine
from accounts.services import end_delegation
from audit.context import acting
from audit.models import Event
from casebook import services
from casebook.errors import NothingToSignError
from casebook.models import Entry, FormContent, SignedRecord, SigningBatch
from casebook.records import changes_in, part_of, records_of, unfitting_records
from casebook.rules.content import digest_of, said
from casebook.services import states
from casebook.services.signing import (
    CHANGED,
    NOT_DELEGATED,
    NOT_PRINCIPAL,
    Wanted,
    settle_signatures,
    sign_records,
)
from foundation import clock
from tests.casebook.signing_case import Case, again
from tests.cast import SETUP, Cast
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> Case:
    return Case(cast)


# Content ------------------------------------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": "å"}) == digest_of({"b": "å", "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})


def test_why_a_check_was_confirmed_is_no_content() -> None:
    assert said({"HGB": {"value": "12", "unit": "g/dL", "confirmed": {"LB-1": "yes"}}, "K": {}}) == {
        "HGB": {"value": "12", "unit": "g/dL"}
    }


@pytest.mark.req("SIG-03")
def test_a_signature_covers_version_items_units_and_status(case: Case) -> None:
    entry = case.form()
    outcome = case.sign(case.key(entry=entry))
    (record,) = outcome.signed
    content = FormContent.objects.get(entry=entry).content
    assert content["items"]["HGB"] == {"value": "12.4", "unit": "g/dL"}
    assert content["status"] == {"state": "COMPLETE", "not_done": "", "struck_out": False}
    assert len(content["form_version"]) == 64
    assert record.manifest[0]["digest"] == digest_of(content)
    assert record.trail_head > 0
    assert (record.signature.signer_name, record.signature.digest) == ("Investigator Person", record.digest)
    assert is_genuine(record.signature)
    assert again(entry).signing == "SIGNED"


# A change takes it back -----------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-03")
@pytest.mark.parametrize(("value", "unit"), [("12.4", "g/L"), ("12.5", "g/dL")])
def test_no_signature_survives_a_change_of_value_or_unit(case: Case, value: str, unit: str) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    case.save(entry, "HGB", value, unit)
    now = again(entry)
    assert now.signing == "AGAIN"
    part = part_of(now, 0)
    assert part.signing == "AGAIN"
    change, *graded = changes_in([part])[entry.pk].lines
    assert change.line.before == "12.4 g/dL"
    assert change.line.now.startswith(value)
    assert [each.line.label for each in graded] == (["Haemoglobin, suggested grade"] if unit == "g/L" else [])
    assert {(each.by, each.reason) for each in (change, *graded)} == {
        ("Coordinator Person", "Typing mistake")
    }
    assert Signature.objects.filter(target_kind="casebook.form").count() == 1


@pytest.mark.req("AUD-12")
def test_that_a_change_took_the_signature_back_is_in_the_trail_with_its_reason(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    case.save(entry, "HGB", "12.5", "g/dL", reason="Read from the wrong line")
    event = Event.objects.filter(table_name="casebook_entry", after__signing="AGAIN").get()
    assert (event.before["signing"], event.reason) == ("SIGNED", "Read from the wrong line")


@pytest.mark.req("SIG-03")
def test_sql_that_changes_a_value_takes_it_back_as_well(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    with acting(SETUP, reason="By hand"):
        Entry.objects.filter(pk=entry.pk).update(values={"HGB": {"value": "9", "unit": "g/dL"}})
    assert again(entry).signing == "AGAIN"


def test_a_confirmed_check_leaves_it(case: Case) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    services.confirm_finding(
        actor=case.cast.actor(), entry=again(entry), item_id="HGB", check_id="LB-1", reason="Seen twice"
    )
    assert part_of(again(entry), 0).signing == "SIGNED"


@pytest.mark.req("SIG-03")
def test_signing_again_shows_only_the_difference_and_keeps_the_old_one(case: Case) -> None:
    entry = case.form()
    key = case.key(entry=entry)
    case.sign(key)
    case.save(entry, "PLAT", "190", "10^9/L")
    (change,) = changes_in(case.record(key).parts)[entry.pk].lines
    assert (change.line.label, change.line.before[:3], change.line.now[:3]) == ("Platelets", "188", "190")
    case.sign(key)
    assert changes_in(case.record(key).parts) == {}
    assert SignedRecord.objects.earliest("pk").digest != case.record(key).digest
    assert SignedRecord.objects.count() == 2


def test_a_new_protocol_version_that_changes_the_form_takes_it_back(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = case.form()
    case.sign(case.key(entry=entry))
    assert settle_signatures(actor=SETUP, subject=case.subject, reason="Protocol 2.0") == 0
    monkeypatch.setattr("casebook.rules.content._form_version", lambda *_: "0" * 64)
    assert settle_signatures(actor=SETUP, subject=case.subject, reason="Protocol 2.0") == 1
    assert again(entry).signing == "AGAIN"


# Who, and what ----------------------------------------------------------------------------------------------------


def test_an_incomplete_form_is_not_signed(case: Case) -> None:
    entry = case.form(complete=False)
    (refused,) = case.sign(case.key(entry=entry)).refused
    assert refused.sentence == "The form is not complete."
    assert not SignedRecord.objects.exists()


def test_a_visit_with_a_form_that_nobody_opened_is_not_signed(case: Case) -> None:
    case.form()
    (refused,) = case.sign(case.key("visit")).refused
    assert refused.sentence.startswith("Not complete: ")
    assert "SCR" in refused.sentence


def test_a_visit_is_signed_as_a_whole_and_one_change_takes_back_only_that_form(case: Case) -> None:
    case.whole_visit()
    assert not case.sign(case.key("visit")).refused
    forms = list(Entry.objects.filter(visit=case.visit))
    assert {each.signing for each in forms} == {"SIGNED"}
    lab = next(each for each in forms if each.form == "LB")
    case.save(lab, "HGB", "11.1", "g/dL")
    record = case.record(case.key("visit"))
    assert [part.entry.form for part in record.to_sign] == ["LB"]
    assert record.signing == "AGAIN"


@pytest.mark.req("SIG-11")
def test_only_the_principal_investigator_signs_the_casebook(case: Case) -> None:
    case.whole_visit()
    sub = case.sub_investigator()
    assert not case.sign(case.key("visit"), who=sub).refused
    (refused,) = case.sign(case.key("casebook"), who=sub).refused
    assert refused.sentence == NOT_PRINCIPAL
    assert case.record(case.key("casebook")).signing == ""
    (signed,) = case.sign(case.key("casebook")).signed
    assert signed.signature.get_meaning_display() == "Responsibility"
    assert len(signed.manifest) == Entry.objects.filter(subject=case.subject).count()
    assert case.record(case.key("casebook")).signing == "SIGNED"


@pytest.mark.req("SIG-11")
def test_a_casebook_is_signed_and_locked_over_visits_that_are_locked_already(case: Case) -> None:
    case.whole_visit()
    case.sign(case.key("visit"))
    manager = case.cast.actor("datamanager")
    states.lock(actor=manager, scope=case.scope(visit=case.visit))
    case.form_of_a_log()
    assert not case.sign(case.key("casebook")).refused
    assert case.record(case.key("casebook")).signing == "SIGNED"
    assert states.lock(actor=manager, scope=case.scope()) == 1


@pytest.mark.req("SIG-11")
@pytest.mark.parametrize(
    "who", ["coordinator", "monitor", "datamanager", "sponsor", "investigator2", "admin"]
)
def test_nobody_else_signs_at_all(case: Case, who: str) -> None:
    entry = case.form()
    (refused,) = case.sign(case.key(entry=entry), who=who).refused
    assert refused.sentence
    assert not SignedRecord.objects.exists()


@pytest.mark.req("SIG-11")
def test_a_delegation_that_has_ended_signs_nothing(case: Case) -> None:
    entry = case.form()
    user = case.cast.people["investigator"]
    line = user.delegations.get(trial=case.subject.trial.code)
    end_delegation(actor=SETUP, delegation=line, ends=line.starts, reason="Retired")
    (refused,) = case.sign(case.key(entry=entry)).refused
    assert refused.sentence == NOT_DELEGATED
    assert line.starts < clock.today()


@pytest.mark.req("SIG-02")
@pytest.mark.parametrize("components", [{"password": "wrong"}, {"username": "somebody"}])
def test_both_components_are_needed(case: Case, components: dict[str, str]) -> None:
    entry = case.form()
    with pytest.raises(SignatureRefused):
        case.sign(case.key(entry=entry), **components)
    assert again(entry).signing == ""


def test_nothing_chosen_is_nothing_signed(case: Case) -> None:
    with pytest.raises(NothingToSignError):
        case.sign()


def test_what_is_signed_and_unchanged_is_not_signed_twice(case: Case) -> None:
    key = case.key(entry=case.form())
    case.sign(key)
    (refused,) = case.sign(key).refused
    assert "nothing has changed" in refused.sentence


# Many at once -------------------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-14")
def test_a_batch_keeps_one_manifest_with_the_digest_of_every_record(case: Case) -> None:
    keys = [case.key(entry=case.form(form)) for form in ("LB", "VS", "DM")]
    outcome = case.sign(*keys)
    batch = SigningBatch.objects.get()
    assert [line["key"] for line in batch.manifest] == keys
    assert [line["digest"] for line in batch.manifest] == [record.digest for record in outcome.signed]
    assert batch.signature.digest == digest_of(batch.manifest)
    assert {record.batch_id for record in outcome.signed} == {batch.pk}
    assert Signature.objects.count() == 4


@pytest.mark.req("SIG-14")
def test_what_changed_between_list_and_signature_is_refused_and_the_rest_is_signed(case: Case) -> None:
    lab, vitals = case.form("LB"), case.form("VS")
    keys = [case.key(entry=lab), case.key(entry=vitals)]
    seen = {key: case.record(key).digest for key in keys}
    case.save(lab, "HGB", "9.1", "g/dL")

    outcome = sign_records(
        actor=case.cast.actor("investigator"),
        user=case.cast.people["investigator"],
        wanted=[Wanted(key, seen[key]) for key in keys],
        password=PASSWORD,
    )
    assert [(each.key, each.sentence) for each in outcome.refused] == [(keys[0], CHANGED)]
    assert [each.entry_id for each in outcome.signed] == [vitals.pk]
    assert (again(lab).signing, again(vitals).signing) == ("", "SIGNED")


def test_the_number_of_statements_does_not_depend_on_the_number_of_records(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    counted = []
    for number in (1, 4):
        cases = [Case(cast) for _ in range(number)]
        for each in cases:
            each.form()
        with statements() as done:
            records = records_of([each.subject for each in cases])
            changes_in([part for record in records.values() for part in record.parts])
        counted.append(len(done.counted))
    assert counted[0] == counted[1]


# The database -------------------------------------------------------------------------------------------------------


@pytest.mark.req("SIG-04")
def test_the_application_changes_no_signed_record(case: Case) -> None:
    case.sign(case.key(entry=case.form()))
    for model in (SignedRecord, FormContent, Signature):
        with acting(SETUP), pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all()._raw_delete("default")
    with acting(SETUP), pytest.raises(DatabaseError), transaction.atomic():
        SignedRecord.objects.update(digest="0" * 64)


@pytest.mark.req("SIG-04")
def test_a_form_is_not_marked_signed_by_sql(case: Case) -> None:
    entry = case.form()
    with pytest.raises(IntegrityError, match="signed by a person"), acting(SETUP), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(signing="SIGNED")


@pytest.mark.req("SIG-04")
def test_a_signed_record_copied_to_another_form_does_not_hold(case: Case) -> None:
    signed, other = case.form("LB"), case.form("VS")
    (record,) = case.sign(case.key(entry=signed)).signed
    signature = Signature.objects.get(pk=record.signature_id)
    signature.pk, signature.target_id = None, case.key(entry=other)
    manifest = [{**record.manifest[0], "entry": other.pk}]
    with acting(SETUP):
        signature.save(force_insert=True)
        record.pk, record.entry_id, record.signature, record.manifest = None, other.pk, signature, manifest
        record.save(force_insert=True)
        Entry.objects.filter(pk=other.pk).update(signing="SIGNED")
    assert part_of(again(other), 0).signing == "AGAIN"


@pytest.mark.req("SIG-04")
def test_a_manifest_that_its_signature_does_not_cover_does_not_hold(case: Case) -> None:
    signed, other = case.form("LB"), case.form("VS")
    (record,) = case.sign(case.key(entry=signed)).signed
    with acting(SETUP):
        signature = Signature.objects.get(pk=record.signature_id)
        signature.pk = None
        signature.save(force_insert=True)
        record.pk, record.signature, record.manifest = None, signature, [part_of(other, 0).place()]
        record.save(force_insert=True)
        Entry.objects.filter(pk=other.pk).update(signing="SIGNED")
    assert part_of(again(other), 0).signing == "AGAIN"
    assert list(unfitting_records()) == [f"signed record {record.pk}: its signature does not cover it"]
