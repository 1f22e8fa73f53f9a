"""Reading in the quality-of-life room: licences, links, and what is expected."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Max, Q, QuerySet

from accounts.access import Access
from casebook.models import Entry, EntryState
from casebook.rules.status import GRACE_DAYS, planned_forms
from foundation.errors import NotFound
from patients.models import Subject
from qol.errors import LinkUnknownError
from qol.models import InstrumentLicence, InstrumentText, Invitation, InvitationState
from qol.rules.questionnaire import INSTRUMENTS, Questionnaire, questionnaire_of
from trials.models import Trial
from visits.models import Visit, VisitState
from visits.selectors import ENDED, visits_visible_to

HEAVY = "subject__version__definition"

# Licences and wording ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wording:
    """The licensed words of an instrument in one language."""

    language: str
    version: int
    instruction: str
    items: Mapping[str, str]
    anchors: tuple[str, ...]


def licences_in_force(trial: Trial | int, instrument: str, on: date) -> QuerySet[InstrumentLicence]:
    """Licences of an instrument that hold on a day."""
    return InstrumentLicence.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=on),
        trial=trial,
        instrument=instrument,
        valid_from__lte=on,
    )


def licensed_languages(trial: Trial | int, instrument: str, on: date) -> list[str]:
    """Languages in which an instrument may be sent to patients: licensed on that day, and the wording is here."""
    rows = InstrumentText.objects.filter(licence__in=licences_in_force(trial, instrument, on))
    found = rows.values_list("language", "licence__languages").distinct()
    return sorted({language for language, covered in found if language in covered})


def wording_of(trial: Trial | int, instrument: str, language: str, on: date) -> Wording | None:
    """The newest wording in a language under a licence in force, or None; one statement."""
    rows = InstrumentText.objects.filter(
        licence__in=licences_in_force(trial, instrument, on), language=language
    ).select_related("licence")
    sets: dict[tuple[int, int], dict[str, InstrumentText]] = {}
    for row in rows:
        if language in row.licence.languages:
            sets.setdefault((row.licence_id, row.version), {})[row.item] = row
    if not sets:
        return None
    (_licence, version), newest = max(sets.items())
    items = {item: newest[item].text for item in INSTRUMENTS[instrument].items}
    first = newest[INSTRUMENTS[instrument].items[0]]
    return Wording(language, version, newest[""].text, items, tuple(first.anchors))


def newest_version(licence: InstrumentLicence, language: str) -> int:
    """Number of the newest wording in a language; 0 where there is none."""
    rows = InstrumentText.objects.filter(licence=licence, language=language)
    return int(rows.aggregate(n=Max("version"))["n"] or 0)


def why_not_licensed(trial: Trial | int, instrument: str, on: date) -> str:
    """Why an instrument may not be sent to patients in any language; empty where it may in one."""
    if licensed_languages(trial, instrument, on):
        return ""
    known = list(InstrumentLicence.objects.filter(trial=trial, instrument=instrument))
    if not known:
        return "no licence is recorded for this trial"
    last = max((each.valid_until or date.max for each in known), default=date.max)
    if last < on:
        return f"the licence ended on {last:%d %b %Y}"
    if all(each.valid_from > on for each in known):
        return f"the licence begins on {min(each.valid_from for each in known):%d %b %Y}"
    return "the licensed wording is not loaded"


# Links --------------------------------------------------------------------------------------------------------------


class Standing(StrEnum):
    """Where a link stands at a moment."""

    EARLY = "EARLY"
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


BEGUN_STAYS = timedelta(hours=12)
"""How long somebody who began before a link expired may still send; as long as a session lives."""


def standing_of(invitation: Invitation, now: datetime, begun: datetime | None = None) -> Standing:
    """Where a link stands.

    Parameters
    ----------
    begun
        When the patient began to answer, as the server noted it: what was begun in time may be sent a little late.
    """
    if invitation.state != InvitationState.OPEN:
        return Standing(invitation.state)
    if now < invitation.opens_at:
        return Standing.EARLY
    if now <= invitation.expires_at:
        return Standing.OPEN
    in_time = begun is not None and begun <= invitation.expires_at and now - begun <= BEGUN_STAYS
    return Standing.OPEN if in_time else Standing.EXPIRED


def link_digest(token: str) -> str:
    """What is kept of a token. SHA-256 is enough: a token has 192 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_invitation(token: str) -> Invitation:
    """The invitation of a link.

    Raises
    ------
    LinkUnknownError
        No such link, or one that was taken back.
    """
    found = (
        Invitation.objects.filter(digest=link_digest(token))
        .select_related("visit", "subject__site", "subject__version", "subject__trial")
        .defer(HEAVY)
        .first()
    )
    if found is None or found.state == InvitationState.REVOKED:
        raise LinkUnknownError
    return found


