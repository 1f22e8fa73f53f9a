"""An entry read by the function that PostgreSQL has planned is the entry that the ORM reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import models

from audit.context import acting
from casebook import services
from casebook.models import Entry
from casebook.reading import entry_at, entry_by_key
from casebook.selectors import entries
from tests.cast import SETUP, Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


def columns(row: models.Model | None) -> dict[str, Any] | None:
    """All that an instance holds, its content of a protocol aside."""
    return row and {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname != "definition"
    }


@pytest.mark.parametrize("form", ["LB", "AE"])
def test_it_says_what_the_orm_says(cast: Cast, form: str, statements: Callable[[], Any]) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR") if form == "LB" else None
    key = services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form=form).pk
    with acting(SETUP):
        Entry.objects.filter(pk=key).update(values={"TEXT": {"value": "12.40 µ"}})
    expected = entries().get(pk=key)
    place = "SCR" if visit else None
    with statements() as done:
        for read in (entry_by_key(key), entry_at(subject.number, place, 1, form, 1)):
            assert read is not None
            assert columns(read) == columns(expected)
            assert columns(read.visit) == columns(expected.visit)
            assert columns(read.subject) == columns(expected.subject)
            for name in ("trial", "site", "version"):
                assert columns(getattr(read.subject, name)) == columns(getattr(expected.subject, name)), name
    assert len(done.counted) == 2, done.counted


@pytest.mark.parametrize(
    ("code", "sequence", "form", "repeat"),
    [
        ("SCR", 1, "LB", 2),
        ("SCR", 2, "LB", 1),
        ("BAS", 1, "LB", 1),
        ("SCR", 1, "VS", 1),
        (None, 1, "LB", 1),
        ("SCR", 10**12, "LB", 1),
        ("SCR", 1, "LB", 10**12),
    ],
)
def test_at_another_address_nothing_is_found(
    cast: Cast, code: str | None, sequence: int, form: str, repeat: int
) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    assert entry_at(subject.number, "SCR", 1, "LB", 1) is not None
    assert entry_at(subject.number, code, sequence, form, repeat) is None
    assert entry_at(cast.subject().number, "SCR", 1, "LB", 1) is None


def test_an_entry_that_is_not_there_is_an_error() -> None:
    with pytest.raises(Entry.DoesNotExist):
        entry_by_key(10**9)


def test_a_check_that_fires_leaves_the_request_at_eight_statements(
    cast: Cast, statements: Callable[[], Any]
) -> None:
    subject = cast.subject()
    visit = Visit.objects.get(subject=subject, code="SCR")
    services.open_entry(actor=cast.actor(), subject=subject, visit=visit, form="LB")
    client = cast.client("coordinator")
    address = f"/subjects/{subject.number}/SCR/LB/save/"
    client.post(address, {"item": "PLAT", "value": "188", "unit": "10^9/L"})
    with statements() as done:
        answer = client.post(address, {"item": "HGB", "value": "7.5", "unit": "g/dL"})
    assert "1 thing to look at" in answer.content.decode()
    assert len(done.counted) <= 8, done.counted
