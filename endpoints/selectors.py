"""Endpoints of one subject, and of all subjects of a trial in a constant number of statements. Nothing is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from accounts.access import Access
from casebook.models import Entry
from casebook.rules.projection import Projection, Row, Source, project
from casebook.selectors import row_of
from endpoints.rules.derivation import Derived, UnderivableEndpoint, derive_endpoints
from endpoints.rules.timeline import FollowUp, FormScore
from endpoints.sources import ReadScan, scans_of
from patients.models import Subject
from patients.selectors import within
from qol.rules.fhsi_8_version_4 import ITEMS, score_fhsi8
from trials.models import Trial
from trials.schema import Endpoint, Protocol

PROCEDURES, INFUSIONS, ABLATIONS = "PROCEDURE_DATES", "INFUSIONS", "ABLATIONS"
DEATH, ALIVE, DISCONTINUED, SURVIVAL = "DTHDAT", "LSTALVDT", "DISCDAT", "SURVOK"
QUESTIONNAIRES = "FHSI8"
FACTS = (PROCEDURES, INFUSIONS, ABLATIONS, DEATH, ALIVE, DISCONTINUED, SURVIVAL, QUESTIONNAIRES)

LEFT = (DISCONTINUED,)
USED: Mapping[str, tuple[str, ...]] = {
    "overall_survival": (PROCEDURES, DEATH, ALIVE, DISCONTINUED, SURVIVAL),
    "time_to_local_recurrence": (PROCEDURES, *LEFT),
    "time_to_loss_of_control": (PROCEDURES, ABLATIONS, DEATH, *LEFT),
    "local_control": (PROCEDURES, ABLATIONS, *LEFT),
    "time_to_deterioration": (PROCEDURES, QUESTIONNAIRES, *LEFT),
}
"""Facts that each kind of endpoint rests on, scans aside."""


@dataclass(frozen=True)
class SubjectEndpoints:
    """A subject's endpoints at a data cut-off, and what they come from.

    Attributes
    ----------
    follow_up
        None while there was no procedure.
    derived
        In the order of the protocol.
    sources
        Where each fact was entered.
    problem
        Why nothing could be derived although there was a procedure: facts that contradict each other.
    """

    subject: Subject
    cut_off: date
    follow_up: FollowUp | None
    derived: tuple[Derived, ...]
    scans: tuple[ReadScan, ...]
    sources: Mapping[str, tuple[Source, ...]]
    problem: str = ""

    def sources_of(self, endpoint: Endpoint) -> list[tuple[str, Source]]:
        """Facts that an endpoint rests on, with where they were entered."""
        return [
            (fact, source) for fact in USED.get(endpoint.kind, ()) for source in self.sources.get(fact, ())
        ]


def endpoints_of(subject: Subject, cut_off: date) -> SubjectEndpoints:
    """A subject's endpoints, from what is dated (and was signed) up to the data cut-off."""
    return endpoints_of_all([subject], {subject.pk: cut_off})[subject.pk]


def endpoints_of_all(
    subjects: Collection[Subject], cut_offs: Mapping[int, date]
) -> dict[int, SubjectEndpoints]:
    """Endpoints of many subjects, by primary key; one statement for the forms, three for the scans."""
    rows = _rows(subjects)
    scans = scans_of(subjects)
    return {
        subject.pk: _derived(subject, cut_offs[subject.pk], rows.get(subject.pk, []), scans[subject.pk])
        for subject in subjects
    }


def _rows(subjects: Collection[Subject]) -> dict[int, list[Row]]:
    """Forms that endpoints read, of all subjects."""
    forms = {form for subject in subjects for form in forms_read(subject.version.protocol)}
    found = Entry.objects.filter(
        subject__in=[subject.pk for subject in subjects], form__in=forms, struck_out=False
    )
    rows: dict[int, list[Row]] = {}
    for entry in found.select_related("visit").order_by("pk"):
        rows.setdefault(entry.subject_id, []).append(row_of(entry))
    return rows


