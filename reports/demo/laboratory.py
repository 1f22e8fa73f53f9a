"""A laboratory of one site with its reference ranges: limits such as Nordic laboratories print for adults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from audit.context import Actor
from trials.laboratories.services import import_ranges, register_laboratory
from trials.models import Site

RANGES = Path(__file__).parent / "ranges.csv"


def equip(manager: Actor, sites: Mapping[str, Site]) -> Iterator[str]:
    """Register it and import its ranges; values entered before keep the limits that were typed with them."""
    site = sites["NO-01"]
    laboratory = register_laboratory(
        actor=manager, code="OUS-MB", name="OUS Medical Biochemistry", sites=[site]
    )
    imported = import_ranges(actor=manager, laboratory=laboratory, content=RANGES.read_bytes())
    yield f"{laboratory.name}, {imported.added} reference ranges, at {site.code}"
