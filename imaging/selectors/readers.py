"""Readers of a trial: who may be assigned reads, and what is on record of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.access import Access
from accounts.models import Grant, User
from accounts.policies import RADIOLOGIST
from foundation import clock
from imaging.models import ReaderRecord
from imaging.rules.qualification import Noted, lacking
from trials.models import Trial

OVERSEES = "read.oversee"


@dataclass(frozen=True)
class ReaderStanding:
    """A reader of a trial, what they lack before reads may be assigned, and what is on record, the newest first."""

    reader: User
    lacks: tuple[str, ...]
    records: Sequence[ReaderRecord]


def readers_of(trial: str) -> list[ReaderStanding]:
    """People with the role of a reader in a trial now, in a fixed order; four statements."""
    held = Grant.objects.held_at(clock.now())
    known = held.filter(role=RADIOLOGIST, trial=trial).values("user")
    people = User.objects.filter(pk__in=known, is_active=True).order_by("pk")
    at_sites = set(held.filter(trial=trial, user__in=known).exclude(site="").values_list("user", flat=True))
    records: dict[int, list[ReaderRecord]] = {}
    for row in ReaderRecord.objects.filter(trial__code=trial).order_by("pk"):
        records.setdefault(row.reader_id, []).append(row)
    return [_standing(user, records.get(user.pk, []), at_site=user.pk in at_sites) for user in people]


def _standing(user: User, records: Sequence[ReaderRecord], *, at_site: bool) -> ReaderStanding:
    noted = [Noted(row.kind, row.on, row.until) for row in records]
    return ReaderStanding(user, lacking(noted, clock.today(), at_site=at_site), records[::-1])


def readers_for(trial: str) -> list[User]:
    """People to whom reads of a trial may be assigned now, in a fixed order."""
    return [each.reader for each in readers_of(trial) if not each.lacks]


def trials_overseen(access: Access) -> list[Trial]:
    """Trials whose central reading somebody oversees."""
    codes = access.trials(OVERSEES)
    found = Trial.objects.order_by("code")
    return list(found if "" in codes else found.filter(code__in=codes))
