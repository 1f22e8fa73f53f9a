"""Reading laboratories: those that a person may see, and the ranges that serve a site."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from trials.laboratories.models import Laboratory, ReferenceRange
from trials.models import ProtocolVersion, Site, TrialSite, VersionState
from trials.rules.ranges import Band, Range
from trials.schema import Protocol


@dataclass(frozen=True)
class ServingLaboratory:
    """A laboratory of a site with those of its ranges that were asked for."""

    key: int
    code: str
    name: str
    ranges: tuple[Range, ...]

    def is_called(self, words: str) -> bool:
        """Whether somebody who wrote this meant it: its code or its name, however capitalised."""
        return words.strip().casefold() in {self.code.casefold(), self.name.casefold()}


def as_range(row: ReferenceRange, laboratory: str) -> Range:
    """A stored range as the pure rules see it."""
    return Range(
        key=row.pk,
        version=row.version,
        laboratory=laboratory,
        test=row.test,
        unit=row.unit,
        band=Band(row.sex, row.age_from, row.age_to, row.valid_from),
        low=row.low,
        high=row.high,
    )


_SERVING = "SELECT * FROM trials_laboratories_serving(%s::bigint[], %s::text[])"


def laboratories_serving(
    sites: Collection[int], tests: Collection[str]
) -> dict[int, tuple[ServingLaboratory, ...]]:
    """By site: its laboratories, each with its ranges of these tests that are not withdrawn; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVING, [list(sites), list(tests)])
        rows = cursor.fetchall()
    laboratories: dict[tuple[int, int], tuple[str, str, list[Range]]] = {}
    for site, laboratory, code, name, key, version, test, unit, *band, low, high in rows:
        _, _, ranges = laboratories.setdefault((site, laboratory), (code, name, []))
        if key is not None:
            ranges.append(Range(key, version, name, test, unit, Band(*band), low, high))
    serving: dict[int, list[ServingLaboratory]] = {site: [] for site in sites}
    for (site, laboratory), (code, name, ranges) in laboratories.items():
        serving[site].append(ServingLaboratory(laboratory, code, name, tuple(ranges)))
    return {site: tuple(found) for site, found in serving.items()}


def laboratory_names(site: int) -> tuple[str, ...]:
    """Names of the laboratories that serve a site, in order; one statement."""
    return tuple(Laboratory.objects.filter(sites=site).order_by("name").values_list("name", flat=True))


def laboratories_visible_to(access: Access, permission: str = "laboratory.view") -> QuerySet[Laboratory]:
    """Laboratories of the sites where the person holds the permission."""
    return Laboratory.objects.filter(sites__in=sites_with(access, permission)).distinct()


def sites_with(access: Access, permission: str) -> QuerySet[Site]:
    """Sites where the person holds the permission in any trial."""
    condition = Q(pk__in=[])
    for trial, site in access.scopes(permission):
        here = Q(trial__code=trial) if trial else ~Q(pk__in=[])
        condition |= here & Q(site__code=site) if site else here
    return Site.objects.filter(pk__in=TrialSite.objects.filter(condition).values("site"))


def get_laboratory(access: Access, code: str) -> Laboratory:
    """The laboratory of that code, when the person may see it.

    Raises
    ------
    NotFound
    """
    found = laboratories_visible_to(access).filter(code=code).first()
    if found is None:
        raise NotFound
    return found


def may_keep(access: Access, laboratory: Laboratory) -> bool:
    """Whether the person may change the ranges: at every site that the laboratory serves."""
    kept = sites_with(access, "laboratory.write").values("pk")
    return access.may_anywhere("laboratory.write") and not laboratory.sites.exclude(pk__in=kept).exists()


def standing_ranges(laboratory: Laboratory) -> list[Range]:
    """Ranges of a laboratory that are not withdrawn."""
    rows = ReferenceRange.objects.filter(laboratory=laboratory, withdrawn_at__isnull=True)
    return [as_range(row, laboratory.name) for row in rows]


def known_tests() -> dict[str, str]:
    """Tests that any published protocol asks for, with their words; one statement."""
    published = ProtocolVersion.objects.filter(state=VersionState.PUBLISHED).order_by("pk")
    return {test: label for version in published for test, label in tests_of(version.protocol)}


def tests_of(protocol: Protocol) -> tuple[tuple[str, str], ...]:
    """Laboratory tests that a protocol's forms ask for: CDISC submission value and label."""
    return tuple(
        dict.fromkeys(
            (item.analyte, item.label) for form in protocol.forms for item in form.items if item.type == "lab"
        )
    )