def invitations_of(subject: Subject) -> dict[int, Invitation]:
    """The newest link of each visit of a subject, by the visit's primary key."""
    return {each.visit_id: each for each in Invitation.objects.filter(subject=subject).order_by("pk")}


def get_invitation(subject: Subject, visit: Visit) -> Invitation:
    """The open link of a visit.

    Raises
    ------
    NotFound
    """
    found = Invitation.objects.filter(subject=subject, visit=visit, state=InvitationState.OPEN).first()
    if found is None:
        raise NotFound(what="link", name=str(visit))
    return found


# Work lists ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """A questionnaire of a visit that took place, which has not been received.

    Attributes
    ----------
    due
        Last day of the visit's window, or some days after the visit where it has none.
    invitation
        The newest link, if any was sent.
    """

    visit: Visit
    questionnaire: Questionnaire
    due: date
    invitation: Invitation | None

    @property
    def subject(self) -> Subject:
        """Whose it is."""
        return self.visit.subject


def questionnaires_expected(access: Access, permission: str = "qol.view") -> list[Expected]:
    """Questionnaires of visits that took place and were not received, by deadline; three statements at most."""
    visits = (
        visits_visible_to(access, permission)
        .filter(state=VisitState.DONE, happened_on__isnull=False)
        .exclude(subject__status__in=ENDED)
    )
    return _expected(list(visits))


def questionnaires_expected_of(subject: Subject) -> list[Expected]:
    """The same for one subject."""
    visits = Visit.objects.filter(subject=subject, state=VisitState.DONE, happened_on__isnull=False)
    return _expected([_with_subject(visit, subject) for visit in visits])


def _with_subject(visit: Visit, subject: Subject) -> Visit:
    visit.subject = subject
    return visit


def _expected(visits: Collection[Visit]) -> list[Expected]:
    asked = [(visit, questionnaire) for visit in visits for questionnaire in _asked(visit)]
    if not asked:
        return []
    received = _received([visit.pk for visit, _ in asked])
    waiting = [(visit, each) for visit, each in asked if (visit.pk, each.form) not in received]
    links = Invitation.objects.filter(visit__in=[visit.pk for visit, _ in waiting]).order_by("pk")
    newest = {(link.visit_id, link.form): link for link in links} if waiting else {}
    found = [Expected(visit, each, _due(visit), newest.get((visit.pk, each.form))) for visit, each in waiting]
    return sorted(found, key=lambda each: (each.due, each.subject.number))


def _asked(visit: Visit) -> Iterable[Questionnaire]:
    """The questionnaire that the protocol plans at a visit; an unscheduled visit asks nothing."""
    protocol = visit.subject.version.protocol
    questionnaire = questionnaire_of(protocol)
    plan = next((each for each in protocol.visits if each.code == visit.code), None)
    planned = plan is not None and plan.kind != "unscheduled"
    if planned and questionnaire is not None and questionnaire.form in planned_forms(protocol, visit.code):
        yield questionnaire


def _received(visits: Collection[int]) -> set[tuple[int, str]]:
    rows = Entry.objects.filter(visit__in=visits, state=EntryState.COMPLETE, struck_out=False)
    return {(visit, form) for visit, form in rows.values_list("visit_id", "form") if visit is not None}


def _due(visit: Visit) -> date:
    assert visit.happened_on is not None
    return visit.latest or visit.happened_on + timedelta(days=GRACE_DAYS)
