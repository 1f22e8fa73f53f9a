"""The list of lesions that a reader makes at the first time point, where the charter has readers make it."""

from __future__ import annotations

from collections import Counter

from audit.context import Actor, acting
from imaging.errors import LesionRefusedError, UnknownLesionError
from imaging.models import ChosenLesion, Read
from imaging.rules.recist_1_1 import MAX_TARGETS, MAX_TARGETS_PER_ORGAN
from imaging.rules.recist_course import LIMIT, NON_TARGET, TARGET
from imaging.selectors.answered import chosen_in, measurements_of
from imaging.selectors.chosen import chooses_lesions
from imaging.selectors.lesions import organs_of
from imaging.services.answers import erased, held

PREFIX = {TARGET: "T", NON_TARGET: "NT"}
PLACE_LENGTH = 60


def choose_lesion(*, actor: Actor, read: Read, kind: str, organ: str, place: str = "") -> ChosenLesion:
    """Put a lesion on the list; it gets the next name of its role, and no name is given twice.

    Raises
    ------
    LesionRefusedError
        The list is not made here, role or organ are not known, or RECIST 1.1 takes no more targets.
    ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        own = _choosing(actor, read)
        if kind not in PREFIX or organ not in organs_of(own.subject):
            raise LesionRefusedError(message="Say whether it is a target, and in which organ it lies.")
        if kind == TARGET:
            _must_count(own, organ)
        names = ChosenLesion.objects.filter(read=own, name__regex=rf"^{PREFIX[kind]}[0-9]")
        return ChosenLesion.objects.create(
            read=own,
            subject_id=own.subject_id,
            name=f"{PREFIX[kind]}{names.values('name').distinct().count() + 1:02}",
            kind=kind,
            organ=organ,
            place=place.strip()[:PLACE_LENGTH],
        )


def drop_lesion(*, actor: Actor, read: Read, lesion: str) -> ChosenLesion:
    """Take a lesion off the list, with its marks; what was said stays on record.

    Raises
    ------
    UnknownLesionError, LesionRefusedError, ReadLockedError, ReadWaitsError
    """
    with acting(actor):
        own = _choosing(actor, read)
        row = next((each for each in chosen_in(own) if each.name == lesion), None)
        if row is None:
            raise UnknownLesionError(lesion=lesion)
        for mark in measurements_of(own):
            if mark.lesion == lesion:
                erased(mark)
        return ChosenLesion.objects.create(
            read=own,
            subject_id=own.subject_id,
            name=row.name,
            kind=row.kind,
            organ=row.organ,
            place=row.place,
            removed=True,
        )


def _choosing(actor: Actor, read: Read) -> Read:
    own = held(actor, read)
    if not chooses_lesions(own):
        raise LesionRefusedError(
            message="The list of lesions is made at the first time point, and holds since."
        )
    return own


def _must_count(read: Read, organ: str) -> None:
    organs = Counter(each.organ for each in chosen_in(read) if each.kind == TARGET)
    if organs.total() >= MAX_TARGETS or organs[organ] >= MAX_TARGETS_PER_ORGAN:
        raise LesionRefusedError(message=f"One more target is {LIMIT} List it as a non-target lesion.")
