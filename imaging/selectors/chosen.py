"""Whose list of lesions a read goes by: the site's, or the one that its reader made at the first time point."""

from __future__ import annotations

from imaging.models import ChosenLesion, ImageQuality, Read, ReadState
from imaging.rules.recist_course import NON_TARGET, TARGET
from imaging.selectors.answered import chosen_in
from imaging.selectors.lesions import Lesion, lesions_of, organs_of
from imaging.selectors.priors import earlier_reads
from imaging.selectors.reads import results

ROLES = {TARGET: "Target", NON_TARGET: "Non-target"}


def readers_list(read: Read) -> bool:
    """Whether the charter has readers list the lesions, independently of the site."""
    charter = read.subject.version.protocol.charter
    return charter is not None and charter.lesions == "reader"


def lesions_listed(read: Read) -> list[Lesion]:
    """Lesions that a read goes by, targets first, by name."""
    if not readers_list(read):
        return lesions_of(read.subject)
    organs = organs_of(read.subject)
    found = [_lesion(row, organs) for row in chosen_in(_listed_at(read))]
    return sorted(found, key=lambda each: (each.kind != TARGET, each.name))


def chooses_lesions(read: Read) -> bool:
    """Whether the reader lists the lesions in this read: at the first readable time point, and once.

    A hidden repeat goes by the list of the read that it repeats, so that sizes of the same lesions are compared.
    """
    return readers_list(read) and _listed_at(read).pk == read.pk


def _listed_at(read: Read) -> Read:
    """The read in which the list was made: the first readable one of the chain, or this one."""
    readable = [each for each in earlier_reads(read) if each.image_quality != ImageQuality.INADEQUATE]
    if readable:
        return readable[0]
    if read.repeat_of_id is None:
        return read
    signed = results().filter(visit=read.visit_id, number=read.number, state=ReadState.SIGNED)
    return signed.order_by("-version").first() or read


def _lesion(row: ChosenLesion, organs: dict[str, str]) -> Lesion:
    organ = organs.get(row.organ, row.organ)
    place = f"{organ}, {row.place}" if row.place else organ
    return Lesion(row.name, place, ROLES.get(row.kind, row.kind), kind=row.kind, organ=row.organ)
