"""What was answered and marked in reads, as it stands: a later row replaces an earlier one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from imaging.models import ChosenLesion, LesionOutcome, Measurement, Question, Read


def outcomes_of(read: Read, question: str = Question.ABLATION) -> dict[str, str]:
    """The latest answer for each lesion in a read; answers that were taken back are left out."""
    return outcomes_of_all([read], question)[read.pk]


def outcomes_of_all(reads: Iterable[Read], question: str = Question.ABLATION) -> dict[int, dict[str, str]]:
    """The latest answer for each lesion, by read; answers that were taken back are left out; one statement."""
    latest: dict[int, dict[str, str]] = {read.pk: {} for read in reads}
    rows = LesionOutcome.objects.filter(read__in=latest, question=question).order_by("pk")
    for read, lesion, outcome in rows.values_list("read", "lesion", "outcome"):
        latest[read][lesion] = outcome
    return {
        read: {lesion: outcome for lesion, outcome in said.items() if outcome}
        for read, said in latest.items()
    }


def measurements_of(read: Read) -> list[Measurement]:
    """The latest version of each mark of a read, erased ones left out."""
    return measurements_of_all([read])[read.pk]


def measurements_of_all(reads: Iterable[Read]) -> dict[int, list[Measurement]]:
    """The latest version of each mark, by read; one statement."""
    latest: dict[int, dict[UUID, Measurement]] = {read.pk: {} for read in reads}
    for row in Measurement.objects.filter(read__in=latest).select_related("instance").order_by("pk"):
        latest[row.read_id][row.mark] = row
    return {pk: [row for row in rows.values() if not row.erased] for pk, rows in latest.items()}


def chosen_in(read: Read) -> list[ChosenLesion]:
    """Lesions of a reader's list as it stands; those that were removed are left out."""
    return chosen_in_all([read])[read.pk]


def chosen_in_all(reads: Collection[Read]) -> dict[int, list[ChosenLesion]]:
    """The same by read; one statement."""
    latest: dict[int, dict[str, ChosenLesion]] = {read.pk: {} for read in reads}
    for row in ChosenLesion.objects.filter(read__in=latest).order_by("pk"):
        latest[row.read_id][row.name] = row
    return {pk: [row for row in rows.values() if not row.removed] for pk, rows in latest.items()}
