"""One entry with subject, trial, site, version and visit: a statement that PostgreSQL has planned before."""

from __future__ import annotations

from django.db import connection

from casebook.models import Entry
from foundation.rows import instance_of
from patients.models import Subject
from trials.models import ProtocolVersion, Site, Trial
from visits.models import Visit

LARGEST = 32_767
"""What a column of small integers holds; addresses may say more."""


def entry_by_key(key: int) -> Entry:
    """The entry with this key.

    Raises
    ------
    Entry.DoesNotExist
    """
    entry = _read("SELECT casebook_entry_whole(%s)", key)
    if entry is None:
        raise Entry.DoesNotExist
    return entry


def entry_at(number: str, code: str | None, sequence: int, form: str, repeat: int) -> Entry | None:
    """The entry at an address, whoever asks.

    Parameters
    ----------
    number
        The subject's.
    code, sequence
        The visit's; without a code, in the running logs.
    """
    if max(sequence, repeat) > LARGEST:
        return None
    return _read("SELECT casebook_entry_at(%s, %s, %s, %s, %s)", number, code, sequence, form, repeat)


def _read(statement: str, *asked: str | int | None) -> Entry | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        (found,) = cursor.fetchone()
    if found is None:
        return None
    subject = instance_of(Subject, found["subject"])
    subject.trial = instance_of(Trial, found["trial"])
    subject.site = instance_of(Site, found["site"])
    subject.version = instance_of(ProtocolVersion, found["version"])
    entry = instance_of(Entry, found["entry"])
    entry.subject = subject
    entry.visit = instance_of(Visit, found["visit"]) if found["visit"] else None
    return entry