def forms_read(protocol: Protocol) -> set[str]:
    """Codes of the forms whose facts the endpoints of a protocol need."""
    return {fact.from_.partition(".")[0] for fact in protocol.facts if fact.name in FACTS}


def _derived(
    subject: Subject, cut_off: date, rows: Iterable[Row], scans: Sequence[ReadScan]
) -> SubjectEndpoints:
    protocol = subject.version.protocol
    projection = project(protocol, rows, cut_off, time_zone=subject.site.time_zone)
    found = SubjectEndpoints(
        subject=subject,
        cut_off=cut_off,
        follow_up=follow_up_of(projection, scans, cut_off),
        derived=(),
        scans=tuple(scans),
        sources=projection.sources,
    )
    if found.follow_up is None:
        return found
    try:
        return replace(found, derived=tuple(derive_endpoints(protocol, found.follow_up)))
    except UnderivableEndpoint:
        raise
    except ValueError as contradiction:
        return replace(found, problem=str(contradiction))


def follow_up_of(projection: Projection, scans: Sequence[ReadScan], cut_off: date) -> FollowUp | None:
    """What is recorded of a subject's follow-up, or None while there was no procedure.

    Notes
    -----
    Survival counts as followed unless the form of the end of the study says no.
    """
    document = projection.document
    procedures = sorted({date.fromisoformat(day) for day in _members(document, PROCEDURES) if day})
    if not procedures:
        return None
    return FollowUp(
        procedures=tuple(procedures),
        scans=tuple(each.scan for each in scans),
        forms=tuple(_scores(_members(document, QUESTIONNAIRES))),
        death=document.get(DEATH),
        last_alive=_day(document.get(ALIVE)),
        discontinued=_day(document.get(DISCONTINUED)),
        survival_follow_up=document.get(SURVIVAL) != "N",
        cut_off=cut_off,
        ablated=_ablated(_members(document, ABLATIONS)),
        first_infusion=_first_infusion(_members(document, INFUSIONS), procedures[0]),
    )


def _members(document: Mapping[str, Any], fact: str) -> list[Any]:
    return [member for member in document.get(fact) or () if member is not None]


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if value else None


def _scores(members: Iterable[Mapping[str, Any]]) -> Iterable[FormScore]:
    """Questionnaires that say when they were completed, scored."""
    for member in members:
        moment, day = member.get("COMPLETED"), member.get("QSDAT")
        if moment or day:
            completed = datetime.fromisoformat(moment) if moment else date.fromisoformat(str(day))
            yield FormScore(completed, score_fhsi8({item: member.get(item) for item in ITEMS}).score)


def _ablated(members: Iterable[Mapping[str, Any]]) -> dict[str, list[date]]:
    """Days of ablation of each lesion, from the start of the energy."""
    found: dict[str, list[date]] = {}
    for member in members:
        lesion, start = member.get("TULNKID"), member.get("A0")
        if lesion and start:
            found.setdefault(str(lesion).strip(), []).append(datetime.fromisoformat(start).date())
    return found


def _first_infusion(members: Iterable[Mapping[str, Any]], first: date) -> datetime | None:
    starts = [datetime.fromisoformat(member["T0"]) for member in members if member.get("T0")]
    return min((start for start in starts if start.date() == first), default=None)


# All subjects of a trial --------------------------------------------------------------------------------------------


def subjects_with_results(access: Access, trial: Trial) -> list[Subject]:
    """Subjects of a trial at the sites whose reports the person may see."""
    return list(
        Subject.objects.filter(within(access, "report.view"), trial=trial)
        .select_related("site", "version", "trial")
        .defer("version__definition")
    )


def is_locked(trial: Trial) -> bool:
    """Whether every form of a trial is locked, and there is one."""
    forms = Entry.objects.filter(subject__trial=trial).order_by()
    return set(forms.values_list("locked", flat=True).distinct()) == {True}
