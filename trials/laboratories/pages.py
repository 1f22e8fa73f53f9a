"""What the pages of laboratories show, as frozen rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import Count, Q

from accounts.access import Access
from trials.laboratories.models import Laboratory, ReferenceRange, Sex
from trials.laboratories.selectors import laboratories_visible_to, sites_with
from trials.rules.ranges import ages_in_words


@dataclass(frozen=True)
class LaboratoryRow:
    """A laboratory in the list; the sites are those that the person may see."""

    laboratory: Laboratory
    sites: str
    tests: int
    ranges: int


@dataclass(frozen=True)
class RangeRow:
    """A range in the table, and how it stands today: in force, to come, superseded or withdrawn."""

    row: ReferenceRange
    state: str

    @property
    def people(self) -> str:
        """For whom it is meant."""
        ages = ages_in_words(self.row.age_from, self.row.age_to)
        return f"{self.row.get_sex_display()}, {ages}" if self.row.sex else ages.capitalize()


@dataclass(frozen=True)
class TestRows:
    """All ranges of one test, those in force first."""

    __test__ = False

    test: str
    label: str
    rows: tuple[RangeRow, ...]


STATES = {"in force": 0, "to come": 1, "superseded": 2, "withdrawn": 3}


def laboratory_rows(access: Access) -> list[LaboratoryRow]:
    """Laboratories that the person may see; three statements."""
    standing = Q(ranges__withdrawn_at__isnull=True)
    seen = set(sites_with(access, "laboratory.view").values_list("pk", flat=True))
    found = (
        laboratories_visible_to(access)
        .annotate(
            standing=Count("ranges", filter=standing, distinct=True),
            tests=Count("ranges__test", filter=standing, distinct=True),
        )
        .prefetch_related("sites")
    )
    return [
        LaboratoryRow(
            laboratory,
            ", ".join(site.name for site in laboratory.sites.all() if site.pk in seen),
            laboratory.tests,
            laboratory.standing,
        )
        for laboratory in found
    ]


def range_table(laboratory: Laboratory, labels: dict[str, str], today: date) -> list[TestRows]:
    """Ranges of a laboratory by test, in the order in which the protocols ask for the tests; one statement."""
    rows = list(ReferenceRange.objects.filter(laboratory=laboratory))
    order = list(labels)
    rows.sort(key=lambda row: (order.index(row.test) if row.test in labels else len(order), row.test))
    return [
        TestRows(test, labels.get(test, test), _in_order(list(group), today))
        for test, group in groupby(rows, key=lambda row: row.test)
    ]


def _in_order(rows: Sequence[ReferenceRange], today: date) -> tuple[RangeRow, ...]:
    made = [RangeRow(row, _state(row, rows, today)) for row in rows]
    return tuple(sorted(made, key=lambda each: (STATES[each.state], each.row.sex, each.row.age_from)))


def _state(row: ReferenceRange, rows: Sequence[ReferenceRange], today: date) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.valid_from > today:
        return "to come"
    same = (row.sex, row.age_from, row.age_to)
    later = (
        other
        for other in rows
        if other.withdrawn_at is None
        and (other.sex, other.age_from, other.age_to) == same
        and row.valid_from < other.valid_from <= today
    )
    return "superseded" if any(later) else "in force"


SEXES = tuple((str(code), str(label)) for code, label in Sex.choices)
EXPORTED = (
    "test", "unit", "sex", "age_from", "age_to", "low", "high", "valid_from", "version", "added_at", "withdrawn_at",
    "withdrawn_because",
)  # fmt: skip


def exported_rows(laboratory: Laboratory) -> list[list[object]]:
    """Every range that ever stood, withdrawn ones with their reason, for a file."""
    rows = ReferenceRange.objects.filter(laboratory=laboratory).order_by("test", "sex", "age_from", "version")
    return [[getattr(row, name) for name in EXPORTED] for row in rows]
