"""What people do to laboratories: register one, add a range, correct or withdraw it, import a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.db.models.functions import Now

from audit.context import Actor, acting
from foundation.errors import Invalid
from logic.units import unit_name
from trials.errors import LaboratoryTaken, RangeWithdrawn
from trials.laboratories.models import Laboratory, ReferenceRange
from trials.laboratories.selectors import known_tests, standing_ranges
from trials.laboratories.table import BadRow, FieldFault, read_range, read_rows
from trials.models import Site
from trials.rules.ranges import Range, faults

SHORTEST_REASON = 3


@dataclass(frozen=True)
class Imported:
    """What an import did: ranges added, rows that stood already, and rows that were refused.

    Where any row was refused, nothing was added.
    """

    added: int
    known: int
    refused: tuple[BadRow, ...]


def register_laboratory(*, actor: Actor, code: str, name: str, sites: Collection[Site]) -> Laboratory:
    """Make a laboratory known, with the sites that it serves.

    Raises
    ------
    Invalid
        Without code, name or site.
    LaboratoryTaken
    """
    missing = {
        field: "Fill this in."
        for field, given in (("code", code), ("name", name), ("sites", sites))
        if not given
    }
    if missing:
        raise Invalid(missing)
    if Laboratory.objects.filter(code=code).exists():
        raise LaboratoryTaken(field="code", laboratory=code)
    with acting(actor, reason="laboratory registered"):
        laboratory = Laboratory.objects.create(code=code, name=name)
        laboratory.sites.set(sites)
    return laboratory


def add_range(*, actor: Actor, laboratory: Laboratory, fields: Mapping[str, str]) -> ReferenceRange:
    """Add a range; from its first day on it supersedes those of the same test, sex and age that began earlier.

    Parameters
    ----------
    fields
        Text by column of the table (`table.COLUMNS`).

    Raises
    ------
    Invalid
        With a sentence by field: unknown test or unit, inverted limits or ages, an overlap.
    """
    new = _read(laboratory, fields)
    with acting(actor, reason="reference range added"):
        _hold(laboratory)
        _refuse_faults(new, standing_ranges(laboratory))
        return _store(laboratory, new)


def correct_range(*, actor: Actor, range_id: int, fields: Mapping[str, str], reason: str) -> ReferenceRange:
    """Replace a range that was wrong: the old one is withdrawn and stays readable.

    Values that were stored with the old range keep it until somebody applies the new one with a reason.

    Raises
    ------
    Invalid
        As for `add_range`, or no reason.
    RangeWithdrawn
    """
    _need(reason)
    with acting(actor, reason=reason.strip()):
        old = _withdraw(range_id, reason)
        new = _read(old.laboratory, {"test": old.test, **fields})
        _refuse_faults(new, standing_ranges(old.laboratory))
        return _store(old.laboratory, new, corrects=old)


def withdraw_range(*, actor: Actor, range_id: int, reason: str) -> None:
    """Take a range out of use; it stays readable.

    Raises
    ------
    Invalid, RangeWithdrawn
    """
    _need(reason)
    with acting(actor, reason=reason.strip()):
        _withdraw(range_id, reason)


def import_ranges(*, actor: Actor, laboratory: Laboratory, content: bytes) -> Imported:
    """Add all ranges of a CSV file, or none where any row is refused; a row that stands already is passed over.

    Raises
    ------
    UnreadableTable
        The file is no table of ranges.
    """
    tests = known_tests()
    with acting(actor, reason="reference ranges imported"):
        _hold(laboratory)
        standing = standing_ranges(laboratory)
        added: list[Range] = []
        refused: list[BadRow] = []
        known = 0
        for line, fields in read_rows(content):
            found, reasons = _judged(laboratory, fields, [*standing, *added], tests)
            if reasons:
                refused.append(BadRow(line, ", ".join(filter(None, fields.values())), reasons))
            elif found is None:
                known += 1
            else:
                added.append(found)
        if not refused:
            for each in added:
                _store(laboratory, each)
    return Imported(0 if refused else len(added), known, tuple(refused))


def _judged(
    laboratory: Laboratory, fields: Mapping[str, str], standing: Collection[Range], tests: Collection[str]
) -> tuple[Range | None, tuple[str, ...]]:
    """The range of a row, or nothing where it stands already; and every reason against it."""
    try:
        new = _spelt(read_range(fields, laboratory.name), tests)
    except FieldFault as fault:
        return None, (str(fault),)
    if any(each.test == new.test and each.band == new.band and each.same_limits(new) for each in standing):
        return None, ()
    return new, tuple(message for _, message in faults(new, standing, tests))


def _read(laboratory: Laboratory, fields: Mapping[str, str]) -> Range:
    try:
        return read_range(fields, laboratory.name)
    except FieldFault as fault:
        raise Invalid({fault.field: str(fault)}) from None


def _refuse_faults(new: Range, standing: Collection[Range]) -> None:
    found = dict(reversed(list(faults(new, standing, known_tests()))))
    if found:
        raise Invalid(found)


def _spelt(new: Range, tests: Collection[str]) -> Range:
    """With the unit in the one spelling that is stored, where it is a unit of a known test."""
    if new.test not in tests:
        return new
    try:
        return replace(new, unit=unit_name(new.test, new.unit))
    except ValueError:
        return new


def _store(laboratory: Laboratory, new: Range, corrects: ReferenceRange | None = None) -> ReferenceRange:
    band = new.band
    before = ReferenceRange.objects.filter(
        laboratory=laboratory, test=new.test, sex=band.sex, age_from=band.age_from
    )
    return ReferenceRange.objects.create(
        laboratory=laboratory,
        test=new.test,
        unit=unit_name(new.test, new.unit),
        sex=band.sex,
        age_from=band.age_from,
        age_to=band.age_to,
        low=new.low,
        high=new.high,
        valid_from=band.valid_from,
        version=before.count() + 1,
        corrects=corrects,
    )


def _withdraw(range_id: int, reason: str) -> ReferenceRange:
    row = ReferenceRange.objects.select_for_update().select_related("laboratory").get(pk=range_id)
    if row.withdrawn_at is not None:
        raise RangeWithdrawn
    _hold(row.laboratory)
    ReferenceRange.objects.filter(pk=range_id).update(
        withdrawn_at=Now(), withdrawn_because=reason.strip()[:200]
    )
    return row


def _hold(laboratory: Laboratory) -> None:
    """One person at a time changes the ranges of a laboratory, so that no two of them overlap."""
    Laboratory.objects.select_for_update().get(pk=laboratory.pk)


def _need(reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid({"reason": "Say in a few words why."})
