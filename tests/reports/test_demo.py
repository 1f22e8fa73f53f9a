"""The demonstration, filled as `make run` fills it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import User
from accounts.selectors import access_of
from casebook.models import Entry
from config.run.prepare import DEMO_ACCOUNTS, bundled_packs, demo_accounts, publish
from imaging.models import Adjudication, BatchFile, FileState
from imaging.selectors.oversight import without_result
from patients.models import Subject
from trials.laboratories.models import ReferenceRange


@pytest.mark.django_db(transaction=True)
def test_a_newcomer_finds_twelve_subjects_whose_records_hold_together() -> None:
    for pack in bundled_packs():
        publish(pack)
    said = StringIO()
    call_command("demo", stdout=said)

    assert Subject.objects.count() == 12
    assert [user.username for user in demo_accounts()] == list(DEMO_ACCOUNTS)
    assert set(BatchFile.objects.values_list("state", flat=True)) == {FileState.ACCEPTED}
    assert ReferenceRange.objects.filter(laboratory__sites__code="NO-01").count() == 22
    assert "reference ranges, at NO-01" in said.getvalue()

    first, second = Adjudication.objects.order_by("pk")
    assert (first.state, first.differences) == ("SIGNED", ["evaluability"])
    assert (second.state, second.differences) == ("WAITING", ["residual"])
    assert first.subject.patient.code == "KAR-118"
    assert without_result(access_of(User.objects.get(username="datamanager")))[0].standing == "ADJUDICATION"

    before = Entry.objects.count()
    call_command("demo", stdout=said)
    assert "nothing was added" in said.getvalue()
    assert (Subject.objects.count(), Entry.objects.count()) == (12, before)
