"""The reference range that applies to a value: the site's laboratory, sex, and age on the day of the sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.access import Access
from casebook.models import Entry
from casebook.rules.cells import Cell
from casebook.rules.limits import Lookup, typed_by_hand, with_limits
from casebook.rules.projection import Row
from casebook.selectors import entries, row_of
from patients.selectors import within
from trials.laboratories.models import Laboratory
from trials.laboratories.selectors import ServingLaboratory, laboratories_serving
from trials.rules.ranges import Person, applying_range
from trials.schema import Form, Item, Protocol

WHOLE_DATE = len("2026-01-31")
PERSON_FACTS = ("SEX", "BRTHDAT")


def lab_items(form: Form) -> tuple[Item, ...]:
    """Items of a form that hold a laboratory value."""
    return tuple(item for item in form.items if item.type == "lab")


def sets_limits(form: Form, item: Item) -> bool:
    """Whether saving an item may bring or move reference limits."""
    return item.type == "lab" or (item.id in {form.date_item, form.laboratory} and bool(lab_items(form)))


def limits_after(
    entry: Entry, item: Item, values: Mapping[str, Cell], rows: Iterable[Row]
) -> dict[str, Cell]:
    """Cells whose limits are others now that an item was saved; limits typed by hand stay.

    The date of the sample and the laboratory decide about all values of the form: as they change, so do the
    limits. A range that was corrected in the meantime is looked at only for the value that is saved.

    Parameters
    ----------
    values
        Cells of the form with the saved one.
    rows
        Entries of the subject, for sex and date of birth.
    """
    protocol = entry.protocol
    form = protocol.form(entry.form)
    concerned = [item] if item.type == "lab" else lab_items(form)
    cells = {each.id: values[each.id] for each in concerned if _may_take(values.get(each.id))}
    if not cells:
        return {}
    tests = {each.analyte for each in concerned}
    site = entry.subject.site_id
    laboratories = laboratories_serving([site], tests)[site]
    person = person_of(protocol, rows)
    on = sample_day(form, values, entry.visit.happened_on if entry.visit else None)
    named = laboratory_named(form, values)
    after = {
        key: with_limits(
            form.item(key), cell, looked_up(laboratories, form.item(key), named, person, on).found
        )
        for key, cell in cells.items()
    }
    return {key: cell for key, cell in after.items() if cell != cells[key]}


def _may_take(cell: Mapping[str, Any] | None) -> bool:
    return bool(cell) and cell.get("value") is not None and not typed_by_hand(cell)  # type: ignore[union-attr]


def looked_up(
    laboratories: Sequence[ServingLaboratory], item: Item, named: str, person: Person, on: date | None
) -> Lookup:
    """The range that applies to a value, or why none is known.

    Parameters
    ----------
    named
        The laboratory that the form names; empty where it names none, and then the only one of the site counts.
    on
        Day of the sample, in full; None where it is not known.
    """
    if not laboratories:
        return Lookup(None, "The site has no laboratory here.")
    chosen = [each for each in laboratories if not named or each.is_called(named)]
    if not chosen:
        return Lookup(None, f"“{named}” is not one of the site's laboratories.")
    if len(chosen) > 1:
        return Lookup(None, "The site has several laboratories; the form does not say which one it was.")
    if on is None:
        return Lookup(None, "The day of the sample is not known.")
    found = applying_range(chosen[0].ranges, item.analyte, person, on)
    return Lookup(found, "" if found else f"{chosen[0].name} has no range that certainly applies.")


def why_no_limits(entry: Entry, item: Item) -> str:
    """Why a laboratory value has no reference limits, in a sentence; two statements."""
    protocol = entry.protocol
    form = protocol.form(entry.form)
    site = entry.subject.site_id
    rows = map(row_of, Entry.objects.filter(subject=entry.subject, struck_out=False).select_related("visit"))
    on = sample_day(form, entry.values, entry.visit.happened_on if entry.visit else None)
    named = laboratory_named(form, entry.values)
    laboratories = laboratories_serving([site], {item.analyte})[site]
    return looked_up(laboratories, item, named, person_of(protocol, rows), on).why_not


def sample_day(form: Form, values: Mapping[str, Cell], visit_day: date | None) -> date | None:
    """The day of the sample: the form's own date, in full, else the day of the visit; never today."""
    own = str((values.get(form.date_item) or {}).get("value") or "") if form.date_item else ""
    if own:
        return date.fromisoformat(own) if len(own) == WHOLE_DATE else None
    return visit_day


def laboratory_named(form: Form, values: Mapping[str, Cell]) -> str:
    """The laboratory as the form names it."""
    return str((values.get(form.laboratory) or {}).get("value") or "").strip() if form.laboratory else ""


def person_of(protocol: Protocol, rows: Iterable[Row]) -> Person:
    """Sex and date of birth, from the items that the protocol's facts of these names are read from."""
    places = {name: place.partition(".") for name, place in _person_places(protocol).items()}
    found = dict.fromkeys(PERSON_FACTS, "")
    for row in rows:
        for name, (form, _, item) in places.items():
            value = (row.values.get(item) or {}).get("value") if row.form == form else None
            found[name] = str(value) if value else found[name]
    return Person(sex=found["SEX"], born=found["BRTHDAT"])


def person_items(protocol: Protocol) -> frozenset[str]:
    """The items, as `FORM.ITEM`, that say sex and date of birth."""
    return frozenset(_person_places(protocol).values())


def _person_places(protocol: Protocol) -> dict[str, str]:
    return {fact.name: fact.from_ for fact in protocol.facts if fact.name in PERSON_FACTS}


@dataclass(frozen=True)
class Difference:
    """A stored value that would have other limits if it were saved today.

    Attributes
    ----------
    after
        The cell as it would be.
    """

    entry: Entry
    item: Item
    before: Cell
    after: Cell

    @property
    def key(self) -> str:
        """Names the value in a page: key of the entry and item."""
        return f"{self.entry.pk}:{self.item.id}"

    @property
    def closed(self) -> bool:
        """Whether the form is frozen or locked, so that nothing is applied to it."""
        return self.entry.frozen or self.entry.locked


def differences(laboratory: Laboratory, access: Access) -> list[Difference]:
    """Stored values of a laboratory that would have other limits now; five statements.

    Limits typed by hand stand as they were reported and are left out, and so are rows that were struck out.
    """
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    found = entries().filter(condition, subject__site__in=laboratory.sites.all(), struck_out=False)
    return [
        each
        for each in _differing(list(found.order_by("subject__number", "pk")))
        if laboratory.name in {_laboratory_of(each.before), _laboratory_of(each.after)}
    ]


def _laboratory_of(cell: Mapping[str, Any]) -> str:
    return str((cell.get("range") or {}).get("laboratory") or "")


def _differing(found: Sequence[Entry]) -> Iterator[Difference]:
    by_subject: dict[int, list[Entry]] = defaultdict(list)
    for entry in found:
        by_subject[entry.subject_id].append(entry)
    tests = {item.analyte for entry in found for item in lab_items(entry.protocol.form(entry.form))}
    serving = laboratories_serving({entry.subject.site_id for entry in found}, tests)
    for mine in by_subject.values():
        person = person_of(mine[0].protocol, map(row_of, mine))
        for entry in mine:
            yield from _of_entry(entry, serving[entry.subject.site_id], person)


def _of_entry(
    entry: Entry, laboratories: Sequence[ServingLaboratory], person: Person
) -> Iterator[Difference]:
    form = entry.protocol.form(entry.form)
    on = sample_day(form, entry.values, entry.visit.happened_on if entry.visit else None)
    named = laboratory_named(form, entry.values)
    for item in lab_items(form):
        cell = entry.values.get(item.id)
        if cell is None or not _may_take(cell):
            continue
        after = with_limits(item, cell, looked_up(laboratories, item, named, person, on).found)
        if not _same_limits(cell, after):
            yield Difference(entry, item, cell, after)


def _same_limits(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two cells judge their value alike: a corrected range with the same numbers makes no difference."""
    ranges = [cell.get("range") or {} for cell in (one, other)]
    return all(ranges[0].get(name) == ranges[1].get(name) for name in ("unit", "low", "high", "laboratory"))


def difference_of(entry: Entry, item_ids: Collection[str]) -> list[Difference]:
    """Differences of chosen values of one form."""
    rows = Entry.objects.filter(subject=entry.subject, struck_out=False).select_related("visit")
    form = entry.protocol.form(entry.form)
    tests = {item.analyte for item in lab_items(form)}
    site = entry.subject.site_id
    person = person_of(entry.protocol, map(row_of, rows.order_by("pk")))
    found = _of_entry(entry, laboratories_serving([site], tests)[site], person)
    return [each for each in found if each.item.id in item_ids]
